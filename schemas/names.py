"""Names made comparable: one folded form and its parts; how far two of them agree says `schemas.name_levels`.

A folded name serves keys and comparisons only; the registered spelling is never overwritten. It is made of
characters, `·` between the parts of a minority name, ONE for one character that is not known (`?`, □, a private-use or
lost character, pinyin in place of a rare character) and MANY for one or more (张**, 王先生, 李某).
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.name_parts import (
    COMMON_SURNAMES,
    SIMPLIFIED,
    compound_surnames,
    readings,
    surname_of,
    surname_readings,
    words,
)
from schemas.text import fold, per_value

ONE, MANY = "?", "*"
LONGEST = 60  # characters of a cell that are read as a name; GB/T 31000 allows 50

_PLAIN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{2,4}")
_BRACKETS = re.compile(r"[(\[{<〈《【〔「『][^)\]}>〉》】〕」』]*[)\]}>〉》】〕」』]?")
_DOTS = re.compile(r" ?[•・‧∙⋅᛫⸱.] ?(?=[^\x00-\x7f])|(?<=[^\x00-\x7f]{2})[● ](?=[^\x00-\x7f]{2})")
_DECOMPOSED = re.compile("[⿰⿱⿴-⿻]..|[⿲⿳]...")
_LOST = re.compile("[?□▢◻\ufffd\ue000-\uf8ff\U000f0000-\U000ffffd]")
_MASKS = re.compile("[*×✱○◯●■█]|(?<![a-zA-Z])[xX](?![a-zA-Z])|(?<=[^\x00-\x7f])[xX]+$|(?<=.)某")
_LATIN = re.compile("[A-Za-zÀ-ɏ]+")
_JUNK = re.compile(r"[^\w·?*]|_")
_LETTER = re.compile(r"[^\W\d_]")
_COPY = re.compile(r"(?<=[^\x00-\x7f])(?:\d+|[A-Ea-e])$")
_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

_TITLES, _KIN_WORDS = "|".join(words("title")), "|".join(words("kin"))
_NAMELESS = frozenset(words("nameless"))
_TITLE = re.compile(rf"(.+?)(?:{_TITLES})")
_KIN = re.compile(rf"(.+?)(?:[之的](?:[子女妻夫母父孙]|{_KIN_WORDS})\d?|家?(?:{_KIN_WORDS})\d?)")
_ENDINGS = frozenset(word[-1] for role in ("title", "kin") for word in words(role)) | frozenset("子女夫母父孙")
_TITLE_ENDINGS = frozenset(word[-1] for word in words("title"))
_OPENINGS = frozenset("老小阿大")


class Parts(NamedTuple):
    """What one raw name says; the columns of `name_features`."""

    folded: str | None
    surname: str | None
    given: str | None
    pinyin: str | None
    kind: str
    wild: bool
    pointer: str | None


_EMPTY = Parts(None, None, None, None, "empty", False, None)


def fold_name(name: str) -> str:
    """The form two spellings of one Chinese name share: NFKC, simplified variants, one dot, no remarks, wildcards.

    A title leaves the surname and MANY; a name that points to a relative (李四妈, 张某之子) leaves "".
    """
    return name_parts(name).folded or ""


def fold_names(series: pd.Series) -> pd.Series:
    """`fold_name` of a column of raw names, once per distinct value; missing where nothing of a name is left."""
    return per_value(series, lambda name: name_parts(name).folded)


def name_features(series: pd.Series) -> pd.DataFrame:
    """The parts of each raw name, aligned with `series`, once per distinct value.

    Columns: `folded`; `surname` and `given` (of a dotted name first segment and rest; missing where unknown);
    `pinyin` (toneless, blank between characters, surnames by their own readings, wildcards as they are); `kind`
    full | title (王先生, 老王) | child_of (points to a relative: 张某之子, 李四妈) | display (no Chinese name: Latin) |
    masked (holds mask signs) | empty; `wild` (bool: holds a wildcard); `pointer` (the folded name it points to).
    """
    numbers, distinct = pd.factorize(series)
    columns = zip(*(_EMPTY, *map(name_parts, map(str, distinct.tolist()))), strict=True)
    found: dict[str, npt.NDArray[np.bool_] | pd.Series] = {}
    for field, values in zip(Parts._fields, columns, strict=True):
        if field == "wild":
            found[field] = np.array(values, dtype=bool)[numbers + 1]
        else:
            found[field] = pd.Series(list(values), dtype="str").iloc[numbers + 1].set_axis(series.index)
    return pd.DataFrame(found, index=series.index)


def name_parts(raw: str) -> Parts:
    """The parts of one raw name; the first LONGEST characters are read."""
    if (
        _PLAIN.fullmatch(raw)
        and raw not in _NAMELESS
        and raw[-1] not in _ENDINGS
        and raw[0] not in _OPENINGS
        and "某" not in raw
    ):
        return _named(raw.translate(SIMPLIFIED), "full")
    text = _bare(fold(raw[: 4 * LONGEST])[:LONGEST])
    if not text or not _LETTER.search(text.replace("某", "")) or text in _NAMELESS:
        return _EMPTY
    if not _HAN.search(text):
        return _foreign(text)
    kin = _KIN.fullmatch(text) if text[-1] in _ENDINGS or text[-1:].isdigit() else None
    if kin and (len(kin[1]) > 1 or "之" in text or "的" in text):
        return _pointing(kin[1])
    title = _title(text)
    if title:
        return title
    masked = _MASKS.search(text) is not None
    return _named(_wild(_COPY.sub("", text)), "masked" if masked else "full")


def _bare(text: str) -> str:
    """Without remarks in brackets, with one kind of dot, in simplified characters."""
    kept = _BRACKETS.sub("", text) or text
    dotted = _DOTS.sub("·", kept).strip("· ")
    parts = dotted.split("·")
    if len(parts) > 1 and len(dotted) < 6 and " " in kept:  # 张三 李四 are two names, but 欧阳 娜娜 is one with a gap
        dotted = "".join(parts)
    return (dotted if dotted.isascii() else dotted.replace(" ", "")).translate(SIMPLIFIED)


def _title(text: str) -> Parts | None:
    """王先生, 王小明先生, 老王; None for other names."""
    found = _TITLE.fullmatch(text) if text[-1] in _TITLE_ENDINGS else None
    if found and (len(found[1]) == 1 or found[1] in compound_surnames()):
        return _open(found[1])
    if found and len(found[1]) in (2, 3) and len(text) - len(found[1]) == 2 and text[0] not in _OPENINGS:
        return _named(_wild(found[1]), "full")
    if len(text) == 2 and text[0] in _OPENINGS and text[1] in COMMON_SURNAMES:
        return _open(text[1])
    return None


def _open(surname: str) -> Parts:
    return Parts(surname + MANY, surname, None, None, "title", True, None)


def _pointing(stem: str) -> Parts:
    """李四妈: no name of its own, but whose relative; the surname of the named one."""
    named = _wild(stem)
    return Parts(None, surname_of(named), None, None, "child_of", False, named)


def _foreign(text: str) -> Parts:
    """A name in another script: capitals, single blanks between words; no surname is guessed."""
    words = _JUNK.sub(" ", _LOST.sub(ONE, text.upper())).split()
    folded = " ".join(words)
    if not folded or not _LETTER.search(folded):
        return _EMPTY
    return Parts(folded, None, None, folded.lower(), "display", ONE in folded or MANY in folded, None)


def _wild(text: str) -> str:
    """Unknown characters as wildcards: ONE for a lost character, MANY for a run of masks or of lost characters."""
    if text.isalpha() and not _LATIN.search(text) and "某" not in text and not _LOST.search(text):
        return text
    marked = _LOST.sub(ONE, _DECOMPOSED.sub(ONE, text))
    marked = _LATIN.sub(ONE, _MASKS.sub(MANY, marked))
    marked = re.sub(r"\?{2,}|[?*]*\*[?*]+|\*$", MANY, _JUNK.sub("", marked))
    return (
        re.sub(r"(?<!^)\*(?!$)|^\*(?=[^*]+$)", ONE, marked) if marked.count(MANY) == 1 and "**" not in text else marked
    )


def _named(folded: str, kind: str) -> Parts:
    surname = surname_of(folded)
    given = folded[len(surname) :].lstrip("·")
    wild = ONE in folded or MANY in folded
    if not _LETTER.search(folded):
        return _EMPTY
    known = surname if surname.strip(ONE + MANY) else None
    return Parts(folded, known, given or None, spelt_name(surname, given), kind, wild, None)


def spelt_name(surname: str, given: str) -> str:
    """Toneless readings with a blank between characters, a surname by its own one; wildcards stay as they are."""
    own = surname_readings().get(surname)
    letters = [own] if own else [readings(letter)[0] for letter in surname]
    return " ".join(letters + [readings(letter)[0] for letter in given if letter != "·"])
