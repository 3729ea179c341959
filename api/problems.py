"""Every error as problem+json (RFC 9457). None says more than what is wrong and what to do: no value is repeated."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onegrid.errors import DatabaseError, DatabaseUnavailable, OneGridError, SettingsError, Unforeseen

MEDIA_TYPE = "application/problem+json"
BODY_MOST = 512 * 1024  # 10,000 codes, as any JSON writes them
LARGER = {"/v1/compare": 48 * 2**20}  # a list of 200,000 rows in base64
log = logging.getLogger("onegrid.api")


class ProblemBody(BaseModel):
    """What is wrong with a request, or with the service."""

    type: str = Field(examples=["urn:onegrid:problem:not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is nothing of this code that you may see."])
    errors: list[dict[str, str]] | None = Field(default=None, description="for 422: what is wrong, field by field")


class Problem(Exception):
    """A refusal with its reason."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, dict(headers or {})


def unauthorized() -> Problem:
    """No token, or one that is unknown, expired or revoked: which, is not said."""
    challenge = {"WWW-Authenticate": 'Bearer realm="onegrid"'}
    return Problem(401, "unauthorized", "Send a valid token: Authorization: Bearer og_...", challenge)


def forbidden() -> Problem:
    """The token's role has not this right."""
    return Problem(403, "forbidden", "The role of this token has no right to this.")


def outgrown() -> Problem:
    """The model in use was trained by another version of the program."""
    said = "The registry was published by another version of the program; its next run makes this answer possible."
    return Problem(503, "not-ready", said, {"Retry-After": "900"})


def not_found() -> Problem:
    """There is no such thing, or not where the caller may see it: which, is not said."""
    return Problem(404, "not-found", "There is nothing of this code that you may see.")


def _response(status: int, kind: str, detail: str, **more: Any) -> Response:
    headers = more.pop("headers", {})
    body = {"type": f"urn:onegrid:problem:{kind}", "title": _title(status), "status": status, "detail": detail, **more}
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store", **headers}, media_type=MEDIA_TYPE)


def _title(status: int) -> str:
    return HTTPStatus(status).phrase.capitalize()


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OneGridError, _ours)
    app.add_middleware(SmallBodies)
    app.add_middleware(LastResort)


def described(description: dict[str, Any]) -> dict[str, Any]:
    """The app's description with the media type that problems really have."""
    for methods in description["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    response["content"] = {MEDIA_TYPE: content["application/json"]}
    return description


async def _problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return _response(error.status, error.kind, error.detail, headers=error.headers)


async def _http(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown paths, wrong methods."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return _response(error.status_code, kind, _title(error.status_code) + ".", headers=headers)


def _methods(request: Request) -> list[str]:
    """What a path knows: the framework tells the methods of its first route alone."""
    path = getattr(request.scope.get("route"), "path", None)
    known = [route.methods or set() for route in request.app.routes if getattr(route, "path", None) == path]
    return sorted(set().union(*known))


async def _invalid(_: Request, error: Exception) -> Response:
    """Fields and what is wrong with them; never what they held."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"field": ".".join(_place(found)), "what": str(found["type"]).replace("_", " ")} for found in error.errors()
    ]
    return _response(422, "invalid", "The request is not as the description of this API says.", errors=errors)


def _place(found: Mapping[str, Any]) -> list[str]:
    """Where it is wrong, in the words of our description: a field that is none was named by the caller."""
    named = found["loc"][:-1] if found["type"] == "extra_forbidden" else found["loc"]
    return [str(part) for part in named]


async def _ours(_: Request, error: Exception) -> Response:
    if isinstance(error, DatabaseUnavailable):
        log.error("%s", error)
        return _response(503, "unavailable", "The registry's database does not answer.", headers={"Retry-After": "5"})
    if isinstance(error, SettingsError):
        return _response(422, "invalid", str(error))
    log.error("%s: %s", type(error).__name__, error if isinstance(error, DatabaseError) else "")
    return _response(500, "error", "The service failed; its log says where.")


class SmallBodies:
    """Refuses a body beyond `BODY_MOST`, whether it says its length or not, before more of it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, as far as it may go, and pass it on whole."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        most = LARGER.get(scope["path"], BODY_MOST)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        body, more = b"", not length.isdigit() or int(length) <= most
        whole = more
        while more and whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
            whole = len(body) <= most
        if not whole:
            said = f"A body may have {most:,} bytes."
            await _response(413, "too-large", said, headers={"Connection": "close"})(scope, receive, send)
            return
        given = False

        async def replayed() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replayed, send)


class LastResort:
    """What nobody foresaw: logged by where it happened, without its words, which may quote values."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer 500 when that fails before an answer has begun."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except Exception as error:
            if scope["type"] != "http":
                raise
            log.error("%s", Unforeseen.of(error))  # noqa: TRY400 - the words of the error must not be logged
            if not begun:
                await _response(500, "error", "The service failed; its log says where.")(scope, receive, send)
