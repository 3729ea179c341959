"""A department's list compared with the registry: each row gets the code of the person it means, or the reason why not.

The list is read, mapped and checked like a feed, weighed like a question at the door, and nothing of it is kept but the
result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
import yaml

from matching.asked import Heads, asked_list
from matching.doorstep import KEYS, KNOWN, LEAD, POSSIBLE, Evaluator, Stacked, tokens
from onegrid.asking import Asker
from onegrid.errors import SettingsError
from registry import comparing as registry
from registry.access import Caller
from schemas.headers import guess_map
from schemas.properties import entity_types
from schemas.records import Feed, Landed, Records
from schemas.sources import Source, read_source

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 20_000  # rows weighed at once: some hundred thousand pairs of records
ROW = "#row"  # the column that numbers a list's rows
RESULT = ("row", "verdict", "code", "weight", "reason")
FORMATS = {".csv": "csv", ".xlsx": "xlsx"}
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Listed:
    """A list as it was read: its rows as text, and the source that says what they mean. guessed: from headers alone."""

    rows: pd.DataFrame
    source: Source
    guessed: bool

    @property
    def map(self) -> dict[str, list[str]]:
        """{property: columns} of the persons of the list."""
        return {name: list(field.columns) for found in self.source.maps for name, field in found.fields.items()}


def read_list(name: str, content: bytes, division: str, spec: Mapping[str, Any] | None) -> Listed:
    """A csv or xlsx as it is mapped. spec: `maps` and `read` as in a source file; without maps they are guessed.

    SettingsError for a file that is neither, or whose headers tell nothing; SourceFileError for a map that is wrong;
    FeedUnreadable for content that is not what its name says.
    """
    form = FORMATS.get(Path(name).suffix.lower())
    if form is None:
        raise SettingsError("A list is a .csv or an .xlsx file.")
    given = dict(spec or {})
    guessed = "maps" not in given
    read = {"kind": "files", "format": form, **given.get("read", {})}
    if guessed:
        headers = list(_rows(content, _source(read, {"person": {"name": "?"}}, division)).columns)
        found = guess_map(headers)
        if not found:
            raise SettingsError("No header of the list tells what its column is: give a map.")
        given["maps"] = {"person": found}
    source = _source(read, given["maps"], division)
    if {found.type for found in source.maps} != {"person"} or any(found.role for found in source.maps):
        raise SettingsError("A list is compared by its persons: its map has `person` alone.")
    rows = _rows(content, source)
    missing = [column for column in source.needed_columns if column not in rows.columns]
    if missing:
        raise SettingsError(f"The map names {len(missing)} columns that the list has not.")
    return Listed(rows, source, guessed)


def _source(read: Mapping[str, Any], maps: Mapping[str, Any], division: str) -> Source:
    """The source file that a list would have."""
    item = {"name": "list", "title": "list", "owner": "list", "level": "district", "division": division}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.yml"
        whole = {**item, "read": {**read, "path": f"memory://{uuid4().hex}"}, "maps": maps}
        path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return read_source(path)


def _rows(content: bytes, source: Source) -> pd.DataFrame:
    """The rows, read from this process's memory: a list's plain text never lies on a disk."""
    from fsspec.implementations.memory import MemoryFileSystem

    from connectors.feed import as_frame, joined
    from connectors.files import batches
    from connectors.opened import files_read

    path = files_read(source).path.removeprefix("memory://")
    memory = MemoryFileSystem()
    memory.pipe_file(path, content)
    try:
        return as_frame(joined(batches(source)))
    finally:
        memory.rm_file(path)


def shown_properties(names: Sequence[str]) -> None:
    """SettingsError where one is no property of a person."""
    unknown = [name for name in names if name not in entity_types()["person"].properties]
    if unknown:
        raise SettingsError(f"{len(unknown)} of the properties to show are none of a person's.")


@dataclass(frozen=True)
class Comparison:
    """How a list is compared: for whom, with which model, and which properties of whom it finds are to be shown."""

    asker: Asker
    caller: Caller
    show: Sequence[str] = ()

    def check(self) -> None:
        """SettingsError for a property that there is not, or a model that another version of the program trained."""
        shown_properties(self.show)
        if self.asker.evaluator is None:
            raise SettingsError("The registry has no model that this version can use: run it once more.")


def compare(connection: Connection, listed: Listed, comparison: Comparison, progress: Progress) -> pd.DataFrame:
    """RESULT for each row of the list, in its order, and a column for each property shown.

    verdict: same (one person, and nobody near), possible (the likeliest of several, or not surely), unknown, unreadable
    (`reason` says why). weight: log2 odds. What it discloses the caller of this must `tell`.
    """
    comparison.check()
    from quality.check import check

    source = replace(listed.source, read=replace(listed.source.read, key=(ROW,)))
    rows = listed.rows.assign(**{ROW: np.arange(1, len(listed.rows) + 1).astype(str)})
    checked = check(Landed(0, source.name, "delta", rows.astype("str")), source)
    result = pd.DataFrame({"row": np.arange(1, len(rows) + 1), "verdict": "unknown"})
    result = result.assign(code=pd.Series(None, index=result.index, dtype="str"), weight=np.nan)
    result["reason"] = _reasons(checked.quarantine, len(rows))
    result.loc[result["reason"].notna(), "verdict"] = "unreadable"
    people = checked.records["person"]
    people = people.assign(rid=np.arange(len(people), dtype=np.int64), source=source.name)
    found = registry.People(connection, comparison.asker.keyring, comparison.caller.area)
    done = len(rows) - len(people)
    for start in range(0, len(people), BATCH):
        part = people.iloc[start : start + BATCH].reset_index(drop=True)
        part = part.assign(rid=np.arange(len(part), dtype=np.int64))
        lines = _weighed(connection, part, source, comparison, found)
        at = part["key"].astype("int64").to_numpy()[lines["of"].to_numpy()] - 1
        result.loc[at, "verdict"] = lines["verdict"].to_numpy()
        result.loc[at, "code"] = lines["code"].to_numpy()
        result.loc[at, "weight"] = lines["weight"].to_numpy()
        done += len(part)
        progress(done)
    if not comparison.show:
        return result
    same = result.loc[result["verdict"] == "same", "code"]
    shown = registry.shown_to(connection, comparison.asker.keyring, comparison.caller, same.tolist(), comparison.show)
    values = shown.reindex(result["code"].where(result["verdict"] == "same")).set_axis(result.index)
    return pd.concat([result, values], axis=1)


def _weighed(
    connection: Connection, people: pd.DataFrame, source: Source, comparison: Comparison, found: registry.People
) -> pd.DataFrame:
    """The best person of each row that has one: `of` (the row's place), `code`, `weight`, `verdict`."""
    asker = comparison.asker
    area = asker.heads.area(comparison.caller.area)
    feeds = {source.name: Feed(source.name, "district", source.division)}
    columns, of = asked_list(people, Records({"person": people}, feeds), asker.heads, area)
    made = [
        pd.DataFrame({"row": of[at], "token": token, "bits": key.bits})
        for key, (at, token) in zip(KEYS, tokens(columns, asker.secret), strict=True)
    ]
    pairs = registry.candidates(connection, pd.concat(made, ignore_index=True).drop_duplicates(["row", "token"]))
    found.read(np.unique(pairs.person))
    known = np.array([int(person) in found.codes for person in pairs.person], dtype=bool)
    row, person = pairs.row[known], pairs.person[known]
    if not len(row) or asker.evaluator is None:
        return pd.DataFrame({"of": np.empty(0, dtype=np.int64), "code": [], "weight": [], "verdict": []})
    weight = _weights(asker.evaluator, columns, of, row, person, found)
    lines = pd.DataFrame({"of": row, "person": person, "weight": weight})
    lines["records"] = [len(found.records[int(one)]) for one in person]
    lines = lines[lines["weight"] >= POSSIBLE].sort_values(
        ["of", "weight", "records", "person"], ascending=[True, False, False, True]
    )
    best = lines[~lines["of"].duplicated()].set_index("of")
    second = lines[lines["of"].duplicated()].drop_duplicates("of").set_index("of")["weight"].reindex(best.index)
    sure = (best["weight"] >= KNOWN) & ~(best["weight"] - second < LEAD)
    best = best.assign(
        verdict=np.where(sure, "same", "possible"), code=[found.codes[int(one)] for one in best["person"]]
    )
    return best.reset_index()[["of", "code", "weight", "verdict"]]


def _weights(
    evaluator: Evaluator, columns: Mapping[str, Any], of: Any, row: Any, person: Any, found: registry.People
) -> Any:
    """The weight of each candidate (row of the list, person)."""
    distinct, back = np.unique(person, return_inverse=True)
    records = [found.records[int(one)] for one in distinct]
    sizes = np.array([len(lines) for lines in records], dtype=np.int64)
    firsts = np.cumsum(sizes) - sizes
    order = np.argsort(of, kind="stable")
    asked_first, asked_many = np.searchsorted(of[order], row), np.searchsorted(of[order], row, side="right")
    asked_many = asked_many - asked_first
    many = sizes[back] * asked_many
    pair = np.repeat(np.arange(len(row), dtype=np.int64), many)
    within = np.arange(many.sum(), dtype=np.int64) - np.repeat(np.cumsum(many) - many, many)
    a = order[asked_first[pair] + within % asked_many[pair]]
    b = len(of) + firsts[back[pair]] + within // asked_many[pair]
    stacked = Stacked(columns, [line for lines in records for line in lines])
    return evaluator.weigh(stacked, a, b, pair).weight


def _reasons(quarantine: pd.DataFrame, rows: int) -> pd.Series:
    """Why each row cannot be read; missing where it can."""
    found = pd.Series(None, index=range(rows), dtype="str")
    whole = quarantine[quarantine["scope"] == "row"]
    texts = {
        reasons: " ".join(reason["sentence"] for reason in json.loads(reasons)) for reasons in whole["reasons"].unique()
    }
    found.iloc[whole["row"].to_numpy(np.int64) - 1] = whole["reasons"].map(texts).to_numpy()
    return found


def lines_of(result: pd.DataFrame, show: Sequence[str]) -> list[dict[str, Any]]:
    """The result line by line, missing as None; the properties shown in one mapping."""
    plain = result.astype(object).where(result.notna(), None)
    lines = [
        dict(zip(RESULT, values, strict=True)) for values in plain[list(RESULT)].itertuples(index=False, name=None)
    ]
    if show:
        for line, values in zip(lines, plain[list(show)].to_dict("records"), strict=True):
            line["values"] = {str(name): value for name, value in values.items() if value is not None}
    return lines


def asker_of(connection: Connection, keyring: Any) -> Asker:
    """The asker of the registry as it stands, over a plain connection."""
    from onegrid.database import read_frame
    from registry.asking_sql import HEADS
    from registry.models import current_model

    heads = read_frame(connection, HEADS, types={"area": "str"})
    of = {(area, text): head for area, text, head in heads.itertuples(index=False, name=None)}
    return Asker(keyring, "", current_model(connection, keyring), Heads(of))
