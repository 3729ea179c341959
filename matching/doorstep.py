"""Who is meant, asked one by one at the door or by a whole list: what is kept of every record for that, and how an
asked row is weighed against it with the model's own levels and weights.

Kept are the columns of the evidence that a comparison reads (`STORED`), as one short JSON text a record, and the tokens
(`KEYS`) it is found by: 64-bit digests under a key of the registry's, so that a token tells nobody a name or a number. A
place is a number too: the exclusive or of the digests of its parts, so that what was asked finds it without a look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from matching.levels import LEVELS, Comparer, Objects, impossible
from matching.model import Model
from matching.places import Places

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]
Columns = Mapping[str, Objects]

VERSION = 1  # of what is kept and of the tokens; another one, and all is written anew
STORED = (
    "name", "full", "nick", "former", "pointer", "display", "birth", "sex", "phone", "phone_mask", "dwelling", "building",
    "estate", "community", "unit", "room", "registered", "id", "id_mask", "own", "lent", "household_number", "head_id",
    "relation", "ethnicity",
)  # fmt: skip
_PLACE = {name: at for at, name in enumerate(STORED)}
_ID, _OWN = _PLACE["id"], _PLACE["own"]
UNASKED = (
    "feed",
    "beside_dwelling",
    "beside_building",
    "beside_estate",
)  # nobody who asks is a feed or a row's landlord
TAIL = 6  # last characters of a document number that find it


class Key(NamedTuple):
    """What a record is found by: columns that must all be known, and a place beside them. bits: how much it tells."""

    columns: tuple[str, ...]
    place: str | None
    bits: float  # log2 of how rare such a meeting is among strangers of one district, roughly: it ranks candidates


KEYS = (
    Key(("id",), None, 20.0),
    Key(("tail",), None, 12.0),
    Key(("phone",), None, 12.0),
    Key(("full", "birth"), None, 14.0),
    Key(("surname", "birth"), None, 8.0),
    Key(("full",), "building", 14.0),
    Key(("full",), "estate", 11.0),
    Key(("sound",), "building", 12.0),
    Key((), "dwelling", 9.0),
    Key(("room",), "building", 8.0),
    Key(("surname",), "building", 6.0),
    Key(("full",), None, 6.0),
    Key(("sound",), None, 4.0),
)
KEYED = tuple(dict.fromkeys(name for key in KEYS for name in key.columns))
_ODD = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying keeps the spread of digests (the golden ratio, Knuth)
_SALTS = [np.uint64(0xD1B54A32D192ED03 * (at + 1) & (2**64 - 1)) for at in range(len(KEYS))]
CERTAIN = 24.0  # log2 odds of a number that is surely its own: above any sum of weights that may be doubted
# Measured on a made-up street of 139,000 persons, asked by what one of their records says: of those called known, 997 in
# 1,000 were the right one.
KNOWN = 2.0  # log2 odds from which one person is meant, if the next one lies LEAD below
LEAD = 2.0  # log2 odds between the likeliest and the next
POSSIBLE = -3.0  # log2 odds from which a person may be meant (a little above one in ten)
AGREES: Mapping[str, tuple[str, ...]] = {  # levels that say "the same but for spelling"
    "name": (*LEVELS["name"][:8], "fits short form"),
    "phone": ("same, one person's", "same, a family's", "same, shared, one name", "same, shared", "fits mask"),
    "home": ("one dwelling", "one room, unit open"),
    "id": ("fits, most digits", "fits, last digits", "fits, some digits", "same, not surely its own"),
    "birth": ("same", "fits as far as known"),
    "sex": ("same",),
}


def only(where: npt.NDArray[np.bool_], values: npt.NDArray[Any]) -> Objects:
    """The values that hold, None elsewhere."""
    found = values.astype(object)
    found[~where] = None
    return found


def digests(values: Objects, secret: str) -> Words:
    """The keyed 64-bit digest (SipHash) of each value's text; secret: 16 characters."""
    return pd.util.hash_array(values, hash_key=secret, categorize=len(values) > 64)


def place_numbers(parts: Mapping[str, Objects]) -> dict[str, Integers]:
    """`estate`, `building`, `dwelling` as numbers, from `head` (area and head in one) and `building`, `unit`, `room`.

    A part that is missing or open counts as none; which of the three a row means at all is the caller's to know.
    """
    open_ = ("", "?", None)
    texts = [
        np.array([f"{name} {'' if value in open_ else value}" for value in parts[name]], dtype=object)
        for name in ("head", "building", "unit", "room")
    ]
    head, building, unit, room = digests(np.concatenate(texts), "0123456789abcdef").view(np.int64).reshape(4, -1)
    return {"estate": head, "building": head ^ building, "dwelling": head ^ building ^ unit ^ room}


def tokens(columns: Columns, secret: str) -> list[tuple[Integers, Integers]]:
    """By key: the rows that have it, and their tokens."""
    size = len(columns["id"])
    flat = np.concatenate([np.asarray(columns[name], dtype=object) for name in KEYED])
    known = np.array([value is not None for value in flat], dtype=bool)
    words = digests(np.where(known, flat, "").astype(object), secret)
    digest = dict(zip(KEYED, words.reshape(len(KEYED), size), strict=True))
    has = dict(zip(KEYED, known.reshape(len(KEYED), size), strict=True))
    found = []
    with np.errstate(over="ignore"):
        for key, salt in zip(KEYS, _SALTS, strict=True):
            there = np.ones(size, dtype=bool)
            token = np.full(size, salt)
            for name in key.columns:
                there &= has[name]
                token = (token + digest[name]) * _ODD
            if key.place is not None:
                place = columns[key.place]
                there &= np.array([value is not None for value in place], dtype=bool)
                token ^= np.array([value or 0 for value in place], dtype=np.int64).view(np.uint64)
            rows = np.flatnonzero(there)
            found.append((rows, token[rows].view(np.int64)))
    return found


@dataclass(frozen=True)
class Kept:
    """What a registry keeps for asking: `bodies`, a JSON text a record (index `rid`); `tokens`, `rid` and `token`;
    `homes`, `rid` and `dwelling`; `heads`, what an address may be headed by: `area`, `text`, `head` (area and head in one).
    """

    bodies: pd.Series
    tokens: pd.DataFrame
    homes: pd.DataFrame
    heads: pd.DataFrame

    @classmethod
    def nothing(cls) -> Kept:
        """Of a registry without persons."""
        pairs = pd.DataFrame({"rid": [], "token": [], "dwelling": []}, dtype="int64")
        heads = pd.DataFrame({name: pd.Series(dtype="str") for name in ("area", "text", "head")})
        return cls(pd.Series(dtype="str"), pairs[["rid", "token"]], pairs[["rid", "dwelling"]], heads)

    def renumbered(self, ids: Integers) -> Kept:
        """The same under other numbers: ids, by the present one."""
        tokens, homes = (frame.assign(rid=ids[frame["rid"].to_numpy()]) for frame in (self.tokens, self.homes))
        return Kept(self.bodies.set_axis(ids[self.bodies.index.to_numpy()]), tokens, homes, self.heads)


def kept_of(evidence: pd.DataFrame, places: Places, secret: str) -> Kept:
    """What is kept of all records of persons. evidence: as `matching.evidence.gather` gives it."""
    frame = evidence.reset_index(drop=True)
    frame = frame.drop(columns=[*("dwelling", "building", "estate", "registered")])
    frame = pd.concat([frame, _where(places, frame["rid"])], axis=1)
    columns = {name: _objects(frame[name]) for name in (*STORED, "surname", "sound")}
    columns["surname"] = only(frame["full"].notna().to_numpy(dtype=bool), columns["surname"])
    bodies = [orjson.dumps(row).decode() for row in zip(*(columns[name].tolist() for name in STORED), strict=True)]
    rid = frame["rid"].to_numpy(dtype=np.int64)
    columns["tail"] = tails(columns["id"])
    found = tokens(columns, secret)
    former = {**columns, "full": columns["former"], "sound": np.full(len(frame), None), "id": np.full(len(frame), None)}
    found += tokens({**former, **dict.fromkeys(("tail", "phone", "surname"), former["sound"])}, secret)
    every = pd.DataFrame(
        {"rid": rid[np.concatenate([rows for rows, _ in found])], "token": np.concatenate([t for _, t in found])}
    )
    homes = pd.DataFrame({"rid": rid, "dwelling": frame["dwelling"]}).dropna().astype("int64")
    return Kept(
        pd.Series(bodies, index=rid, dtype="str"), every.drop_duplicates(ignore_index=True), homes, _heads(places)
    )


def tails(numbers: Iterable[str | None]) -> Objects:
    """The last characters of whole numbers and of patterns that show them."""
    ends = [number[-TAIL:] if number and len(number) > TAIL else None for number in numbers]
    return np.array([*(end if end and "?" not in end else None for end in ends), None], dtype=object)[:-1]


def _objects(values: pd.Series) -> Objects:
    found: Objects = values.astype(object).where(values.notna(), None).to_numpy(dtype=object)
    return found


def _where(places: Places, rids: pd.Series) -> pd.DataFrame:
    """The numbers of the places that each person's address and registered address mean, aligned with `rids`."""
    rows = places.rows
    people = rows[(rows["type"] == "person") & rows["head"].notna()]
    at = {
        name: _numbered(people[people["property"] == name]).reindex(rids).reset_index(drop=True)
        for name in ("address", "registered_address")
    }
    return at["address"].assign(registered=at["registered_address"]["dwelling"])


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    columns = {name: _objects(rows[name]) for name in ("building", "unit", "room")}
    found = place_numbers({**columns, "head": _objects(rows["area"] + "|" + rows["head"])})
    known = {name: rows[f"{name}_id"].notna().to_numpy() for name in found}
    numbers = {name: only(known[name], found[name]) for name in found}
    return pd.DataFrame(numbers, index=rows["rid"], dtype=object)


def _heads(places: Places) -> pd.DataFrame:
    """What addresses write for a head, and the head that most of them mean by it."""
    rows = places.rows[places.rows["head"].notna()]
    said = [
        rows[["area", name, "head"]].set_axis(["area", "text", "head"], axis=1) for name in ("written", "gate", "head")
    ]
    counted = pd.concat(said).dropna().value_counts().reset_index(name="n")
    counted = counted.sort_values(["n", "area", "text", "head"], ascending=[False, True, True, True])
    most = counted.drop_duplicates(["area", "text"])
    return most.assign(head=most["area"] + "|" + most["head"])[["area", "text", "head"]].reset_index(drop=True)


class Stacked(Mapping[str, Objects]):
    """Asked rows before stored ones, as a comparer reads them: a column is made when it is asked for.

    asked: columns of `matching.asked`. stored: rows of STORED.
    """

    def __init__(self, asked: Columns, stored: Sequence[Sequence[Any]]) -> None:
        self.asked, self.stored = asked, stored

    def __getitem__(self, name: str) -> Objects:
        if name in UNASKED:
            return np.full(len(self.asked["id"]) + len(self.stored), None, dtype=object)
        if name == "own_id":
            stored = [row[_ID] if row[_OWN] else None for row in self.stored]
            return _filled([*self.asked["id"], *stored])
        place = _PLACE[name]
        return _filled([*self.asked[name], *[row[place] for row in self.stored]])

    def __contains__(self, name: object) -> bool:
        return name in _PLACE or name in UNASKED or name == "own_id"

    def __iter__(self) -> Iterator[str]:
        return iter((*STORED, *UNASKED, "own_id"))

    def __len__(self) -> int:
        return len(STORED) + len(UNASKED) + 1


def _filled(values: Sequence[Any]) -> Objects:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


class Weighed(NamedTuple):
    """Persons as they were weighed: `person` (the caller's numbers, ascending), `weight`, and of each comparison its best
    `level` over the person's records (-1: nothing to compare)."""

    person: Integers
    weight: Floats
    levels: dict[str, Integers]


class Evaluator:
    """Weighs asked rows against the records of candidates with one version of the model.

    The same levels as matching's, the same weights as Splink's prediction. A person's records are one witness: of each
    comparison the best agreement that any record shows counts, as who asks may know the old phone and the new address.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._orders = {name: np.argsort(-np.append(weights[:-1], -np.inf)) for name, weights in model.weights.items()}
        self._ranks = {name: np.argsort(order) for name, order in self._orders.items()}

    def score(self, rows: Stacked, a: Integers, b: Integers) -> Floats:
        """The score of each pair of rows, as Splink's prediction gives it."""
        return self.model.score(Comparer(rows, self.model.tables).ladders(a, b))

    def weigh(self, rows: Stacked, a: Integers, b: Integers, person: Integers) -> Weighed:
        """Weighs each person. a, b: positions of an asked row and of a record of a person; person: equal ones together."""
        if not len(person):
            return Weighed(person, np.empty(0), {name: np.empty(0, dtype=np.int64) for name in LEVELS})
        comparer = Comparer(rows, self.model.tables)
        levels = comparer.ladders(a, b)
        first = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
        best = {name: self._best(name, level, first) for name, level in levels.items()}
        weight = self.model.score(best)
        certain, other = self._numbers(comparer, levels, a, b)
        sure, never = (np.logical_or.reduceat(where, first) for where in (certain, other))
        doubted = np.where(never | impossible(best), np.minimum(weight, POSSIBLE - 1), weight)
        return Weighed(person[first], np.where(sure, CERTAIN, doubted), best)

    def _best(self, name: str, level: Integers, first: Integers) -> Integers:
        """The level of the largest weight among each person's pairs; -1 where none is known."""
        if level.max() < 0:
            return np.full(len(first), -1)
        order = self._orders[name]  # levels, the heaviest first; the last stands for -1
        found = order[np.minimum.reduceat(self._ranks[name][level], first)]
        return np.where(found == len(order) - 1, -1, found)

    @staticmethod
    def _numbers(
        of: Comparer, levels: Mapping[str, Integers], a: Integers, b: Integers
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Pairs with one whole number that is surely the record's own, where the name does not speak against it; and
        pairs whose whole numbers, the record's surely its own, are two."""
        own = of.flags("own")[b]
        same, both = of.same("id", a, b) & own, of.both("id", a, b) & own
        agreeing = len(AGREES["name"]) - 1  # the graded agreements come first in the ladder
        name = levels["name"]
        speaks = (
            (name >= agreeing)
            & (name != LEVELS["name"].index("not given"))
            & (name != LEVELS["name"].index("fits short form"))
        )
        return same & ~speaks, both & ~same


def verdicts(weight: Floats, records: Sequence[int]) -> tuple[Integers, list[str]]:
    """Whom a question means: the places of the persons that may be meant, the likeliest first, and of each the verdict.

    `known`: this one, and nobody else comes near; `possible`: perhaps. records: how many each person has; of two that
    weigh the same the better known one comes first.
    """
    order = np.lexsort((-np.asarray(records, dtype=np.int64), -weight))
    order = order[weight[order] >= POSSIBLE]
    found = ["possible"] * len(order)
    if len(order) and weight[order[0]] >= KNOWN and (len(order) == 1 or weight[order[0]] - weight[order[1]] >= LEAD):
        found[0] = "known"
    return order, found
