"""The commands on the past and on reasons: what they draw, what they mask, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from district import District, id_number, person

from onegrid.errors import SettingsError
from onegrid.past_commands import day_of, moment_of


def test_moments_and_days_as_they_are_typed() -> None:
    assert str(day_of("2026-03-01")) == "2026-03-01"
    assert day_of(None) is None
    end, noon = moment_of("2026-03-05"), moment_of("2026-03-05T12:00+08:00")
    assert end is not None
    assert noon is not None
    assert end.astimezone().isoformat()[:19] == "2026-03-05T23:59:59"
    assert noon.isoformat() == "2026-03-05T04:00:00+00:00"
    for wrong in (day_of, moment_of):
        with pytest.raises(SettingsError):
            wrong("1 March")


def test_the_past_and_reasons_are_drawn_and_masked(district: District, tmp_path: Path) -> None:
    assert district.only("population", "police").run().code == 0
    code = district.registry().code("population", "r003")
    then = district.command("show", code, "--known-at", "2999-01-01", "--valid-at", "2026-03-01")
    assert person(3)["name"] in then.out
    assert "lives_at" in then.out
    assert "did not know" in district.command("show", code, "--known-at", "2020-01-01").err
    timeline = district.command("timeline", code)
    assert "建立 created" in timeline.out
    how = district.command("how", code)
    assert "population/r003" in how.out
    assert "police/p003" in how.out
    one = district.command("why", "--one", "population", "r003", "--two", "police", "p003")
    assert "one person" in one.out
    picture = tmp_path / "why.svg"
    two = district.command("why", "--svg", str(picture), stdin="population r003\npopulation r002\n")
    assert "two persons" in two.out
    assert "双方各有可信的证件号码" in two.out
    assert picture.read_text("utf-8").startswith("<svg")
    for drawn in (then, timeline, how, one, two):
        assert drawn.code == 0, drawn.err
        assert id_number(3) not in drawn.out
        assert person(3)["phone"] not in drawn.out
    place = district.registry().members.query("type == 'place'")["code"].iloc[0]
    for refused in (
        district.command("how", place),
        district.command("how", "nonsense"),
        district.command("why", "--one", "population", "--two", "police", "p003"),
        district.command("why", "--one", "population", "nobody", "--two", "police", "p003"),
    ):
        assert refused.code != 0
        assert refused.sentences
