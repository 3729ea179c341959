"""Where an estate is said to be: road and number, and the district its address begins with."""

from __future__ import annotations

import re

import pandas as pd

from schemas.numerals import CHINESE, decimal
from schemas.text import fold, per_value

NEAR = 700.0  # metres: what two maps' datums and hand-set pins may differ for one estate
SHARED = 3  # rows of one feed at one position: a quarter's middle, not the estate's own
FREQUENT_HINT = 20  # addresses that must begin with a word between separators before it counts as a district

_ROAD = r"[\u3400-\u9fff]{1,8}?(?:大道|大街|公路|胡同|[路街巷弄])(?:[东南西北中]段|[一二三四五六七八九十]{1,2}(?:路|街|巷))?"
_GATE = re.compile(
    rf"(?P<road>{_ROAD})(?:(?P<number>特?[0-9]{{1,4}}|[{CHINESE}]{{1,5}})(?P<sub>(?:附|-)[0-9]{{1,3}})?号(?P<beside>附[0-9]+)?)?"
)
_AREA = re.compile(r"^[\u3400-\u9fff]{2,7}?(?:自治州|市|区|县|旗|街道|镇|乡)(?=[\u3400-\u9fff]{3})")
_HINT = re.compile(r"^(?:\(([^()]{2,6})\)|([\u3400-\u9fff]{2,6})-|([\u3400-\u9fff]{2,4})[区县市])")


def coarse_points(rows: pd.DataFrame) -> pd.Series:
    """Whether a row's position is one that its feed gives to SHARED rows or more."""
    return rows.groupby(["source", "east", "north"])["rid"].transform("size") >= SHARED


def estate_gates(rows: pd.DataFrame) -> pd.DataFrame:
    """`at` (row position), `road`, `gate` (road|number, missing for no number): what a row's address and name write."""
    frames = []
    for name in ("address", "name"):
        plain = per_value(rows[name], lambda text: _unhinted(fold(text)))
        found = plain.reset_index(drop=True).str.extractall(_GATE)
        beside = found["sub"].fillna("") + found["beside"].fillna("")
        found["gate"] = found["road"] + "|" + found["number"].map(decimal, na_action="ignore").astype("str") + beside
        frames.append(found[["road", "gate"]].assign(at=found.index.get_level_values(0).astype("int64")))
    return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)


def _unhinted(text: str) -> str:
    """The address without the areas before its road: `(…)`, `…-`, and areas that say what they are."""
    text = re.sub(r"^\([^()]*\)", "", text)
    text = re.sub(r"^(?:[\u3400-\u9fff]{2,8}-){1,3}", "", text)
    for _ in range(3):
        text = _AREA.sub("", text)
    return text


def read_districts(addresses: pd.Series) -> pd.Series:
    """The district each address begins with, missing where none; the words are those the addresses themselves set off."""
    codes, texts = pd.factorize(addresses)
    plain = pd.Series([fold(str(text)) for text in texts], dtype="str")
    said = plain.str.extract(_HINT).bfill(axis=1)[0].astype("str").str.replace(r"[区县市]$", "", regex=True)
    counts = pd.Series(said.to_numpy()[codes[codes >= 0]], dtype="str").value_counts()
    words = sorted(
        (str(word) for word, n in counts.items() if n >= FREQUENT_HINT and len(str(word)) >= 2),
        key=lambda word: (-len(word), word),
    )
    if not words:
        return pd.Series(pd.NA, index=addresses.index, dtype="str")
    begins = re.compile(rf"^\(?({'|'.join(map(re.escape, words))})")
    found = plain.str.extract(begins)[0].astype("str")
    return found.reindex(codes).set_axis(addresses.index)
