"""What crosses the stages: frames of records in, frames of who is the same out.

A *record* is what one feed row says of one thing: it is named by (source, key, type, role) and carries the number `rid`.
Values are canonical text as `schemas.kinds` leaves them, missing where the feed has none. A value that a check withheld
stays beside its property as `<property>.withheld`: evidence for matching and repair, never a value of the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

TYPES = ("person", "household", "place", "thing", "organization", "event")
META = ("rid", "source", "key", "role")
WITHHELD = ".withheld"

MEMBER_COLUMNS = ("rid", "type", "kind", "cluster", "how", "weight")
DERIVED_COLUMNS = ("type", "kind", "cluster", "property", "value", "rid")
RELATION_COLUMNS = ("type", "kind", "cluster", "relation", "to_type", "to_kind", "to_cluster", "rid")
EDGE_COLUMNS = ("type", "rid_a", "rid_b", "weight")
DOUBT_COLUMNS = ("type", "cluster", "rid", "weight", "reason")
LOCATION_COLUMNS = ("type", "kind", "cluster", "division", "grid", "basis")


@dataclass(frozen=True)
class Feed:
    """What matching may know of a source: where it comes from and how much it weighs.

    level: district | street | community | grid. division: the code its addresses are read in.
    rank: 0 for the feed whose owner answers for the type, larger for weaker ones. loaded: ISO time of its last load.
    """

    name: str
    level: str
    division: str
    owner: str = ""
    rank: int = 0
    loaded: str = ""


@dataclass(frozen=True)
class Records:
    """The current records of the registry, a frame a type.

    frames: {type: DataFrame}; columns `rid` (int64, unique over all types), `source`, `key`, `role` ("" where none) and
    one `str` column a property (present only when some feed maps it; use `column()` to ask for it), plus
    `<property>.withheld`. feeds: {source name: Feed}.
    """

    frames: Mapping[str, pd.DataFrame]
    feeds: Mapping[str, Feed]

    def frame(self, kind: str) -> pd.DataFrame:
        """The records of one type; an empty frame with the META columns when there are none."""
        found = self.frames.get(kind)
        return found if found is not None else empty_records()

    def division(self, frame: pd.DataFrame) -> pd.Series:
        """The division code each record's feed covers, aligned with `frame`."""
        return frame["source"].map({name: feed.division for name, feed in self.feeds.items()}).astype("str")


def empty_records() -> pd.DataFrame:
    """No records, with the META columns."""
    frame = pd.DataFrame({name: pd.Series(dtype="str") for name in META})
    return frame.astype({"rid": "int64"})


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """The column `name` as `str`, all missing when no feed maps it."""
    if name in frame.columns:
        return frame[name].astype("str")
    return pd.Series(pd.NA, index=frame.index, dtype="str", name=name)


@dataclass(frozen=True)
class Matched:
    """What one matching step found out, or several of them together (`+`).

    members: a line for each (record, type, kind) that belongs to an entity: `rid`, `type`, `kind` (household: registered |
        residential; place: dwelling | building | estate | ...; empty for other types), `cluster` (int64, unique within
        (type, kind)), `how` (a short word: exact_id, model, address, single, ...), `weight` (float64, missing where the rule is certain).
        At most one line a (rid, type, kind). A person record yields lines of other types too: the dwelling its address
        means, its residential and its registered household.
    derived: values of entities that no record of their type states (a dwelling's room, a household's head), with the
        record that shows them: `type`, `kind`, `cluster`, `property`, `value`, `rid`.
    relations: `type`, `kind`, `cluster` --relation--> `to_type`, `to_kind`, `to_cluster`, with the record that shows it.
    edges: scored pairs `type`, `rid_a` < `rid_b`, `weight` (log2 odds); of people also `levels`, as the model packs them.
    doubts: questions for a person, the likeliest first: does record `rid` (its own cluster's, or another's) belong to `type`,
        `cluster`? `weight` (log2 odds of the best pair between them), `reason` (weak | contradicted | held, see `matching.doubt`).
    locations: (division, grid) of an entity by rule: `division` (code), `grid` (code, missing for no grid), `basis` (code | polygon | building | community | feed).
    """

    members: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(MEMBER_COLUMNS)))
    derived: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(DERIVED_COLUMNS)))
    relations: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(RELATION_COLUMNS)))
    edges: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(EDGE_COLUMNS)))
    locations: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(LOCATION_COLUMNS)))
    doubts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(DOUBT_COLUMNS)))

    def __add__(self, other: Matched) -> Matched:
        return Matched(
            members=_join(self.members, other.members),
            derived=_join(self.derived, other.derived),
            relations=_join(self.relations, other.relations),
            edges=_join(self.edges, other.edges),
            doubts=_join(self.doubts, other.doubts),
            locations=_join(self.locations, other.locations),
        )


def _join(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    if first.empty:
        return second
    return first if second.empty else pd.concat([first, second], ignore_index=True)


@dataclass(frozen=True)
class Landed:
    """One load as it lies in landing, read back for checking.

    rows: the feed's columns byte for byte, every value as `str` text (missing = null at the source), index 0..n-1; the
    landed row number shown to people is index + 1. mode: snapshot (rows not in it are gone) | delta (rows to add or change).
    """

    load: int
    source: str
    mode: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class Counts:
    """Rows of one load: read = clean + quarantined + repeated, with what was withheld (values) and deleted (rows) beside it."""

    read: int = 0
    clean: int = 0
    quarantined: int = 0
    repeated: int = 0
    deleted: int = 0
    withheld: int = 0


@dataclass(frozen=True)
class Checked:
    """What checking made of a load: what flows on, what does not and why, and the figures.

    records: {type: frame} with `key`, `role`, one `str` column a mapped property and `<property>.withheld` ones; a line a
        (key, type, role), only of clean rows that are not deleted.
    deleted: keys of rows that say of themselves they are gone. seen: every key of the load, the quarantined ones too:
        in a snapshot a key not seen is gone, while a quarantined row leaves the last good version standing.
    quarantine: `row` (1-based), `key`, `scope` (row | value | warning), `type`, `role`, `property`, `reasons` (JSON text: list
        of {rule, sentence}), `raw` (JSON text of the raw row, or the withheld text; personal, sealed before it is stored).
    results: `division`, `grid`, `type`, `role`, `property`, `rule`, `dimension`, `outcome`, `evaluated`, `failed`; counts only.
    warnings: sentences for the data officer, no values in them.
    """

    load: int
    source: str
    mode: str
    records: Mapping[str, pd.DataFrame]
    deleted: pd.Series
    seen: pd.Series
    quarantine: pd.DataFrame
    results: pd.DataFrame
    counts: Counts
    warnings: tuple[str, ...] = ()
