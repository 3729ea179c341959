"""The pages of one question, in order, by dlt's RESTClient: log-in, ways of paging, and where the pages end.

Imported only where a server is read: dlt takes a second to load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth
from dlt.sources.helpers.rest_client.paginators import (
    BaseNextUrlPaginator,
    BasePaginator,
    BaseReferencePaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)
from requests import Request, Response

from connectors.rest_answers import answer_of, at_path, next_link
from connectors.rest_question import FIRST_PAGE, Question
from connectors.rest_session import PatientSession, Refused
from onegrid.errors import FeedUnavailable, FeedUnreadable

Rows = Sequence[dict[str, Any]]
MOST_EMPTY = 20  # pages in a row without one row, while the server says there are more
STALE = (400, 404, 409, 410, 422)  # how servers say that a reference to a page no longer holds


class Stale(Exception):
    """The paging broke in its midst and cannot go on from there: it must begin anew."""


class PageReader:
    """One question and the session it is asked in. total: what the first answer of the last pass said, if it did."""

    def __init__(self, question: Question, session: PatientSession) -> None:
        self.question, self.session = question, session
        self.total: int | None = None
        self._client = RESTClient(
            question.url,
            headers=dict(question.headers),
            auth=_auth(question),
            session=session,
            config=RuntimeConfiguration(),  # else dlt would look for a configuration of its own in the folder
        )
        self._client.extract_response = self._rows

    def pages(self) -> Iterator[Rows]:
        """One pass over all pages from the first.

        Raises FeedUnavailable, FeedUnreadable, and Stale when only a new pass can be whole.
        """
        self.total, count, empty = None, 0, 0
        before: Rows = []
        first: Rows = []
        try:
            for page in self._client.paginate(
                params=dict(self.question.params), paginator=self._paginator(), hooks={"response": []}
            ):
                rows = list(page)
                count, empty = count + 1, 0 if rows else empty + 1
                if self._circles(rows, before, first, count):
                    return
                if empty > MOST_EMPTY:
                    raise self._unreadable(f"gave {empty} pages in a row without a row and never the last one")
                yield rows
                before, first = rows, first or rows
        except Refused as refused:
            if not self._ended(refused.status, count):
                raise self._refusal(refused.status, count) from None

    def _rows(self, response: Response, _: object) -> Rows:
        if response.status_code == 204:
            return []
        answer = answer_of(response.json(), self.question.read.records, self.question.place)
        if self.total is None:
            self.total = answer.total
        if not self.question.paging and "next" in response.links:
            raise self._unreadable("says that there are further pages; say how they are asked for in read.paginate")
        return answer.rows

    def _paginator(self) -> BasePaginator:
        paging = self.question.paging
        if not paging:
            return SinglePagePaginator()
        if paging["kind"] == "cursor":
            return CursorPages(self.question)
        if paging["kind"] == "link":
            return LinkPages(self.question)
        return PageNumberPaginator(base_page=self._first_page(), page_param=paging["parameter"], total_path=None)

    def _first_page(self) -> int:
        text = self.question.params.get(self.question.paging["parameter"], "")
        return int(text) if text.isascii() and text.isdigit() else FIRST_PAGE

    def _circles(self, rows: Rows, before: Rows, first: Rows, count: int) -> bool:
        """Whether this page was there before: past their end some servers give the last page, or begin anew.

        FeedUnreadable where that can only mean that the paging does not work.
        """
        if count < 2 or not rows or rows not in (before, first):
            return False
        if self.total is not None and self.total <= len(rows):
            return True
        paging = self.question.paging
        if paging["kind"] != "page":
            if len(rows) == 1:  # a reference that means "from this row" leads to the last row again
                return True
            raise self._unreadable("gives the same page over and over; correct read.paginate")
        size = self.question.size or 0
        if count > 2 or (self.question.since is not None and len(rows) < size):
            return True
        raise self._unreadable(
            f"gives the same page whatever {paging['parameter']} says; correct read.paginate, "
            "or remove it if the whole list comes at once"
        )

    def _ended(self, status: int, count: int) -> bool:
        """Whether a 404 means that the page before was the last: only where that page can still be had."""
        if status != 404 or not count or self.question.paging["kind"] != "page":
            return False
        parameter = self.question.paging["parameter"]
        last = {**self.question.params, parameter: str(self._first_page() + count - 1)}
        try:
            self._client.get("", params=last)
        except Refused:
            return False
        return True

    def _refusal(self, status: int, count: int) -> Exception:
        question = self.question
        if count and question.paging["kind"] != "page" and status in STALE:
            return Stale()
        known = {
            401: f"does not accept the log-in (401); {question.log_in}",
            403: f"does not let this log-in read (403); {question.log_in}, or ask {question.source.owner} for the right",
            404: "is not there (404); correct read.url",
        }
        others = f"does not take the question ({status}); check read.params, read.paginate and read.since"
        return FeedUnavailable(f"{question.place} {known.get(status, others)}")

    def _unreadable(self, what: str) -> FeedUnreadable:
        return FeedUnreadable(f"{self.question.place} {what}")


def _auth(question: Question) -> Any:
    auth = question.auth
    if not auth:
        return None
    if auth["kind"] == "bearer":
        return BearerTokenAuth(auth["token"])
    if auth["kind"] == "basic":
        return HttpBasicAuth(auth["user"], auth["password"])
    return APIKeyAuth(auth["name"], auth["value"], auth.get("in", "header"))


class _References(BaseReferencePaginator):  # type: ignore[misc]  # dlt is not looked into
    """References to the next page that the answers give, each followed once."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._followed: set[str] = set()
        self._before: Rows = []

    def _follow(self, reference: str | None, rows: Rows) -> None:
        """Past their end some servers give the last reference again, with no row or none that is new."""
        known = reference in self._followed
        if known and any(row not in self._before for row in rows):
            raise FeedUnreadable(f"{self.question.place} leads its pages in a circle; correct read.paginate")
        self._next_reference = None if known else reference
        self._followed |= {reference} if reference else set()
        self._before = rows


class CursorPages(_References):
    """The reference lies in the answer and goes back in a parameter."""

    def update_state(self, response: Response, data: Rows | None = None) -> None:
        content = response.json() if response.content else None
        self._follow(at_path(content, self.question.paging["path"]), data or [])

    def update_request(self, request: Request) -> None:
        params: dict[str, str | None] = dict(self.question.params)
        request.params = params | {self.question.paging["parameter"]: self._next_reference}


class LinkPages(_References, BaseNextUrlPaginator):  # type: ignore[misc]
    """The reference is an address: in the Link header (RFC 8288) or at a usual place of the answer."""

    def update_state(self, response: Response, data: Rows | None = None) -> None:
        content = response.json() if response.content else None
        link = response.links.get("next", {}).get("url") or next_link(content)
        self._follow(self._here(urljoin(response.url, link)) if link else None, data or [])

    def _here(self, link: str) -> str:
        """The link on the scheme and port that we ask: servers behind a proxy know neither.

        A link to another host is refused, for the log-in would go there.
        """
        asked, led = urlsplit(self.question.url), urlsplit(link)
        if asked.hostname != led.hostname:
            raise FeedUnavailable(
                f"{self.question.place} leads to another host for its next page, which must not see the log-in; "
                f"ask {self.question.source.owner}"
            )
        return led._replace(scheme=asked.scheme, netloc=asked.netloc, fragment="").geturl()
