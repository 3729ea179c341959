"""Which reports are worth comparing, and how far two of them agree: in time, place, kind, words, and who reported."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.candidates import distances, texts_alike

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
WINDOW = 120.0  # hours between two reports of one matter at most: a citizen who calls again after a week calls anew
NEIGHBOURS = 60  # reports within WINDOW that share a key; more say that the key is a hub
CELL = 75.0  # metres: side of the squares that reports are looked up by
KEYS = ("building", "place", "phone", "said")

GAPS = (1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 48.0, 72.0, 120.0)  # hours, either way
GAP_WEIGHTS = (3.0, 3.0, 2.0, 2.0, -1.0, -1.0, -4.0, -4.0, -6.0, -8.0)
SPOTS = (30.0, 60.0, 100.0, 150.0, 300.0)  # metres
SPOT_WEIGHTS = (3.0, 2.0, 2.0, 0.0, 0.0, -8.0)
MIDDLE_WEIGHTS = (1.0, 1.0, 1.0, 0.0, 0.0, -3.0)  # where one position is the middle of what the address means
PLACES = {
    "building": 4.0,
    "gate": 2.0,
    "quiet": 1.0,
    "usual": 1.0,
    "busy": 0.0,
    "crowded": 0.0,
    "other house": -4.0,
    "elsewhere": -4.0,
    "unknown": 0.0,
}
CROWDED = (0.5, 2.0, 6.0)  # reports a week at one place: quiet, usual, busy, crowded
KINDS = {"same": 2.0, "other": -4.0, "unknown": 0.0}
RATIOS = (1.0, 35.0, 60.0, 80.0)  # rapidfuzz ratio of what is said, but for where
RATIO_WEIGHTS = (-6.0, -1.0, 2.0, 3.0, 4.0, 0.0)
PHONES = {"same": 4.0, "other": 0.0, "unknown": 0.0}
STATED: Mapping[str, tuple[float, ...]] = {
    "gap": (*GAP_WEIGHTS[::-1], *GAP_WEIGHTS),
    "spot": (*SPOT_WEIGHTS, *MIDDLE_WEIGHTS, 0.0),
    "place": tuple(PLACES.values()),
    "kind": tuple(KINDS.values()),
    "words": RATIO_WEIGHTS,
    "phone": tuple(PHONES.values()),
}


def pairs_in_time(rows: pd.DataFrame, late: float = 0.0) -> pd.DataFrame:
    """Distinct pairs `a`, `b` of row positions that share a key or a square within WINDOW, and the `hours` from a to b.

    late: hours by which the clock of `b` is wrong; then every pair is there in both orders, as two of them.
    The channel that comes first in the alphabet is `a`; of one channel, the earlier report.
    """
    blocks = [pd.DataFrame({"at": np.arange(len(rows)), "key": rows["area"] + "|" + rows[name]}) for name in KEYS]
    found = [_in_window(block.dropna(), rows["hour"].to_numpy(), late) for block in (*blocks, *_squares(rows))]
    a, b = (np.concatenate(side) for side in zip(*found, strict=True))
    a, b = np.divmod(pd.unique(a * len(rows) + b), len(rows))
    hour, feed = rows["hour"].to_numpy(), pd.factorize(rows["source"], sort=True)[0]
    gap = hour[b] + late - hour[a]
    turn = np.where(feed[a] == feed[b], gap < 0, feed[a] > feed[b])
    pairs = pd.DataFrame({"a": np.where(turn, b, a), "b": np.where(turn, a, b), "hours": np.where(turn, -gap, gap)})
    if late == 0:
        pairs = pairs[~pd.Series(pairs["a"] * len(rows) + pairs["b"]).duplicated()]
    return pairs.reset_index(drop=True)


def _in_window(block: pd.DataFrame, hour: Floats, late: float) -> tuple[Integers, Integers]:
    """Each row of `block` (`at`, `key`) with the rows of its key that follow it within WINDOW, or, with another clock, lie
    about it. Keys that anywhere have more than NEIGHBOURS rows each way are left out, whatever the clock."""
    at, key = block["at"].to_numpy(), pd.factorize(block["key"])[0]
    known = ~np.isnan(hour[at])
    at, key = at[known], key[known]
    if not len(at):
        return at, at
    since = hour[at] - np.nanmin(hour)
    line = key * (since.max() + 2 * WINDOW + abs(late) + 1) + since
    order = np.argsort(line, kind="stable")
    at, line = at[order], line[order]
    place = np.arange(len(at))
    about = np.searchsorted(line, line + WINDOW, side="right") - np.searchsorted(line, line - WINDOW, side="left")
    hub = np.zeros(key.max() + 1, dtype=bool)
    hub[key[order][about > 2 * NEIGHBOURS]] = True
    end = np.searchsorted(line, line - late + WINDOW, side="right")
    begin = np.searchsorted(line, line - late - WINDOW, side="left") if late else place + 1
    number = np.where(hub[key[order]], 0, np.maximum(end - begin, 0))
    step = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    return np.repeat(at, number), at[np.repeat(begin, number) + step]


def _squares(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows under the four double-wide squares that hold them: rows a square apart share one of them."""
    east, north = (np.floor(rows[name].to_numpy(dtype=np.float64) / CELL) for name in ("east", "north"))
    at = np.flatnonzero(~np.isnan(east))
    found = []
    for over in (0, 1):
        for up in (0, 1):
            square = pd.DataFrame({"over": (east[at] + over) // 2, "up": (north[at] + up) // 2})
            found.append(pd.DataFrame({"at": at, "key": square.groupby(["over", "up"]).ngroup().to_numpy()}))
    return found


def compare(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The levels of STATED for each pair."""
    of = _Codes(rows, pairs)
    gap = pairs["hours"].to_numpy()
    steps = np.searchsorted(np.array(GAPS), np.abs(gap), side="left")
    levels = {
        "gap": np.where(gap < 0, len(GAPS) - steps, len(GAPS) + 1 + steps),
        "spot": _spots(rows, pairs),
        "place": _places(of, rows["crowd"].to_numpy()[pairs["a"]]),
        "kind": _kinds(of),
        "words": _words(of),
        "phone": np.select([of.same("phone"), of.both("phone")], [0, 1], 2),
    }
    return pd.DataFrame(levels).astype("int8")


class _Codes:
    """The values of both rows of each pair as numbers, -1 where not known."""

    def __init__(self, rows: pd.DataFrame, pairs: pd.DataFrame) -> None:
        self.rows, self.a, self.b = rows, pairs["a"].to_numpy(), pairs["b"].to_numpy()

    def sides(self, name: str) -> tuple[Integers, Integers, pd.Index]:
        codes, distinct = pd.factorize(self.rows[name])
        return codes[self.a], codes[self.b], distinct

    def same(self, name: str) -> Flags:
        one, other, _ = self.sides(name)
        found: Flags = (one == other) & (one >= 0)
        return found

    def both(self, name: str) -> Flags:
        one, other, _ = self.sides(name)
        found: Flags = (one >= 0) & (other >= 0)
        return found


def _spots(rows: pd.DataFrame, pairs: pd.DataFrame) -> Integers:
    apart = distances(rows[["east", "north"]].to_numpy(dtype=np.float64), pairs)
    step = np.searchsorted(np.array(SPOTS), apart, side="left").clip(max=len(SPOTS))
    middle = rows["middle"].to_numpy(dtype=bool)
    found: Integers = np.where(
        np.isnan(apart), 2 * len(SPOT_WEIGHTS), step + len(SPOT_WEIGHTS) * (middle[pairs["a"]] | middle[pairs["b"]])
    )
    return found


def _places(of: _Codes, crowd: Floats) -> Integers:
    """The finest place that both addresses mean; the reports a week at a shared one."""
    names = list(PLACES)
    crowded = names.index("quiet") + np.searchsorted(np.array(CROWDED), crowd)
    house, place = of.same("building"), of.same("place")
    tests = [house, of.both("building") & place, of.same("gate"), place, of.both("place")]
    found: Integers = np.select(
        tests, [0, names.index("other house"), 1, crowded, names.index("elsewhere")], names.index("unknown")
    )
    return found


def _kinds(of: _Codes) -> Integers:
    """Channels that write codes and words for kinds say nothing to each other."""
    one, other, distinct = of.sides("kind")
    coded = np.append(pd.Series(distinct, dtype="str").str.isdigit().to_numpy(dtype=bool), False)
    return np.select([of.same("kind"), of.both("kind") & (coded[one] == coded[other])], [0, 1], 2)


def _words(of: _Codes) -> Integers:
    one, other, distinct = of.sides("said")
    back, cases = pd.factorize((one + 1) * (len(distinct) + 1) + other + 1)
    texts = pd.Series([pd.NA, *distinct], dtype="str")
    sides = (texts.iloc[side].reset_index(drop=True) for side in np.divmod(cases, len(distinct) + 1))
    ratio = texts_alike(*sides, inside=True)
    level = np.where(np.isnan(ratio), len(RATIOS) + 1, np.searchsorted(np.array(RATIOS), ratio, side="left"))
    found: Integers = level[back]
    return found
