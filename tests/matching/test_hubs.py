"""One value in every row: it says nothing of who is the same, and costs no more than any other value."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from matching.estates import match_estates
from matching.events import match_events
from matching.organizations import match_organizations
from matching.people import match_people
from matching.places import Places, match_places
from matching.things import match_things
from schemas.identifiers import id_check, uscc_check, uscc_valid
from schemas.records import Feed, Matched, Records

ROWS = 20_000
MOST = 25  # rows of one cluster: a feed lists each thing once, and there are two feeds
SECONDS = 120.0  # generous: these take seconds; comparing each row with each would take an hour
pytestmark = pytest.mark.slow
RNG = np.random.default_rng(9)
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]


def names(length: int = 3) -> list[str]:
    return ["".join(row) for row in RNG.choice(HAN, (ROWS, length))]


def numbers() -> list[str]:
    births = pd.Timestamp("1950-01-01") + pd.to_timedelta(RNG.integers(0, 20_000, ROWS), unit="D")
    first = [f"340202{born:%Y%m%d}{n:03}" for born, n in zip(births, RNG.integers(0, 1000, ROWS), strict=True)]
    return [number + id_check(number) for number in first]


def spots() -> dict[str, list[str]]:
    return {
        "longitude": [f"{x:.6f}" for x in 118.3 + RNG.random(ROWS)],
        "latitude": [f"{y:.6f}" for y in 31.3 + RNG.random(ROWS)],
    }


def records(type_: str, **columns: object) -> Records:
    frame = pd.DataFrame(
        {"rid": range(1, ROWS + 1), "source": np.tile(["one", "other"], ROWS // 2), "role": "", **columns}
    )
    frame["key"] = frame["rid"].astype("str")
    texts = [name for name in frame if name != "rid"]
    return Records(
        {type_: frame.astype(dict.fromkeys(texts, "str"))},
        {name: Feed(name, "street", "340202004") for name in ("one", "other")},
    )


def nowhere() -> Places:
    none = pd.DataFrame({"rid": pd.Series(dtype="int64")})
    return Places(Matched(), none, none, none)


def largest(members: pd.DataFrame) -> int:
    return int(members.drop_duplicates(["rid", "cluster"])["cluster"].value_counts().max())


def code() -> str:
    first = "91340202MA2U0H6Q"
    found = [first + end for end in "0123456789ABCDEFGHJKLMNPQRTUWXY"]
    return next(c + uscc_check(c) for c in found if all(uscc_valid(c + uscc_check(c))))


@pytest.fixture(autouse=True)
def in_time() -> object:
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < SECONDS


@pytest.mark.parametrize(
    "hub", [{"phone": "13900001111"}, {"name": "张伟"}, {"address": "柳林路8号"}, {"id_number": "34020219900101001X"}]
)
def test_people(hub: dict[str, str]) -> None:
    own = {"name": names(), "id_number": numbers(), "phone": [f"139{n:08}" for n in range(ROWS)], "address": names(5)}
    people = records("person", **{**own, **hub})
    places = match_places(people)
    found = match_people(people, places).matched.members
    assert largest(found) <= MOST


@pytest.mark.parametrize("hub", [{"phone": "0553-1234567"}, {"legal_representative": "张伟"}, {"uscc": code()}])
def test_organizations(hub: dict[str, str]) -> None:
    own = {"name": [f"{name}商贸有限公司" for name in names(4)], "legal_representative": names(), **spots()}
    found = match_organizations(records("organization", **{**own, **hub}), nowhere()).members
    assert largest(found) <= MOST


def test_organizations_of_one_name() -> None:
    found = match_organizations(
        records("organization", name="顺远面馆", legal_representative=names(), **spots()), nowhere()
    )
    assert largest(found.members) <= MOST


@pytest.mark.parametrize(
    "hub", [{"code": "3402020101000001"}, {"name": "路灯"}, {"longitude": "118.3", "latitude": "31.3"}]
)
def test_things(hub: dict[str, str]) -> None:
    own = {"kind": "路灯", "name": names(4), "code": [f"34020201{n:08}" for n in range(ROWS)], **spots()}
    found = match_things(records("thing", **{**own, **hub}), nowhere()).members
    assert largest(found) <= MOST


@pytest.mark.parametrize(
    "hub",
    [
        {"reporter_phone": "13900001111"},
        {"text": "占道经营"},
        {"longitude": "118.3", "latitude": "31.3"},
        {"occurred_at": "2026-01-01T00:00:00"},
    ],
)
def test_events(hub: dict[str, str]) -> None:
    hours = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 24 * 3600 * 700, ROWS), unit="s")
    own = {"kind": "街面秩序", "text": names(8), "occurred_at": [at.isoformat() for at in hours], **spots()}
    found = match_events(records("event", **{**own, **hub}), nowhere()).members
    assert largest(found) <= MOST


@pytest.mark.parametrize(
    "hub", [{"name": "幸福小区"}, {"address": "柳林路8号"}, {"longitude": "118.3", "latitude": "31.3"}]
)
def test_estates(hub: dict[str, str]) -> None:
    own = {"kind": "estate", "name": [f"{name}花园" for name in names(4)], "address": names(6), **spots()}
    found = match_estates(records("place", **{**own, **hub})).clusters
    assert largest(found) <= MOST
