"""Source files: what they may say is read, and everything else is refused in one sentence that tells how to mend it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onegrid.errors import SourceFileError
from schemas.cron import parse_cron
from schemas.properties import entity_types
from schemas.sources import (
    ColumnBounds,
    Deleted,
    FilesRead,
    RestRead,
    SqlRead,
    known_properties,
    read_source,
    read_sources,
)

GOOD = """\
name: x
title: x
owner: x
level: district
division: '420100'
read: {kind: files, path: a.csv, format: csv, key: [a]}
maps: {place: {name: a}}
"""
WHOLE = """\
name: population
title: 户籍人口库
owner: 区公安分局
level: district
division: "340202004"
schedule: "0 2 * * *"
read:
  kind: sql
  connection: ${POPULATION_DB}
  table: resident
  key: [rid]
  cursor: updated_at
  deleted: {column: zt, value: "9"}
  reconcile: "0 3 * * 0"
maps:
  person:
    id_number: sfzh
    name: xm
    sex: {column: xb, values: {1: male, 2: female, NO: female}}
    address: {columns: [jd, sqmc, dz], join: ""}
    id_type: {value: resident_id}
  person.landlord: {name: fdxm, phone: fddh}
expect:
  rows: {min: 1000, max: 200000}
  columns:
    xm: {not_null: 0.99, length: [1, 50], matches: "^.+$"}
    nl: {between: [0, 130], in_set: [1, 2], unique: 0}
    rq: {between: {min: 1900-01-01}}
lookups:
  sqmc: {"幸福小区居委会": "幸福社区"}
"""


def write(folder: Path, content: str, name: str = "typo.yml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_a_whole_source_file(tmp_path):
    source = read_source(write(tmp_path, WHOLE))
    assert isinstance(source.read, SqlRead)
    assert (source.name, source.owner, source.division, source.schedule) == (
        "population",
        "区公安分局",
        "340202004",
        "0 2 * * *",
    )
    assert source.read.connection == "${POPULATION_DB}"
    assert source.read.deleted == Deleted("zt", "9")
    person, landlord = source.maps
    assert (person.type, person.role, landlord.role) == ("person", "", "landlord")
    assert person.fields["sex"].values == {"1": "male", "2": "female", "NO": "female"}
    assert (person.fields["address"].columns, person.fields["address"].join) == (("jd", "sqmc", "dz"), "")
    assert (person.fields["id_type"].value, person.fields["id_type"].columns) == ("resident_id", ())
    assert source.mapped_columns == ("sfzh", "xm", "xb", "jd", "sqmc", "dz", "fdxm", "fddh")
    assert source.needed_columns == ("rid", *source.mapped_columns, "updated_at", "zt", "nl", "rq")
    assert (source.expect.rows_min, source.expect.rows_max) == (1000, 200000)
    assert source.expect.columns["xm"] == ColumnBounds(not_null=0.99, length=(1, 50), matches="^.+$")
    assert source.expect.columns["nl"] == ColumnBounds(between=(0.0, 130.0), in_set=("1", "2"), unique=0.0)
    assert source.expect.columns["rq"].between == ("1900-01-01", None)
    assert source.lookups == {"sqmc": {"幸福小区居委会": "幸福社区"}}


def test_files_and_rest_are_read_with_their_options(tmp_path):
    files = GOOD.replace("format: csv", "format: xlsx, sheet: 0, header: 2")
    read = read_source(write(tmp_path, files)).read
    assert isinstance(read, FilesRead)
    assert (read.sheet, read.header, read.key) == (0, 2, ("a",))
    named = read_source(write(tmp_path, files.replace("sheet: 0", "sheet: '0'"))).read
    assert isinstance(named, FilesRead)
    assert named.sheet == "0"
    rest = GOOD.replace(
        "kind: files, path: a.csv, format: csv",
        'kind: rest, url: "https://a.example", auth: {kind: bearer, token: "${T}"}, headers: {Accept: x}, '
        'params: {c: "017"}, records: data.items, paginate: {kind: page, parameter: page, size: 500}, '
        "cursor: t, since: after",
    )
    read = read_source(write(tmp_path, rest)).read
    assert isinstance(read, RestRead)
    assert (read.auth, read.params) == ({"kind": "bearer", "token": "${T}"}, {"c": "017"})
    assert (read.paginate, read.since) == ({"kind": "page", "parameter": "page", "size": "500"}, "after")


FILES = "kind: files, path: a.csv, format: csv"
# what is wrong, replaced in GOOD by what; the line and the words the sentence must hold
WRONG = [
    ("path:", "pth:", 6, ("read.pth", "path")),
    ("key: [a]", "key: [a], cursr: b", 6, ("read.cursr", "cursor")),
    ("owner: x", "ownr: x", 3, ("ownr", "owner")),
    ("owner: x\n", "", 1, ("no owner",)),
    ("name: x", "name: X-1", 1, ("name", "small letters")),
    ("name: x", "name:", 1, ("name is empty",)),
    ("title: x", "name: y", 2, ("name stands twice", "line 1")),
    ("level: district", "level: distric", 4, ("level is distric", "did you mean district")),
    ("'420100'", "4201", 5, ("division", "6, 9 or 12 digits")),
    ("title: x", "title: x\nschedule: 0 25 * * *", 3, ("schedule", "hour must be 0 to 23")),
    ("title: x", "title: x\nschedule: daily", 3, ("schedule", "five fields")),
    ("kind: files", "kind: file", 6, ("read.kind is file", "did you mean files")),
    ("kind: files, ", "", 6, ("read has no kind",)),
    ("format: csv", "format: cvs", 6, ("read.format is cvs", "did you mean csv")),
    ("path: a.csv, format: csv", "path: a.dat", 6, ("read has no format",)),
    ("format: csv", "format: csv, sheet: 1", 6, ("read.sheet is for xlsx files",)),
    ("format: csv", "format: csv, header: 0", 6, ("read.header", "whole number from 1")),
    ("format: csv", "format: csv, encoding: gb18031", 6, ("read.encoding is not known", "gb18030")),
    ("format: csv", "format: csv, delimiter: ab", 6, ("read.delimiter", "one character")),
    ("format: csv", "format: csv, reconcile: '* * * * *'", 6, ("read.reconcile needs a cursor",)),
    ("format: csv", "format: csv, deleted: {column: a}", 6, ("read.deleted", "value")),
    ("key: [a]", "key: [a, a]", 6, ("read.key names one thing twice",)),
    ("key: [a]", "key: []", 6, ("read.key must be a list of texts",)),
    ("key: [a]", "key: {a: b}", 6, ("read.key must be a list of texts",)),
    ("{kind: files, path: a.csv, format: csv, key: [a]}", "a.csv", 6, ("read must be a mapping",)),
    ("kind: files, path: a.csv, format: csv", "kind: sql, connection: x", 6, ("read", "either a table or a query")),
    ("kind: files, path: a.csv, format: csv", "kind: sql, table: x", 6, ("read has no connection",)),
    (FILES, "kind: rest, url: x, auth: {kind: bearer}", 6, ("read.auth has no token",)),
    ("kind: files, path: a.csv, format: csv", "kind: rest, url: x, since: a", 6, ("read.since", "no cursor")),
    (FILES, "kind: rest, url: x, paginate: {kind: link, sze: 1}", 6, ("read.paginate.sze",)),
    ("place:", "plce:", 7, ("maps.plce is not known", "did you mean place")),
    ("place:", "household:", 7, ("households are derived",)),
    ("place:", "place.A:", 7, ("role",)),
    ("{name: a}", "{nmae: a}", 7, ("maps.place.nmae", "did you mean name")),
    ("{name: a}", "{}", 7, ("maps.place maps no property",)),
    ("{place: {name: a}}", "", 7, ("maps", "no maps")),
    ("{name: a}", "{name: [a, b]}", 7, ("maps.place.name", "columns")),
    ("{name: a}", "{name: {colum: a}}", 7, ("maps.place.name.colum", "did you mean column")),
    ("{name: a}", "{name: {columns: [a], value: b}}", 7, ("maps.place.name", "exactly one")),
    ("{name: a}", "{name: {column: a, values: [b]}}", 7, ("maps.place.name.values must be a mapping",)),
    ("maps:", "\tmaps:", 7, ("indented with a tab",)),
    ("maps:", "expect: {rows: {min: 5, max: 1}}\nmaps:", 7, ("expect.rows.min is above max",)),
    ("maps:", "expect: {rows: {min: many}}\nmaps:", 7, ("expect.rows.min must be a whole number",)),
    ("maps:", "expect: {columns: {a: {notnull: 1}}}\nmaps:", 7, ("expect.columns.a.notnull", "did you mean not_null")),
    ("maps:", "expect: {columns: {a: {unique: 1.5}}}\nmaps:", 7, ("share from 0 to 1",)),
    ("maps:", "expect: {columns: {a: {matches: '('}}}\nmaps:", 7, ("no regular expression",)),
    ("maps:", "expect: {columns: {a: {between: [9, 10, 11]}}}\nmaps:", 7, ("between must be [low, high]",)),
    ("maps:", "expect: {columns: {a: {between: [9, 1]}}}\nmaps:", 7, ("low end above its high end",)),
    ("maps:", "lookups: {a: [b]}\nmaps:", 7, ("lookups.a must be a mapping",)),
    ("maps: {place", "maps: {{place", 7, ("YAML",)),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "line", "words"), WRONG)
def test_what_is_wrong_is_named_with_file_line_field_and_remedy(tmp_path, right, wrong, line, words):
    path = write(tmp_path, GOOD.replace(right, wrong, 1))
    with pytest.raises(SourceFileError) as told:
        read_source(path)
    assert told.value.line == line
    assert str(told.value).startswith(f"{path}, line {line}: ")
    assert "\n" not in str(told.value)
    for word in words:
        assert word in str(told.value)


@pytest.mark.parametrize("content", ["", "- a\n", "just text", "a: &x [*x]\n", "\x00"])
def test_a_file_that_is_no_source_file_is_one_sentence(tmp_path, content):
    with pytest.raises(SourceFileError, match=r"typo\.yml"):
        read_source(write(tmp_path, content))


def test_a_file_in_another_encoding_is_told(tmp_path):
    path = tmp_path / "typo.yml"
    path.write_bytes(GOOD.replace("title: x", "title: 户籍人口库").encode("gb18030"))
    with pytest.raises(SourceFileError, match="line 2: is not utf-8"):
        read_source(path)


def test_a_code_without_quotation_marks_keeps_its_zeros(tmp_path):
    source = read_source(write(tmp_path, GOOD.replace("'420100'", "012345")))
    assert source.division == "012345"


def test_secrets_written_out_are_not_stored_and_variables_are_not_expanded(tmp_path):
    read = "kind: sql, connection: 'mysql://a:geheim@h/d', table: t"
    source = read_source(write(tmp_path, GOOD.replace("kind: files, path: a.csv, format: csv", read)))
    assert source.spec["read"]["connection"] == "mysql://a:***@h/d"
    read = "kind: rest, url: 'https://h', auth: {kind: basic, user: u, password: geheim}"
    source = read_source(write(tmp_path, GOOD.replace("kind: files, path: a.csv, format: csv", read)))
    assert source.spec["read"]["auth"] == {"kind": "basic", "user": "u", "password": "***"}
    assert read_source(write(tmp_path, WHOLE)).spec["read"]["connection"] == "${POPULATION_DB}"


def test_the_meaning_changes_with_what_decides_what_a_row_means(tmp_path):
    def meaning(right: str = "", wrong: str = "") -> tuple[str, str]:
        source = read_source(write(tmp_path, WHOLE.replace(right, wrong, 1) if right else WHOLE))
        return source.meaning, source.reading

    plain = meaning()
    assert meaning("title: 户籍人口库", "title: 人口") == plain
    assert meaning('schedule: "0 2 * * *"', 'schedule: "0 4 * * *"') == plain
    assert meaning('reconcile: "0 3 * * 0"', 'reconcile: "0 4 * * 0"') == plain
    for right, wrong in [("name: xm", "former_name: xm"), ("幸福社区\"", "和平社区\""), ("key: [rid]", "key: [sfzh]"),
                         ("340202004", "340202005"), ("not_null: 0.99", "not_null: 0.9"),
                         ("value: \"9\"", "value: \"8\"")]:  # fmt: skip
        assert meaning(right, wrong)[0] != plain[0]
    changed = meaning("table: resident", "table: person")
    assert changed[0] == plain[0]
    assert changed[1] != plain[1]


def test_a_folder_of_sources(tmp_path):
    write(tmp_path, GOOD, "a.yml")
    write(tmp_path, GOOD.replace("name: x", "name: y", 1), "b.yaml")
    write(tmp_path, GOOD, "c.yml")
    write(tmp_path, GOOD.replace("maps", "mops"), "d.yml")
    write(tmp_path, "not a source", "readme.txt")
    sources, errors = read_sources(tmp_path)
    assert [source.name for source in sources] == ["x", "y"]
    assert "c.yml" in str(errors[0])
    assert "name x is already used by a.yml" in str(errors[0])
    assert "mops" in str(errors[1])


def test_a_folder_without_sources_is_one_sentence(tmp_path):
    assert "holds no source file" in str(read_sources(tmp_path)[1][0])
    assert "is no folder" in str(read_sources(tmp_path / "none")[1][0])


def test_the_known_properties_are_those_of_the_type_files():
    known = {name: tuple(kind.properties) for name, kind in entity_types().items() if not kind.derived}
    assert known_properties() == known


def test_reading_source_files_needs_nothing_heavy():
    told = "import sys, schemas.sources; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "pyarrow", "sqlalchemy", "pydantic", "duckdb", "numpy"} & set(loaded)


@pytest.mark.parametrize(
    ("cron", "now", "last"),
    [
        ("0 3 * * 0", "2024-09-04 10:00", "2024-09-01 03:00"),  # Sunday
        ("0 3 * * 7", "2024-09-01 03:00", "2024-09-01 03:00"),
        ("*/20 * * * *", "2024-09-04 10:41", "2024-09-04 10:40"),
        ("30 2 1 * *", "2024-09-01 02:00", "2024-08-01 02:30"),
        ("0 0 13 * fri", "2024-09-12 10:00", "2024-09-06 00:00"),  # the 13th or a Friday
        ("0 0 29 2 *", "2024-02-28 00:00", "2020-02-29 00:00"),
        ("15,45 8-10 * jan-mar 1-5", "2024-03-31 12:00", "2024-03-29 10:45"),
        ("@weekly", "2024-09-04 10:00", "2024-09-01 00:00"),
        ("0 0 30 2 *", "2024-02-28 00:00", None),
    ],
)
def test_when_a_cron_expression_was_last_due(cron, now, last):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(last).replace(tzinfo=UTC) if last else None
    assert parse_cron(cron).last_before(moment) == expected
