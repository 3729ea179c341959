"""What people see of an entity, and the files that programs read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from onegrid.errors import NotFound, SettingsError
from onegrid.sealing import Keyring
from registry.export import MEMBER_COLUMNS, export_entities, export_members
from registry.read import read_records
from registry.runs import finish_run, start_run
from registry.show import find_by_number, show
from registry.stage import stage
from registry.unify import unify
from schemas.properties import entity_types
from schemas.records import Matched

NUMBER, PHONE, OLD_PHONE = "11010519491231002X", "13812345678", "13987654321"
ROWS = {
    "a": {"name": "张三", "id_number": NUMBER, "phone": OLD_PHONE, "updated_at": "2024-01-01T00:00:00"},
    "b": {"name": "张三丰", "phone": PHONE, "updated_at": "2025-01-01T00:00:00"},
    NUMBER: {"name": "李四"},
}


def publish(connection: Connection, keyring: Keyring, make: SimpleNamespace, *parts: set[str]) -> dict[str, str]:
    """Publishes the rows of ROWS in these parts, each person with a household; {key: code of the person}."""
    stage(make.checked(1, ROWS), connection, keyring, entity_types())
    records = read_records(connection, keyring, make.feeds)
    rid = dict(zip(records.frame("person")["key"], records.frame("person")["rid"], strict=True))
    lines = {rid[key]: min(rid[k] for k in part) for part in parts for key in part}
    homes = make.members(lines, "household", "residential")
    relations = homes[["type", "kind", "cluster", "rid"]].rename(
        columns={"type": "to_type", "kind": "to_kind", "cluster": "to_cluster"}
    )
    relations = relations.assign(type="person", kind="", cluster=relations["to_cluster"], relation="member_of")
    run = start_run(connection)
    members = pd.concat([make.members(lines), homes], ignore_index=True)
    counts = unify(Matched(members, relations=relations), records, connection, keyring, run, datetime.now(UTC))
    finish_run(connection, run, counts)
    rows = connection.execute(
        text(
            "SELECT r.key, m.code FROM membership m JOIN record r ON r.id = m.record WHERE m.known_to IS NULL AND m.kind = ''"
        )
    )
    return {row.key: row.code for row in rows}


def test_an_entity_is_drawn_with_sources_rules_and_what_lost(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    codes = publish(connection, keyring, make, {"a", "b"}, {NUMBER})
    drawn = show(connection, keyring, codes["a"].lower().replace("-", " "))
    for told in (
        codes["a"],
        "张三丰",
        "✗ 张三 ",
        "138****5678",
        "✗ 139****4321",
        "newest +1 -1",
        "公安",
        "member_of",
        "H340202",
    ):
        assert told in drawn
    for secret in (NUMBER, PHONE, OLD_PHONE):
        assert secret not in drawn
    assert NUMBER not in show(connection, keyring, codes[NUMBER])  # a key of the feed may be a person's number
    lines = [line for line in drawn.split("\n") if line.startswith("│")]
    assert all(line.endswith("│") for line in lines)


def test_a_merged_code_shows_its_successor(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    before = publish(connection, keyring, make, {"a"}, {"b"})
    after = publish(connection, keyring, make, {"a", "b"})
    assert after["b"] == before["a"]
    assert f"{before['b']} was merged into {after['a']}" in show(connection, keyring, before["b"])


@pytest.mark.parametrize(
    ("code", "said"),
    [("P340202-000000077-1", "mistyped"), ("nonsense", "not a code"), ("P340202-000000001-Z", "never issued")],
)
def test_codes_that_are_none(connection: Connection, keyring: Keyring, code: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        show(connection, keyring, code)


@pytest.mark.parametrize(
    "typed", [NUMBER, "110105 19491231 002x", "１１０１０５１９４９１２３１００２Ｘ", "110105491231002"]
)
def test_a_document_number_leads_to_its_person(
    connection: Connection, keyring: Keyring, make: SimpleNamespace, typed: str
) -> None:
    codes = publish(connection, keyring, make, {"a", "b"}, {NUMBER})
    assert find_by_number(connection, keyring, typed) == [codes["a"]]
    assert find_by_number(connection, keyring, "340202199003072419") == []
    assert find_by_number(connection, keyring, codes["b"]) == [codes["b"]]


def test_members_have_a_line_for_each_entity_of_a_row(
    connection: Connection, keyring: Keyring, make: SimpleNamespace, tmp_path: Path
) -> None:
    codes = publish(connection, keyring, make, {"a", "b"}, {NUMBER})
    assert export_members(connection, tmp_path / "members.parquet") == 6
    frame = pd.read_parquet(tmp_path / "members.parquet")
    assert tuple(frame.columns) == MEMBER_COLUMNS
    assert frame.notna().all().all()
    found = frame[frame["type"] == "person"].set_index("key")["code"].to_dict()
    assert found == codes
    assert set(frame.loc[frame["type"] == "household", "kind"]) == {"residential"}


@pytest.mark.parametrize(("masked", "number"), [(True, "1101**********002X"), (False, NUMBER)])
def test_entities_have_a_line_a_code(
    connection: Connection, keyring: Keyring, make: SimpleNamespace, tmp_path: Path, masked: bool, number: str
) -> None:
    codes = publish(connection, keyring, make, {"a", "b"}, {NUMBER})
    out = tmp_path / "person.parquet"
    assert export_entities(connection, keyring, "person", out, masked) == 2
    frame = pd.read_parquet(out).set_index("code")
    assert sorted(frame.index) == sorted(set(codes.values()))
    row = frame.loc[codes["a"]]
    assert (row["name"], row["id_number"], row["records"], row["sources"]) == ("张三丰", number, 2, 1)


def test_exports_that_cannot_be(connection: Connection, keyring: Keyring, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no type"):
        export_entities(connection, keyring, "persons", tmp_path / "x")
    with pytest.raises(SettingsError, match="cannot be written"):
        export_members(connection, tmp_path / "none" / "x.parquet")
    for kind in entity_types():
        assert export_entities(connection, keyring, kind, tmp_path / f"{kind}.parquet") == 0
