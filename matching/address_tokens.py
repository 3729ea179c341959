"""Where numbered parts stand in an address: 18号, 3栋, 2单元, 501室, 3-2-501.

One pattern tells them all (TOKEN). It has many branches, so what is tried at a place goes by what stands there: behind
a number its mark decides (号, 栋, 室), and where a Chinese numeral is of a name (三里河) nothing is tried at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from matching.address_grammar import CN, HAN
from schemas.numerals import CHINESE, ROMAN

_LETTERED = r"[A-Za-z]{0,2}[0-9]{1,5}[A-Za-z]?"
_SMALL = rf"(?:{_LETTERED}|[A-Za-z]|{CN}{{1,5}})"  # a building's or a unit's number
_AFTER = rf"(?=$|[^{HAN}A-Za-z0-9]|[旁对附内隔楼门店商车地底阁储电东西南北左右后前家房出边户])"
_NOT_NAME = r"(?!面|店|口|卫|诊|市|厅|头|路|街|镇|县|村|乡|里|桥|山|湖)"

BRANCHES = {
    "phase": rf"(?:[0-9]{{1,2}}|{CN}{{1,3}}|[{ROMAN}]|I{{1,3}}|IV|V)期",
    "group": rf"(?:[0-9]{{1,3}}|{CN}{{1,3}})(?:村民小组|小组|组|队(?!部)|社(?!区|保|会))",
    "lane": rf"(?:[0-9]{{1,5}}|{CN}{{1,6}})(?:支弄|弄)",
    "building": (
        rf"{_SMALL}(?:号楼|号院楼|#楼|号?[栋幢]楼?|橦|撞(?!击)|懂(?!事))|(?:{_LETTERED}|[A-Za-z甲乙丙丁戊己庚辛]|{CN}{{1,3}}(?=座(?:[0-9]|{CN}{{1,3}}单[元无]|{CN}{{3,5}}(?:室|户|$))))座"
        rf"|[甲乙丙丁戊己庚辛](?:栋|幢|号?楼)|[东南西北前后左右][栋幢]|(?:[0-9]{{1,3}}|{CN}{{1,3}})排(?=[0-9{CHINESE}])"
    ),
    "unit": rf"(?:{_SMALL}|[甲乙丙丁东西南北中])单[元无]|(?:[0-9]{{1,2}}[A-Za-z]?|{CN}{{1,2}})(?:门{_NOT_NAME}(?=$|号?[-0-9{CHINESE}])|[梯口](?=[-0-9{CHINESE}])|梯$|U(?=[0-9]))",
    "floor": rf"(?:负|地下|B(?=[0-9](?:层|楼|F)))?(?:[0-9]{{1,3}}|{CN}{{1,5}})(?:楼层|层|楼(?!栋|盘)|[Ff](?![A-Za-z]))",
    "room": rf"(?:{_LETTERED}(?:-[0-9]{{1,2}}(?=[室房户]))?|{CN}{{1,6}})(?:号?室|号?房间?|号?户(?!主|籍|口)|号店?铺)|[东西南北中]{{1,2}}户",
    "yard": rf"(?:甲|乙|附)?(?:[0-9]{{1,5}}(?:-[0-9]{{1,3}})?|{CN}{{1,6}})号大?院(?!楼)",
    "hao": rf"(?:甲|乙|附|之)?(?:{_LETTERED}|{CN}{{1,6}})[号號](?![路线院])(?!大街|大道|公路)",
    "plate": rf"(?<=[路街道巷弄])(?:甲|乙)?[0-9]{{1,5}}(?:-[0-9]{{1,2}}(?=[{HAN}])(?![号栋幢座单楼室层]))?(?![0-9#期号弄栋幢座单层楼室米公国]|[A-Za-z](?![A-Za-z]))",
    "sharp": rf"{_LETTERED}#|[A-Za-z]#",
    "number": rf"{_LETTERED}{_AFTER}|[A-Za-z](?=-[0-9A-Za-z])|[零〇一二三四五六七八九]{{3,5}}$|(?<=[楼元栋幢座层#-])[0-9]{{3,4}}(?=[{HAN}])",
    "cellar": r"地下(?:室|车库)?(?=$|[0-9])|半地下(?:室)?",
}  # fmt: skip
_ORDINAL = rf"(?:第(?=[0-9{CHINESE}]{{1,4}}(?:号楼|[栋幢座层楼排期])))?(?<![A-Za-z])"


def _of(*kinds: str) -> re.Pattern[str]:
    told = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in BRANCHES.items() if kind in kinds)
    return re.compile(f"{_ORDINAL}(?:{told})")


TOKEN = _of(*BRANCHES)
_START = re.compile(rf"[0-9A-Za-z{CHINESE}{ROMAN}甲乙丙丁戊己庚辛东西南北中前后左右负地半附之第]")
_DIGITS = re.compile(r"[0-9]+")
_NUMERAL = re.compile(f"{CN}+")
_PLAIN = ("plate", "number")  # what a number without a mark may be
_MARKED = {
    "期": ("phase",), "村": ("group",), "小": ("group",), "组": ("group",), "队": ("group",), "社": ("group",),
    "支": ("lane",), "弄": ("lane",), "栋": ("building",), "幢": ("building",), "橦": ("building",),
    "撞": ("building",), "懂": ("building",), "座": ("building",), "排": ("building",), "单": ("unit",),
    "门": ("unit",), "梯": ("unit",), "口": ("unit",), "楼": ("floor",), "层": ("floor",), "室": ("room",),
    "房": ("room",), "户": ("room",), "号": ("building", "room", "yard", "hao"), "號": ("hao",),
    "-": ("room", "yard"), "#": ("building", "sharp"),
}  # fmt: skip
_BEHIND_DIGITS = {mark: _of(*kinds, *_PLAIN) for mark, kinds in _MARKED.items()}
_BEHIND_NUMERAL = {mark: _of(*kinds) for mark, kinds in _MARKED.items() if mark != "-"} | {
    "": _of("number"),
    "F": _of("floor"),
    "f": _of("floor"),
    "U": _of("unit"),
}
_UNMARKED = _of(*_PLAIN)
_BY_FIRST = (
    dict.fromkeys("东西南北中", _of("building", "unit", "room"))
    | dict.fromkeys("前后左右", _of("building"))
    | dict.fromkeys("负地半", _of("floor", "cellar"))
    | dict.fromkeys("附之", _of("yard", "hao"))
    | dict.fromkeys(ROMAN, _of("phase"))
)


def tokens(text: str, at: int) -> Iterator[re.Match[str]]:
    """The numbered parts from `at` on, in order; the name of the group that matched is the kind."""
    while start := _START.search(text, at):
        at = start.start()
        pattern = _pattern(text, at)
        found = pattern.match(text, at) if pattern else None
        if found:
            yield found
        at = found.end() if found else at + 1


def _pattern(text: str, at: int) -> re.Pattern[str] | None:
    """The branches of TOKEN that can match at `at`."""
    first = text[at]
    if run := _DIGITS.match(text, at):
        after = text[run.end() : run.end() + 1]
        if run.end() - at > 5 or (after.isascii() and after.isalpha()):
            return TOKEN
        return _BEHIND_DIGITS.get(after, _UNMARKED)
    if run := _NUMERAL.match(text, at):
        return _BEHIND_NUMERAL.get(text[run.end() : run.end() + 1])
    return _BY_FIRST.get(first, TOKEN)
