"""What a server's JSON answer holds: its rows, how many it says there are, and where it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.files import WRITTEN
from connectors.text import Number, written
from onegrid.errors import FeedUnavailable, FeedUnreadable
from schemas.sources import nearest

# Of the conventions in use, those that can only mean the rows of the whole question. `count` is none of them: it often
# is that of one page.
TOTALS = ("total", "total_count", "totalCount", "total_elements", "totalElements", "total_records", "totalRecords")
NEXT_LINKS = ("next", "links.next", "links.next.href", "_links.next.href", "paging.next", "pagination.next")
OWN_CODES = ("code", "errcode", "error_code", "ret")  # servers that answer 200 to everything tell a failure here
GOOD_CODES = frozenset(("0", "00000", "200", "20000", "true"))
DEEPEST = 3


@dataclass(frozen=True)
class Answer:
    """One page. total: the rows of the whole question, where the answer says so. code: its own code, if it has one."""

    rows: list[dict[str, Any]]
    total: int | None
    code: str | None


def parsed(body: bytes, charset: str | None) -> Any:
    """A JSON body with its numbers as they were written; UnicodeDecodeError or JSONDecodeError (both ValueError) when
    it is none.

    charset: what Content-Type says; without it the body is UTF-8 (RFC 8259), a BOM is understood.
    """
    try:
        text = body.decode(charset or "utf-8-sig")
    except LookupError:
        text = body.decode("utf-8-sig")
    try:
        return WRITTEN.decode(text.lstrip("\ufeff").strip())
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", "", 0) from None


def answer_of(content: Any, records: str | None, place: str) -> Answer:
    """The rows below the dotted path `records` (None: the content itself is the list).

    Raises FeedUnreadable when there is no list of objects, FeedUnavailable when the answer tells a failure of its own.
    """
    scopes, rows = _descended(content, records)
    told = content if isinstance(content, dict) else {}
    code = next((written(told[name]) or "" for name in OWN_CODES if name in told), None)
    if not rows and code is not None and code.lower() not in GOOD_CODES:
        shown = f" {code}" if code.lstrip("-").isdigit() and len(code) <= 6 else ""
        raise FeedUnavailable(f"{place} answered without rows and with a failure code of its own{shown}; ask its owner")
    if not isinstance(rows, list):
        raise _no_list(content, records, place)
    if any(type(row) is not dict for row in rows):
        raise FeedUnreadable(f"{place}: its list holds something else than objects; correct read.records")
    return Answer(rows, _total(scopes), code)


def _descended(content: Any, records: str | None) -> tuple[list[dict[str, Any]], Any]:
    """The objects on the way, innermost first, and what lies at the end: an empty list where it says null."""
    scopes: list[dict[str, Any]] = []
    for key in records.split(".") if records else ():
        if not isinstance(content, dict) or key not in content:
            return scopes, None
        scopes.insert(0, content)
        content = content[key]
    return scopes, [] if content is None and scopes else content


def _no_list(content: Any, records: str | None, place: str) -> FeedUnreadable:
    # keys with digits may be somebody's number
    lists = [path for path in _lists(content) if not any(letter.isdigit() for letter in path)]
    near = (nearest(records, lists) if records else None) or (lists[0] if len(lists) == 1 else None)
    hint = f"; there is one at {near}" if near else ""
    where = f"at read.records ({records})" if records else "at its top; name its place in read.records"
    return FeedUnreadable(f"{place}: the answer has no list {where}{hint}")


def _lists(content: Any, above: str = "", depth: int = DEEPEST) -> Iterator[str]:
    for key, value in content.items() if isinstance(content, dict) and depth else ():
        if isinstance(value, list):
            yield f"{above}{key}"
        yield from _lists(value, f"{above}{key}.", depth - 1)


def _total(scopes: Sequence[dict[str, Any]]) -> int | None:
    told = (scope[name] for scope in scopes for name in TOTALS if name in scope)
    return next((int(value) for value in told if isinstance(value, str) and value.isascii() and value.isdigit()), None)


def at_path(content: Any, path: str) -> str | None:
    """The text or number at a dotted path; None where nothing, null, false, an empty text or the number 0 lies."""
    for key in path.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(key)
    if not isinstance(content, str) or not content or (type(content) is Number and not content.strip("0")):
        return None
    return str(content)


def next_link(content: Any) -> str | None:
    """The address of the next page that stands in the answer itself, where it stands at one of the usual places."""
    found = (at_path(content, path) for path in NEXT_LINKS)
    return next((link for link in found if link and link.startswith(("http://", "https://", "/", "?"))), None)
