"""Folding of raw text cells, once per distinct value.

A feed's cell is text in any width, with control characters, spreadsheet apostrophes and words that mean "nothing here".
`fold` is what every kind begins with; `per_value` maps a function over a column at the cost of its distinct values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

LONGEST_FOLDED = 20_000  # characters; a longer cell is a document, and no rule reads beyond this

# C0/C1 controls, soft hyphen, zero-width and bidirectional marks, variation selectors, byte-order mark.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
REPLACEMENT = "\ufffd"

NULL_WORDS = frozenset(  # what clerks and programs write where there is nothing; compared in lower case
    re.findall(
        r"\S+",
        "null (null) none nil nan n/a #n/a na \\n undefined #value! #ref! - -- --- — —— _ / // \\ . 、 。 ? "
        "无 暂无 没有 无此项 空 空白 (空) 不详 不明 不清楚 未知 未填 未填写 未登记 未提供 未采集 未录入 "
        "待补 待补充 待查 待核实 待定 缺 缺失 缺省 默认 请选择",
    )
)


def fold(text: str) -> str:
    """NFKC, no invisible characters, lone surrogates as U+FFFD, white space single and trimmed."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if " " in text else text
    known = _SURROGATE.sub(REPLACEMENT, text[:LONGEST_FOLDED])
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", known))
    return _SPACES.sub(" ", visible).strip()


def is_null(folded: str) -> bool:
    """Whether a folded cell only says that there is nothing: "", 无, NULL, -, 不详 ..."""
    return not folded or (len(folded) < 10 and folded.lower() in NULL_WORDS)


def per_value(series: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    """`change` of each distinct value, mapped back to the rows as `str`; missing stays missing, None becomes missing.

    `series`: text of dtype `str` or `object` (the latter may hold lone surrogates, which `str` cannot).
    """
    numbers, distinct = pd.factorize(series)
    changed = pd.array([change(str(value)) for value in distinct.tolist()], dtype="str")
    return pd.Series(changed.take(numbers, allow_fill=True), index=series.index, name=series.name)


def test_values(series: pd.Series, test: Callable[[str], bool]) -> pd.Series:
    """`test` of each distinct value, mapped back to the rows as `bool`; missing is False."""
    numbers, distinct = pd.factorize(series)
    answers = np.fromiter((test(str(value)) for value in distinct.tolist()), dtype=bool, count=len(distinct))
    return pd.Series(np.append(answers, False)[numbers], index=series.index, dtype=bool)


def matches(series: pd.Series, pattern: str) -> pd.Series:
    """Whether the whole value matches `pattern`; `bool`, missing is False."""
    if not len(series):
        return pd.Series([], index=series.index, dtype=bool)
    return series.str.fullmatch(pattern).fillna(False).astype(bool)


def bytes_of(series: pd.Series, width: int) -> np.ndarray:
    """Values of exactly `width` ASCII characters as a uint8 matrix (rows, width); for arithmetic on digits."""
    raw = np.array(series.tolist(), dtype=f"S{width}") if len(series) else np.empty(0, dtype=f"S{width}")
    return raw.view(np.uint8).reshape(len(series), width)
