"""What addresses taught: kept, it reads the same addresses the same way, and new ones by what was known."""

from __future__ import annotations

import json

import pandas as pd

from matching.atlas import Atlas
from matching.dwellings import gather_addresses, resolve
from matching.readings import OPEN, SETTLED
from schemas.records import Feed, Records

FEEDS = {"police": Feed("police", "district", "340202004")}


def records(rows: list[tuple[str, str, str]]) -> Records:
    """People: name, id number, address."""
    frame = pd.DataFrame(rows, columns=["name", "id_number", "address"], dtype="str")
    frame.insert(0, "rid", range(len(frame)))
    key = frame["rid"].astype("str")
    return Records(
        {"person": frame.assign(source="police", key=key, role=pd.Series("", index=frame.index, dtype="str"))}, FEEDS
    )


def town() -> list[tuple[str, str, str]]:
    """An estate of buildings with one unit each, which its people also call by its gate."""
    rows = []
    for n in range(1, 9):
        number = f"34020219800101{n:03}0"
        rows.append((f"张{n}", number, f"春晖苑{1 + n % 3}栋1单元{n}01室"))
        rows.append((f"张{n}", number, f"长江路88号{1 + n % 3}栋{n}01室"))
    return rows


def read(rows: list[tuple[str, str, str]], atlas: Atlas) -> pd.DataFrame:
    return resolve(gather_addresses(records(rows)), atlas)[list(SETTLED)]


def kept(atlas: Atlas) -> Atlas:
    return Atlas.of(json.loads(json.dumps(atlas.facts, ensure_ascii=False)))


def test_what_was_learned_reads_the_same_addresses_the_same_way() -> None:
    atlas = Atlas()
    learned = read(town(), atlas)
    assert learned["head"].nunique() == 1  # the gate is the estate's, as its people show
    pd.testing.assert_frame_equal(read(town(), kept(atlas)), learned)


def test_a_later_address_is_read_by_what_was_known() -> None:
    atlas = Atlas()
    known = read(town(), atlas)
    told = read([("李四", "", "长江路88号2栋901室")], kept(atlas)).iloc[0]
    assert (told["head"], told["unit"]) == (known["head"].iloc[0], "1")  # its own estate, and the only unit there is
    alone = read([("李四", "", "长江路88号2栋901室")], Atlas()).iloc[0]
    assert (alone["head"], alone["unit"]) == ("长江路|88", "")


def test_what_others_say_later_does_not_change_what_an_address_means() -> None:
    rows = [*town(), ("赵六", "", "春晖苑2栋901室")]
    atlas = Atlas()
    known = read(rows, atlas)
    assert known["unit"].iloc[-1] == "1"
    second = [("王五", "", f"春晖苑{n}栋2单元{n}09室") for n in (1, 2, 3)]  # units that nobody had seen
    pd.testing.assert_frame_equal(read([*rows, *second], kept(atlas)).head(len(rows)), known)
    assert read([*rows, *second], Atlas())["unit"].iloc[len(rows) - 1] == OPEN  # until the next training


def test_a_division_that_is_new_is_learned() -> None:
    elsewhere = [(name, number, f"上海市浦东新区{address}") for name, number, address in town()]
    atlas = Atlas()
    read(town(), atlas)
    both = read(elsewhere, kept(atlas))
    assert both["head"].nunique() == 1
