"""How far two records of people agree, as plain whole numbers: one small ladder a comparison, 0 the strongest.

-1 says that one side gives nothing to compare. The ladders are the features of the scoring model; their names are what
an explanation shows. No fact counts twice: where a damaged id already carries the birth date, the date is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.evidence import BESIDE, HEAD_ROLES
from matching.identifiers import FULL, UNKNOWN
from matching.model import Tables, digest
from schemas.name_levels import NameLevel, compare_names
from schemas.name_parts import same_look

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

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
COUNTY, SERIAL = 6, 14  # digits of a resident id before the birth date, and before sequence and check
LINES = {
    digit: digit.replace("3", "2") for digit in "01234567"
}  # of GB/T 4761: children are one line, 8 and 9 are none
HAN = "01"  # GB/T 3304


def tables_of(evidence: pd.DataFrame, node: Integers) -> Tables:
    """Name frequencies and phone spreads over distinct persons, as far as the exact pass knows them.

    A name is counted over persons with numbers where these are the most: a row without one is usually theirs too.
    """
    owners = evidence["own"].to_numpy()
    counted = owners if 2 * owners.sum() > len(owners) else np.ones(len(evidence), dtype=bool)
    persons = pd.DataFrame({"name": evidence["name"], "phone": evidence["phone"], "node": node})
    names = persons[counted].drop_duplicates(["name", "node"])["name"].value_counts()
    phones = persons.dropna(subset=["phone"]).drop_duplicates(["phone", "name"])["phone"].value_counts()
    owned = evidence.assign(node=node)[owners]
    repeats = owned.duplicated(["feed", "node"]).groupby(owned["feed"]).mean()
    return Tables(
        shared_ids=tuple(sorted(digest(number) for number in evidence["shared_id"].dropna().unique())),
        nicknames=tuple(sorted(evidence.loc[evidence["nickname"], "name"].unique())),
        repeats={str(feed): float(share) for feed, share in repeats.items()},
        names={str(name): int(number) for name, number in names[names > 1].items()},
        phones={digest(str(phone)): int(number) for phone, number in phones[phones > 1].items()},
        people=len(np.unique(node)),
    )


def impossible(levels: pd.DataFrame) -> Flags:
    """The pairs that cannot be one person: another birth date altogether, a borrowed number, a head's dependant."""
    never = {"birth": "different", "id": "same, borrowed", "household": "head of the other"}
    met = [levels[name].to_numpy() == LEVELS[name].index(label) for name, label in never.items()]
    return np.asarray(np.logical_or.reduce(met))


def listed_twice(levels: pd.DataFrame, unlike: Flags) -> Flags:
    """The pairs of rows that one list of people holds, and that are therefore two people.

    A list holds each person once as a rule: two of its rows are one person's only where they look the same, and never
    under two names (brothers and sisters differ by a character; a typist's swaps and look-alikes do not count as that).
    unlike: the pairs that score too little to be joined.
    """
    names = [
        LEVELS["name"].index(name) for name in ("one character off", "same given name", "same surname", "different")
    ]
    listed = levels["feed"] < LEVELS["feed"].index("one feed that repeats many")
    return np.asarray(listed & (unlike | levels["name"].isin(names)))


class Comparer:
    """Computes the levels of pairs of evidence rows; what rows share is prepared once."""

    def __init__(self, evidence: pd.DataFrame, tables: Tables) -> None:
        self.evidence = evidence
        self.codes = {name: pd.factorize(evidence[name])[0] for name in _CODED}
        self.lead = evidence["relation"].isin(HEAD_ROLES).to_numpy()
        self.codes["line"] = pd.factorize(evidence["relation"].str[0].map(LINES))[0]
        self._code_alike(("own_id", "id_all"), ("head_id", "head_all"))
        self._code_alike(("pointer", "pointer_name"), ("full", "full_name"))
        self._code_alike(("dwelling", "dwelling_at"), ("registered", "registered_at"))
        bearers = evidence["name"].map(tables.names).fillna(1).to_numpy()
        self.name_band = np.searchsorted(NAME_BANDS, bearers - _unseen(evidence))
        spread = {phone: tables.phones.get(digest(phone), 1) for phone in evidence["phone"].dropna().unique()}
        repeats = evidence["feed"].map(tables.repeats).astype("float64").fillna(1.0)
        self.strict = repeats.to_numpy() < REPEATS_NOBODY
        self.often = evidence["feed"].map(tables.repeats).fillna(0.0).to_numpy(dtype=np.float64) >= REPEATS_MANY
        self.spread = evidence["phone"].map(spread).fillna(1).to_numpy()

    def _code_alike(self, *columns: tuple[str, str]) -> None:
        """Codes that compare across columns, under the second name of each."""
        every = pd.concat([self.evidence[name] for name, _ in columns], ignore_index=True)
        for (_, coded), codes in zip(columns, np.split(pd.factorize(every)[0], len(columns)), strict=True):
            self.codes[coded] = codes

    def levels(self, a: Integers, b: Integers) -> pd.DataFrame:
        """The level of every comparison for each pair of positions, a row a pair."""
        found = pd.DataFrame({name: compare(self, a, b) for name, compare in _COMPARISONS.items()})
        carried = found["id"].isin((0, 3))
        found.loc[carried, ["birth", "sex"]] = -1
        return found.astype("int64")

    def same(self, name: str, a: Integers, b: Integers) -> Flags:
        """Where both know the column and agree on it."""
        codes = self.codes[name]
        return np.asarray((codes[a] == codes[b]) & (codes[a] >= 0))

    def both(self, name: str, a: Integers, b: Integers) -> Flags:
        """Where both know the column."""
        codes = self.codes[name]
        return np.asarray((codes[a] >= 0) & (codes[b] >= 0))

    def values(self, name: str) -> tuple[Integers, npt.NDArray[np.object_]]:
        """A column as codes (-1 missing) and the values they stand for."""
        codes, values = pd.factorize(self.evidence[name])
        return codes, np.asarray(values, dtype=object)

    def by_value(self, names: tuple[str, str], a: Integers, b: Integers, judge: Callable[[str, str], int]) -> Integers:
        """`judge` on every distinct pair of values (column names[0] of a, names[1] of b); -1 where one is missing."""
        one, left = self.values(names[0])
        two, right = self.values(names[1])
        x, y = one[a], two[b]
        known = (x >= 0) & (y >= 0)
        result = np.full(len(a), -1, dtype=np.int64)
        distinct, back = np.unique(x[known] * (len(right) + 1) + y[known], return_inverse=True)
        values = [judge(left[code // (len(right) + 1)], right[code % (len(right) + 1)]) for code in distinct.tolist()]
        result[known] = np.array(values, dtype=np.int64)[back] if values else result[known]
        return result


def _unseen(evidence: pd.DataFrame) -> Integers:
    """1 for the rows whose person training took out of all other feeds, and so out of the counts."""
    found = evidence["unseen"] if "unseen" in evidence.columns else pd.Series(0, index=evidence.index)
    return np.asarray(found.to_numpy(dtype=np.int64))


def _ladder(conditions: list[Flags], known: Flags) -> Integers:
    """The number of the first condition that holds, the next number where none does, -1 where nothing is known."""
    level = np.select(conditions, list(range(len(conditions))), default=len(conditions))
    return np.where(known, level, -1)


def _name(of: Comparer, a: Integers, b: Integers) -> Integers:
    whole = of.same("full", a, b)
    level = np.full(len(a), len(LEVELS["name"]) - 1, dtype=np.int64)
    level[whole] = np.minimum(of.name_band[a[whole]], of.name_band[b[whole]])
    rest = np.flatnonzero(of.both("name", a, b) & ~whole)
    found = compare_names(of.evidence["name"].iloc[a[rest]], of.evidence["name"].iloc[b[rest]]).astype(np.int64)
    found += found > NameLevel.SAME_SOUND  # room for the misspelt ones
    off = rest[found == NameLevel.ONE_OFF + 1]
    found[found == NameLevel.ONE_OFF + 1] -= of.by_value(("name", "name"), a[off], b[off], _misspelt)
    display = of.evidence["display"].to_numpy()
    silent = (found < 0) | ((display[a[rest]] | display[b[rest]]) & (found > NameLevel.SHORTENED))
    level[rest] = np.where(
        silent, len(LEVELS["name"]) - 1, np.where(found == NameLevel.EXACT, len(NAME_BANDS), _FORMER + found)
    )
    former, name = of.evidence["former"].to_numpy(), of.evidence["name"].to_numpy()
    has = pd.notna(former)
    loose = np.flatnonzero(~whole & (has[a] | has[b]))
    met = (former[a[loose]] == name[b[loose]]) | (former[b[loose]] == name[a[loose]])
    level[loose[met]] = _FORMER
    for one, two in ((a, b), (b, a)):
        nick = of.by_value(("nick", "full"), one, two, lambda call, name: int(call in name[1:]))
        level = np.where(nick == 1, _SHORTENED, np.where(nick == 0, _DIFFERENT, level))
    level[_points(of, a, b) | _points(of, b, a)] = _DIFFERENT
    return level


def _misspelt(one: str, two: str) -> int:
    """1 where two names differ by two characters swapped or by a look-alike: a typist's doing, not parents'."""
    off = [at for at, (x, y) in enumerate(zip(one, two, strict=False)) if x != y]
    return int(len(one) == len(two) and (len(off) == 2 or same_look(one[off[0]], two[off[0]])))


def _points(of: Comparer, a: Integers, b: Integers) -> Flags:
    """Where the first is called a relative of somebody who bears the other's name: 李建国之子 is not 李建国."""
    pointer, full = of.codes["pointer_name"], of.codes["full_name"]
    return np.asarray((pointer[a] == full[b]) & (full[b] >= 0))


def _birth(of: Comparer, a: Integers, b: Integers) -> Integers:
    equal = of.same("birth", a, b)
    level = np.where(equal, 0, -1)
    rest = np.flatnonzero(of.both("birth", a, b) & ~equal)
    level[rest] = of.by_value(("birth", "birth"), a[rest], b[rest], _birth_level)
    return level


def _birth_level(one: str, two: str) -> int:
    if min(len(one), len(two)) < len("2000-01-01"):
        return 1 if one.startswith(two) or two.startswith(one) else 5
    off = sum(x != y for x, y in zip(one, two, strict=False))
    if off <= 1 or (one[:4] == two[:4] and one[5:7] == two[8:10] and one[8:10] == two[5:7]):
        return 2
    if one[:4] == two[:4]:
        return 3
    return 4 if abs(int(one[:4]) - int(two[:4])) <= 3 else 5


def _sex(of: Comparer, a: Integers, b: Integers) -> Integers:
    return _ladder([of.same("sex", a, b)], of.both("sex", a, b))


def _phone(of: Comparer, a: Integers, b: Integers) -> Integers:
    equal, spread = of.same("phone", a, b), of.spread[a]
    # a landlord's phone stands with all tenants, and is shared; with the landlord's name beside it, it is the landlord's
    steps = [equal & (spread <= 1), equal & (spread <= FAMILY), equal & of.same("full", a, b), equal]
    level = _ladder(steps, of.both("phone", a, b))
    rest = np.flatnonzero(level == 4)
    off = of.by_value(("phone", "phone"), a[rest], b[rest], _digits_off)
    level[rest] = np.where(off == 1, 5, 6)
    for one, two in ((a, b), (b, a)):
        fits = of.by_value(("phone_mask", "phone"), one, two, _fits_mask)
        level = np.where(level < 0, np.select([fits == 1, fits == 0], [4, 6], default=-1), level)
    return level


def _fits_mask(mask: str, phone: str) -> int:
    return int(len(mask) == len(phone) and all(x in ("*", y) for x, y in zip(mask, phone, strict=True)))


def _digits_off(one: str, two: str) -> int:
    return sum(x != y for x, y in zip(one, two, strict=False)) + abs(len(one) - len(two))


def _home(of: Comparer, a: Integers, b: Integers) -> Integers:
    dwelling = of.codes["dwelling"]
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
    book, home = of.codes["registered_at"], of.codes["dwelling_at"]
    crossed = ((book[a] == home[b]) & (home[b] >= 0)) | ((book[b] == home[a]) & (home[a] >= 0))
    return _ladder([of.same("registered", a, b), crossed], of.both("registered", a, b) | crossed)


def _number(of: Comparer, a: Integers, b: Integers) -> Integers:
    """Damaged numbers against whole and damaged ones; two whole ones that differ say little: one is not its own."""
    same = of.same("id", a, b) & ~(of.evidence["own"].to_numpy()[a] & of.evidence["own"].to_numpy()[b])
    lent = of.evidence["lent"].to_numpy()
    whole = of.both("id", a, b)
    level = np.select([same & (lent[a] | lent[b]), same, whole], [5, 4, 7], default=-1)
    for one, two in ((a, b), (b, a)):
        for columns in (("id_mask", "id"), ("id_mask", "id_mask")):
            found = of.by_value(columns, one, two, _fit)
            level = np.where(level < 0, found, level)
    return level


def _fit(mask: str, number: str) -> int:
    from rapidfuzz.distance import OSA

    if len(number) != FULL:
        return -1
    seen = [at for at in range(len(mask)) if at < FULL and UNKNOWN not in (mask[at], number[at])]
    if len(mask) == FULL and all(mask[at] == number[at] for at in seen):
        known, last = sum(at >= COUNTY for at in seen), sum(at >= SERIAL for at in seen)
        return 0 if known >= 8 else 1 if last >= 3 else 2 if known >= 3 else -1
    if UNKNOWN not in mask and OSA.distance(mask, number, score_cutoff=1) <= 1:
        return 3
    return 6


def _household(of: Comparer, a: Integers, b: Integers) -> Integers:
    id_, head = of.codes["id_all"], of.codes["head_all"]
    lead = of.lead
    above = ((head[a] == id_[b]) & (id_[b] >= 0), (head[b] == id_[a]) & (id_[a] >= 0))
    own = (above[0] & lead[a]) | (above[1] & lead[b])
    below = of.evidence["relation"].notna().to_numpy() & ~lead
    over = (above[0] & below[a]) | (above[1] & below[b])
    together = of.same("household_number", a, b) | ((head[a] == head[b]) & (head[a] >= 0))
    role = together & of.same("relation", a, b)
    known = of.both("household_number", a, b) | ((head[a] >= 0) & (head[b] >= 0)) | own | over
    level = np.select([own, over, role, together], [0, 3, 1, 2], default=4)
    return np.where(known, level, -1)


def _ethnicity(of: Comparer, a: Integers, b: Integers) -> Integers:
    han = (of.evidence["ethnicity"] == HAN).to_numpy()
    equal = of.same("ethnicity", a, b)
    return _ladder([equal & ~han[a], equal], of.both("ethnicity", a, b))


def _relation(of: Comparer, a: Integers, b: Integers) -> Integers:
    """By generation and line (the first digit of GB/T 4761); sons and daughters are told apart by their sex."""
    codes = of.codes["line"]
    known, heads = of.both("line", a, b), of.lead[a] | of.lead[b]
    return _ladder([codes[a] == codes[b], heads], known)


def _feed(of: Comparer, a: Integers, b: Integers) -> Integers:
    one = of.same("feed", a, b)
    return _ladder([one & of.strict[a], one & ~of.often[a], one], np.ones(len(a), dtype=bool))


_CODED = (
    "name", "full", "birth", "sex", "phone", "dwelling", "building", "estate", "community", "unit", "room",
    "registered", "id", "household_number", "relation", "ethnicity", "feed",
    "beside_dwelling", "beside_building", "beside_estate",
)  # fmt: skip
FLAGS = ("own", "lent", "display")
# All columns of the evidence that a comparison reads: what another machine needs to compare two rows.
COMPARED = (*_CODED, "own_id", "head_id", "pointer", "former", "nick", "phone_mask", "id_mask", *FLAGS)
_COMPARISONS: Mapping[str, Callable[[Comparer, Integers, Integers], Integers]] = {
    "name": _name, "birth": _birth, "sex": _sex, "phone": _phone, "home": _home, "beside": _beside,
    "registered": _registered,
    "id": _number,
    "household": _household, "ethnicity": _ethnicity, "relation": _relation, "feed": _feed,
}  # fmt: skip
