"""The source file: one YAML file says where a feed comes from, how it is read, and what its columns mean.

Light on purpose (standard library and yaml only): Airflow's DAG files import this on every parse. What a file may
hold is written in docs; every key, type and property that is not known is refused with file, line and the nearest
known one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from onegrid.errors import SourceFileError
from schemas.source_expect import ColumnBounds, Expect, parse_expect
from schemas.source_reads import Deleted, FilesRead, Read, Reading, RestRead, SqlRead, check_cron, parse_read
from schemas.source_yaml import Item, Section, hint, nearest, read_yaml

__all__ = [
    "EXTRA_CELLS", "LEVELS", "ColumnBounds", "Deleted", "Expect", "Field", "FilesRead", "Map", "Read", "Reading",
    "RestRead", "Source", "SourceFileError", "SqlRead", "nearest", "read_source", "read_sources",
]  # fmt: skip

LEVELS = ("district", "street", "community", "grid")
KEYS = ("name", "title", "owner", "level", "division", "schedule", "read", "maps", "expect", "lookups")
FIELD_KEYS = ("column", "columns", "join", "value", "values")
NAME = re.compile(r"[a-z][a-z0-9_]*")
DIVISION = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")
SUFFIXES = (".yml", ".yaml")
EXTRA_CELLS = "_extra_cells"
"""The landed column of a row's cells beyond the header's last, as a JSON list; only there when a row has some."""
SECRETS = {("read", "auth", "token"), ("read", "auth", "password"), ("read", "auth", "value")}
HIDDEN = "***"
URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):([^@\s]*)@")


@dataclass(frozen=True)
class Field:
    """Where one property comes from: columns joined by `join`, or the constant `value`; `values` translates."""

    columns: tuple[str, ...] = ()
    join: str = ""
    value: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Map:
    """One thing a row describes; `person.landlord` is of type person in the role landlord (empty without one)."""

    type: str
    role: str
    fields: Mapping[str, Field]


@dataclass(frozen=True)
class Source:
    """One source file. spec: as written, ${ENV} unexpanded and literal secrets hidden. meaning: digest of the part that
    decides what a row means (maps, lookups, expect, key, deleted, division); reading: digest of the part that decides
    what is read.
    """

    file: Path
    name: str
    title: str
    owner: str
    level: str
    division: str
    schedule: str | None
    read: Read
    maps: tuple[Map, ...]
    expect: Expect
    lookups: Mapping[str, Mapping[str, str]]
    spec: dict[str, Any]
    meaning: str
    reading: str

    @property
    def mapped_columns(self) -> tuple[str, ...]:
        """Every column some property comes from, once each, in the order of the file."""
        return tuple(dict.fromkeys(c for m in self.maps for f in m.fields.values() for c in f.columns))

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """Every column the feed must have: mapped, key, cursor, deletion mark, and those with expectations."""
        read = self.read
        marks = [name for name in (read.cursor, read.deleted.column if read.deleted else None) if name]
        return tuple(dict.fromkeys((*read.key, *self.mapped_columns, *marks, *self.expect.columns)))


def read_source(path: Path, properties: Mapping[str, Collection[str]] | None = None) -> Source:
    """The source a file declares.

    properties: {type: its properties}; by default those of `schemas/*.yml`. SourceFileError says what is wrong in one
    sentence with file, line, field, the nearest known key and what to do.
    """
    item = read_yaml(path)
    root = Section(str(path), "", item, KEYS)
    name, division = root.need("name"), root.need("division")
    if not NAME.fullmatch(name):
        raise root.wrong("name", "must be small letters, digits and _, and begin with a letter")
    if not DIVISION.fullmatch(division):
        raise root.wrong("division", "must be a division code of 6, 9 or 12 digits")
    root.need("level")
    read, maps = parse_read(root), _maps(root, known_properties() if properties is None else properties)
    expect, lookups = parse_expect(root), _lookups(root)
    meaning = [
        [asdict(m) for m in maps],
        lookups,
        asdict(expect),
        read.key,
        read.deleted and asdict(read.deleted),
        division,
    ]
    return Source(
        file=path,
        name=name,
        title=root.need("title"),
        owner=root.need("owner"),
        level=root.word("level", LEVELS) or "",
        division=division,
        schedule=check_cron(root, "schedule"),
        read=read,
        maps=maps,
        expect=expect,
        lookups=lookups,
        spec=_storable(item),
        meaning=_digest(meaning),
        reading=_digest({k: v for k, v in asdict(read).items() if k != "reconcile"}),
    )


def read_sources(folder: Path) -> tuple[list[Source], list[SourceFileError]]:
    """Every source file (.yml, .yaml) of a folder in the order of their names, and what is wrong with the others.

    A name used twice is an error of the later file. A folder that is missing or holds no source file is one error.
    """
    if not folder.is_dir():
        return [], [SourceFileError(str(folder), None, "is no folder; name the folder that holds the source files")]
    paths = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not paths:
        return [], [
            SourceFileError(str(folder), None, "holds no source file (.yml or .yaml); put one there for each feed")
        ]
    sources: dict[str, Source] = {}
    errors: list[SourceFileError] = []
    for path in paths:
        try:
            source = read_source(path)
        except SourceFileError as error:
            errors.append(error)
            continue
        if source.name in sources:
            first = sources[source.name].file.name
            errors.append(
                SourceFileError(str(path), 1, f"name {source.name} is already used by {first}; choose another")
            )
        else:
            sources[source.name] = source
    return list(sources.values()), errors


@cache
def known_properties() -> dict[str, tuple[str, ...]]:
    """The properties of each type that a feed may map, from the type files beside this one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.yml")):
        spec = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe loaders
        if not spec.get("derived"):
            found[spec["type"]] = tuple(spec["properties"])
    return found


def _maps(root: Section, properties: Mapping[str, Collection[str]]) -> tuple[Map, ...]:
    section = root.section("maps")
    if section is None or not list(section):
        raise root.wrong("maps" if "maps" in root else None, "has no maps; say which properties its columns are")
    return tuple(_map(section, key, properties) for key in section)


def _map(section: Section, key: str, properties: Mapping[str, Collection[str]]) -> Map:
    kind, dot, role = key.partition(".")
    if kind == "household":
        raise section.wrong(
            key, "cannot be mapped: households are derived from persons; map household_number and address"
        )
    if kind not in properties:
        raise section.wrong(key, f"is not known{hint(kind, tuple(properties))}")
    if dot and not NAME.fullmatch(role):
        raise section.wrong(key, "must have a role of small letters, digits and _ after the dot")
    below = section.section(key, tuple(properties[kind]))
    if below is None or not list(below):
        raise section.wrong(key, "maps no property")
    return Map(kind, role, {name: _field(below, name) for name in below})


def _field(section: Section, name: str) -> Field:
    item = section.get(name)
    if item is None or item.items is not None:
        raise section.wrong(
            name, "must name a column, or be {columns: [...], join: ...}, {column: ..., values: ...} or {value: ...}"
        )
    if item.text is not None:
        return Field(columns=(section.need(name),))
    below = Section(section.file, f"{section.name}.{name}", item, FIELD_KEYS)
    columns, value = below.texts("columns") or below.texts("column"), below.text("value")
    if bool(columns) == (value is not None) or ("column" in below and "columns" in below):
        raise section.wrong(name, "must have exactly one of column, columns and value")
    if value is not None and ("values" in below or "join" in below):
        raise section.wrong(name, "is the same for every row by its value; values and join are for columns")
    join = below.cell("join") if "join" in below else ""
    return Field(columns, join, value, below.table("values"))


def _lookups(root: Section) -> dict[str, dict[str, str]]:
    section = root.section("lookups")
    return {} if section is None else {column: section.table(column) for column in section}


def _storable(item: Item) -> dict[str, Any]:
    spec: dict[str, Any] = item.plain()
    return {key: _hidden(value, (key,)) for key, value in spec.items()}


def _hidden(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _hidden(below, (*path, key)) for key, below in value.items()}
    if path in SECRETS and isinstance(value, str) and "${" not in value:
        return HIDDEN
    if path in {("read", "connection"), ("read", "url"), ("read", "path")} and isinstance(value, str):
        return URL_PASSWORD.sub(lambda m: m[0] if "${" in m[2] else f"{m[1]}:{HIDDEN}@", value)
    return value


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
