"""Who is meant: the model in use and the heads of addresses, held by the process as long as the registry's stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from matching.asked import Heads, asked_rows, columns_of
from matching.doorstep import AGREES, KEYS, STORED, Evaluator, Stacked, Weighed, tokens, verdicts
from matching.levels import LEVELS
from matching.model import Model
from onegrid.sealing import Keyring
from registry.asking import SEALED_FOR, secret_of

if TYPE_CHECKING:
    from matching.levels import Objects

BITS = [key.bits for key in KEYS]
GIVEN = {"name": "name", "id": "id_number", "phone": "phone", "home": "address"}  # comparison -> what was asked
AGREEING = {kind: [label in AGREES[kind] for label in LEVELS[kind]] for kind in GIVEN}
HERE = [LEVELS["home"].index(label) for label in AGREES["home"]]
DWELLING, BUILDING, ROOM = (STORED.index(name) for name in ("dwelling", "building", "room"))


@dataclass(frozen=True)
class Asked:
    """A question read: its rows as columns, and the tokens that lead to candidates with how much each tells."""

    columns: dict[str, Objects]
    tokens: list[int]
    bits: list[float]

    @property
    def dwellings(self) -> list[int]:
        """The homes that the address may mean."""
        return [int(found) for found in self.columns["dwelling"] if found is not None]


@dataclass(frozen=True)
class Candidates:
    """Candidates as they were weighed: the codes in the order of `weighed.person`, and their records."""

    codes: Sequence[str]
    records: Sequence[Sequence[list[Any]]]
    weighed: Weighed


class Asker:
    """Reads questions and weighs candidates, with one model and the heads of one state of the registry.

    stamp: which state that is (`registry.asking_sql.STAMP`); with another stamp it is out of date. outgrown: this version
    of the program compares otherwise than the one that trained the model; the next run trains anew.
    """

    def __init__(self, keyring: Keyring, stamp: str, model: str | None, heads: Heads) -> None:
        found = None if model is None else Model.from_json(model)
        self.outgrown = found is not None and not found.fits(LEVELS)
        self.evaluator = None if found is None or self.outgrown else Evaluator(found)
        self.keyring, self.stamp, self.heads, self.secret = keyring, stamp, heads, secret_of(keyring)

    def read(self, said: Mapping[str, str | None], division: str) -> Asked:
        """What is asked, by one who sees the area of a division."""
        columns = columns_of(asked_rows(said, self.heads, self.heads.area(division)))
        by_key = [found.tolist() for _, found in tokens(columns, self.secret)]
        bits = {token: BITS[at] for at, found in enumerate(by_key) for token in found}
        return Asked(columns, list(bits), list(bits.values()))

    def weigh(self, asked: Asked, codes: Sequence[str], bodies: Sequence[bytes]) -> Candidates:
        """The candidates by their weights; none where no model was trained yet, as nobody is kept either."""
        if self.evaluator is None or not codes:
            return Candidates((), (), Weighed(np.empty(0, dtype=np.int64), np.empty(0), {}))
        records = [orjson.loads(self.keyring.unseal(body, SEALED_FOR)) for body in bodies]
        sizes = [len(found) for found in records]
        rows, size = len(asked.columns["id"]), sum(sizes)
        stacked = Stacked(asked.columns, [row for found in records for row in found])
        a, b = np.tile(np.arange(rows, dtype=np.int64), size), np.repeat(np.arange(size, dtype=np.int64) + rows, rows)
        person = np.repeat(np.arange(len(codes), dtype=np.int64), [rows * number for number in sizes])
        return Candidates(codes, records, self.evaluator.weigh(stacked, a, b, person))


@dataclass(frozen=True)
class Meant:
    """A person who may be meant. agrees, differs: what was given and is the same but for spelling, or another."""

    code: str
    verdict: str
    weight: float
    agrees: tuple[str, ...]
    differs: tuple[str, ...]


def meant(found: Candidates, asked: Asked, most: int) -> tuple[list[Meant], list[int]]:
    """The persons who may be meant, the likeliest first, and the homes that the address asked means."""
    weight, levels = found.weighed.weight, found.weighed.levels
    order, verdict = verdicts(weight, [len(rows) for rows in found.records])
    persons = []
    for at, said in zip(order[:most].tolist(), verdict, strict=False):
        compared = {name: int(levels[kind][at]) for kind, name in GIVEN.items() if levels[kind][at] >= 0}
        agrees = tuple(name for kind, name in GIVEN.items() if name in compared and AGREEING[kind][compared[name]])
        differs = tuple(name for name in compared if name not in agrees)
        persons.append(Meant(found.codes[at], said, round(float(weight[at]), 4), agrees, differs))
    near: list[int] = np.flatnonzero(np.isin(levels["home"], HERE)).tolist() if levels else []
    homes = {row[DWELLING] for at in near for row in found.records[at] if _at(row, asked)}
    return persons, [*dict.fromkeys([*asked.dwellings, *sorted(homes)])]


def _at(row: Sequence[Any], asked: Asked) -> bool:
    """Whether a record stands at a home asked for, whose unit may have been left out."""
    places = zip(asked.columns["building"], asked.columns["room"], strict=True)
    return row[DWELLING] is not None and (row[BUILDING], row[ROOM]) in set(places)
