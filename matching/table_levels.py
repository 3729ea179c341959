"""The levels of agreement of two rows of any table of people: how far they agree on each kind of value.

Level 0 is the strongest, -1 stands for a value that one side does not give. Names, numbers and addresses that agree are told
apart by how rare they are in the table at hand: two rows named Zimmermann-Koch say more than two named Miller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.sounds import soundex

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
Judge = Callable[[Texts, Texts], Integers]
SHARES = (
    3e-4,
    1e-3,
    3e-3,
    1e-2,
)  # share of the rows that bear a value: unique, rare, uncommon, common; above: very common
BANDS = tuple(f"same, {word}" for word in ("unique", "rare", "uncommon", "common", "very common"))
ALIKE = 0.88  # Jaro-Winkler similarity of two spellings of one word; unlike names seldom reach it
DRAWN = 200_000  # pairs of rows at random: chances of one in ten thousand are seen twenty times
DATE = len("2000-01-01")
SHORT = 4  # characters from which on one edit still leaves a word recognisable

NAME = (*BANDS, "swapped", "one edit", "part of the other", "same sound", "alike", "different")
TEXT = (*BANDS, "one edit", "part of the other", "alike", "different")
CODE = ("same", "one edit", "different")
LADDERS: Mapping[str, tuple[str, ...]] = {
    "given_name": NAME,
    "surname": NAME,
    "middle_name": ("same", "same initial", "different"),
    "birth": ("same", "fits as far as known", "day and month swapped", "one digit off", "year and a part", "month and day", "same year", "different"),
    "age": ("same", "one year off", "two or three years off", "different"),
    "sex": ("same", "different"),
    "id_number": CODE,
    "phone": (*BANDS, "one edit", "different"),
    "address": TEXT,
    "house_number": CODE,
    "unit": CODE,
    "street": TEXT,
    "suburb": TEXT,
    "postcode": (*BANDS, "one edit", "different"),
    "state": ("same", "different"),
    "household": ("same", "different"),
    "relation": ("same", "different"),
    "race": ("same", "different"),
    "source": ("one source", "two sources"),
}  # fmt: skip


class TableComparer:
    """Computes the levels of pairs of rows; what rows share is prepared once."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.ladders = {kind: ladder for kind, ladder in LADDERS.items() if kind in table.columns}
        self.codes: dict[str, Integers] = {}
        self.values: dict[str, Texts] = {}
        self.band: dict[str, Integers] = {}
        for kind in self.ladders:
            codes, values = pd.factorize(table[kind])
            self.codes[kind], self.values[kind] = codes, np.asarray(values, dtype=object)
            counts = np.bincount(codes[codes >= 0], minlength=len(values))
            self.band[kind] = np.searchsorted(SHARES, (counts - 1) / max(len(table), 1))

    def chances(self) -> dict[str, Floats]:
        """The share of all pairs at each level of each comparison, of the pairs where both sides say something.

        From rows drawn at random (seeded); how often values are equal is counted from the numbers of their bearers.
        """
        rows = len(self.table)
        draw = np.random.default_rng(rows)
        a, b = draw.integers(0, rows, DRAWN), draw.integers(0, rows, DRAWN)
        drawn = self.levels(a[a != b], b[a != b])
        return {kind: self._chance(kind, drawn[kind].to_numpy()) for kind in self.ladders}

    def _chance(self, kind: str, drawn: Integers) -> Floats:
        ladder = self.ladders[kind]
        bands = len(BANDS) if ladder[0] == BANDS[0] else 1
        bearers = np.bincount(self.codes[kind][self.codes[kind] >= 0]).astype(np.float64)
        pairs = bearers * (bearers - 1) / max(bearers.sum() * (bearers.sum() - 1), 1.0)
        share = np.bincount(drawn[drawn >= 0], minlength=len(ladder)) / max((drawn >= 0).sum(), 1)
        if kind != "middle_name":  # there, two equal initials stand with other levels
            share[:bands] = (
                np.bincount(self.band[kind], weights=pairs, minlength=bands)[:bands] if bands > 1 else pairs.sum()
            )
        return np.asarray(share / share.sum()) if share.sum() else np.full(len(ladder), 1 / len(ladder))

    def borne(self, kind: str) -> Floats:
        """The share of the rows whose value is of each band, of those that bear one."""
        codes = self.codes[kind]
        counted = (
            np.bincount(self.band[kind][codes[codes >= 0]], minlength=len(BANDS)) + 1.0
        )  # one row more in each: none is impossible
        return np.asarray(counted / counted.sum())

    def levels(self, a: Integers, b: Integers) -> pd.DataFrame:
        """The level of every comparison for each pair of positions, a row a pair."""
        found = {kind: self._level(kind, a, b) for kind in self.ladders}
        if "given_name" in found and "surname" in found:
            crossed = self._crossed(a, b)
            found["given_name"][crossed] = NAME.index("swapped")
            found["surname"][crossed] = -1
        if "birth" in found and "age" in found:
            found["age"][found["birth"] >= 0] = -1  # an age is a birth date written once more
        return pd.DataFrame(found)

    def _level(self, kind: str, a: Integers, b: Integers) -> Integers:
        codes, values, ladder = self.codes[kind], self.values[kind], self.ladders[kind]
        x, y = codes[a], codes[b]
        level = np.full(len(a), -1, dtype=np.int64)
        equal = (x == y) & (x >= 0)
        level[equal] = self.band[kind][x[equal]] if ladder[0] == BANDS[0] else 0
        if kind == "middle_name":
            level[equal] = np.where(
                _lengths(values[x[equal]]) == 1, 1, 0
            )  # two initials say no more than an initial and a name
        rest = np.flatnonzero((x >= 0) & (y >= 0) & ~equal)
        if not len(rest):
            return level
        low, high = np.minimum(x[rest], y[rest]), np.maximum(x[rest], y[rest])
        distinct, back = np.unique(low * len(values) + high, return_inverse=True)
        judged = JUDGES.get(kind, _unlike)(values[distinct // len(values)], values[distinct % len(values)])
        level[rest] = np.where(judged < 0, len(ladder) - 1, judged)[back]
        return level

    def _crossed(self, a: Integers, b: Integers) -> Flags:
        """Where given name and surname stand in each other's column."""
        given, surname = (self.table[kind].to_numpy(dtype=object) for kind in ("given_name", "surname"))
        every, _ = pd.factorize(np.concatenate([given, surname]))
        g, s = every[: len(given)], every[len(given) :]
        known = (g[a] >= 0) & (s[a] >= 0) & (g[a] != s[a])
        return np.asarray(known & (g[a] == s[b]) & (s[a] == g[b]))


def _each(judge: Callable[[str, str], int]) -> Judge:
    def every(left: Texts, right: Texts) -> Integers:
        return np.fromiter(map(judge, left, right), dtype=np.int64, count=len(left))

    return every


def _unlike(left: Texts, right: Texts) -> Integers:
    return np.full(len(left), -1, dtype=np.int64)


def _spelled(ladder: Sequence[str]) -> Judge:
    """Two spellings that differ: an edit or neighbours swapped, one the beginning or a word of the other, alike in sound or look."""

    def judge(left: Texts, right: Texts) -> Integers:
        edits, look = _edits(left, right), _look(left, right)
        length = np.minimum(_lengths(left), _lengths(right))
        part = np.zeros(len(left), dtype=bool)
        close = np.flatnonzero((_starts(left) == _starts(right)) | _worded(left) | _worded(right))
        part[close] = _each(_part_of)(left[close], right[close]) == 1
        conditions = {"one edit": (edits == 1) & (length >= SHORT), "part of the other": part, "alike": look >= ALIKE}
        if "same sound" in ladder:
            conditions["same sound"] = _sounds(left) == _sounds(right)
        order = [name for name in ladder if name in conditions]
        return np.select([conditions[name] for name in order], [ladder.index(name) for name in order], default=-1)

    return judge


def _edits(left: Texts, right: Texts) -> Integers:
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import cpdist

    return cpdist(left.tolist(), right.tolist(), scorer=OSA.distance, score_cutoff=1, dtype=np.int64)


def _look(left: Texts, right: Texts) -> npt.NDArray[np.float64]:
    from rapidfuzz.distance import JaroWinkler
    from rapidfuzz.process import cpdist

    return cpdist(left.tolist(), right.tolist(), scorer=JaroWinkler.similarity, dtype=np.float64)


def _lengths(texts: Texts) -> Integers:
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def _starts(texts: Texts) -> npt.NDArray[np.str_]:
    return np.array(texts.tolist(), dtype="U1")


def _worded(texts: Texts) -> Flags:
    """Which have several words."""
    return np.fromiter((" " in text for text in texts), dtype=bool, count=len(texts))


def _sounds(texts: Texts) -> Texts:
    distinct = {text: soundex(text) or text for text in set(texts)}
    return np.array([distinct[text] for text in texts], dtype=object)


def _part_of(one: str, two: str) -> int:
    """An initial or short form that the other begins with, or one of its words (double names)."""
    short, long = sorted((one, two), key=len)
    return int(long.startswith(short) or set(short.split()) <= set(long.split()))


def _coded(ladder: Sequence[str]) -> Judge:
    def judge(left: Texts, right: Texts) -> Integers:
        short = np.minimum(_lengths(left), _lengths(right)) < 2
        return np.where((_edits(left, right) == 1) & ~short, ladder.index("one edit"), -1)

    return judge


def _birth(left: Texts, right: Texts) -> Integers:
    """Two dates that differ, by the places of YYYY-MM-DD that do."""
    whole = np.minimum(_lengths(left), _lengths(right)) == DATE
    one, two = (_characters(side) for side in (left, right))
    off = one != two
    year, month, day = off[:, :4].any(axis=1), off[:, 5:7].any(axis=1), off[:, 8:].any(axis=1)
    crossed = (one[:, 5:7] == two[:, 8:]).all(axis=1) & (one[:, 8:] == two[:, 5:7]).all(axis=1)
    turned = off[:, :-1] & off[:, 1:] & (one[:, :-1] == two[:, 1:]) & (one[:, 1:] == two[:, :-1])
    slips = off.sum(axis=1)
    slip = (slips == 1) | ((slips == 2) & turned.any(axis=1))  # one digit, or two neighbours in each other's place
    steps = [~year & crossed, slip, ~year & (~month | ~day), ~month & ~day, ~year]
    level = np.select([whole & step for step in steps], [2, 3, 4, 5, 6], default=-1)
    part = np.flatnonzero(~whole)
    level[part] = _each(_begins)(left[part], right[part])
    return level


def _characters(texts: Texts) -> npt.NDArray[np.uint32]:
    """A row a text, a column each of its first DATE characters; 0 behind its end."""
    fixed = np.array(texts.tolist(), dtype=f"U{DATE}")
    return fixed.view(np.uint32).reshape(len(texts), DATE)


def _begins(one: str, two: str) -> int:
    return 1 if one.startswith(two) or two.startswith(one) else -1


def _middle(one: str, two: str) -> int:
    return 1 if one[0] == two[0] and min(len(one), len(two)) == 1 else -1


def _age(one: str, two: str) -> int:
    apart = abs(int(one) - int(two))
    return 1 if apart == 1 else 2 if apart <= 3 else -1


JUDGES: Mapping[str, Judge] = {
    **{kind: _spelled(LADDERS[kind]) for kind in ("given_name", "surname", "address", "street", "suburb")},
    **{kind: _coded(LADDERS[kind]) for kind in ("id_number", "phone", "house_number", "unit", "postcode")},
    "birth": _birth,
    "middle_name": _each(_middle),
    "age": _each(_age),
}
