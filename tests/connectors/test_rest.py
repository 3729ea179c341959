"""Servers of departments: every row once, whatever the server and the line do meanwhile, and no secret told."""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import connectors.rest_session
from connectors.feed import head, read_feed
from connectors.rest_session import Patience
from onegrid.errors import FeedRefused, FeedUnavailable, FeedUnreadable

TOKEN = "geheim-7f3a"
HASTY = Patience(attempts=4, first_wait=0.005, longest_wait=0.02, for_page=1.5, for_read=3.0)


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    """body: bytes as they are, anything else as JSON. cut: bytes to send before the line breaks."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


class Town:
    """A server whose answers a test decides: `answer` for each question, `faults` first."""

    def __init__(self) -> None:
        self.answer: Callable[[Asked], Reply] = lambda _: Reply([])
        self.faults: list[Reply] = []
        self.asked: list[Asked] = []
        self.url = ""

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.faults.pop(0) if self.faults else self.answer(asked)

    def pages(self) -> list[str]:
        return [asked.query.get("page", "") for asked in self.asked]


@pytest.fixture
def town(monkeypatch) -> Iterator[Town]:
    """A server on this machine, and a test that can reach no other."""
    made = Town()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: two would wait for each other

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            reply = made.reply(Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers)))
            raw = isinstance(reply.body, bytes)
            body = reply.body if raw else json.dumps(reply.body, ensure_ascii=False).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if reply.cut is None else body[: reply.cut])
            self.close_connection = reply.cut is not None

        def log_message(self, *_: Any) -> None:
            pass

    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), f"goes out to {address[0]}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(connectors.rest_session, "PATIENCE", HASTY)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hung up is part of a test
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/api/residents"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def people(count: int, start: int = 1) -> list[dict[str, Any]]:
    return [{"编号": f"{n:04}", "姓名": f"人{n}"} for n in range(start, start + count)]


PAGED = {"kind": "page", "parameter": "page", "size_parameter": "size", "size": 10}


def paged(rows: list[dict[str, Any]], total: bool = False) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        size = int(asked.query["size"])
        start = (int(asked.query["page"]) - 1) * size
        body = {"items": rows[start : start + size]} | ({"total": len(rows)} if total else {})
        return Reply({"data": body})

    return answer


@pytest.fixture
def make_rest(make_source, town):
    """A source of pages of ten, or as the test says."""

    def make(**read: Any) -> Any:
        usual = {"kind": "rest", "url": town.url, "records": "data.items", "paginate": PAGED, "key": ["编号"]}
        return make_source({key: value for key, value in (usual | read).items() if value is not None})

    return make


def keys(feed: Any) -> list[str]:
    return feed.rows.column("编号").to_pylist()


def numbered(count: int) -> list[str]:
    return [row["编号"] for row in people(count)]


# --- what is read ---


def test_values_are_text_as_written_and_nested_keys_are_dotted(town, make_rest):
    body = (
        '[{"编号": 340202199003074215, "姓名": "张三", "高": 1.50, "大": 1e400, "户": {"码": "007", "人": {"数": 2}},'
        ' "表": [1.0, "x"], "真": true, "空": null, "无": ""}]'
    )
    town.answer = lambda _: Reply(body.encode())
    row = read_feed(make_rest(records=None, paginate=None)).rows.to_pylist()[0]
    assert row == {
        "编号": "340202199003074215", "姓名": "张三", "高": "1.50", "大": "1e400", "户.码": "007", "户.人.数": "2",
        "表": '[1.0,"x"]', "真": "true", "空": None, "无": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "kind"), [("gb18030", "application/json; charset=GB18030"), ("utf-8-sig", "text/plain")]
)
def test_the_declared_encoding_is_understood_and_a_bom_too(town, make_rest, encoding, kind):
    body = json.dumps({"data": {"items": people(1)}}, ensure_ascii=False).encode(encoding)
    town.answer = lambda _: Reply(body, headers={"Content-Type": kind})
    assert read_feed(make_rest(paginate=None)).rows.to_pylist() == people(1)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 25, 30])
@pytest.mark.parametrize("total", [False, True])
def test_all_pages_are_read_once(town, make_rest, count, total):
    town.answer = paged(people(count), total)
    feed = read_feed(make_rest())
    assert feed.rows.to_pylist() == people(count)
    assert feed.retried == 0
    assert town.pages() == [str(page + 1) for page in range(len(town.asked))]


def test_a_server_that_caps_its_pages_or_counts_from_0_is_read_whole(town, make_rest):
    rows = people(23)

    def capped(asked: Asked) -> Reply:
        start = int(asked.query["page"]) * 5
        return Reply({"data": {"items": rows[start : start + 5], "total": 23}})

    town.answer = capped
    assert keys(read_feed(make_rest(params={"page": "0"}))) == numbered(23)
    with pytest.raises(FeedUnavailable, match=r"speaks of 23 rows, but gives 18.*count from 0"):
        read_feed(make_rest())


@pytest.mark.parametrize("end", ["404", "last page", "first page", "null", "204"])
def test_pages_end_as_servers_end_them(town, make_rest, end):
    rows = people(30)
    usual = paged(rows)
    ends = {
        "404": Reply({"detail": "Invalid page."}, 404), "last page": Reply({"data": {"items": rows[20:]}}),
        "first page": Reply({"data": {"items": rows[:10]}}), "null": Reply({"data": {"items": None}}), "204": Reply(status=204),
    }  # fmt: skip
    town.answer = lambda asked: usual(asked) if int(asked.query["page"]) < 4 else ends[end]
    assert keys(read_feed(make_rest())) == numbered(30)


def test_a_404_in_the_midst_is_not_the_end_when_nothing_is_there_any_more(town, make_rest):
    usual = paged(people(30))
    town.answer = lambda asked: usual(asked) if len(town.asked) < 3 else Reply(status=404)
    with pytest.raises(FeedUnavailable, match=r"is not there \(404\)"):
        read_feed(make_rest())


def test_a_server_that_ignores_the_page_is_found_out(town, make_rest):
    town.answer = lambda _: Reply({"data": {"items": people(10)}})
    with pytest.raises(FeedUnreadable, match=r"same page whatever page says; correct read\.paginate"):
        read_feed(make_rest())
    assert len(town.asked) == 2
    town.answer = lambda _: Reply({"data": {"items": people(10), "total": 10}})
    assert keys(read_feed(make_rest())) == numbered(10)


def test_cursor_paging(town, make_rest):
    rows = people(25)

    def answer(asked: Asked) -> Reply:
        start = int(asked.query.get("after", 0))
        more = start + 10 < len(rows)
        return Reply({"data": {"items": rows[start : start + 10]}, "meta": {"next": start + 10 if more else None}})

    town.answer = answer
    source = make_rest(paginate={"kind": "cursor", "parameter": "after", "path": "meta.next"}, params={"区": "017"})
    assert keys(read_feed(source)) == numbered(25)
    assert [asked.query.get("after") for asked in town.asked] == [None, "10", "20"]
    assert {asked.query["区"] for asked in town.asked} == {"017"}


def test_a_cursor_that_comes_again_ends_where_nothing_is_new_and_is_an_error_elsewhere(town, make_rest):
    rows = people(25)

    def from_row(asked: Asked) -> Reply:  # the cursor means: from this row, this row too
        start = int(asked.query.get("after", 1)) - 1
        page = rows[start : start + 10]
        return Reply({"items": page, "next": page[-1]["编号"]})

    source = make_rest(records="items", paginate={"kind": "cursor", "parameter": "after", "path": "next"})
    town.answer = from_row
    assert keys(read_feed(source)) == numbered(25)
    town.answer = lambda _: Reply({"items": rows[:10], "next": "always"})
    with pytest.raises(FeedUnreadable, match="over and over"):
        read_feed(source)
    town.answer = lambda _: Reply({"items": people(10, 10 * len(town.asked)), "next": "always"})
    with pytest.raises(FeedUnreadable, match="in a circle"):
        read_feed(source)
    town.answer = lambda _: Reply({"items": [], "next": str(len(town.asked))})
    with pytest.raises(FeedUnreadable, match="never the last one"):
        read_feed(source)


@pytest.mark.parametrize("where", ["header", "body", "relative", "proxied"])
def test_link_paging(town, make_rest, where):
    rows = people(25)

    def answer(asked: Asked) -> Reply:
        start = int(asked.query.get("from", 0))
        after = f"/api/residents?from={start + 10}"
        link = (
            after
            if where == "relative"
            else f"http://127.0.0.1:1{after}"
            if where == "proxied"
            else town.url + after[14:]
        )
        more = start + 10 < len(rows)
        return Reply(
            {"results": rows[start : start + 10], "next": link if more and where == "body" else None},
            headers={"Link": f'<{link}>; rel="next", <{town.url}>; rel="first"'} if more and where != "body" else {},
        )

    town.answer = answer
    source = make_rest(records="results", paginate={"kind": "link"}, auth={"kind": "bearer", "token": TOKEN})
    assert keys(read_feed(source)) == numbered(25)
    assert {asked.headers["Authorization"] for asked in town.asked} == {f"Bearer {TOKEN}"}


def test_a_link_or_a_redirect_to_another_host_is_not_followed(town, make_rest):
    source = make_rest(records=None, paginate={"kind": "link"}, auth={"kind": "bearer", "token": TOKEN})
    town.answer = lambda _: Reply(people(1), headers={"Link": '<http://elsewhere.example/?k=1>; rel="next"'})
    with pytest.raises(FeedUnavailable, match="another host"):
        read_feed(source)
    town.answer = lambda _: Reply(status=302, headers={"Location": "http://elsewhere.example/"})
    with pytest.raises(FeedUnavailable, match=r"sends elsewhere \(302\)"):
        read_feed(source)


def test_further_pages_that_nobody_asks_for_are_told(town, make_rest):
    town.answer = lambda _: Reply(people(5), headers={"Link": f'<{town.url}?p=2>; rel="next"'})
    with pytest.raises(FeedUnreadable, match=r"further pages.*read\.paginate"):
        read_feed(make_rest(records=None, paginate=None))
    town.answer = paged(people(30), total=True)
    with pytest.raises(FeedUnavailable, match=r"speaks of 30 rows, but gives 10; check read\.paginate"):
        read_feed(make_rest(paginate=None, params={"page": "1", "size": "10"}))


# --- logging in ---


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        ({"kind": "bearer", "token": "${T}"}, ("headers", "Authorization", f"Bearer {TOKEN}")),
        (
            {"kind": "basic", "user": "阅读", "password": "${T}"},
            ("headers", "Authorization", "Basic " + base64.b64encode(f"阅读:{TOKEN}".encode()).decode()),
        ),
        ({"kind": "api_key", "name": "X-Key", "value": "${T}"}, ("headers", "X-Key", TOKEN)),
        ({"kind": "api_key", "name": "key", "value": "${T}", "in": "query"}, ("query", "key", TOKEN)),
    ],
)  # fmt: skip
def test_every_page_is_asked_for_with_the_log_in(town, make_rest, auth, told):
    town.answer = paged(people(25))
    part, name, value = told
    source = make_rest(auth=auth, headers={"X-Unit": "${U}"}, params={"c": "${U}"})
    assert keys(read_feed(source, environ={"T": TOKEN, "U": "u1"})) == numbered(25)
    assert {getattr(asked, part)[name] for asked in town.asked} == {value}
    assert {(asked.headers["X-Unit"], asked.query["c"]) for asked in town.asked} == {("u1", "u1")}


def test_a_token_from_a_file_may_end_with_a_line_break_and_none_may_hold_one(town, make_rest):
    town.answer = paged(people(3))
    source = make_rest(auth={"kind": "bearer", "token": "${T}"})
    assert keys(read_feed(source, environ={"T": f"{TOKEN}\n"})) == numbered(3)
    for wrong in (f"{TOKEN}\nX: y", f"{TOKEN}密"):
        with pytest.raises(FeedUnavailable, match=r"read\.auth\.token holds a line break or a letter") as told:
            read_feed(source, environ={"T": wrong})
        assert TOKEN not in str(told.value)


def test_a_variable_that_is_not_set_is_named(make_rest):
    for read in (
        {"auth": {"kind": "bearer", "token": "${NOT_SET}"}},
        {"url": "https://${NOT_SET}/x"},
        {"params": {"a": "${NOT_SET}"}},
    ):
        with pytest.raises(FeedUnavailable, match="environment variable NOT_SET"):
            read_feed(make_rest(**read), environ={})


# --- what goes wrong and passes ---


def cut(count: int) -> Reply:
    return Reply({"data": {"items": people(count)}}, cut=40)


FAULTS = {
    "500": Reply({"trace": TOKEN}, 500), "502": Reply(b"<html>", 502), "429": Reply(status=429),
    "429 now": Reply(status=429, headers={"Retry-After": "0"}), "503 odd": Reply(status=503, headers={"Retry-After": "soon"}),
    "503 past": Reply(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "dropped": Reply(cut=0, body=b"x" * 100), "cut off": cut(10), "half an answer": Reply(b'{"data": {"items": [{"a"'),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("page", [1, 3])
def test_what_passes_leaves_no_gap_and_no_double(town, make_rest, fault, page):
    usual, failed = paged(people(35)), []

    def answer(asked: Asked) -> Reply:
        if asked.query["page"] == str(page) and len(failed) < 2:
            failed.append(fault)
            return FAULTS[fault]
        return usual(asked)

    town.answer = answer
    feed = read_feed(make_rest())
    assert keys(feed) == numbered(35)
    assert feed.retried == 2
    assert Counter(town.pages()) == Counter({"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}) + Counter({str(page): 2})


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(town, make_rest, monkeypatch, form):
    slept: list[float] = []
    monkeypatch.setattr(connectors.rest_session.time, "sleep", slept.append)
    monkeypatch.setattr(connectors.rest_session, "PATIENCE", Patience())
    at = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=40), usegmt=True)
    town.faults = [Reply(status=429, headers={"Retry-After": "40" if form == "seconds" else at})] * 3
    town.answer = paged(people(3))
    assert keys(read_feed(make_rest())) == numbered(3)
    assert slept == pytest.approx([40, 40, 40], abs=3)


def test_without_it_the_wait_doubles_and_then_ends(town, make_rest, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(connectors.rest_session.time, "sleep", slept.append)
    monkeypatch.setattr(connectors.rest_session, "PATIENCE", Patience())
    town.answer = lambda _: Reply(status=500)
    with pytest.raises(
        FeedUnavailable, match=r"answers 500 \(6 attempts within 31 s\); run again later, or ask 区民政局"
    ):
        read_feed(make_rest())
    assert slept == [1, 2, 4, 8, 16]
    town.answer, slept[:] = (lambda _: Reply(status=429, headers={"Retry-After": "3600"})), []
    with pytest.raises(FeedUnavailable, match=r"asks to wait 3600 s more"):
        read_feed(make_rest())
    assert slept == []
    town.answer = lambda _: Reply(status=429, headers={"Retry-After": "0"})
    with pytest.raises(FeedUnavailable, match=r"answers 429 \(301 attempts within 300 s"):
        read_feed(make_rest())


def test_a_server_that_is_not_there(town, make_rest):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FeedUnavailable, match=r"refuses connections \(4 attempts"):
        read_feed(make_rest(url=f"http://127.0.0.1:{port}/x"))
    with pytest.raises(FeedUnavailable, match=r"its certificate is not trusted"):
        read_feed(make_rest(url=town.url.replace("http:", "https:")))


def test_a_server_that_says_nothing_is_given_up(town, make_rest, monkeypatch):
    monkeypatch.setattr(connectors.rest_session, "READ_TIMEOUT", 0.05)
    monkeypatch.setattr(connectors.rest_session, "PATIENCE", Patience(attempts=2, first_wait=0.001))
    done = threading.Event()
    town.answer = lambda _: Reply([done.wait(2)])
    with pytest.raises(FeedUnavailable, match="does not answer in time"):
        read_feed(make_rest())
    done.set()


# --- rows that move while they are read ---


def test_rows_that_shift_to_a_later_page_are_taken_once(town, make_rest):
    rows = people(25)

    def answer(asked: Asked) -> Reply:
        if len(town.asked) == 2:
            rows.insert(0, {"编号": "新", "姓名": "新"})
        return paged(rows)(asked)

    town.answer = answer
    assert keys(read_feed(make_rest())) == numbered(25)


def test_equal_rows_of_one_page_stay_and_changed_rows_of_one_key_too(town, make_rest):
    row = {"编号": "1", "姓名": "甲"}
    pages = [[row, row], [row | {"姓名": "乙"}, row], []]
    town.answer = lambda asked: Reply({"data": {"items": pages[int(asked.query["page"]) - 1]}})
    assert read_feed(make_rest()).rows.to_pylist() == [row, row, row | {"姓名": "乙"}]


def test_rows_that_shift_to_an_earlier_page_are_not_missed_where_a_total_tells(town, make_rest):
    rows = people(35)

    def answer(asked: Asked) -> Reply:
        if len(town.asked) == 3:
            del rows[4]  # the first of the third page becomes the last of the second, which was read
        return paged(rows, total=True)(asked)

    town.answer = answer
    assert keys(read_feed(make_rest())) == [key for key in numbered(35) if key != "0005"]


def test_a_feed_that_never_holds_still_is_refused(town, make_rest):
    rows = people(60)

    def answer(asked: Asked) -> Reply:
        if asked.query["page"] == "3":
            del rows[0]
        return paged(rows, total=True)(asked)

    town.answer = answer
    with pytest.raises(FeedUnavailable, match=r"not whole in 3 passes: its rows move"):
        read_feed(make_rest())


def test_equal_rows_on_different_pages_do_not_look_like_a_gap(town, make_rest):
    row = {"编号": "1", "姓名": "甲"}
    town.answer = paged([row, *people(12, 2), row], total=True)
    assert len(keys(read_feed(make_rest()))) == 13


def test_a_broken_paging_begins_anew(town, make_rest):
    rows, broken = people(30), []

    def answer(asked: Asked) -> Reply:
        start = int(asked.query.get("after", 0))
        if start == 20 and not broken:
            broken.append(True)
            return Reply({"error": "cursor expired"}, 410)
        return Reply({"items": rows[start : start + 10], "next": str(start + 10) if start < 20 else ""})

    source = make_rest(records="items", paginate={"kind": "cursor", "parameter": "after", "path": "next"})
    town.answer = answer
    assert keys(read_feed(source)) == numbered(30)
    assert [asked.query.get("after") for asked in town.asked] == [None, "10", "20"] * 2
    town.answer = lambda asked: Reply(status=410) if "after" in asked.query else answer(asked)
    with pytest.raises(FeedUnavailable, match="not whole in 3 passes"):
        read_feed(source)


# --- what goes wrong and stays: one sentence, its remedy, and no secret ---


WRONG = [
    (Reply(status=401), FeedUnavailable, r"does not accept the log-in \(401\); check read\.auth \(T\)"),
    (Reply(status=403), FeedUnavailable, r"\(403\); check read\.auth \(T\), or ask 区民政局"),
    (Reply(status=404), FeedUnavailable, r"is not there \(404\); correct read\.url"),
    (Reply({"error": TOKEN}, 400), FeedUnavailable, r"does not take the question \(400\); check read\.params"),
    (Reply({"error": TOKEN}, 501), FeedUnavailable, r"answers 501"),
    (Reply(b"<html>", headers={"Content-Type": "text/html"}), FeedUnreadable, r"answers with text/html instead of JSON"),
    (Reply(b'["\xff"]'), FeedUnreadable, r"encoding it does not declare"),
    (Reply(b""), FeedUnreadable, r"has no list at read\.records \(data\.items\)"),
    (Reply(people(1)), FeedUnreadable, r"has no list at read\.records"),
    (Reply({"data": {"rows": people(1)}}), FeedUnreadable, r"no list at read\.records \(data\.items\); there is one at data\.rows"),
    (Reply({"340202199003074215": people(1)}), FeedUnreadable, r"no list at read\.records \(data\.items\)$"),
    (Reply({"data": {"items": ["x"]}}), FeedUnreadable, r"something else than objects"),
    (Reply({"data": {"items": 7}}), FeedUnreadable, r"no list at read\.records"),
    (Reply({"code": 40101, "msg": TOKEN, "data": None}), FeedUnavailable, r"failure code of its own 40101"),
    (Reply({"code": 500, "data": {"items": []}}), FeedUnavailable, r"failure code of its own 500"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "error", "words"), WRONG, ids=[words for _, _, words in WRONG])
@pytest.mark.parametrize("where", ["header", "query"])
def test_what_stays_wrong_is_one_sentence_without_secrets(town, make_rest, caplog, reply, error, words, where):
    caplog.set_level(logging.DEBUG)
    auth = {"kind": "api_key", "name": "key", "value": "${T}", "in": where}
    source = make_rest(url=f"{town.url}?secret={TOKEN}".replace("//", f"//u:{TOKEN}@"), auth=auth, params={"p": "${T}"})
    town.answer = lambda _: reply
    with pytest.raises(error, match=words) as told:
        read_feed(source, environ={"T": TOKEN})
    sentence = str(told.value)
    assert sentence.startswith(f"feed: {town.url}")
    assert told.value.__cause__ is None
    assert "\n" not in sentence
    assert "3402021990" not in sentence
    assert TOKEN not in sentence + caplog.text


@pytest.mark.parametrize("url", ["ftp://x/y", "policing.example/api", "http://", "http://x:port/y"])
def test_an_address_that_is_none(make_rest, url):
    with pytest.raises(FeedUnavailable, match=r"read\.url in .*feed\.yml is no address"):
        read_feed(make_rest(url=url))


# --- landed ---


def test_a_second_run_is_unchanged_and_a_broken_one_leaves_the_last_good_state(hub, town, make_rest):
    rows = people(25)
    town.answer = paged(rows)
    source = make_rest()
    town.faults = [FAULTS["500"], FAULTS["429 now"]]
    landing = hub.take(source)
    assert (landing.state, landing.rows) == ("landed", 25)
    assert hub.rows(landing)["姓名"].tolist() == [row["姓名"] for row in rows]
    assert hub.take(source).state == "unchanged"
    rows[3]["姓名"] = "改名"
    assert hub.take(source).rows == 25
    usual = town.answer
    town.answer = lambda asked: usual(asked) if asked.query["page"] < "3" else FAULTS["500"]
    with pytest.raises(FeedUnavailable, match="answers 500"):
        hub.land(source)
    town.answer = paged(rows[:5])
    with pytest.raises(FeedRefused, match="less than half"):
        hub.land(source)
    assert [load["state"] for load in hub.loads()] == ["staged", "unchanged", "staged", "failed", "failed"]
    assert hub.loads()[0]["fingerprints"]["retried"] == 2


def updated(day: int, number: int, **more: Any) -> dict[str, Any]:
    return {"编号": f"{number:04}", "姓名": f"人{number}", "updated": f"2024-03-{day:02} 08:00:00", **more}


def test_a_delta_asks_for_what_is_newer_and_takes_what_is_new(hub, town, make_rest):
    rows = [updated(1 + n // 2, n, **({"曾用名": "旧"} if n == 0 else {})) for n in range(40)]

    def answer(asked: Asked) -> Reply:
        after = asked.query.get("updated_after", "")
        return paged([row for row in rows if row["updated"] >= after])(asked)

    town.answer = answer
    source = make_rest(cursor="updated", since="updated_after")
    assert hub.take(source).rows == 40
    assert hub.take(source).state == "unchanged"  # the day before is read again, and known by its content
    assert town.asked[-1].query["updated_after"] == "2024-03-19 08:00:00"
    rows[5] |= {"updated": "2024-03-25 08:00:00", "姓名": "改名"}
    rows.append(updated(20, 99))
    delta = hub.take(source)
    assert (delta.mode, sorted(hub.rows(delta)["编号"])) == ("delta", ["0005", "0099"])
    assert hub.loads()[-1]["cursor"] == "2024-03-25 08:00:00"
    assert hub.take(source).state == "unchanged"


def test_without_a_parameter_for_it_all_pages_are_read_and_the_newer_rows_taken(hub, town, make_rest):
    rows = [updated(1 + n, n) for n in range(25)]
    town.answer = paged(rows, total=True)
    source = make_rest(cursor="updated")
    assert hub.take(source).rows == 25
    rows[0] |= {"updated": "2024-03-26 08:00:00"}
    assert hub.take(source).rows == 1


def test_a_delta_without_rows_or_without_their_cursor_keeps_it(town, make_rest):
    source = make_rest(cursor="updated", since="after")
    town.answer = paged([])
    assert read_feed(source, "2024-03-01").cursor == "2024-03-01"
    town.answer = paged(people(2))
    feed = read_feed(source, "2024-03-01")
    assert (keys(feed), feed.cursor) == (numbered(2), "2024-03-01")


def test_the_head_asks_for_no_more_pages_than_it_shows(town, make_rest):
    town.answer = paged(people(95))
    frame = head(make_rest(), 15)
    assert frame["编号"].tolist() == numbered(15)
    assert town.pages() == ["1", "2"]
    assert set(map(str, frame.dtypes)) == {"str"}
