"""Whose a number is, and what of it loses its force: rounded ones, ones that several people bear, nicknames."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from matching.evidence import gather
from matching.model import Tables, digest
from matching.people import exact_pass
from matching.tables import tables_of
from schemas.identifiers import id_check
from schemas.records import Feed, Records

ONE, TWO, THREE = (body + id_check(body) for body in ("34020219800304602", "34020219550505701", "34020219990909111"))
ROUNDED = next(body for body in (f"340202198003{day:02d}{n}00" for day in range(1, 29) for n in range(10)) if id_check(body) == "0") + "0"  # fmt: skip
Row = dict[str, str | int | None]


def evidence_of(*rows: Row, tables: Tables | None = None) -> pd.DataFrame:
    """The evidence of rows; `at` is the dwelling."""
    frame = pd.DataFrame([{"at": None, **row} for row in rows])
    frame["rid"] = np.arange(len(frame)) + 1
    places = pd.DataFrame({"rid": frame["rid"], "dwelling": frame["at"].astype("Int64")})
    text = frame.drop(columns=["rid", "at"]).astype("str")
    records = text.assign(rid=frame["rid"], key=frame["rid"].astype("str"), role="")
    feeds = {name: Feed(name, "district", "340202004", rank=n) for n, name in enumerate(("hukou", "grid", "app"))}
    where = SimpleNamespace(homes=places, registered=places.head(0))
    return gather(Records({"person": records}, feeds), where, tables)


def row(source: str, name: str | None, number: str | None, **more: str | int) -> Row:
    return {"source": source, "name": name, "id_number": number, **more}


def test_a_number_that_a_spreadsheet_rounded_is_not_believed_though_its_check_digit_fits() -> None:
    alone = evidence_of(row("grid", "王安娜", ROUNDED, birth_date="1980-03-04"), row("hukou", "王安娜", ONE))
    assert alone["own"].tolist() == [False, True]
    assert alone["id_mask"].iloc[0] == ROUNDED[:15] + "???"
    both = evidence_of(row("grid", "王安娜", ROUNDED), row("hukou", "王安娜", ROUNDED))
    assert both["own"].all()


def test_a_name_nearly_the_one_of_its_number_is_misspelt_unless_the_birth_date_speaks_against() -> None:
    holder = row("hukou", "王燕琳", ONE, birth_date="1980-03-04")
    found = evidence_of(holder, row("grid", "王燕玲", ONE), row("grid", "王燕玲", ONE, birth_date="1985-01-09"))
    assert found["own"].tolist() == [True, True, False]
    assert found["trusted"].tolist() == [True, False, False]


def test_a_number_given_out_twice_tells_nothing() -> None:
    one, two = (
        row("hukou", "何莉", ONE, birth_date="1980-03-04", at=1),
        row("app", "郑雪", ONE, birth_date="1980-03-04", at=2),
    )
    found = evidence_of(one, one, two)
    assert found["id"].isna().all()
    assert not found["own"].any()
    assert len(set(exact_pass(found))) == 3
    tables = tables_of(found, exact_pass(found))
    assert tables.shared_ids == (digest(ONE),)
    assert evidence_of(one, tables=tables)["id"].isna().all()


def test_who_changed_names_or_lives_there_too_is_one() -> None:
    one = row("hukou", "何莉", ONE, birth_date="1980-03-04", at=1)
    married = row("app", "郑雪", ONE, birth_date="1980-03-04", at=2, former_name="何莉")
    at_home = row("app", "郑雪", ONE, birth_date="1980-03-04", at=1)
    for other in (married, at_home):
        assert evidence_of(one, one, {**one, "former_name": None}, other)["own"].all()


def test_a_name_of_several_persons_whom_other_feeds_call_otherwise_is_a_nickname() -> None:
    real = [row("hukou", name, number) for name, number in (("王安娜", ONE), ("李建国", TWO), ("赵小敏", THREE))]
    called = [row("app", "花开富贵", number, at=n) for n, number in enumerate((ONE, TWO, THREE))]
    found = evidence_of(*real, *called, row("app", "花开富贵", None))
    assert found["nickname"].tolist() == [False] * 3 + [True] * 4
    assert found["full"].isna().tolist() == found["nickname"].tolist()
    assert found["own"].tolist() == [True] * 6 + [False]
    tables = tables_of(found, exact_pass(found))
    assert tables.nicknames == ("花开富贵",)
    assert evidence_of(row("app", "花开富贵", None), tables=tables)["display"].all()


def test_a_name_that_two_feeds_show_is_nobody_s_nickname() -> None:
    real = [row("hukou", name, number) for name, number in (("王安娜", ONE), ("李建国", TWO), ("赵小敏", THREE))]
    called = [row("app", "王伟", number) for number in (ONE, TWO, THREE)]
    assert not evidence_of(*real, *called, row("grid", "王伟", None))["nickname"].any()
    assert not evidence_of(*real, *called[:2])["nickname"].any()
