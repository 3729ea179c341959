"""Bad days of one feed: one sentence, a non-zero exit, the other sources published, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from district import District, Registry, copy_district, person, put_resident, whole, write_police, write_shops

SMALL = ("addresses", "lamps", "police", "shops")


def fails(district: District, source: str, *words: str) -> str:
    """Runs; `source` alone fails, in one sentence that holds `words`; the others are published. The sentence."""
    done = district.run()
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    (sentence,) = done.sentences
    assert source in sentence
    for word in words:
        assert word in sentence
    assert len(sentence) < 400
    states = done.states
    assert states.pop(source) in ("failed", "refused")
    assert set(states.values()) <= {"staged", "unchanged"}
    registry = district.registry()
    whole(registry)
    for name in states:
        assert registry.keys(name)
    return sentence


def recovers(district: District, source: str) -> None:
    """With the feed in order again the next run takes it in."""
    done = district.run()
    assert done.code == 0, done.err
    assert done.states[source] == "staged"
    whole(district.registry())


def test_a_feeds_database_is_missing(district: District) -> None:
    district.data("population.sqlite").unlink()
    fails(district.only("population", "shops"), "population", "is not there")


def test_a_feeds_database_refuses_the_password(district: District) -> None:
    district.only("population", "shops")
    with district.database() as database:
        url = database.app_url.set(password="wrong").render_as_string(hide_password=False)
        district.environ["POPULATION_DB"] = url
        district.spec("population", read__connection="${POPULATION_DB}")
        sentence = fails(district, "population", "does not let us in")
    assert "wrong" not in sentence


def test_a_feeds_password_is_not_set(district: District) -> None:
    district.only("population", "shops").spec("population", read__connection="${POPULATION_DB}")
    fails(district, "population", "POPULATION_DB", "set it")


def truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def in_another_encoding(path: Path) -> None:
    write_police(path, encoding="gb18030")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def header_alone(path: Path) -> None:
    write_police(path, [])


def renamed(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("身份证号", "身份证号码", 1), "utf-8")


def name_with_nul(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("电话", "电话,备\x00注", 1), "utf-8")


@pytest.mark.parametrize(
    ("source", "file", "spoil", "words"),
    [
        pytest.param(
            "grid_workers", "grid_workers.xlsx", truncated, ["cut off", "deliver it again"], id="truncated_xlsx"
        ),
        pytest.param("lamps", "lamps.geojson", truncated, ["no JSON", "cut off"], id="truncated_geojson"),
        pytest.param("police", "police.csv", in_another_encoding, ["line 1", "encoding: gb18030"], id="wrong_encoding"),
        pytest.param("police", "police.csv", emptied, ["empty"], id="empty_feed"),
        pytest.param("police", "police.csv", header_alone, ["empty"], id="header_without_rows"),
        pytest.param("police", "police.csv", renamed, ["'身份证号'", "'身份证号码'"], id="column_renamed"),
        pytest.param("police", "police.csv", name_with_nul, ["NUL"], id="nul_in_a_column_name"),
        pytest.param("police", "police.csv", Path.unlink, ["is not there", "deliver it"], id="file_missing"),
    ],
)
def test_a_file_is_spoilt_on_the_second_day(
    published: tuple[District, Registry], source: str, file: str, spoil: Callable[[Path], None], words: list[str]
) -> None:
    district, before = published
    good = district.data(file).read_bytes()
    spoil(district.data(file))
    try:
        fails(district, source, *words)
        assert district.registry().partition == before.partition
    finally:
        district.data(file).write_bytes(good)
    done = district.run()
    assert (done.code, done.states[source]) == (0, "unchanged")


@pytest.fixture(scope="module")
def published(make_folder: Callable[[], Path], prepared_home: Path) -> Iterator[tuple[District, Registry]]:
    """A district that was published once, and what was published."""
    made = copy_district(make_folder(), prepared_home).only("police", "grid_workers", "lamps", "shops")
    with made.database():
        assert made.run().code == 0
        yield made, made.registry()


def test_what_other_feeds_bring_on_that_day_is_published(district: District) -> None:
    district.only("police", "shops")
    assert district.run().code == 0
    before = district.registry()
    renamed(district.data("police.csv"))
    write_shops(district.data("shops.jsonl"), 21)
    fails(district, "police")
    after = district.registry()
    assert after.keys("police") == before.keys("police")
    assert len(after.keys("shops")) == 21


def test_a_file_is_spoilt_on_the_first_day_and_mended(district: District) -> None:
    district.only("police", "shops")
    renamed(district.data("police.csv"))
    fails(district, "police", "'身份证号'")
    write_police(district.data("police.csv"))
    recovers(district, "police")


def test_a_snapshot_shrinks_by_more_than_half(district: District) -> None:
    district.only("police")
    assert district.run().code == 0
    write_police(district.data("police.csv"), range(10))
    fails(district, "police", "10 rows", "--reread")
    assert len(district.registry().keys("police")) == 30
    assert district.run("--reread").code == 0
    assert len(district.registry().keys("police")) == 10


def test_fewer_rows_than_the_source_file_expects(district: District) -> None:
    district.only("police", "shops").spec("police", expect={"rows": {"min": 31}})
    fails(district, "police", "30 rows", "expect.rows.min of 31")
    assert not district.registry().keys("police")


def test_fewer_rows_than_expected_once_the_bad_ones_are_held_back(district: District) -> None:
    district.only("police").spec("police", expect={"rows": {"min": 29}})
    assert district.run().code == 0
    lines = district.data("police.csv").read_text("utf-8").splitlines()
    lines[1:4] = [f"{key},,,," for key in ("x1", "x2", "x3")]
    district.data("police.csv").write_text("\n".join(lines) + "\n", "utf-8")
    done = district.run()
    assert done.code == 1
    assert "27 rows, below expect.rows.min of 29" in done.sentences[0]
    registry = district.registry()
    assert len(registry.keys("police")) == 30
    whole(registry)


def test_more_rows_than_the_source_file_expects_are_a_warning(district: District) -> None:
    district.only("shops").spec("shops", expect={"rows": {"max": 5}})
    done = district.run()
    assert done.code == 0
    assert [text for text in done.summary["sources"]["shops"]["warnings"] if "above expect.rows.max of 5" in text]
    assert len(done.summary["sources"]["shops"]["warnings"]) == 1


def test_a_typo_in_a_source_file(district: District) -> None:
    district.only("police", "shops")
    path = district.sources / "shops.yml"
    path.write_text(path.read_text("utf-8").replace("format:", "fromat:"), "utf-8")
    sentence = fails(district, "shops", "shops.yml", "line", "format")
    assert "fromat" in sentence


def test_a_typo_in_every_source_file(district: District) -> None:
    district.only("police", "shops")
    for path in district.sources.iterdir():
        path.write_text(path.read_text("utf-8").replace("owner:", "onwer:"), "utf-8")
    done = district.run()
    assert (done.code, len(done.sentences), done.out) == (2, 2, "")


def test_a_spoilt_source_file_does_not_hide_a_source_of_its_name(district: District) -> None:
    district.only("police", "shops").spec("police", name="shops")
    path = district.sources / "shops.yml"
    path.write_text(path.read_text("utf-8").replace("format:", "fromat:"), "utf-8")
    done = district.run()
    assert done.states == {"shops": "staged", "shops.yml": "refused"}


def test_duplicate_keys_in_one_snapshot(district: District) -> None:
    district.only("police")
    path, said = district.data("police.csv"), person(3)
    path.write_text(path.read_text("utf-8") + f"p003,{said['name']},{said['id']},13855019999,另一处\n", "utf-8")
    done = district.run()
    assert done.code == 0
    counts = done.summary["sources"]["police"]
    assert (counts["read"], counts["clean"], counts["quarantined"]) == (31, 30, 1)
    registry = district.registry()
    whole(registry)
    lines = district.query("SELECT key, row, reasons FROM quarantine WHERE scope = 'row'")
    assert lines[["key", "row"]].to_numpy().tolist() == [["p003", 4]]
    assert "duplicate_key" in lines["reasons"].iloc[0]
    said_last = registry.values.query("property == 'address' and key == 'p003'")["value"]
    assert said_last.tolist() == ["另一处"]


def test_values_of_the_wrong_type(district: District) -> None:
    """A phone in the birth date, an id one digit wrong: the values are withheld, the persons stay."""
    district.only("population")
    with sqlite3.connect(district.data("population.sqlite")) as connection:
        put_resident(connection, 1, sfzh=person(1)["id"][:-1] + ("1" if person(1)["id"][-1] != "1" else "2"))
        put_resident(connection, 2, xb="13855010000", lxdh="不想说")
    done = district.run()
    assert done.code == 0
    counts = done.summary["sources"]["population"]
    assert (counts["clean"], counts["quarantined"]) == (40, 0)
    assert counts["withheld"] >= 3
    whole(district.registry())


def test_a_row_with_more_cells_than_the_header_is_held_back(district: District) -> None:
    """A comma in a cell shifts all that follow: none of the row's values can be trusted."""
    district.only("police")
    path = district.data("police.csv")
    path.write_text(path.read_text("utf-8").replace("p004,", "p004,村,", 1), "utf-8")
    done = district.run()
    assert done.code == 0
    counts = done.summary["sources"]["police"]
    assert (counts["clean"], counts["quarantined"]) == (29, 1)
    assert "more cells" in " ".join(counts["warnings"])
    reasons = district.query("SELECT key, reasons FROM quarantine WHERE scope = 'row'")
    assert reasons["key"].tolist() == ["p004"]
    assert "extra_cells" in reasons["reasons"].iloc[0]


def test_zero_characters_in_keys_and_values(district: District) -> None:
    """PostgreSQL knows no character 0: the text arrives without it."""
    district.only("police", "shops")
    path = district.data("police.csv")
    path.write_text(
        path.read_text("utf-8").replace("p005,", "p\x00005,", 1).replace("春晖苑", "春\x00晖苑", 1), "utf-8"
    )
    row = {"id": "n\x001", "shop": {"name": "零\x00号店"}, "addr": "幸福社区长江路1号"}
    with district.data("shops.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    done = district.run()
    assert done.code == 0, done.err
    registry = district.registry()
    whole(registry)
    assert "p005" in registry.keys("police")
    assert "n1" in registry.keys("shops")
    assert "零号店" in set(registry.values["value"])
