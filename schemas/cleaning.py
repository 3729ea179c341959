"""From a feed's cell to canonical text, one function a kind.

Each takes one folded cell (see `schemas.text.fold`) and returns its canonical text, the cell itself where it is not
understood (a rule will say so), or None where it says that there is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from schemas.codes import parse, verify
from schemas.dates import to_date, to_datetime
from schemas.dictionaries import dictionary
from schemas.text import fold, is_null, per_value

MOST_PASSES = 6  # over one cell; two settle all but contrived ones
LONGEST_NUMBER = 64  # characters; a longer cell is no number and is left as it is

_STARS = re.compile(r"[●○◯•■□✱✲∗﹡＊]")
_SEPARATORS = re.compile(r"[\s\-‐‑‒–—―_'’‘`´\"“”()\[\]{}<>《》:;,、/\\|·]+")
_LABEL = re.compile(r"^(?:居民身份证|公民身份号码|身份证|证件|护照|通行证)(?:号码|号)?")
_FLOAT_TAIL = re.compile(r"(\d+)\.0{1,2}")
_XS = re.compile(r"X{3,}|×{2,}")
_PHONE_SPLIT = re.compile(r"[;；,，、/|\n]|(?<=\d{4}) +(?=0?1\d{10}|1\d\d[ -]\d{4}[ -]\d{4})|或|和")
_COUNTRY = re.compile(r"^(?:\+|00)?86(?=1[3-9]\d{9}$|0?[1-9]\d{8,11}$)")
_LANDLINE = re.compile(r"(0(?:10|2\d|[3-9]\d{2}))([1-9]\d{6,7})")
_EXTENSION = re.compile(r"(?:转|ext\.?|x|分机|#).*$", re.IGNORECASE)
_DMS = re.compile(r"(?<![\d.])(\d{1,3})[°度] ?(?:(\d{1,2}(?:\.\d+)?)['′分])?(?:(\d{1,2}(?:\.\d+)?)(?:\"|″|''|秒))?")
_HEMISPHERE = re.compile(r"(?:东经|北纬|西经|南纬|经度|纬度|[NSEWnsew度°:])")
_NAME_DOT = re.compile(
    r" ?[•・‧∙⋅᛫⸱・·] ?|(?<=[^\x00-\x7f]{2})●(?=[^\x00-\x7f]{2})|(?<=[^\x00-\x7f]) ?\. ?(?=[^\x00-\x7f])"
)
# 张 三 is one name with a gap; in 古丽米热 艾比布力 the blank parts two names and stays.
_GAP = re.compile(r"(?<=[^\x00-\x7f]) (?![^\x00-\x7f]{2})|(?<![^\x00-\x7f]{2}) (?=[^\x00-\x7f])")
_ANY_GAP = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")
LONGEST_HAN = 6  # characters of a Chinese name with a gap inside: 欧阳 娜娜 has 5
_TITLE_CASE_NAMES = frozenset(("Na", "Nan", "Nil"))


@dataclass(frozen=True)
class Clean:
    """A kind's cleaning: of one raw value by `one`, of a raw column once per distinct value."""

    one: Callable[[str], str | None]

    def __call__(self, series: pd.Series) -> pd.Series:
        """The canonical column."""
        return per_value(series, self.one)


def column(change: Callable[[str], str | None], *, words_first: bool = False) -> Clean:
    """A kind's `clean`: fold, drop words that mean nothing, then `change`, on distinct values.

    words_first: `change` sees null-like words too and decides itself: 未知 is a sex, Na a name.
    """

    def once(raw: str) -> str | None:
        folded = fold(raw)
        return change(folded) if words_first or not is_null(folded) else None

    def settled(raw: str) -> str | None:
        """Cleaned until cleaning changes nothing more, so that a canonical value is its own canonical form."""
        for _ in range(MOST_PASSES):
            found = once(raw)
            if found is None or found == raw:
                return found
            raw = found
        return raw

    return Clean(settled)


def text(folded: str) -> str:
    """Free text as it is."""
    return folded


def coded(name: str) -> Callable[[str], str | None]:
    """A cleaner that looks words and codes up in `schemas/data/<name>.tsv`; others stay as folded text."""

    def look_up(folded: str) -> str | None:
        if len(folded) > LONGEST_NUMBER:
            return folded
        key = folded.lower().removesuffix(".0")
        codes = dictionary(name)
        found = codes.get(key) or codes.get(key.replace(" ", "")) or _code_with_word(key, codes)
        return found or (None if is_null(folded) else folded)

    return look_up


def _code_with_word(key: str, codes: Mapping[str, str]) -> str | None:
    """'01汉族', '1-男', '02:户主': a code beside its word, if both mean the same."""
    found = re.fullmatch(r"(\d{1,3})\W*(\D+)", key)
    if not found:
        return None
    by_code, by_word = codes.get(found[1]), codes.get(found[2].strip(" )-:"))
    return by_word if by_code == by_word else None


def name(folded: str) -> str | None:
    """A person's name: trimmed, the dot of minority names as U+00B7, no gap inside a Chinese name."""
    if is_null(folded) and folded not in _TITLE_CASE_NAMES:
        return None
    if folded.isascii():
        return folded
    dotted = _NAME_DOT.sub("·", folded)
    return (_GAP if len(dotted) > LONGEST_HAN else _ANY_GAP).sub("", dotted)


def id_number(folded: str) -> str | None:
    """A document number: capitals, no spaces, separators, quotes, labels or '.0'; masked parts as stars."""
    if len(folded) > LONGEST_NUMBER:
        return folded
    if folded.isalnum() and folded.isascii():
        bare = folded.upper()
    else:
        if re.fullmatch(r"\d(?:\.\d+)?[eE]\+?\d{1,2}", folded.strip("' ")):
            return re.sub(r"E\+?", "E+", folded.strip("' ").upper())
        bare = _SEPARATORS.sub("", _STARS.sub("*", folded)).upper()
        bare = _LABEL.sub("", re.sub(r"(?<=\d{17})×$", "X", bare)) or bare
        if found := _FLOAT_TAIL.fullmatch(bare):
            bare = found[1]
    bare = _XS.sub(lambda run: "*" * len(run[0]), bare) if "XXX" in bare or "×" in bare else bare
    return None if not bare.strip("0") or is_null(bare) else bare


def number(folded: str) -> str | None:
    """A number or code: no spaces, leading apostrophe, or '.0' that a spreadsheet left behind an integer."""
    if len(folded) > LONGEST_NUMBER:
        return folded
    bare = folded.replace(" ", "").lstrip("'’‘`").upper()
    found = _FLOAT_TAIL.fullmatch(bare)
    bare = found[1] if found else bare
    return None if is_null(bare) else bare


def uscc(folded: str) -> str | None:
    """A social credit code: capitals and digits without separators."""
    if len(folded) > LONGEST_NUMBER:
        return folded
    bare = re.sub(r"^统一社会信用代码", "", _SEPARATORS.sub("", folded)).upper()
    return None if not bare.strip("0") or is_null(bare) else bare


def registry_code(folded: str) -> str | None:
    """A code of a registry in its stored form; one that is none stays, for its rule to fail."""
    if is_null(folded):
        return None
    return str(parse(folded)) if verify(folded) else folded.upper()


def phone(folded: str) -> str | None:
    """The first number of the cell as digits, a landline as area-number, +86 and extensions removed."""
    if len(folded) == 11 and folded.isdigit() and folded[0] == "1":
        return folded
    if len(folded) > 10 * LONGEST_NUMBER:
        return folded
    first = next((part for part in _PHONE_SPLIT.split(folded) if sum(map(str.isdigit, part)) >= 7), folded)
    bare = _one_phone(first)
    if not bare or not bare.strip("0"):
        return None if not re.sub(r"[\s0.\-]", "", folded) else folded
    return bare


def _one_phone(part: str) -> str:
    digits = re.sub(r"\.0$", "", _EXTENSION.sub("", part).strip())
    if re.fullmatch(r"\d(?:\.\d+)?[eE]\+?\d{1,2}", digits):
        return digits.upper()
    starred = "*" in digits
    digits = re.sub(r"[^\d*]" if starred else r"\D", "", digits)
    digits = _COUNTRY.sub("", digits)
    if re.fullmatch(r"01[3-9]\d{9}", digits):
        return digits[1:]
    if len(digits) in (9, 10, 11) and digits[0] not in "014":
        digits = "0" + digits
    found = _LANDLINE.fullmatch(digits)
    return f"{found[1]}-{found[2]}" if found else digits


def birth_date(folded: str) -> str | None:
    """ISO date, or a partial one; zero dates are missing."""
    return None if not folded.strip("0-/.: T") else to_date(folded)


def moment(folded: str) -> str | None:
    """ISO date and time; zero dates are missing."""
    return None if not folded.strip("0-/.: T") else to_datetime(folded)


def coordinate(folded: str) -> str | None:
    """A longitude or latitude in decimal degrees; 118°22′30″ is converted."""
    if len(folded) > LONGEST_NUMBER:
        return folded
    if found := _DMS.search(folded):
        degrees, minutes, seconds = (float(part or 0) for part in found.groups())
        return f"{degrees + minutes / 60 + seconds / 3600:.7f}".rstrip("0").rstrip(".")
    bare = _HEMISPHERE.sub("", folded).strip(" '\"")
    return bare if re.fullmatch(r"[+-]?\d{1,9}(\.\d+)?", bare) else folded
