"""What is known about the characters of Chinese names: variants, readings, look-alikes, surnames.

Tables come from `schemas/data` (surname readings, look-alikes), OpenCC (variants) and pypinyin (readings); each
character is looked up once and remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from schemas.dictionaries import COLUMNS, lines

# Characters whose OpenCC "simplified" form is another name: 乾 (qian, not 干), 徵 (魏徵), 瞭, 藉, 著, 麴.
KEPT_VARIANTS = frozenset("乾徵瞭藉著麴於")
# What OpenCC leaves apart though one name is written both ways.
OWN_VARIANTS: Mapping[str, str] = {"锺": "钟", "䶮": "䶮", "龑": "䶮", "峯": "峰", "羣": "群"}
COMMON_SURNAMES = frozenset(  # those after which 老 and 小 make a way to call somebody, not a name
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
    "陆汪范廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤"
)


class Variants(dict[int, str]):
    """A translation table to simplified characters that fills itself as characters are met."""

    def __missing__(self, letter: int) -> str:
        text = chr(letter)
        known = text if text in KEPT_VARIANTS or letter < 0x2E80 else OWN_VARIANTS.get(text) or self._converted(text)
        self[letter] = known
        return known

    @staticmethod
    def _converted(text: str) -> str:
        found = str(_opencc().convert(text))
        return OWN_VARIANTS.get(found, found) if len(found) == 1 else text


SIMPLIFIED = Variants()


@cache
def _opencc() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@cache
def surname_readings() -> Mapping[str, str]:
    """Surname (one character or compound) -> its toneless reading, where the common one would be wrong or missing."""
    table = lines("surname", ("surname", "pinyin", *COLUMNS[2:]))
    return {surname: reading for _, (surname, reading, _, _) in table}


@cache
def compound_surnames() -> frozenset[str]:
    """欧阳, 司马, 尉迟 ...; surnames of two characters and more."""
    return frozenset(surname for surname in surname_readings() if len(surname) > 1)


@cache
def words(role: str) -> tuple[str, ...]:
    """Words that stand in a name's place or behind it: title (先生) | kin (女儿) | nameless (新生儿)."""
    return tuple(cells[0] for _, cells in lines("name_word", ("word", "role", *COLUMNS[2:])) if cells[1] == role)


@cache
def look_alikes() -> Mapping[str, frozenset[str]]:
    """Character -> characters it is mistaken for in writing."""
    groups = [cells[0] for _, cells in lines("look_alike", ("letters", *COLUMNS[2:]))]
    found: dict[str, frozenset[str]] = {}
    for group in groups:
        for letter in group:
            found[letter] = found.get(letter, frozenset()) | frozenset(group.replace(letter, ""))
    return found


@lru_cache(maxsize=65536)
def readings(letter: str) -> tuple[str, ...]:
    """Toneless readings of one character, the most common first; the character itself where it has none."""
    from pypinyin import Style, pinyin

    found = pinyin(letter, style=Style.NORMAL, heteronym=True, errors="default")
    return tuple(dict.fromkeys(str(reading).replace("ü", "v") for reading in found[0])) if found else (letter,)


@lru_cache(maxsize=65536)
def same_sound(one: str, two: str) -> bool:
    """Whether two characters share a reading, tones apart."""
    return one == two or not _sounds(one).isdisjoint(_sounds(two))


@lru_cache(maxsize=65536)
def _sounds(letter: str) -> frozenset[str]:
    extra = surname_readings().get(letter)
    every = readings(letter) + ((extra,) if extra else ())
    return frozenset(every)


@lru_cache(maxsize=65536)
def same_look(one: str, two: str) -> bool:
    """Whether two characters are mistaken for one another in writing."""
    return two in look_alikes().get(one, ())


def surname_of(folded: str) -> str:
    """The surname of a folded name: a compound one if a given name follows, the first segment of a dotted name, else
    the first character."""
    if "·" in folded:
        return folded.partition("·")[0]
    if len(folded) > 2 and folded[:2] in compound_surnames():
        return folded[:2]
    return folded if folded in compound_surnames() else folded[:1]
