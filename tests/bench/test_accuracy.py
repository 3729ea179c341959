"""The bench of accuracy: contests as they are written, methods in their own processes, limits, and the lines of the table."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from bench.accuracy import cities, line
from bench.contests import write_people, write_town
from bench.peers import Run, run, watch
from bench.people_sets import SETS, read_set
from bench.score import KEY
from town.build import build

CENSUS = """simulant_id,household_id,first_name,middle_initial,last_name,age,date_of_birth,street_number,street_name,unit_number,city,state,zipcode,housing_type,relationship_to_reference_person,sex,race_ethnicity,year
1,h1,Barda,A,Delson,30,01/02/1990,5,fol st,,Here,QQ,00001,Household,Reference person,Female,White,2020
2,h1,Gimon,B,Delson,3,04/05/2017,5,fol st,,Here,QQ,00001,Household,Biological child,Male,White,2020
3,h2,Hulia,C,Merow,20,06/07/2000,9,fol st,,Here,QQ,00001,College,Other,Female,White,2020
"""
LISTED = """simulant_id,ssn,first_name,middle_name,last_name,date_of_birth,sex,event_type,event_date
1,111-11-1111,Barda,Anett,Delson,19900102,Female,creation,19900102
2,222-22-2222,Gimon,Bus,Delson,20170405,Male,creation,20170405
"""
RLDATA = "fname_c1,fname_c2,lname_c1,lname_c2,by,bm,bd,rec_id,ent_id\nBARDA,NA,DEL,SON,1990,2,1,1,7\nBARDA,NA,DEL,NA,1990,2,1,2,7\n"
FEBRL = """rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id
rec-4-org, barda, delson, 5, fol street, , here, 1000, qq, 19900102, 1111111
rec-4-dup-0, barda, delsno, 5, fol street, , here, 1000, qq, 19900102, 1111111
rec-5-org, gimon, merow, 9, kas street, , there, 1001, qq, 19710304, 2222222
"""


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    folder.mkdir()
    for name, text in {
        "census_2020": CENSUS,
        "ssa_2020": LISTED,
        "RLdata10000": RLDATA,
        "febrl_dataset1": FEBRL,
    }.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_sets_are_read_with_their_truth_and_without_group_quarters(people: Path) -> None:
    census = read_set(people, "census")
    assert census.truth.tolist() == ["1", "2", "1", "2"]
    assert census.household is not None
    assert set(census.household) == {"h1"}
    assert not {"simulant_id", "household_id"} & {*census.frame.columns, *census.kinds}
    assert read_set(people, "febrl1").truth.tolist() == ["4", "4", "5"]
    assert read_set(people, "rldata10000").truth.tolist() == ["7", "7"]
    for name in ("census", "febrl1", "rldata10000"):
        assert set(read_set(people, name).kinds) == set(read_set(people, name).frame.columns)
    assert {"febrl2", "febrl3"} <= set(SETS)


def test_peers_get_clean_columns_that_every_source_fills(people: Path, tmp_path: Path) -> None:
    write_people(read_set(people, "census"), tmp_path / "census")
    clean = pd.read_parquet(tmp_path / "census" / "clean.parquet")
    assert set(clean.columns) == {"first_name", "middle_name", "last_name", "date_of_birth", "sex"}
    assert clean["date_of_birth"].tolist() == ["1990-01-02", "2017-04-05"] * 2
    truth = pd.read_parquet(tmp_path / "census" / "truth.parquet")
    assert truth[["truth", "home", "birth", "name"]].iloc[2].tolist() == ["1", "h1", "1990-01-02", "barda delson"]


def test_a_method_leaves_a_label_for_each_row(people: Path, tmp_path: Path) -> None:
    folder = tmp_path / "febrl1"
    write_people(read_set(people, "febrl1"), folder)
    found = run("dedupe", folder, tmp_path)
    assert found.labels is not None
    assert len(found.labels) == 3
    assert 0 < found.seconds < 100
    assert found.peak_mb > 50
    told = line("febrl1", "dedupe", Run(1.5, 99.0, pd.Series([0, 0, 0])), folder)
    assert told.split()[:7] == ["febrl1", "dedupe", "0.5000", "0.3333", "1.0000", "1.5", "99"]
    assert told.endswith("neither 2")
    assert line("febrl1", "dedupe", Run(1.5, 99.0, pd.Series([0, 0, 1])), folder).endswith("none")


def test_a_method_that_fails_or_does_not_finish_says_so(people: Path, tmp_path: Path) -> None:
    folder = tmp_path / "febrl1"
    write_people(read_set(people, "febrl1"), folder)
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    (venv / "python").chmod(0o755)
    failed = run("goldenmatch", folder, venv.parent)
    assert (failed.labels, failed.why) == (None, "failed (see goldenmatch.log)")
    (venv / "python").write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    late = run("goldenmatch", folder, venv.parent, limit=0.5)
    assert late.labels is None
    assert "not finished in 0 s" in line("febrl1", "goldenmatch", late, folder)


def test_what_a_method_started_is_stopped_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(3); open({str(mark)!r}, 'w')"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    start = time.perf_counter()
    code, seconds, _ = watch([sys.executable, "-c", program], tmp_path / "log", 1.0)
    assert code is None
    assert 1.0 <= seconds <= time.perf_counter() - start + 0.1
    time.sleep(3.5)
    assert not mark.exists()
    assert watch([sys.executable, "-c", "raise SystemExit(4)"], tmp_path / "log", 60.0)[0] == 4


def test_the_towns_people_keep_their_truth(tmp_path: Path) -> None:
    build(0.01, 3, tmp_path / "town")
    write_town(tmp_path / "town", tmp_path / "contest")
    table, truth = (pd.read_parquet(tmp_path / "contest" / f"{name}.parquet") for name in ("table", "truth"))
    assert len(table) == len(truth)
    known = pd.read_parquet(tmp_path / "town" / "truth" / "records.parquet").dropna(subset="person")
    joined = table[KEY].assign(truth=truth["truth"]).merge(known[[*KEY, "person"]], on=KEY)
    assert len(joined) > 1000
    assert (joined["truth"] == joined["person"]).all()
    assert truth.dropna(subset="truth")["birth"].notna().all()


def test_cities_are_the_folders_whose_sources_list_places(tmp_path: Path) -> None:
    for name, maps in {
        "b": "place: {name: name}",
        "a": "place: {name: name}",
        "c": "organization: {name: name}",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "feed.yml").write_text(f"name: feed\nmaps:\n  {maps}\n", encoding="utf-8")
    assert [path.name for path in cities(tmp_path)] == ["a", "b"]
