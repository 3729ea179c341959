"""What others reach on the town's people: joining on the exact valid id number, and a plain Splink script.

`python -m bench.baselines DIR` prints both. The Splink script is what a practitioner writes in an hour: light cleaning,
the comparisons of the library with term frequencies, EM, a threshold of 0.95 fixed in advance, connected components.
"""

from __future__ import annotations

import argparse
import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
from stdnum.iso7064 import mod_11_2

from bench.feeds import read_people
from bench.score import KEY, Scores, pairwise
from bench.splink_peer import Script, clusters_of

PLACEHOLDERS = re.compile(r"(\d)\1{9,}|000000$|^123456789")
ADMIN = re.compile(
    r"^(?:安徽省)*(?:芜湖市)?(?:安徽省芜湖市)?(?:镜湖区)?(?:云亭街道)?(?:.{2,3}(?:社区居委会|社区|村委会|村(?!.{0,3}组)))?"
)


def clean(people: pd.DataFrame) -> pd.DataFrame:
    """An hour's cleaning: widths and blanks folded, numbers without their marks, bad values blanked. Adds columns, texts or missing."""
    out = people[KEY].copy()
    out["unique_id"] = range(len(out))
    out["name"] = _each(people["name"], _name)
    out["id_number"] = _each(people["id_number"], _id)
    out["valid_id"] = _each(out["id_number"], lambda number: number if _valid(number) else None)
    out["birth"] = _each(people["birth_date"], _date)
    out["sex"] = people["sex"].map({"1": "1", "2": "2", "男": "1", "女": "2", "M": "1", "F": "2"})
    out["phone"] = _each(people["phone"], _phone)
    out["address"] = _each(people["address"], _address)
    return out


def _each(values: pd.Series, function: Any) -> pd.Series:
    """The function over the distinct values; missing stays missing."""
    known = {value: function(value) for value in values.dropna().unique()}
    return values.map(known).astype("str")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "").strip("'")


def _name(text: str) -> str | None:
    return re.sub(r"\(.*?\)|\d+$", "", _fold(text)) or None


def _id(text: str) -> str | None:
    number = _fold(text).upper()
    if "*" in number or "E+" in number or len(number) < 8 or PLACEHOLDERS.search(number):
        return None
    if re.fullmatch(r"\d{15}", number):
        number = number[:6] + "19" + number[6:]
        number += mod_11_2.calc_check_digit(number)
    return number


def _valid(number: str) -> bool:
    return bool(re.fullmatch(r"\d{17}[\dX]", number)) and mod_11_2.is_valid(number)


def _date(text: str) -> str | None:
    parts = re.findall(r"\d+", _fold(text))
    if len(parts) == 1 and len(parts[0]) == 8:
        parts = [parts[0][:4], parts[0][4:6], parts[0][6:]]
    if len(parts) < 3 or parts[0] == "1900":
        return None
    return f"{parts[0]}-{int(parts[1]):02}-{int(parts[2]):02}"


def _phone(text: str) -> str | None:
    found = re.search(r"1[3-9]\d{9}", re.sub(r"[\s-]", "", _fold(text)))
    return found[0] if found and found[0] != "13800138000" else None


def _address(text: str) -> str | None:
    bare = re.sub(r"\(.*?\)", "", ADMIN.sub("", _fold(text)))
    bare = re.sub(r"[栋幢座#/]|号楼", "-", bare)
    return re.sub(r"单元|门", "-", re.sub(r"[室户]$", "", bare)) or None


def exact_id(people: pd.DataFrame) -> pd.Series:
    """Rows with the same valid id are one person, all others stand alone. Labels, aligned with the cleaned rows."""
    return people["valid_id"].where(people["valid_id"].notna(), "row " + people["unique_id"].astype(str))


def plain_splink(people: pd.DataFrame) -> pd.Series:
    """The clusters of Splink 5 over the cleaned rows, labels aligned with them."""
    return clusters_of(people.drop(columns=[*KEY, "valid_id", "unique_id"]), _script())


def _script() -> Script:
    import splink.comparison_library as compare

    comparisons = [
        compare.LevenshteinAtThresholds("name", [1]).configure(term_frequency_adjustments=True),
        compare.LevenshteinAtThresholds("id_number", [1, 2]),
        compare.LevenshteinAtThresholds("birth", [1, 2]).configure(term_frequency_adjustments=True),
        compare.ExactMatch("sex"),
        compare.LevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
        compare.JaroWinklerAtThresholds("address", [0.97, 0.9]).configure(term_frequency_adjustments=True),
    ]
    keys = [
        ("id_number",),
        ("name", "birth"),
        ("name", "phone"),
        ("name", "address"),
        ("phone", "birth"),
        ("address", "birth"),
    ]
    return Script(comparisons, keys, [("id_number",), ("name", "phone")], [("id_number",), ("name", "birth")])


def compare(town: Path) -> dict[str, tuple[Scores, float]]:
    """Both baselines over all rows that map a person: their scores and seconds."""
    truth = pd.read_parquet(town / "truth" / "records.parquet")
    truth = truth[truth["person"].notna()][[*KEY, "person"]]
    started = time.perf_counter()
    people = clean(read_people(town))
    cleaned = time.perf_counter() - started
    results = {}
    for name, method in (("exact valid id", exact_id), ("plain Splink 5", plain_splink)):
        started = time.perf_counter()
        found = people[KEY].assign(found=method(people))
        joined = truth.merge(found, on=KEY, how="left")
        results[name] = pairwise(joined["person"], joined["found"]), cleaned + time.perf_counter() - started
    return results


def main() -> None:
    """Print a line a baseline."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.baselines", description="Exact id and plain Splink on the town's people."
    )
    parser.add_argument("town", type=Path, help="folder made by python -m town --out")
    print(f"{'':16}{'F1':>8}{'precision':>11}{'recall':>9}{'seconds':>9}")
    for name, (scores, seconds) in compare(parser.parse_args().town).items():
        print(f"{name:16}{scores.f1:8.4f}{scores.precision:11.4f}{scores.recall:9.4f}{seconds:9.1f}", flush=True)


if __name__ == "__main__":
    main()
