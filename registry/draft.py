"""What a run wants the registry to be, before it is compared with what is published."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from onegrid.database import read_frame
from onegrid.sealing import Keyring
from registry.claims import claims
from registry.coding import NONE, assign, overlaps, succession
from registry.groups import Groups
from registry.hubs import block_of, hub
from registry.origins import Integers, Origins
from registry.published import Published
from schemas.codes import LETTERS, make_many, serials_of

_MINT = "SELECT nextval('code_serial') - 1 AS place FROM generate_series(1, %(number)s)"


Act = Callable[..., object]


@dataclass(frozen=True)
class Publication:
    """One run's writing: where, under which keys, and its number.

    moment: the `known_from` of all it writes; None for the transaction's own time, which costs no column of text.
    Writes are queued behind one another on a thread of their own, so that the database takes rows in while the next
    ones are made; until `settle` nothing else may use the connection.
    """

    connection: Connection
    keyring: Keyring
    run: int
    moment: datetime | None
    _queue: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "publish"))
    _pending: list[Future[object]] = field(default_factory=list)

    def write(self, act: Act, *arguments: object) -> None:
        """Queues `act(connection, *arguments)`."""
        self._pending.append(self._queue.submit(act, self.connection, *arguments))

    def settle(self) -> None:
        """Waits until all is written; raises what the first failing act raised."""
        self._queue.shutdown(wait=True)
        for done in self._pending:
            done.result()


@dataclass(frozen=True)
class Bearing:
    """Which record bore which code: `rid`, `sort`, `serial`; serials: all codes in use before the run."""

    current: pd.DataFrame
    past: pd.DataFrame
    serials: Integers


@dataclass(frozen=True)
class Coding:
    """The serial and the code of each group, and what became of the codes before.

    created: serials issued, taken over or taken back now; returned: those taken back. shared: overlaps of groups with the codes
    their records bore. merged: serial -> successor. retired: serials without a record left.
    """

    serial: Integers
    code: pd.Series
    created: Integers
    returned: Integers
    shared: pd.DataFrame
    merged: pd.Series
    retired: Integers


@dataclass(frozen=True)
class Draft:
    """The groups of a run with their codes and locations, beside the entities published before.

    located: `division`, `grid`, `basis` of each group. before: what is published.
    """

    to: Publication
    groups: Groups
    coding: Coding
    located: pd.DataFrame
    before: Published

    @property
    def day(self) -> str:
        """The ISO date of the run's moment."""
        return self.before.day if self.to.moment is None else self.to.moment.date().isoformat()

    @property
    def entities(self) -> pd.DataFrame:
        """Every code ever issued."""
        return self.before.entities

    @cached_property
    def _codes(self) -> pd.Series:
        old = pd.Series(self.entities["code"].array, index=pd.Index(self.entities["serial"]), dtype="str")
        new = pd.Series(self.coding.code.array, index=pd.Index(self.coding.serial), dtype="str")
        both = pd.concat([old, new])
        return both[~both.index.duplicated()]

    def codes(self, serials: pd.Series | Integers) -> pd.Series:
        """The codes of serials, row by row."""
        places = self._codes.index.get_indexer(pd.Index(serials))
        return self._codes.take(places).reset_index(drop=True)

    @cached_property
    def _sorts(self) -> pd.Series:
        old = pd.Series(
            self.entities["type"].str.cat(self.entities["kind"], sep="/").array, index=pd.Index(self.entities["serial"])
        )
        now = self.groups.table
        new = pd.Series(now["type"].str.cat(now["kind"], sep="/").array, index=pd.Index(self.coding.serial))
        both: pd.Series = pd.concat([old, new])
        first: pd.Series = both[~both.index.duplicated()]
        return first

    def sorts(self, serials: pd.Series) -> pd.Series:
        """`type/kind` of the entities of serials, on their index."""
        found: pd.Series = self._sorts.take(self._sorts.index.get_indexer(pd.Index(serials)))
        return found.set_axis(serials.index)

    @cached_property
    def place_before(self) -> Integers:
        """The row of `entities` that each group's code had before, -1 for new codes."""
        found: Integers = pd.Index(self.entities["serial"]).get_indexer(pd.Index(self.coding.serial))
        return found


def code_groups(
    to: Publication, groups: Groups, origins: Origins, entities: pd.DataFrame, bearing: Bearing, said: pd.DataFrame
) -> Coding:
    """Codes for all groups, as `registry.coding` says; new ones are taken over where records say one, else issued.

    said: `group`, `code` of other hubs' codes, as `registry.claims` finds them.
    """
    shared = overlaps(groups.members, bearing.current)
    kept, back = assign(groups.members, len(groups.table), bearing.current, bearing.past)
    serial = np.where(kept != NONE, kept, back)
    fresh = np.flatnonzero(serial == NONE)
    code = _known_codes(serial, entities)
    own = block_of(hub(to.connection)[1])
    taken = claims(said, groups, fresh, entities["serial"].to_numpy(dtype=np.int64), own)
    if len(taken):
        code.iloc[taken.index.to_numpy()] = taken.array
        serial[taken.index.to_numpy()] = serials_of(taken).to_numpy()
    new = np.setdiff1d(fresh, taken.index.to_numpy())
    if len(new):
        serial[new] = _minted(to.connection, len(new), own)
        code.iloc[new] = _issue(groups, origins, new, serial[new]).array
    gone = np.setdiff1d(bearing.serials, serial)
    merged, retired = succession(shared, serial, gone)
    returned = back[back != NONE]
    return Coding(serial, code, np.union1d(serial[fresh], returned), returned, shared, merged, retired)


def _minted(connection: Connection, number: int, own: range) -> Integers:
    """New serials of this hub's block; ValueError when they are used up."""
    serials = own.start + read_frame(connection, _MINT, {"number": number})["place"].to_numpy(dtype=np.int64)
    if serials.max() not in own:
        raise ValueError(f"The serials of this hub's codes are used up: it may issue {len(own):,}.")
    return serials


def _known_codes(serial: Integers, entities: pd.DataFrame) -> pd.Series:
    places = pd.Index(entities["serial"]).get_indexer(pd.Index(serial))
    codes = pd.Series(entities["code"].array, index=pd.RangeIndex(len(entities)), dtype="str")
    return codes.reindex(places).reset_index(drop=True)


def _issue(groups: Groups, origins: Origins, fresh: Integers, serial: Integers) -> pd.Series:
    """New codes; the issuing division is that of the feed of each group's oldest record."""
    table = groups.table.iloc[fresh]
    division = origins.division.iloc[origins.at(table["first"].to_numpy())].reset_index(drop=True)
    return make_many(table["type"].map(LETTERS).reset_index(drop=True), division, serial)
