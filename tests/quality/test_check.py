"""Three outcomes, nothing lost: every landed row is clean, quarantined or repeated, with every reason kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.check import check
from schemas.records import Counts

GOOD = {"id": "1", "sfzh": "11010519491231002X", "xm": "张三", "xb": "女", "csrq": "1949-12-31", "dh": "13812345678"}
WRONG_DIGIT = "110105194912310021"
RESIDENTS = (Path(__file__).parent / "residents.yml").read_text(encoding="utf-8")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def rules(line) -> list[str]:
    return [reason["rule"] for reason in json.loads(line["reasons"])]


def test_a_good_row_flows_whole(declare, landed):
    checked = check(landed([GOOD]), declare())
    assert checked.counts == Counts(read=1, clean=1)
    assert checked.quarantine.empty
    person = checked.records["person"].iloc[0]
    assert (person["key"], person["role"], person["sex"], person["id_number"]) == ("1", "", "female", GOOD["sfzh"])
    assert len(checked.records["person"]) == 1, "an absent landlord makes no record"


def test_one_wrong_digit_costs_the_value_not_the_person(declare, landed):
    checked = check(landed([GOOD | {"sfzh": WRONG_DIGIT}]), declare())
    person = checked.records["person"].iloc[0]
    assert pd.isna(person["id_number"])
    assert person["id_number.withheld"] == WRONG_DIGIT
    line = checked.quarantine.iloc[0]
    assert (line["row"], line["key"], line["scope"], line["property"]) == (1, "1", "value", "id_number")
    assert line["raw"] == WRONG_DIGIT
    assert "id_check_digit" in rules(line)
    assert checked.counts == Counts(read=1, clean=1, withheld=1)


def test_a_wrong_number_alone_still_names_its_person(declare, landed):
    checked = check(landed([{"id": "1", "sfzh": WRONG_DIGIT, "dh": "13812345678"}]), declare())
    assert checked.counts.clean == 1
    assert checked.records["person"]["id_number.withheld"].tolist() == [WRONG_DIGIT]


def test_no_name_and_no_number_rejects_the_row_whole_with_all_its_reasons(declare, landed):
    checked = check(landed([{"id": "1", "dh": "123", "csrq": "2031-02-30", "fdxm": "李四"}]), declare())
    assert checked.counts == Counts(read=1, quarantined=1)
    assert checked.records["person"].empty
    (line,) = checked.quarantine.to_dict("records")
    assert line["scope"] == "row"
    assert {"unusable", "phone_shape", "date_impossible"} <= set(rules(line))
    assert json.loads(line["raw"])["csrq"] == "2031-02-30"


def test_an_unusable_landlord_costs_only_the_landlord(declare, landed):
    checked = check(landed([GOOD | {"fddh": "13912345678"}]), declare())
    assert checked.records["person"]["role"].tolist() == [""]
    (line,) = checked.quarantine.to_dict("records")
    assert (line["scope"], line["role"], line["property"], line["raw"]) == ("value", "landlord", "phone", "13912345678")
    assert rules(line) == ["unusable"]
    assert checked.counts == Counts(read=1, clean=1, withheld=1)


def test_a_landlord_makes_a_record_of_its_own(declare, landed):
    checked = check(landed([GOOD | {"fdxm": "李四", "fddh": "1"}]), declare())
    records = checked.records["person"].set_index("role")
    assert records.loc["landlord", "name"] == "李四"
    assert records.loc["landlord", "phone.withheld"] == "1"
    assert records.loc["", "phone"] == "13812345678"


def test_sex_against_number_warns_and_changes_nothing(declare, landed):
    checked = check(landed([GOOD | {"xb": "男"}]), declare())
    assert checked.records["person"]["sex"].tolist() == ["male"]
    (line,) = checked.quarantine.to_dict("records")
    assert (line["scope"], rules(line)) == ("warning", ["sex_agrees_with_id"])
    assert pd.isna(line["raw"]), "a warning keeps no copy of the value"


def test_a_missing_key_is_rejected_an_empty_row_too(declare, landed):
    checked = check(landed([GOOD | {"id": None}, {"id": "2"}, GOOD]), declare())
    assert [rules(line) for line in checked.quarantine.to_dict("records")] == [["no_key"], ["empty_row"]]
    assert checked.seen.tolist() == ["2", "1"]
    assert checked.counts == Counts(read=3, clean=1, quarantined=2)


def test_of_one_key_twice_the_last_row_stands(declare, landed):
    checked = check(landed([GOOD | {"xm": "旧名"}, GOOD | {"id": "2"}, GOOD]), declare())
    assert checked.counts == Counts(read=3, clean=2, quarantined=1)
    assert checked.records["person"].set_index("key")["name"].to_dict() == {"1": "张三", "2": "张三"}
    (line,) = checked.quarantine.to_dict("records")
    assert (line["row"], rules(line)) == (1, ["duplicate_key"])


def test_in_a_delta_older_versions_are_repeated_not_wrong(declare, landed):
    checked = check(landed([GOOD | {"xm": "旧名"}, GOOD], mode="delta"), declare())
    assert checked.counts == Counts(read=2, clean=1, repeated=1)
    assert checked.records["person"]["name"].tolist() == ["张三"]


def test_without_a_key_equal_rows_are_one(declare, landed):
    source = declare("read: {kind: files, path: x.csv, format: csv}\nmaps: {person: {name: xm, phone: dh}}")
    checked = check(landed([GOOD, GOOD | {"id": "2"}, GOOD | {"xm": "李四"}]), source)
    assert checked.counts == Counts(read=3, clean=2, repeated=1)
    assert checked.records["person"]["name"].tolist() == ["张三", "李四"]


def test_a_row_marked_deleted_is_clean_and_gone(declare, landed):
    source = declare(
        "read: {kind: files, path: x.csv, format: csv, key: [id], cursor: gxsj, deleted: {column: dz, value: '9'}}\n"
        "maps: {person: {name: xm}}"
    )
    checked = check(landed([GOOD, {"id": "2", "dz": "9"}], mode="delta"), source)
    assert checked.counts == Counts(read=2, clean=2, deleted=1)
    assert checked.deleted.tolist() == ["2"]
    assert checked.records["person"]["key"].tolist() == ["1"]


def test_results_are_counts_by_rule_and_place(declare, landed):
    source = declare(
        "read: {kind: files, path: x.csv, format: csv, key: [id]}\n"
        "maps: {person: {id_number: sfzh, name: xm}, place: {address: dz, grid_code: gxsj}}"
    )
    rows = [
        GOOD | {"dz": "和平路1号", "gxsj": "G1"},
        GOOD | {"id": "2", "sfzh": WRONG_DIGIT, "dz": "和平路2号", "gxsj": "G2"},
    ]
    results = check(landed(rows), source).results.set_index(["type", "property", "rule", "grid"])
    counts = results[["evaluated", "failed"]]
    assert counts.loc[("person", "id_number", "id_check_digit", "G1")].tolist() == [1, 0]
    assert counts.loc[("person", "id_number", "id_check_digit", "G2")].tolist() == [1, 1]
    assert set(results["division"]) == {"340202004"}
    assert results.index.is_unique


def test_a_slipped_column_does_not_put_people_into_the_figures(declare, landed):
    source = declare(
        "read: {kind: files, path: x.csv, format: csv, key: [id]}\nmaps: {place: {address: dz, grid_code: gxsj}}"
    )
    slipped = ["13812345678", "11010519491231002X", "张三", "340202001001001"]
    rows = [{"id": str(at), "dz": "和平路1号", "gxsj": cell} for at, cell in enumerate(slipped)]
    assert set(check(landed(rows), source).results["grid"]) == {"", "340202001001001"}


def test_old_values_are_stale_by_count_only(declare, landed):
    checked = check(landed([GOOD | {"gxsj": "2020-01-01 08:00:00"}]), declare(), now=NOW)
    fresh = checked.results.query("rule == 'fresh'").set_index("property")["failed"]
    assert fresh["phone"] == 1
    assert fresh["birth_date"] == 0
    assert checked.quarantine.empty


def test_bounds_of_the_source_file_warn_without_stopping(declare, landed):
    bounds = "expect: {columns: {xm: {not_null: 0.9}, xb: {in_set: [女]}, dh: {length: [11, 11]}}}"
    checked = check(landed([GOOD, {"id": "2", "sfzh": GOOD["sfzh"], "xb": "男"}]), declare(RESIDENTS + bounds))
    assert checked.counts.clean == 2
    assert checked.warnings == (
        "column xm: 50.00% of 2 values are not_null, 90.00% are expected",
        "column xb: 1 of 2 values miss the expected bound in_set",
    )
    failed = checked.results.query("type == '' and property != ''").set_index(["property", "rule"])["failed"]
    assert failed.to_dict() == {("xm", "bound_not_null"): 1, ("xb", "bound_in_set"): 1, ("dh", "bound_length"): 0}


@pytest.mark.parametrize(
    ("bound", "missed"),
    [
        ("unique: 1", 2),
        (r"matches: '[0-9]+$'", 1),
        ("between: [1, 6]", 2),
        ("between: ['1', 'b']", 1),
        ("length: [1, 1]", 0),
    ],
)
def test_every_bound_is_native(declare, landed, bound, missed):
    rows = [GOOD | {"id": str(at), "dz": text} for at, text in enumerate(["5", "5", "7", "x", None])]
    results = check(landed(rows), declare(RESIDENTS + f"expect: {{columns: {{dz: {{{bound}}}}}}}")).results
    (line,) = results[results["rule"].str.startswith("bound_")].to_dict("records")
    assert (line["evaluated"], line["failed"]) == (4, missed)


def test_an_empty_load_is_no_error(declare, landed):
    checked = check(landed([]), declare())
    assert checked.counts == Counts()
    assert checked.quarantine.empty
    assert checked.records["person"].empty


CELL = st.sampled_from([None, "", "1", "2", "张三", GOOD["sfzh"], WRONG_DIGIT, "2031-02-30", "13812345678", "9"])
ROW = st.fixed_dictionaries(dict.fromkeys(("id", "sfzh", "xm", "csrq", "dh", "fdxm", "fddh"), CELL))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12), mode=st.sampled_from(["snapshot", "delta"]))
def test_nothing_is_lost(declare, landed, rows, mode):
    checked = check(landed(rows, mode=mode), declare())
    counts = checked.counts
    assert counts.read == len(rows) == counts.clean + counts.quarantined + counts.repeated
    lines = checked.quarantine
    assert (lines["scope"] == "row").sum() == counts.quarantined == lines[lines["scope"] == "row"]["row"].nunique()
    assert all(json.loads(text) for text in lines["reasons"])
    records = checked.records["person"]
    assert not records.duplicated(["key", "role"]).any()
    assert records["key"].isin(checked.seen).all()
