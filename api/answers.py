"""How answers leave: JSON with an ETag of their content, and how long anyone may keep them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from api.problems import Problem

PERSONAL = "private, no-store"  # nobody between us and the caller, nor the caller's browser, may keep it
CHECKED = "private, no-cache"  # may be kept, but asked again each time: a 304 costs no line
COMMON = "private, max-age=3600"
TAG_BYTES = 12


def answer(
    request: Request, body: Any, cache: str, media_type: str = "application/json", more: Mapping[str, str] | None = None
) -> Response:
    """The body as JSON, or 304 when the caller has just that already. more: further headers."""
    content = orjson.dumps(body)
    tag = f'W/"{blake2b(content, digest_size=TAG_BYTES).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": cache, "Vary": "Authorization, Accept", **(more or {})}
    known = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and (tag in known or "*" in known):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def cursor_of(*place: object) -> str:
    """Where the next page begins, as callers hand it back."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_of(cursor: str | None, *first: Any) -> list[Any]:
    """The place a cursor stands for, `first` without one; Problem 422 for a cursor that no answer gave."""
    if cursor is None:
        return list(first)
    try:
        place = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != [type(part) for part in first]:
        raise Problem(422, "invalid", "The cursor is none that an answer gave: begin again without one.")
    if any("\0" in part if isinstance(part, str) else not 0 <= part < 2**63 for part in place):
        raise Problem(422, "invalid", "The cursor is none that an answer gave: begin again without one.")
    return place
