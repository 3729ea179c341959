"""Who asks, on every request: the bearer token, what it may do, why it asks and from where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from api.hub import Hub
from api.problems import forbidden, outgrown, unauthorized
from onegrid.asking import Asked, Candidates
from registry.access import RIGHTS, Caller
from registry.asking_sql import MET
from registry.tokens import digest
from registry.views import CALLER, TELL, caller_of

bearer = HTTPBearer(auto_error=False, description="A token from `onegrid token create`.")
PURPOSE_MOST = 200
HOLDERS = {
    right: [role for role, rights in RIGHTS.items() if right in rights] for right in frozenset().union(*RIGHTS.values())
}


@dataclass(frozen=True)
class Asking:
    """One request's asker. Every way to the registry goes through `once` or `session`: both check token and right."""

    hub: Hub
    hash: bytes
    purpose: str | None
    origin: str | None

    async def once(
        self, right: str, statement: str, values: Mapping[str, Any], *, binary: bool = False
    ) -> tuple[Caller, DictRow]:
        """One statement of `registry.views` that checks the caller itself; Problem 401 or 403. binary: bytes as such."""
        asked = {"hash": self.hash, "roles": HOLDERS[right], "purpose": self.purpose, "origin": self.origin}
        row = await self.hub.one(statement, {**asked, **values}, binary=binary)
        if row is None:
            raise unauthorized()
        return _allowed(caller_of(row["caller"]), right), row

    @asynccontextmanager
    async def session(self, right: str) -> AsyncIterator[Session]:
        """A transaction on the caller's behalf; Problem 401 or 403."""
        async with self.hub.transaction() as connection:
            row = await (await connection.execute(CALLER, {"hash": self.hash})).fetchone()
            if row is None:
                raise unauthorized()
            yield Session(self, _allowed(caller_of(row), right), connection)


@dataclass(frozen=True)
class Session:
    """A transaction in which a known caller works; what it discloses it must `tell`."""

    asking: Asking
    caller: Caller
    connection: AsyncConnection[DictRow]

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[DictRow]:
        """The rows of a statement; `area` is given."""
        done = await self.connection.execute(statement, {"area": self.caller.area, **values})
        return await done.fetchall()

    async def tell(self, act: str, codes: list[str], properties: str) -> None:
        """Writes an access event for each code. properties: JSON list of what was shown."""
        who = {"actor": self.caller.name, "role": self.caller.role, "department": self.caller.department}
        why = {"purpose": self.asking.purpose, "origin": self.asking.origin, "act": act}
        await self.connection.execute(TELL, {**who, **why, "properties": properties, "codes": sorted(set(codes))})


def _allowed(caller: Caller, right: str) -> Caller:
    if not caller.may(right):
        raise forbidden()
    return caller


async def _asking(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    x_purpose: Annotated[
        str | None,
        Header(description="Why you ask, percent-encoded UTF-8; kept in the access log.", max_length=9 * PURPOSE_MOST),
    ] = None,
) -> Asking:
    if credentials is None:
        raise unauthorized()
    purpose = unquote(x_purpose)[:PURPOSE_MOST].replace("\0", "") if x_purpose else None
    origin = request.client.host if request.client else None
    return Asking(request.app.state.hub, digest(credentials.credentials), purpose, origin)


def asking_with(request: Request, secret: str) -> Asking:
    """The asker of a request whose token stands in its address."""
    return Asking(request.app.state.hub, digest(secret), None, request.client.host if request.client else None)


AskingDep = Annotated[Asking, Depends(_asking)]


async def asked_of(asking: Asking, right: str, said: Mapping[str, str]) -> tuple[Asked, Candidates]:
    """A question read, and its candidates weighed; Problem 401 or 403. Nothing is disclosed by it yet.

    A token's county and the registry's state are learned from the statement itself, and seldom change: only then is it
    put twice.
    """
    held, stamp = asking.hub.held, None
    while True:
        asker = await asking.hub.asker(stamp)
        area = held.areas.get(asking.hash, "")
        asked = asker.read(said, area)
        caller, row = await asking.once(right, MET, {"tokens": asked.tokens, "bits": asked.bits}, binary=True)
        stamp = row["stamp"]
        if asker.heads.area(area) != asker.heads.area(caller.area):
            held.areas[asking.hash] = caller.area
        elif asker.stamp == stamp:
            if asker.outgrown:
                raise outgrown()
            return asked, asker.weigh(asked, row["codes"] or (), row["bodies"] or ())
