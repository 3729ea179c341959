"""What is asked of a department's server: address, log-in, headers and parameters, with ${ENV} put in and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.cursor import reread_from
from connectors.opened import VARIABLE, expanded
from onegrid.errors import FeedUnavailable
from schemas.sources import RestRead, Source

FIRST_PAGE = 1  # most servers count from 1; params: {page: "0"} says otherwise
HEADERS = {"Accept": "application/json", "User-Agent": "OneGrid"}
UNFIT = re.compile(r"[\x00-\x1f\x7f]|[^\x00-\xff]")  # what no header may hold (RFC 9110, 5.5)
LATIN_AUTH = {"bearer": ("token",), "api_key": ("name", "value")}


@dataclass(frozen=True)
class Question:
    """One source's question. url, auth, headers, params hold secrets and are never shown; `place` is for people.

    since: the cursor value that an incremental read comes after, None for all rows.
    """

    source: Source
    read: RestRead
    url: str
    auth: Mapping[str, str]
    headers: Mapping[str, str]
    params: Mapping[str, str]
    since: str | None

    @property
    def place(self) -> str:
        """The source and the address as its file writes it, without user, password and query."""
        bare = re.split(r"[?#]", self.read.url)[0]
        return f"{self.source.name}: {re.sub(r'//[^/]*@', '//', bare)}"

    @property
    def paging(self) -> Mapping[str, str]:
        """`read.paginate`; {} when the whole list comes in one answer."""
        return self.read.paginate or {}

    @property
    def size(self) -> int | None:
        """Rows a page is asked to hold."""
        return int(self.paging["size"]) if "size" in self.paging else None

    @property
    def log_in(self) -> str:
        """Which part of the source file and which environment variables the log-in comes from, for people."""
        if not self.read.auth:
            return "it asks for a log-in: give read.auth"
        names = dict.fromkeys(VARIABLE.findall(" ".join(self.read.auth.values())))
        return f"check read.auth ({', '.join(names)})" if names else "check read.auth"


def question(source: Source, since: str | None, environ: Mapping[str, str]) -> Question:
    """The question of a source; FeedUnavailable names the variable, the header or the address that is wrong."""
    read = rest_read(source)
    put_in = _Expansion(source, environ)
    auth = put_in.table(read.auth or {})
    auth = {key: value if key == "password" else value.strip() for key, value in auth.items()}
    headers = HEADERS | put_in.table(read.headers)
    for key in LATIN_AUTH.get(auth.get("kind", ""), ()):
        _check_header(source, f"read.auth.{key}", auth[key])
    for name, value in headers.items():
        _check_header(source, f"read.headers.{name}", value)
    params = put_in.table(read.params) | _paging_params(read)
    if since is not None and read.since is not None:
        params[read.since] = reread_from(since)
    return Question(source, read, _address(source, put_in.text(read.url)), auth, headers, params, since)


def rest_read(source: Source) -> RestRead:
    """How the server of a source is read; TypeError for sources of another kind."""
    if not isinstance(source.read, RestRead):
        raise TypeError(f"{source.name} is no source behind a server")
    return source.read


@dataclass(frozen=True)
class _Expansion:
    source: Source
    environ: Mapping[str, str]

    def text(self, text: str) -> str:
        return expanded(text, self.source, self.environ)

    def table(self, table: Mapping[str, str]) -> dict[str, str]:
        return {key: self.text(value) for key, value in table.items()}


def _paging_params(read: RestRead) -> dict[str, str]:
    paging = read.paginate or {}
    named = "size" in paging and "size_parameter" in paging
    return {paging["size_parameter"]: paging["size"]} if named else {}


def _check_header(source: Source, field: str, value: str) -> None:
    if UNFIT.search(value):
        raise FeedUnavailable(
            f"{source.name}: {field} holds a line break or a letter that no HTTP header can carry; "
            f"correct it in {source.file} or in its environment variable"
        )


def _address(source: Source, url: str) -> str:
    wrong = FeedUnavailable(
        f"{source.name}: read.url in {source.file} is no address that begins with http:// or https://"
    )
    try:
        parts = urlsplit(url.strip())
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number; its message would repeat the address
        raise wrong from None
    if not known:
        raise wrong
    return url.strip()
