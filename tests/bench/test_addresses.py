"""A labelled file is judged by what is written: each label on exactly the characters its marks cover."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.addresses import labelled, read


@pytest.mark.parametrize(
    ("address", "spans"),
    [
        (
            "芜湖市长江路18号阳光花园3栋2单元501室",
            "road=长江路 roadno=18号 poi=阳光花园 houseno=3栋 cellno=2单元 roomno=501室",
        ),
        ("长江路84-66号", "road=长江路 roadno=84 houseno=66号"),
        ("长江路66-84号", "road=长江路 roadno=66-84号"),
        ("长江路东段12号", "road=长江路"),  # the number is the section's
        ("明珠花苑西区3栋", "poi=明珠花苑 houseno=3栋"),
        ("阳光花园3楼2单元", "poi=阳光花园 floorno=3楼 cellno=2单元"),  # a building by sense, a floor by its mark
        ("鸿桥村3组12号", "road=3组 roadno=12号"),
        ("后湖村12号云彩手套厂", "roadno=12号 poi=云彩手套厂"),
        ("长江路后湖村12号", "road=长江路 poi=后湖村 roadno=12号"),
        ("滨海开发区杉杉路5号", "road=杉杉路 roadno=5号"),
    ],
)
def test_what_is_judged(address: str, spans: str) -> None:
    found = sorted(read(address), key=lambda span: span[1])
    assert " ".join(f"{label}={address[start:end]}" for label, start, end in found) == spans


def test_a_file_is_read_character_for_character(tmp_path: Path) -> None:
    file = tmp_path / "labelled.txt"
    file.write_text(
        "长 B-road\n江 I-road\n路 I-road\n5 B-roadno\n号 I-roadno\n\n甲 B-city\n乙 B-poi\n", encoding="utf-8"
    )
    assert list(labelled(file)) == [("长江路5号", {("road", 0, 3), ("roadno", 3, 5)}), ("甲乙", {("poi", 1, 2)})]
