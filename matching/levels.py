"""How far two records of people agree, as plain whole numbers: one small ladder a comparison, 0 the strongest.

-1 says that one side gives nothing to compare. The ladders are the features of the scoring model; their names are what
an explanation shows. No fact counts twice: where a damaged id already carries the birth date, the date is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.evidence import BESIDE, HEAD_ROLES
from matching.model import Tables, digest
from matching.texts import Letters, birth_level, digits_off, even, fits_mask, letters, misspelt, number_level, one_edit
from schemas.name_levels import NameLevel, compare_two

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
Evidence = pd.DataFrame | Mapping[str, Any]

LEVELS: Mapping[str, tuple[str, ...]] = {
    "name": (
        "same, unique", "same, rare", "same, uncommon", "same, common", "same, very common", "former name",
        "fits wildcards", "same sound", "misspelt", "one character off", "fits short form", "same given name", "same surname",
        "different", "not given",
    ),
    "birth": ("same", "fits as far as known", "one digit or swap", "same year", "within three years", "different"),
    "sex": ("same", "different"),
    "phone": ("same, one person's", "same, a family's", "same, shared, one name", "same, shared", "fits mask", "one digit off", "different"),
    "home": (
        "one dwelling", "one room, unit open", "one building, dwelling open", "one building", "one estate",
        "one community", "elsewhere",
    ),
    "beside": ("one dwelling", "one building", "one estate", "elsewhere"),
    "registered": ("one dwelling", "lives where the other is registered", "elsewhere"),
    "id": (
        "fits, most digits", "fits, last digits", "fits, some digits", "one edit", "same, not surely its own",
        "same, borrowed", "does not fit", "another, one not surely its own",
    ),
    "household": ("head's own number", "one book, one role", "one book", "head of the other", "another book"),
    "ethnicity": ("same minority", "both Han", "different"),
    "relation": ("one role", "head and dependant", "another role"),
    "feed": ("one feed that repeats nobody", "one feed", "one feed that repeats many", "two feeds"),
}  # fmt: skip
# The weights in log2 odds as far as labels do not tell (a district without ids; damaged numbers, which labelling needs
# whole): what a careful clerk would give, from counts of how often two people share a value by chance.
STATED: Mapping[str, tuple[float, ...]] = {
    "name": (10, 8, 6.5, 5, 3, 6, 3, 1, 1, -1, 0.5, -3, -7, -9, -3),
    "birth": (7, 3, -1, -4, -6, -8),
    "sex": (0.9, -5),
    "phone": (8, 5, 6, 1, 4, 1, -1),
    "home": (6, 5, 3, 1, 0, -0.5, -1.5),
    "beside": (6, 4, 2, -1),
    "registered": (4, 3, -1),
    "id": (12, 9, 4, 10, 2, -9, -5, -1.5),
    "household": (12, 3, 0, -8, -2),
    "ethnicity": (2, 0, -3),
    "relation": (1, -2, -2),
    "feed": (-3, -0.5, 0, 0),
}
BASE = -8.0  # log2 odds of a candidate pair that shows nothing: one in 256
NAME_BANDS = (1, 3, 10, 50)  # persons bearing a name: unique, rare, uncommon, common; above: very common
_FORMER = len(NAME_BANDS) + 1  # the level of a former name; the graded agreements follow it
_SHORTENED, _DIFFERENT = (LEVELS["name"].index(label) for label in ("fits short form", "different"))
FAMILY = 5  # persons a family's phone is seen with at most; above it is a grid worker's, a landlord's, a placeholder
REPEATS_NOBODY = 0.005  # share of a feed's rows whose person it has already: a register, not a hand-kept list
REPEATS_MANY = 0.1  # of the same: not a list of people but of what they do or let, one person as often as it takes
LINES = {
    digit: 2 if digit == "3" else int(digit) for digit in "01234567"
}  # GB/T 4761: children are one line, 8, 9 none
HAN = "01"  # GB/T 3304


def impossible(levels: pd.DataFrame | Mapping[str, Integers]) -> Flags:
    """The pairs that cannot be one person: another birth date altogether, a borrowed number, a head's dependant."""
    never = {"birth": "different", "id": "same, borrowed", "household": "head of the other"}
    met = [np.asarray(levels[name]) == LEVELS[name].index(label) for name, label in never.items()]
    return np.asarray(np.logical_or.reduce(met))


def listed_twice(levels: pd.DataFrame | Mapping[str, Integers], unlike: Flags) -> Flags:
    """The pairs of rows that one list of people holds, and that are therefore two people.

    A list holds each person once as a rule: two of its rows are one person's only where they look the same, and never
    under two names (brothers and sisters differ by a character; a typist's swaps and look-alikes do not count as that).
    unlike: the pairs that score too little to be joined.
    """
    names = [
        LEVELS["name"].index(name) for name in ("one character off", "same given name", "same surname", "different")
    ]
    listed = np.asarray(levels["feed"]) < LEVELS["feed"].index("one feed that repeats many")
    return np.asarray(listed & (unlike | np.isin(levels["name"], names)))


def levels_of(evidence: pd.DataFrame, tables: Tables, a: Integers, b: Integers) -> pd.DataFrame:
    """The level of every comparison for each pair of positions, a row a pair; only the rows in pairs are prepared."""
    rows, at = np.unique(np.concatenate([a, b]), return_inverse=True)
    return Comparer(evidence.iloc[rows].reset_index(drop=True), tables).levels(at[: len(a)], at[len(a) :])


class Comparer:
    """Computes the levels of pairs of evidence rows. What rows share is prepared once, and only where a comparison asks
    for it: a question at the door has one row against few, and knows little.

    evidence: a frame, or the same columns as arrays of objects (None where nothing is known).
    """

    def __init__(self, evidence: Evidence, tables: Tables) -> None:
        self.evidence, self.tables = evidence, tables
        self._columns: dict[str, Objects] = {}
        self._values: dict[str, tuple[Integers, Objects]] = {}

    def levels(self, a: Integers, b: Integers) -> pd.DataFrame:
        """The level of every comparison for each pair of positions, a row a pair."""
        return pd.DataFrame(self.ladders(a, b))

    def ladders(self, a: Integers, b: Integers) -> dict[str, Integers]:
        """`levels` as arrays. Few rows know little: a comparison of which all of one side know nothing is not made."""
        sides = () if isinstance(self.evidence, pd.DataFrame) else (np.unique(a), np.unique(b))
        silent = np.full(len(a), -1)
        found = {
            name: compare(self, a, b) if all(self._told(name, rows) for rows in sides) else silent
            for name, compare in _COMPARISONS.items()
        }
        carried = np.isin(found["id"], (0, 3))
        for name in ("birth", "sex"):
            found[name] = np.where(carried, -1, found[name])
        return found

    def _told(self, comparison: str, rows: Integers) -> bool:
        told = (self.column(name)[rows] for name in _NEEDS.get(comparison, ()))
        return comparison not in _NEEDS or any((values != None).any() for values in told)  # noqa: E711 - by element

    @cached_property
    def name_band(self) -> Integers:
        """How common each row's name is, as a place in NAME_BANDS."""
        codes, names = self.values("name")
        bearers = np.array([*(self.tables.names.get(name, 1) for name in names), 1])[codes]
        return np.searchsorted(NAME_BANDS, bearers - _unseen(self.evidence, len(codes)))

    @cached_property
    def spread(self) -> Integers:
        """How many persons each row's phone is seen with."""
        codes, phones = self.values("phone")
        return np.array([*(self.tables.phones.get(digest(phone), 1) for phone in phones), 1])[codes]

    @cached_property
    def strict(self) -> Flags:
        """Rows of feeds that repeat nobody."""
        return self._repeats(unknown=1.0) < REPEATS_NOBODY

    @cached_property
    def often(self) -> Flags:
        """Rows of feeds that repeat many."""
        return self._repeats(unknown=0.0) >= REPEATS_MANY

    def _repeats(self, unknown: float) -> npt.NDArray[np.float64]:
        codes, feeds = self.values("feed")
        return np.array([*(self.tables.repeats.get(feed, unknown) for feed in feeds), unknown])[codes]

    @cached_property
    def lead(self) -> Flags:
        """Rows of heads of households."""
        codes, relations = self.values("relation")
        return np.array([*(relation in HEAD_ROLES for relation in relations), False])[codes]

    @cached_property
    def line(self) -> Integers:
        """Generation and line of each row's relation to its head, as a number; -1 where nothing is said."""
        codes, relations = self.values("relation")
        return np.array([*(LINES.get(str(relation)[:1], -1) for relation in relations), -1])[codes]

    def column(self, name: str) -> Objects:
        """A column's values, row by row."""
        if name not in self._columns:
            self._columns[name] = np.asarray(self.evidence[name], dtype=object)
        return self._columns[name]

    def flags(self, name: str) -> Flags:
        """A column of yes and no."""
        return np.asarray(self.column(name), dtype=bool)

    def values(self, name: str) -> tuple[Integers, Objects]:
        """A column as codes (-1 missing) and the values they stand for; codes of _ALIKE compare across columns."""
        if name not in self._values:
            together = next((names for names in _ALIKE if name in names), (name,))
            codes, values = _coded([self.evidence[column.split(" ")[0]] for column in together])
            size = len(codes) // len(together)
            for at, column in enumerate(together):
                self._values[column] = codes[at * size : (at + 1) * size], values
        return self._values[name]

    def code(self, name: str) -> Integers:
        """A column as codes."""
        return self.values(name)[0]

    def same(self, name: str, a: Integers, b: Integers) -> Flags:
        """Where both know the column and agree on it."""
        codes = self.code(name)
        return np.asarray((codes[a] == codes[b]) & (codes[a] >= 0))

    def both(self, name: str, a: Integers, b: Integers) -> Flags:
        """Where both know the column."""
        codes = self.code(name)
        return np.asarray((codes[a] >= 0) & (codes[b] >= 0))

    def by_letter(
        self, names: tuple[str, str], a: Integers, b: Integers, judge: Callable[[Letters, Letters], Integers]
    ) -> Integers:
        """`judge` on the letters of all pairs at once (column names[0] of a, names[1] of b); -1 where one is missing."""
        (one, left), (two, right) = (self.values(name) for name in names)
        known = np.flatnonzero((one[a] >= 0) & (two[b] >= 0))
        result = np.full(len(a), -1, dtype=np.int64)
        if len(known):
            sides = even(letters(left), letters(right))
            result[known] = judge(sides[0][one[a[known]]], sides[1][two[b[known]]])
        return result

    def by_value(self, names: tuple[str, str], a: Integers, b: Integers, judge: Callable[[str, str], int]) -> Integers:
        """`judge` on every distinct pair of values (column names[0] of a, names[1] of b); -1 where one is missing."""
        one, left = self.values(names[0])
        two, right = self.values(names[1])
        x, y = one[a], two[b]
        known = (x >= 0) & (y >= 0)
        result = np.full(len(a), -1, dtype=np.int64)
        if not known.any():
            return result
        distinct, back = np.unique(x[known] * (len(right) + 1) + y[known], return_inverse=True)
        values = [judge(left[code // (len(right) + 1)], right[code % (len(right) + 1)]) for code in distinct.tolist()]
        result[known] = np.array(values, dtype=np.int64)[back]
        return result


FEW = 1000  # rows of arrays below which a dictionary codes faster than pandas


def _coded(parts: Sequence[pd.Series | Objects]) -> tuple[Integers, Objects]:
    """Codes of columns one behind the other, -1 where nothing is known, and the values they stand for."""
    if isinstance(parts[0], pd.Series):
        codes, values = pd.factorize(pd.concat([pd.Series(part) for part in parts], ignore_index=True))
        return codes.astype(np.int64), np.asarray(values, dtype=object)
    if len(parts[0]) > FEW:
        many, distinct = pd.factorize(np.concatenate(parts))
        return many.astype(np.int64), np.asarray(distinct, dtype=object)
    seen: dict[object, int] = {}
    found = [-1 if value is None else seen.setdefault(value, len(seen)) for part in parts for value in part]
    return np.array(found, dtype=np.int64), np.array([*seen, None], dtype=object)[:-1]


def _unseen(evidence: Evidence, rows: int) -> Integers:
    """1 for the rows whose person training took out of all other feeds, and so out of the counts."""
    found = evidence["unseen"] if "unseen" in evidence else np.zeros(rows, dtype=np.int64)
    return np.asarray(found, dtype=np.int64)


def _ladder(conditions: list[Flags], known: Flags) -> Integers:
    """The number of the first condition that holds, the next number where none does, -1 where nothing is known."""
    level = np.select(conditions, list(range(len(conditions))), default=len(conditions))
    return np.where(known, level, -1)


def _name(of: Comparer, a: Integers, b: Integers) -> Integers:
    whole = of.same("full", a, b)
    level = np.full(len(a), len(LEVELS["name"]) - 1, dtype=np.int64)
    level[whole] = np.minimum(of.name_band[a[whole]], of.name_band[b[whole]])
    rest = np.flatnonzero(of.both("name", a, b) & ~whole)
    found = of.by_value(("name", "name"), a[rest], b[rest], compare_two)
    found += found > NameLevel.SAME_SOUND  # room for the misspelt ones
    off = rest[found == NameLevel.ONE_OFF + 1]
    found[found == NameLevel.ONE_OFF + 1] -= of.by_value(("name", "name"), a[off], b[off], misspelt)
    display = of.flags("display")
    silent = (found < 0) | ((display[a[rest]] | display[b[rest]]) & (found > NameLevel.SHORTENED))
    level[rest] = np.where(
        silent, len(LEVELS["name"]) - 1, np.where(found == NameLevel.EXACT, len(NAME_BANDS), _FORMER + found)
    )
    former, name = of.code("former"), of.code("name former")
    has = former >= 0
    loose = np.flatnonzero(~whole & (has[a] | has[b]))
    met = ((former[a] == name[b]) & has[a] | (former[b] == name[a]) & has[b])[loose]
    level[loose[met]] = _FORMER
    for one, two in ((a, b), (b, a)):
        nick = of.by_value(("nick", "full"), one, two, lambda call, name: int(call in name[1:]))
        level = np.where(nick == 1, _SHORTENED, np.where(nick == 0, _DIFFERENT, level))
    level[_points(of, a, b) | _points(of, b, a)] = _DIFFERENT
    return level


def _points(of: Comparer, a: Integers, b: Integers) -> Flags:
    """Where the first is called a relative of somebody who bears the other's name: 李建国之子 is not 李建国."""
    pointer, full = of.code("pointer"), of.code("full pointer")
    return np.asarray((pointer[a] == full[b]) & (full[b] >= 0))


def _birth(of: Comparer, a: Integers, b: Integers) -> Integers:
    equal = of.same("birth", a, b)
    level = np.where(equal, 0, -1)
    rest = np.flatnonzero(of.both("birth", a, b) & ~equal)
    level[rest] = of.by_letter(("birth", "birth"), a[rest], b[rest], birth_level)
    return level


def _sex(of: Comparer, a: Integers, b: Integers) -> Integers:
    return _ladder([of.same("sex", a, b)], of.both("sex", a, b))


def _phone(of: Comparer, a: Integers, b: Integers) -> Integers:
    equal, spread = of.same("phone", a, b), of.spread[a]
    # a landlord's phone stands with all tenants, and is shared; with the landlord's name beside it, it is the landlord's
    steps = [equal & (spread <= 1), equal & (spread <= FAMILY), equal & of.same("full", a, b), equal]
    level = _ladder(steps, of.both("phone", a, b))
    rest = np.flatnonzero(level == 4)
    off = of.by_letter(("phone", "phone"), a[rest], b[rest], digits_off)
    level[rest] = np.where(off == 1, 5, 6)
    for one, two in ((a, b), (b, a)):
        fits = of.by_letter(("phone_mask", "phone"), one, two, fits_mask)
        level = np.where(level < 0, np.select([fits == 1, fits == 0], [4, 6], default=-1), level)
    return level


def _home(of: Comparer, a: Integers, b: Integers) -> Integers:
    dwelling = of.code("dwelling")
    open_ = (dwelling[a] < 0) | (dwelling[b] < 0)
    building = of.same("building", a, b)
    room = of.same("room", a, b) & ~(of.both("unit", a, b) & ~of.same("unit", a, b))
    near = [of.same(name, a, b) for name in ("estate", "community")]
    steps = [of.same("dwelling", a, b), (building | near[0]) & room & open_, building & open_, building, *near]
    known = of.both("community", a, b) | of.both("estate", a, b) | of.both("building", a, b)
    return _ladder(steps, known | steps[0])


def _beside(of: Comparer, a: Integers, b: Integers) -> Integers:
    """Two whom rows name beside others (landlords): whether these live in one home, building, estate."""
    steps = [of.same(f"beside_{name}", a, b) for name in BESIDE]
    known = of.both("beside_building", a, b) | of.both("beside_estate", a, b)
    return _ladder(steps, known | steps[0])


def _registered(of: Comparer, a: Integers, b: Integers) -> Integers:
    book, home = of.code("registered"), of.code("dwelling registered")
    crossed = ((book[a] == home[b]) & (home[b] >= 0)) | ((book[b] == home[a]) & (home[a] >= 0))
    return _ladder([of.same("registered", a, b), crossed], of.both("registered", a, b) | crossed)


def _number(of: Comparer, a: Integers, b: Integers) -> Integers:
    """Damaged numbers against whole and damaged ones; two whole ones that differ say little: one is not its own."""
    own, lent = of.flags("own"), of.flags("lent")
    same = of.same("id", a, b) & ~(own[a] & own[b])
    whole = of.both("id", a, b)
    level = np.select([same & (lent[a] | lent[b]), same, whole], [5, 4, 7], default=-1)
    for one, two in ((a, b), (b, a)):
        for columns in (("id_mask", "id"), ("id_mask", "id_mask")):
            found = of.by_letter(columns, one, two, number_level)
            off = np.flatnonzero(found == 6)
            found[off] = np.where(of.by_value(columns, one[off], two[off], one_edit) == 1, 3, 6)
            level = np.where(level < 0, found, level)
    return level


def _household(of: Comparer, a: Integers, b: Integers) -> Integers:
    id_, head = of.code("own_id"), of.code("head_id")
    roles, lead = of.code("relation"), of.lead
    above = ((head[a] == id_[b]) & (id_[b] >= 0), (head[b] == id_[a]) & (id_[a] >= 0))
    own = (above[0] & lead[a]) | (above[1] & lead[b])
    below = (roles >= 0) & ~lead
    over = (above[0] & below[a]) | (above[1] & below[b])
    together = of.same("household_number", a, b) | ((head[a] == head[b]) & (head[a] >= 0))
    role = together & of.same("relation", a, b)
    known = of.both("household_number", a, b) | ((head[a] >= 0) & (head[b] >= 0)) | own | over
    level = np.select([own, over, role, together], [0, 3, 1, 2], default=4)
    return np.where(known, level, -1)


def _ethnicity(of: Comparer, a: Integers, b: Integers) -> Integers:
    codes, values = of.values("ethnicity")
    han = np.array([*(value == HAN for value in values), False])[codes]
    equal = of.same("ethnicity", a, b)
    return _ladder([equal & ~han[a], equal], of.both("ethnicity", a, b))


def _relation(of: Comparer, a: Integers, b: Integers) -> Integers:
    """By generation and line (the first digit of GB/T 4761); sons and daughters are told apart by their sex."""
    line, heads = of.line, of.lead[a] | of.lead[b]
    return _ladder([line[a] == line[b], heads], (line[a] >= 0) & (line[b] >= 0))


def _feed(of: Comparer, a: Integers, b: Integers) -> Integers:
    one = of.same("feed", a, b)
    return _ladder([one & of.strict[a], one & ~of.often[a], one], np.ones(len(a), dtype=bool))


# All columns of the evidence that a comparison reads: what another machine needs to compare two rows.
FLAGS = ("own", "lent", "display")
COMPARED = (
    "name", "full", "birth", "sex", "phone", "dwelling", "building", "estate", "community", "unit", "room",
    "registered", "id", "household_number", "relation", "ethnicity", "feed",
    "beside_dwelling", "beside_building", "beside_estate",
    "own_id", "head_id", "pointer", "former", "nick", "phone_mask", "id_mask", *FLAGS,
)  # fmt: skip
# Columns whose values meet across: "b a" is the column b in the codes that a has there.
_ALIKE = (
    ("own_id", "head_id"),
    ("pointer", "full pointer"),
    ("registered", "dwelling registered"),
    ("former", "name former"),
)
_NEEDS: Mapping[str, tuple[str, ...]] = {  # a comparison with nothing of these on one side says nothing
    "birth": ("birth",), "sex": ("sex",), "phone": ("phone", "phone_mask"), "home": ("dwelling", "building", "estate", "community"),
    "beside": ("beside_dwelling", "beside_building", "beside_estate"), "registered": ("registered", "dwelling"),
    "id": ("id", "id_mask"), "household": ("household_number", "head_id", "own_id"), "ethnicity": ("ethnicity",), "relation": ("relation",),
}  # fmt: skip
_COMPARISONS: Mapping[str, Callable[[Comparer, Integers, Integers], Integers]] = {
    "name": _name, "birth": _birth, "sex": _sex, "phone": _phone, "home": _home, "beside": _beside,
    "registered": _registered,
    "id": _number,
    "household": _household, "ethnicity": _ethnicity, "relation": _relation, "feed": _feed,
}  # fmt: skip
