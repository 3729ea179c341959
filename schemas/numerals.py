"""Numbers as Chinese addresses write them, as plain decimal text: 三 叁 〇 廿 两 Ⅱ, 一百零二, 五零一, 03."""

from __future__ import annotations

from functools import lru_cache

CHINESE = "零〇○一二两三四五六七八九十廿卅百壹贰叁肆伍陆柒捌玖拾"
ROMAN = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ"
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_DIGITS |= {c: i for i, c in enumerate("壹贰叁肆伍陆柒捌玖", start=1)}
_TENS = {"十": 10, "拾": 10, "廿": 20, "卅": 30, "百": 100}
_ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5"} | {c: str(i) for i, c in enumerate(ROMAN, start=1)}


@lru_cache(maxsize=16384)
def decimal(text: str) -> str:
    """The number in plain digits without leading zeros; letters stay, in upper case; what is no number stays as it is.

    >>> [decimal(t) for t in ("三", "廿三", "一百零二", "五零一", "0501", "a", "Ⅱ", "十")]
    ['3', '23', '102', '501', '501', 'A', '2', '10']
    """
    if text.isascii():
        return _ROMAN.get(text) or text.upper().lstrip("0") or text[:1]
    if text in _ROMAN:
        return _ROMAN[text]
    if all(c in _DIGITS for c in text):
        return "".join(str(_DIGITS[c]) for c in text).lstrip("0") or "0"
    if all(c in _DIGITS or c in _TENS for c in text):
        return str(_counted(text))
    return text.upper().lstrip("0")


def _counted(text: str) -> int:
    total, held = 0, 0
    for c in text:
        if c in _DIGITS:
            held = _DIGITS[c]
        elif c in ("廿", "卅"):
            total += _TENS[c]
        else:
            total += (held or 1) * _TENS[c]
            held = 0
    return total + held
