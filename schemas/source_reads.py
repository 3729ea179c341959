"""How a source is read: the three kinds of `read` in a source file."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from schemas.cron import parse_cron
from schemas.source_yaml import Section

KINDS = ("sql", "rest", "files")
SHARED_KEYS = ("kind", "key", "cursor", "deleted", "reconcile")
FORMATS = ("csv", "xlsx", "jsonl", "parquet", "geojson")
SUFFIXES = {
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".geojson": "geojson",
}
OPTION_FORMATS = {"encoding": ("csv", "jsonl"), "delimiter": ("csv",), "sheet": ("xlsx",), "header": ("csv", "xlsx")}
AUTH_KEYS = {"bearer": ("token",), "basic": ("user", "password"), "api_key": ("name", "value", "in")}
PAGINATE_KEYS = {"page": ("parameter", "size_parameter", "size"), "cursor": ("parameter", "path"), "link": ()}
AUTH_NEEDS = {"bearer": ("token",), "basic": ("user", "password"), "api_key": ("name", "value")}
PAGINATE_NEEDS: dict[str, tuple[str, ...]] = {"page": ("parameter",), "cursor": ("parameter", "path"), "link": ()}


@dataclass(frozen=True)
class Deleted:
    """A row whose `column` holds `value` says of itself that it is gone."""

    column: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What every kind of read shares. cursor: the column it is incremental by; reconcile: cron of the full scans."""

    kind: str
    key: tuple[str, ...] = ()
    cursor: str | None = None
    deleted: Deleted | None = None
    reconcile: str | None = None


@dataclass(frozen=True, kw_only=True)
class SqlRead(Reading):
    """A table or a query of a database; `connection` is a SQLAlchemy URL (${ENV} unexpanded) or airflow://CONN_ID."""

    connection: str
    table: str | None = None
    query: str | None = None


@dataclass(frozen=True, kw_only=True)
class FilesRead(Reading):
    """One file or a glob of them that make one feed.

    header: the row that holds the names, from 1. sheet: name or index from 0.
    """

    path: str
    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | int = 0
    header: int = 1


@dataclass(frozen=True, kw_only=True)
class RestRead(Reading):
    """Pages of JSON over HTTP. auth, paginate: {kind, ...} as written; since: the parameter that carries the cursor."""

    url: str
    auth: Mapping[str, str] | None = None
    headers: Mapping[str, str]
    params: Mapping[str, str]
    records: str | None = None
    paginate: Mapping[str, str] | None = None
    since: str | None = None


Read: TypeAlias = SqlRead | FilesRead | RestRead
KIND_KEYS = {
    "sql": ("connection", "table", "query"),
    "files": ("path", "format", *OPTION_FORMATS),
    "rest": ("url", "auth", "headers", "params", "records", "paginate", "since"),
}


def parse_read(root: Section) -> Read:
    """The `read` of a source file; SourceFileError names what is wrong with it."""
    loose = root.section("read")
    if loose is None:
        raise root.wrong("read" if "read" in root else None, "has no read; say where the feed comes from")
    kind = loose.word("kind", KINDS)
    if kind is None:
        raise loose.wrong(None, f"has no kind; give one of {', '.join(KINDS)}")
    section = Section(loose.file, loose.name, loose.item, (*SHARED_KEYS, *KIND_KEYS[kind]))
    if kind == "sql":
        return _sql(section)
    return _files(section) if kind == "files" else _rest(section)


def check_cron(section: Section, key: str) -> str | None:
    """The cron expression below a key, or None; SourceFileError when it is none."""
    text = section.text(key)
    try:
        if text is not None:
            parse_cron(text)
    except ValueError as error:
        raise section.wrong(key, f"is no cron expression: {error}") from None
    return text


def _sql(section: Section) -> SqlRead:
    table, query = section.text("table"), section.text("query")
    if (table is None) == (query is None):
        raise section.wrong(None, "must name either a table or a query")
    key, cursor, deleted, reconcile = _shared(section)
    return SqlRead(
        kind="sql", key=key, cursor=cursor, deleted=deleted, reconcile=reconcile,
        connection=section.need("connection"), table=table, query=query,
    )  # fmt: skip


def _files(section: Section) -> FilesRead:
    path = section.need("path")
    form = section.word("format", FORMATS) or next(
        (f for end, f in SUFFIXES.items() if path.lower().endswith(end)), None
    )
    if form is None:
        raise section.wrong(None, f"has no format; give one of {', '.join(FORMATS)}")
    for option, formats in OPTION_FORMATS.items():
        if option in section and form not in formats:
            raise section.wrong(option, f"is for {' and '.join(formats)} files, not for {form}; remove it")
    key, cursor, deleted, reconcile = _shared(section)
    return FilesRead(
        kind="files", key=key, cursor=cursor, deleted=deleted, reconcile=reconcile,
        path=path, format=form, encoding=_encoding(section), delimiter=_delimiter(section),
        sheet=_sheet(section), header=_header(section),
    )  # fmt: skip


def _rest(section: Section) -> RestRead:
    key, cursor, deleted, reconcile = _shared(section)
    since = section.text("since")
    if since is not None and cursor is None:
        raise section.wrong("since", "carries the cursor's last value, but read has no cursor; give read.cursor")
    return RestRead(
        kind="rest", key=key, cursor=cursor, deleted=deleted, reconcile=reconcile,
        url=section.need("url"), auth=_choice(section, "auth", AUTH_KEYS, AUTH_NEEDS),
        headers=section.table("headers"), params=section.table("params"), records=section.text("records"),
        paginate=_choice(section, "paginate", PAGINATE_KEYS, PAGINATE_NEEDS), since=since,
    )  # fmt: skip


def _shared(section: Section) -> tuple[tuple[str, ...], str | None, Deleted | None, str | None]:
    cursor, reconcile = section.text("cursor"), check_cron(section, "reconcile")
    if reconcile is not None and cursor is None:
        raise section.wrong("reconcile", "needs a cursor; without one every read scans all rows already, so remove it")
    below = section.section("deleted", ("column", "value"))
    deleted = Deleted(below.need("column"), below.cell("value")) if below else None
    return section.texts("key"), cursor, deleted, reconcile


def _choice(
    section: Section, key: str, kinds: Mapping[str, tuple[str, ...]], needs: Mapping[str, tuple[str, ...]]
) -> dict[str, str] | None:
    loose = section.section(key)
    if loose is None:
        return None
    kind = loose.word("kind", tuple(kinds))
    if kind is None:
        raise loose.wrong(None, f"has no kind; give one of {', '.join(kinds)}")
    below = Section(loose.file, loose.name, loose.item, ("kind", *kinds[kind]))
    for name in needs[kind]:
        below.need(name)
    if key == "auth":
        below.word("in", ("header", "query"))
    if key == "paginate":
        below.number("size", _positive, "a whole number from 1")
    return {name: below.cell(name) for name in below}


def _encoding(section: Section) -> str:
    text = section.text("encoding") or "utf-8"
    try:
        codecs.lookup(text)
    except LookupError:
        raise section.wrong("encoding", "is not known; usual ones are utf-8, gb18030, utf-16") from None
    return text


def _delimiter(section: Section) -> str:
    if section.get("delimiter") is None:
        return ","
    text = section.cell("delimiter").replace("\\t", "\t")
    if len(text) != 1 or text in '"\r\n':
        raise section.wrong("delimiter", 'must be one character, as in ";" or "\\t"')
    return text


def _sheet(section: Section) -> str | int:
    item, text = section.get("sheet"), section.text("sheet")
    return int(text) if item is not None and text is not None and item.whole else text or 0


def _header(section: Section) -> int:
    return section.number("header", _positive, "a whole number from 1, the row that holds the names") or 1


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)
