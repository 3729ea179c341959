"""What a run did to codes: counts for people, a line a code for those who follow the registry. Names, never values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256

import numpy as np
import pandas as pd

from registry.origins import Integers

EXAMPLES = 20  # codes of each kind of change that a plan names


@dataclass(frozen=True)
class ChangeCounts:
    """Codes by what a run did to them, but `moved`: records whose code is now another.

    created: issued, or back from retirement. absorbed: gained records. merged: redirect to another. split: lost records
    to codes created for them. retired: no record left. updated: the same records, other values, relations or location.
    untouched: all the others that are active.
    """

    created: int = 0
    absorbed: int = 0
    merged: int = 0
    split: int = 0
    moved: int = 0
    retired: int = 0
    untouched: int = 0
    updated: int = 0

    @property
    def nothing(self) -> bool:
        """Whether the run left the registry as it was."""
        return not any((self.created, self.absorbed, self.merged, self.split, self.moved, self.retired, self.updated))


@dataclass(frozen=True)
class Outcome:
    """What a run does to the registry, as it is printed and stored.

    counts: of all types. by_type: type -> change -> codes. reasons: change -> reason -> codes. examples: change -> some
    codes, the first by age. digest: of all that befalls codes there were before; two runs with the same digest do the same.
    alarms: sentences on what is beyond the bounds.
    """

    counts: ChangeCounts
    by_type: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digest: str = ""
    alarms: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether the run left the registry as it was."""
        return self.counts.nothing


@dataclass(frozen=True)
class Movement:
    """How records and values of a run moved between codes; codes as serials.

    flows: `serial` -> `to` with `shared` records that changed code. gained: records a code has that had none before.
    lost: serials that lost records to no code. merged: serial -> successor. touched: `serial`, `part` (properties |
    relations | location) and `name` of what is different.
    """

    created: Integers
    returned: Integers
    flows: pd.DataFrame
    gained: Mapping[int, int]
    lost: Integers
    merged: Mapping[int, int]
    retired: Integers
    touched: pd.DataFrame


def changes_of(movement: Movement) -> pd.DataFrame:
    """A line a code: `serial`, `change`, `diff` (a dict; codes in it as serials below `from` and `to`)."""
    away = _partners(movement.flows, "serial", "to")
    toward = _partners(movement.flows, "to", "serial")
    named = _names(movement.touched)
    born, new = set(movement.created.tolist()), set(movement.returned.tolist())
    lines: dict[int, tuple[str, dict[str, object]]] = {}
    for serial in {*away, *toward, *movement.gained, *named, *movement.lost.tolist()} - born - set(movement.merged):
        diff = _diff(serial, away, toward, movement.gained, named)
        lines[serial] = (_kind(serial, away, toward, movement.gained, born), diff)
    for serial in born:
        came = {"from": toward[serial]} if serial in toward else {}
        lines[serial] = ("created", {**came, **({"returned": True} if serial in new else {})})
    lines.update({serial: ("merged", {"to": [into]}) for serial, into in movement.merged.items()})
    lines.update({serial: ("retired", {}) for serial in movement.retired.tolist()})
    rows = [(serial, change, diff) for serial, (change, diff) in sorted(lines.items())]
    return pd.DataFrame(rows, columns=["serial", "change", "diff"])


def count(changes: pd.DataFrame, movement: Movement, active: int) -> ChangeCounts:
    """The counts of a run's changes; active: codes in use after it."""
    by = changes["change"].value_counts()
    ended = int(by.get("merged", 0) + by.get("retired", 0))
    return ChangeCounts(
        created=int(by.get("created", 0)),
        absorbed=int(by.get("absorbed", 0)),
        merged=int(by.get("merged", 0)),
        split=int(by.get("split", 0)),
        moved=int(movement.flows["shared"].sum()),
        retired=int(by.get("retired", 0)),
        untouched=active - (len(changes) - ended),
        updated=int(by.get("updated", 0)),
    )


def outcome(counts: ChangeCounts, rows: pd.DataFrame, alarms: Iterable[str] = ()) -> Outcome:
    """The changes of a run summed up. rows: `code`, `type`, `change`, `reason`, a line a changed code, the oldest first."""
    if rows.empty:
        return Outcome(counts, digest=_digest(counts, rows), alarms=tuple(alarms))
    first = rows.groupby("change", sort=True)["code"].apply(lambda codes: tuple(codes.head(EXAMPLES)))
    return Outcome(
        counts,
        by_type=_nested(rows, "type", "change"),
        reasons=_nested(rows, "change", "reason"),
        examples={str(change): codes for change, codes in first.items()},
        digest=_digest(counts, rows),
        alarms=tuple(alarms),
    )


def _nested(rows: pd.DataFrame, one: str, two: str) -> dict[str, dict[str, int]]:
    counted = rows.groupby([one, two], sort=True).size().rename("number").reset_index()
    found: dict[str, dict[str, int]] = {}
    for first, second, number in counted.itertuples(index=False, name=None):
        found.setdefault(str(first), {})[str(second)] = int(number)
    return found


def _digest(counts: ChangeCounts, rows: pd.DataFrame) -> str:
    """Of the changes of known codes: those of new ones are numbers that another run draws anew."""
    known = rows[rows["change"] != "created"] if len(rows) else rows
    lines = sorted(f"{change} {code}" for change, code in zip(known["change"], known["code"], strict=True))
    return sha256("\n".join([json.dumps(asdict(counts)), *lines]).encode()).hexdigest()


def reasons(changes: pd.DataFrame, joined_by: Mapping[int, str]) -> pd.Series:
    """Why each line of `changes_of` came about, in a few words. joined_by: merged serial -> how its records joined."""
    words = [
        _reason(change, diff, joined_by.get(serial, "model"))
        for serial, change, diff in zip(changes["serial"].tolist(), changes["change"], changes["diff"], strict=True)
    ]
    return pd.Series(words, index=changes.index, dtype="str")


def _reason(change: str, diff: Mapping[str, object], how: str) -> str:
    if change == "merged":
        return f"joined by {how}"
    if change == "created":
        return (
            "back with its records"
            if "returned" in diff
            else "parted from another"
            if "from" in diff
            else "new records"
        )
    if change == "absorbed":
        return "records of another" if "from" in diff else "new records"
    if change == "updated":
        told = [name for name in ("properties", "relations", "location") if name in diff]
        return f"other {' and '.join(told)}" if told else "records gone"
    return {"retired": "records gone", "split": "records parted", "moved": "records moved"}.get(change, change)


def written(changes: pd.DataFrame, codes: Callable[[list[int]], list[str]]) -> pd.Series:
    """The diffs as JSON text, with codes in place of serials."""
    return pd.Series([_text(diff, codes) for diff in changes["diff"]], index=changes.index, dtype="str")


def _text(diff: dict[str, object], codes: Callable[[list[int]], list[str]]) -> str:
    if not diff:
        return "{}"
    named = {key: codes(found) for key in ("from", "to") if isinstance(found := diff.get(key), list)}
    return json.dumps({**diff, **named})


def _kind(
    serial: int,
    away: Mapping[int, list[int]],
    toward: Mapping[int, list[int]],
    gained: Mapping[int, int],
    born: Iterable[int],
) -> str:
    if serial in away and not set(away[serial]).isdisjoint(born):
        return "split"
    if serial in toward or serial in gained:
        return "absorbed"
    return "moved" if serial in away else "updated"


def _diff(
    serial: int,
    away: Mapping[int, list[int]],
    toward: Mapping[int, list[int]],
    gained: Mapping[int, int],
    named: Mapping[int, dict[str, list[str]]],
) -> dict[str, object]:
    diff: dict[str, object] = dict(named.get(serial, {}))
    if serial in away:
        diff["to"] = away[serial]
    if serial in toward:
        diff["from"] = toward[serial]
    if serial in gained:
        diff["records"] = gained[serial]
    return diff


def _partners(flows: pd.DataFrame, of: str, to: str) -> dict[int, list[int]]:
    """For each serial of one column those of the other, ascending."""
    pairs = flows[[of, to]].drop_duplicates().sort_values([of, to])
    found: dict[int, list[int]] = {}
    for one, two in zip(pairs[of].tolist(), pairs[to].tolist(), strict=True):
        found.setdefault(one, []).append(two)
    return found


def _names(touched: pd.DataFrame) -> dict[int, dict[str, list[str]]]:
    """For each serial and part the names that are different, ascending."""
    lines = touched.drop_duplicates().sort_values(["serial", "part", "name"])
    found: dict[int, dict[str, list[str]]] = {}
    for serial, part, name in zip(*(lines[column].tolist() for column in ("serial", "part", "name")), strict=True):
        found.setdefault(serial, {}).setdefault(part, []).append(name)
    return found


def no_flows() -> pd.DataFrame:
    """No record changed its code."""
    return pd.DataFrame({name: pd.Series(dtype=np.int64) for name in ("serial", "to", "shared")})
