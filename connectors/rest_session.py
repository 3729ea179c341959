"""A session that is patient: it waits where a server asks for it, tries again what may pass, and names what will not.

Imported only where a server is read: dlt takes a second to load.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dlt.sources.helpers.requests.session import Session
from requests import PreparedRequest, Response
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    ProxyError,
    RequestException,
    SSLError,
    Timeout,
)

from connectors.rest_answers import parsed
from connectors.rest_question import Question
from onegrid.errors import FeedUnavailable, FeedUnreadable

CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 60.0  # seconds without a connection, without a byte
BUSY = (429, 503)  # may say when to come back (RFC 9110, 10.2.3; RFC 6585, 4)
PASSING = (408, 425, *BUSY, 500, 502, 504)
CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
CHATTY = "urllib3.connectionpool"  # its debug lines hold whole addresses, and so keys of the kind that stands in them


@dataclass(frozen=True)
class Patience:
    """How long a read waits. Times in seconds.

    attempts: of one request that fails; a server that says it is busy (429, or when to come back) is asked as often as
    for_page allows. The wait doubles from first_wait to longest_wait, or is what the server asks for.
    """

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    for_page: float = 300.0
    for_read: float = 3600.0


PATIENCE = Patience()


class Refused(Exception):
    """The server answered 4xx. What that means depends on where in the paging it did."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


@dataclass(frozen=True)
class _Failure:
    """Why one attempt brought nothing. wait: the seconds the server asks for, if it does."""

    why: str
    busy: bool = False
    wait: float | None = None


class PatientSession(Session):  # type: ignore[misc]  # dlt is not looked into
    """Sends a request until it is answered. retried: attempts after a first one; waited: seconds between them."""

    def __init__(self, question: Question, patience: Patience = PATIENCE) -> None:
        super().__init__(timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), raise_for_status=False)
        self.question, self.patience = question, patience
        self.retried, self.waited = 0, 0.0

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """The answer, its `json` parsed once with numbers as written.

        Raises Refused (4xx), FeedUnavailable, FeedUnreadable (no JSON).
        """
        waited, failures = 0.0, 0
        while True:
            outcome = self._attempt(request, options)
            if isinstance(outcome, Response):
                return outcome
            failures += 1
            wait = self._wait(outcome, failures)
            tired = failures >= self.patience.attempts and not outcome.busy
            if tired or waited + wait > self.patience.for_page or self.waited + wait > self.patience.for_read:
                raise self._given_up(outcome, failures, waited)
            time.sleep(wait)
            waited += wait
            self.waited += wait
            self.retried += 1

    def _attempt(self, request: PreparedRequest, options: dict[str, Any]) -> Response | _Failure:
        try:
            response: Response = super().send(request, **options | {"allow_redirects": False})
        except SSLError:
            raise self._unavailable(
                "its certificate is not trusted; name its authority's file in the environment variable "
                "REQUESTS_CA_BUNDLE, or have the certificate mended"
            ) from None
        except (ConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError) as error:
            return _Failure(_why(error))
        except (RequestException, ValueError) as error:
            # an address or a header that cannot be sent; the message would repeat it
            raise self._unavailable(
                f"cannot be asked ({type(error).__name__}); check read in the source file"
            ) from None
        return self._judged(response)

    def _judged(self, response: Response) -> Response | _Failure:
        status = response.status_code
        if status in PASSING or status > 504:
            asked = _asked_wait(response)
            return _Failure(f"answers {status}", status == 429 or (status in BUSY and asked is not None), asked)
        if status >= 500:
            raise self._unavailable(f"answers {status}; ask {self.question.source.owner}")
        if status >= 400:
            raise Refused(status)
        if status >= 300:
            raise self._unavailable(f"sends elsewhere ({status}); give the address it has moved to in read.url")
        return self._with_json(response)

    def _with_json(self, response: Response) -> Response | _Failure:
        kind = response.headers.get("Content-Type", "")
        charset = CHARSET.search(kind)
        try:
            content = parsed(response.content, charset[1] if charset else None) if response.content else None
        except UnicodeDecodeError:
            raise FeedUnreadable(
                f"{self.question.place} answers in an encoding it does not declare; ask for UTF-8"
            ) from None
        except ValueError:
            if response.content.lstrip()[:1] in (b"{", b"["):
                return _Failure("answers with JSON that is cut off")
            what = re.sub(r"[^\w/+.-]", "", kind.partition(";")[0])[:40] or "something else"
            raise FeedUnreadable(
                f"{self.question.place} answers with {what} instead of JSON; correct read.url, or see what a browser shows there"
            ) from None
        response.json = lambda **_: content  # type: ignore[method-assign]
        return response

    def _wait(self, failure: _Failure, failures: int) -> float:
        if failure.wait is not None:
            return max(failure.wait, self.patience.first_wait)
        return min(self.patience.first_wait * 2.0 ** (failures - 1), self.patience.longest_wait)

    def _given_up(self, failure: _Failure, failures: int, waited: float) -> FeedUnavailable:
        asked = f", and asks to wait {failure.wait:.0f} s more" if failure.wait is not None else ""
        return self._unavailable(
            f"{failure.why} ({failures} attempts within {waited:.0f} s{asked}); "
            f"run again later, or ask {self.question.source.owner}"
        )

    def _unavailable(self, what: str) -> FeedUnavailable:
        return FeedUnavailable(f"{self.question.place} {what}")


def _why(error: Exception) -> str:
    """What went wrong on the way, without the words of the error: they repeat the whole address."""
    text = repr(error)
    if isinstance(error, ProxyError):
        return "is not reached through the proxy of this machine (HTTPS_PROXY, NO_PROXY)"
    if isinstance(error, Timeout):
        return "does not answer in time"
    if "NameResolution" in text:
        return "has a host name that is not known here"
    return "refuses connections" if "refused" in text else "breaks the connection off"


def _asked_wait(response: Response) -> float | None:
    """Seconds that Retry-After asks for, as a number or as a date; None without it or when it is neither."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(text)) if text[:1].isdigit() else _until(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def _until(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


@contextmanager
def secret_addresses() -> Iterator[None]:
    """Keeps whole addresses out of the log while a server is read, even where all is logged."""
    logger = logging.getLogger(CHATTY)
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        logger.setLevel(level)
