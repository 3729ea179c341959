"""The feeds of a town as a practitioner loads them: every row that maps a person, in one table of texts, nothing cleaned."""

from __future__ import annotations

import glob
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

PROPERTIES = ["name", "id_number", "sex", "birth_date", "phone", "address"]


def read_people(town: Path) -> pd.DataFrame:
    """One row for each person a feed row maps: source, key, role and PROPERTIES as written (missing where not mapped)."""
    parts = []
    for file in sorted((town / "sources").glob("*.yml")):
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))
        maps = {name: fields for name, fields in spec["maps"].items() if name.split(".")[0] == "person"}
        rows = read_feed(spec["read"], file.parent) if maps else pd.DataFrame()
        parts += [_people(rows, spec, name, fields) for name, fields in maps.items()]
    return pd.concat(parts, ignore_index=True)


def read_feed(read: Mapping[str, Any], folder: Path) -> pd.DataFrame:
    """All rows of a feed, every cell as text."""
    if read["kind"] == "sql":
        with sqlite3.connect(read["connection"].removeprefix("sqlite:///")) as connection:
            return pd.read_sql(f"SELECT * FROM {read['table']}", connection).astype("str")
    paths = sorted(glob.glob(str(folder / read["path"])))
    return pd.concat([_read_file(Path(path), read) for path in paths], ignore_index=True)


def _read_file(path: Path, read: Mapping[str, Any]) -> pd.DataFrame:
    if read["format"] == "csv":
        return pd.read_csv(
            path, dtype="str", encoding=read.get("encoding", "utf-8"), keep_default_na=False, na_values=[""]
        )
    if read["format"] == "xlsx":
        sheet: pd.DataFrame = pd.read_excel(path, dtype="str", header=read.get("header", 1) - 1, engine="calamine")
        return sheet
    with path.open(encoding=read.get("encoding", "utf-8")) as lines:
        nested: pd.DataFrame = pd.json_normalize([json.loads(line) for line in lines]).astype("str")
    return nested


def _people(rows: pd.DataFrame, spec: Mapping[str, Any], name: str, fields: Mapping[str, Any]) -> pd.DataFrame:
    key = rows[spec["read"]["key"]]
    people = pd.DataFrame(
        {"source": spec["name"], "key": key.fillna("").agg("|".join, axis=1), "role": name.partition(".")[2]}
    )
    for column in PROPERTIES:
        people[column] = _cell(rows, fields.get(column))
    said = people["name"].notna() | people["id_number"].notna()
    usable: pd.DataFrame = people[said & key.notna().all(axis=1)]
    return usable.drop_duplicates(["source", "key", "role"], keep="last")


def _cell(rows: pd.DataFrame, field: Any) -> pd.Series:
    """One property: a column, or several joined."""
    columns = (
        [field] if isinstance(field, str) else [] if field is None else field.get("columns", [field.get("column")])
    )
    if not columns or columns == [None]:
        return pd.Series(pd.NA, index=rows.index, dtype="str")
    joined = rows[columns[0]].fillna("") if len(columns) > 1 else rows[columns[0]]
    for column in columns[1:]:
        joined = joined + rows[column].fillna("")
    return joined.astype("str")
