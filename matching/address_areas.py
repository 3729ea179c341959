"""The administrative head of an address: province, city, district, town, community, grid.

A city's, county's or town's name without its suffix counts only where the parts around it say that an area is meant.
An area is only read where it is written: the feed's division allows its own names to be shortened, nothing is guessed
from it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from matching.address_grammar import ESTATE_AFTER_ROAD, HAN, ROAD, ROAD_MARK
from matching.divisions import division_names, is_town_of, name_lengths, town_lengths
from schemas.numerals import CHINESE

Span = tuple[str, int, int]
_NUMBER = rf"(?:[0-9]{{1,3}}|[{CHINESE}]{{1,4}})"
_NAME = re.compile(rf"[{HAN}]{{4}}")
_NO_OWN_NAME = re.compile(  # what bears the town's name and none of its own: 洪家钢材市场, 东洲工业园
    rf"[{HAN}]{{0,4}}?(?:工业|功能区|基地|创业园|科技园|科创园|派出所|信用社|供销|卫生院|幼儿园|中心小学|中心小?学|市场|汽车|车站)"
)
_SKIP = re.compile(r"[-_,.;:/、·|]*(?:市辖区|县辖区|其[它他]区|null|NULL|城区(?=[^0-9A-Za-z]{3}))?[-_,.;:/、·|]*")
_SKIPPED = frozenset("-_,.;:/、·|市县其nN城")
_PROVINCES = frozenset(
    [
        "河北",
        "山西",
        "辽宁",
        "吉林",
        "黑龙",
        "江苏",
        "浙江",
        "安徽",
        "福建",
        "江西",
        "山东",
        "河南",
        "湖北",
        "湖南",
        "广东",
        "海南",
        "四川",
        "贵州",
        "云南",
        "陕西",
        "甘肃",
        "青海",
        "台湾",
        "内蒙",
        "广西",
        "西藏",
        "宁夏",
        "新疆",
        "北京",
        "上海",
        "天津",
        "重庆",
        "中国",
        "中华",
    ]
)
_HEAD = re.compile(r"(?:[^0-9]|[0-9]{1,3}(?=号?大?[路街道巷国省县乡线]))*")
_CITIES = frozenset(("北京", "上海", "天津", "重庆"))
_ROADS = frozenset("路街巷")
_COUNTRY = re.compile(r"(?:中华人民共和国|中国)(?=[^A-Za-z0-9银移电联石建农人工民邮])")
_PROVINCE = re.compile(
    r"(?:河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾)省?"
    r"|内蒙古(?:自治区)?|广西(?:壮族自治区)?|西藏(?:自治区)?|宁夏(?:回族自治区)?|新疆(?:维吾尔自治区)?|(?:北京|上海|天津|重庆)市?"
)
_ANY_DISTRICT = re.compile(
    rf"[{HAN}]{{2,3}}?(?<![小社园新校厂矿库街住民])(?<![一二三四五六七八九十东西南北中])[区县](?=[{HAN}])(?![路街巷道])"
)
_ANY_CITY = re.compile(rf"[{HAN}]{{2,3}}?(?<![超城夜门都菜县镇乡])市(?=[{HAN}])(?![场民政区中北南东西])")
_TOWN = re.compile(
    rf"[{HAN}]{{2,6}}?(?:街道?办事处|街道?办(?!公)|街道(?!路))|(?![^镇乡]{{0,5}}[路街巷村][^镇乡])[{HAN}]{{1,4}}?(?:镇(?![中东西南北江海平]?[路街道巷]|[政人]|江)|乡(?!村|[镇路]))"
)
_TOWN_MARK = re.compile("[街镇乡]")
_COMMUNITY = re.compile(
    rf"[{HAN}]{{2,8}}?(?:社区居民委员会|社区居委会|村民委员会|居民委员会|居委会|村委会|社区村?)(?![卫服医活])"
)
_GRID = re.compile(rf"第?{_NUMBER}号?网格|[{HAN}]{{0,6}}第{_NUMBER}网格")
_NAME_GOES_ON = re.compile(
    r"[路街道巷弄里苑园城府庄村镇乡湾]|[山湖江河](?=[路大花])|(?:[东西南北中][路街大]|[大小]厦|大[道街学桥]|新[村城苑]|饭店|宾馆|酒店|商[城场]|银行|中路)"
)


def read_areas(text: str, division: str) -> tuple[list[Span], int]:
    """The area parts at the beginning of `text` and where they end; a prefix written twice is read twice.

    division: the code the text is read in ("" unknown). What begins an address alike is read once: areas end before the
    first number, but for that of a grid.
    """
    head = None if "网格" in text else _HEAD.match(text)
    spans, at = _areas(text[: head.end() + 1] if head else text, division)
    return [*spans], at


@lru_cache(maxsize=8192)
def _areas(text: str, division: str) -> tuple[list[Span], int]:
    spans: list[Span] = []
    at = 0
    codes: tuple[str, ...] = (division[:4],) if division else ()
    seen: set[str] = set()  # labels, and the codes of named areas
    while at < len(text):
        at = _skip(text, at)
        step = (
            _province(text, at, seen)
            or _named(text, at, codes, seen)
            or _known_town(text, at, codes, seen)
            or _plain(text, at, seen)
        )
        if step is None:
            break
        label, end = step[0], step[1]
        codes = _within(step[2], codes)
        spans.append((label, at, end))
        seen.update((label, *step[2]))
        at = end
    return spans, at


def _within(found: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The codes a name may mean after what was read before it: of the 朝阳 of many provinces those of this city."""
    if not found or not known:
        return found or known
    if len(found) > 1:
        found = tuple([code for code in found if code.startswith(known)]) or found
    return found


Step = tuple[str, int, tuple[str, ...]]


def _skip(text: str, at: int) -> int:
    if text[at] not in _SKIPPED:
        return at
    found = _SKIP.match(text, at)
    end = found.end() if found else at
    return end if end < len(text) else at


def _province(text: str, at: int, seen: set[str]) -> Step | None:
    if text[at : at + 2] not in _PROVINCES:
        return None
    if found := _COUNTRY.match(text, at):
        whole = found.end() - at > 2 or _PROVINCE.match(text, found.end()) or _next_is_area(text, found.end(), ())
        return ("country", found.end(), ()) if whole else None
    found = _PROVINCE.match(text, at)
    if not found or found.end() == len(text) or (found.end() - at > 3 and found.group()[-1] not in "省区市"):
        return None
    whole = found.group()[-1] in "省区市"
    if not whole and (_NAME_GOES_ON.match(text, found.end()) or _road_here(text, at, found.end())):
        return None
    city = found.group() in _CITIES and not seen
    if not whole and not city and not _next_is_area(text, _skip(text, found.end()), ()):
        return None  # the name of a firm or a school: 浙江工商大学
    return "province", found.end(), ()


def _road_here(text: str, at: int, end: int) -> bool:
    """Whether the name at `at` is a road's: 中山北路, 余杭塘路."""
    if not ROAD_MARK.search(text, at, end + 2):
        return False
    found = ROAD.match(text, at)
    return found is not None and found.end() <= end + 2


def _named(text: str, at: int, codes: tuple[str, ...], seen: set[str]) -> Step | None:
    names, left = division_names(), len(text) - at
    for length in name_lengths().get(text[at : at + 2], ()):
        known = names.get(text[at : at + length]) if length <= left else None
        if known is None:
            continue
        end = at + length
        if end == len(text) and text[-1] not in "市区县":
            continue
        whole = text[end - 1] in "市区县州旗盟" and length > 2
        if _accepted(text, at, end, known, codes, seen, whole=whole):
            city = all(len(code) == 4 for code in known) or ("city" not in seen and len(known[0]) == 4)
            return ("city" if city else "district"), end, known
    return None


def _accepted(
    text: str, at: int, end: int, known: tuple[str, ...], codes: tuple[str, ...], seen: set[str], *, whole: bool
) -> bool:
    if whole:
        return text[end : end + 1] not in _ROADS
    inner = _next_is_area(text, end, known)  # 台州路桥区 is no 台州路
    goes_on = _NAME_GOES_ON.match(text, end) or ESTATE_AFTER_ROAD.match(text, end) or _road_here(text, at, end)
    if goes_on and not inner:
        return False
    if not seen.isdisjoint(known):
        # the prefix is written twice, or it is of an office's name: 敦煌市敦煌国土资源局
        return _road_follows(text, end) or bool(_town(text, end)) or inner
    inside = any(code[: len(near)] == near or near[: len(code)] == code for code in known for near in codes)
    if seen & {"city", "province"}:
        return (inside or "city" not in seen) and not ({"town", "community", "district"} & seen)
    if _road_follows(text, end):
        return True
    follows = bool(_town(text, end)) or inner
    return follows or (len(known[0]) == 4 and not seen and len(text) - end >= 4)


def _road_follows(text: str, at: int) -> bool:
    """Whether a road of a name of its own follows: in 海宁农丰路 the road is 农丰路, in 中山北路 it is no 北路."""
    if not ROAD_MARK.search(text, at, at + 5):
        return False
    road = ROAD.match(text, at)
    return road is not None and 3 <= len(road["road"]) <= 5 and text[at] not in "东西南北中大门外内小"


def _next_is_area(text: str, at: int, known: tuple[str, ...]) -> bool:
    """Whether a city or county follows, within one of the `known` codes if there are any."""
    names, near = division_names(), tuple(code[:4] for code in known)
    lengths = [length for length in name_lengths().get(text[at : at + 2], ()) if length <= 4]
    codes = (code for length in lengths for code in names.get(text[at : at + length], ()))
    return any(not near or code.startswith(near) for code in codes)


def _known_town(text: str, at: int, codes: tuple[str, ...], seen: set[str]) -> Step | None:
    """A town of the city just written, its suffix left out (苍南钱库工贸路585号), where a name of its own follows."""
    if "town" in seen or seen.isdisjoint(("city", "district")):
        return None
    for length in town_lengths().get(text[at : at + 2], ()):
        if not codes or length > len(text) - at or not is_town_of(text[at : at + length], codes):
            continue
        end = at + length
        if text[end - 1] in "镇乡道" or end == len(text):
            return "town", end, ()
        alone = any(pattern.match(text, end) for pattern in (_NAME_GOES_ON, ESTATE_AFTER_ROAD, _NO_OWN_NAME))
        if (
            not alone
            and not _road_here(text, at, end)
            and (_road_follows(text, end) or ("district" in seen and _NAME.match(text, end)))
        ):
            return "town", end, ()
    return None


def _town(text: str, at: int) -> re.Match[str] | None:
    return _TOWN.match(text, at) if _TOWN_MARK.search(text, at + 1, at + 9) else None


def _plain(text: str, at: int, seen: set[str]) -> Step | None:
    ahead = text[at : at + 20]  # the patterns are tried only where their marks stand
    if "市" in ahead[2:4] and not ({"city", "district", "town"} & seen) and (found := _ANY_CITY.match(text, at)):
        return "city", found.end(), ()
    county = "区" in ahead[2:4] or "县" in ahead[2:4]
    if county and not ({"district", "town", "community"} & seen) and (found := _ANY_DISTRICT.match(text, at)):
        return "district", found.end(), ()
    if (found := _town(text, at)) and not ("town" in seen and "community" in seen):
        return "town", found.end(), ()
    if "网格" in ahead and (found := _GRID.match(text, at)):
        return "grid", found.end(), ()
    return _community(text, at) if "社区" in ahead or "委" in ahead else None


def _community(text: str, at: int) -> Step | None:
    found = _COMMUNITY.match(text, at)
    return ("community", found.end(), ()) if found and not ROAD.match(found.group()) else None
