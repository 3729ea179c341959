"""Events: reports of one matter over several channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.score import pairwise
from matching.event_places import read_places
from matching.events import match_events
from matching.places import Places
from schemas.records import Feed, Matched, Records

EAST, NORTH = 118.37, 31.33
METRE = 1 / 111_320  # degrees north


def report(
    source: str, hour: float, text: str = "占道经营影响通行", metres: float | None = 0.0, **more: str
) -> dict[str, Any]:
    moment = pd.Timestamp("2026-03-01T20:00:00") + pd.Timedelta(hours=hour)
    spot = {} if metres is None else {"longitude": str(EAST), "latitude": str(NORTH + metres * METRE)}
    return {"source": source, "kind": "街面秩序", "text": text, "occurred_at": moment.isoformat(), **spot, **more}


def records(rows: list[dict[str, Any]]) -> Records:
    frame = pd.DataFrame([{"key": str(n), "role": "", **row} for n, row in enumerate(rows)]).astype("str")
    frame.insert(0, "rid", range(1, len(rows) + 1))
    return Records({"event": frame}, {name: Feed(name, "street", "340202004") for name in frame["source"].unique()})


def places(**meant: list[int | None]) -> Places:
    """What the addresses of records 1 to n mean."""
    names = ("dwelling", "building", "estate")
    size = max((len(values) for values in meant.values()), default=0)
    columns = {name: pd.array(meant.get(name, [None] * size), dtype="Int64") for name in names}
    frame = pd.DataFrame({"rid": range(1, size + 1), **columns})
    return Places(Matched(), frame, frame, frame)


def clusters(rows: list[dict[str, Any]], at: Places | None = None) -> list[int]:
    return match_events(records(rows), at or places()).members["cluster"].tolist()


def test_two_channels_that_report_one_matter_within_hours_at_one_spot_are_one() -> None:
    assert clusters([report("patrol", 0), report("hotline", 3, "市民反映有人占道经营", 40)]) == [1, 1]


def test_midnight_parts_nothing() -> None:
    assert clusters([report("patrol", 3.9), report("hotline", 4.1)]) == [1, 1]


def test_another_day_or_another_place_is_another_matter() -> None:
    assert clusters([report("patrol", 0), report("hotline", 100)]) == [1, 2]
    assert clusters([report("patrol", 0), report("hotline", 0, metres=600)]) == [1, 2]


def test_another_matter_at_the_same_door_stays_apart() -> None:
    first = report("patrol", 0, "柳林路8号占道经营", address="柳林路8号")
    second = report("hotline", 1, "柳林路8号路灯不亮", address="柳林路8号")
    assert clusters([first, second]) == [1, 2]


def test_one_channel_files_a_matter_once_unless_every_word_is_the_same() -> None:
    assert clusters([report("patrol", 0), report("patrol", 1)]) == [1, 2]
    assert clusters([report("patrol", 0), report("patrol", 0)]) == [1, 1]


def test_addresses_that_mean_one_building_join_what_has_no_coordinates() -> None:
    rows = [report("patrol", 0, metres=None), report("hotline", 2, metres=None)]
    assert clusters(rows, places(building=[7, 7], estate=[3, 3])) == [1, 1]
    assert clusters(rows, places(building=[7, 8], estate=[3, 3])) == [1, 2]


def test_one_caller_helps() -> None:
    rows = [report("app", 0, "摊贩堵路", None), report("hotline", 5, "路口摊贩占了路", None)]
    assert clusters(rows) == [1, 2]
    assert clusters([{**row, "reporter_phone": "13800000001"} for row in rows]) == [1, 1]


def test_reports_without_a_time_stand_alone() -> None:
    rows = [report("patrol", 0), report("hotline", 0)]
    for row in rows:
        del row["occurred_at"]
    assert clusters(rows) == [1, 2]


def test_every_record_is_a_member_once_in_any_order() -> None:
    rows = [report("abc"[n % 3], 0.7 * n, metres=11.0 * (n % 5)) for n in range(30)]
    first = records(rows)
    turned = Records({"event": first.frame("event").iloc[::-1]}, first.feeds)
    one, other = (match_events(each, places()).members.sort_values("rid") for each in (first, turned))
    assert one["rid"].tolist() == list(range(1, 31))
    assert one["cluster"].tolist() == other["cluster"].tolist()


def test_no_events_are_no_members() -> None:
    assert match_events(Records({}, {}), places()).members.empty


def half_a_year(seed: int = 3) -> tuple[list[dict[str, Any]], list[int]]:
    """Matters of 40 spots, each told by a patrol in codes and by callers in words of their own, and which is which."""
    rng = np.random.default_rng(seed)
    patrol = [("A01", "占道经营"), ("B07", "路灯不亮"), ("C02", "违章搭建"), ("D11", "暴露垃圾")]
    calls = ["有人摆摊", "晚上一片漆黑", "邻居私自盖房", "没人打扫太臭了"]
    rows, matters = [], []
    for matter in range(1500):
        sort, spot, hour = int(rng.integers(4)), 400.0 * int(rng.integers(40)), float(rng.uniform(0, 180 * 24))
        kind, text = patrol[sort]
        rows.append(report("patrol", hour, text, spot, kind=kind))
        told = int(rng.random() < 0.5) + int(rng.random() < 0.2)
        rows += [
            report("hotline", hour + float(rng.exponential(4)), calls[sort], spot + 20, kind=f"类{sort}")
            for _ in range(told)
        ]
        matters += [matter] * (1 + told)
    return rows, matters


def test_other_words_for_one_matter_are_learned_from_what_meets_beyond_chance() -> None:
    rows, matters = half_a_year()
    found = match_events(records(rows), places())
    score = pairwise(pd.Series(matters), found.members.sort_values("rid")["cluster"].reset_index(drop=True))
    assert score.precision > 0.9
    assert score.recall > 0.8


def test_a_channel_that_hears_of_a_matter_again_is_told_from_one_that_does_not() -> None:
    rows, _ = half_a_year()
    members = match_events(records(rows), places()).members.sort_values("rid")
    counts = pd.Series([row["source"] for row in rows]).groupby(members["cluster"].to_numpy()).value_counts()
    most = counts.groupby(level=1).max()
    assert most["patrol"] == 1
    assert most["hotline"] > 1


def test_two_names_over_one_ground_are_one_place() -> None:
    rng = np.random.default_rng(1)
    at = pd.DataFrame(rng.normal(0, 100, (120, 2)), columns=["east", "north"])
    at.loc[80:, "east"] += 1000
    raw = pd.DataFrame({"rid": range(120), "address": ["柳村"] * 50 + ["和平路8号院"] * 30 + ["远村"] * 40})
    raw["longitude"], raw["latitude"] = EAST + at["east"] / 95_000, NORTH + at["north"] * METRE
    raw = raw.astype({"address": "str", "longitude": "str", "latitude": "str"})
    read = read_places(raw, pd.Series("3402", index=raw.index, dtype="str"), places())
    assert read["place"].iloc[0] == read["place"].iloc[60]
    assert read["place"].iloc[0] != read["place"].iloc[110]
