"""The grammar of Chinese addresses as compiled patterns: the head (areas, road, lane, village) and the tail (building to room).

Element classes follow GA/T 2000.32 and the local rule sets of city police; writing variants are those seen in
hand-kept lists: 3-2-501, 3#2-501, 3号楼2门501, 120弄5号302室, 18号院3号楼. Numbers are exact, names are not judged here.
"""

from __future__ import annotations

import re

from matching.numerals import CHINESE

_HAN = r"\u3400-\u9fff"
_CN = f"[{CHINESE}]"
NUMBER = rf"(?:[0-9]{{1,5}}|{_CN}{{1,6}})"
BUILDING = rf"(?:[0-9]{{1,4}}[A-Za-z]?|[A-Za-z][0-9]{{0,3}}|{_CN}{{1,5}}|[甲乙丙丁戊])"
UNIT = rf"(?:[0-9]{{1,2}}|[A-Za-z]|{_CN}{{1,3}}|[甲乙丙丁东西中南北])"
ROOM = rf"(?:[0-9]{{1,5}}[A-Za-z]?(?:-[0-9]{{1,2}})?|[A-Za-z][0-9]{{1,4}}|{_CN}{{1,6}}|[东西中南北]户?)"
PHASE = r"(?:(?P<phase>[0-9]{1,2}|[一二三四五六七八九十]{1,3}|[ⅠⅡⅢⅣⅤIV]{1,3})期)"
SEPARATOR = r"[-/_、.,，—–~]"
BUILDING_MARK = r"(?:号楼|号院楼|#楼|栋楼?|幢楼?|座|橦|懂|排|#|楼(?!上|下|层))"
UNIT_MARK = r"(?:单元|单无|门(?!面|店|口|卫|牌)|梯|口|U)"
FLOOR_MARK = r"(?:层|楼|F)"
ROOM_MARK = r"(?:号?室|号?房间?|户|号|#)"
TRAILING = r"(?P<trailing>(?:室?[内左右]|之[一二三]|隔壁|对面|旁边?|附近|楼上|楼下|家|处|房东|租客).{0,8})?"

AREAS = (
    ("province", re.compile(rf"(?:[{_HAN}]{{2,3}}省|(?:内蒙古|广西壮族|西藏|宁夏回族|新疆维吾尔)自治区|(?:北京|上海|天津|重庆)市?(?=[{_HAN}]))")),
    ("city", re.compile(rf"[{_HAN}]{{2,4}}?(?<![超城夜门都菜])市(?![场民政区中北南东西])")),
    ("district", re.compile(rf"[{_HAN}]{{1,4}}?(?<![小社园新校厂矿库一二三四五六七八九十东西南北街住民])[区县旗](?![一-龥]?[路街道巷])")),
    ("town", re.compile(rf"(?![{_HAN}]{{0,5}}[路巷])[{_HAN}]{{2,6}}?(?:街道办事处|街道办|街道|镇(?![中东西南北]?[路街])|乡(?!村))")),
    ("community", re.compile(rf"[{_HAN}]{{2,8}}?(?:社区居民委员会|社区居委会|村民委员会|居民委员会|居委会|村委会|社区)")),
    ("grid", re.compile(rf"(?:第?{NUMBER}号?网格|[{_HAN}]{{0,6}}第{NUMBER}网格)")),
)  # fmt: skip

_ROAD_NAME = rf"(?P<road>[{_HAN}A-Za-z]{{1,11}}?(?:大道|大街|公路|胡同|里弄|[路街巷道弄])(?:[东南西北中]段|[一二三四五六七八九十]段)?)"
ROAD_NUMBER = re.compile(
    rf"{_ROAD_NAME}(?:(?P<number>[0-9]{{1,5}}(?:[-之][0-9]{{1,3}})?|{_CN}{{1,6}})(?P<mark>号大?院|号(?!楼|门|房|室|[东西]?院楼)|弄|支弄|巷(?=[0-9])|院(?=[0-9])))(?P<sub>附[0-9]{{1,3}}号?)?"
)
ROAD_ALONE = re.compile(
    rf"(?P<road>[{_HAN}]{{1,8}}?(?:大道|大街|公路|路|街))(?=[{_HAN}A-Za-z0-9·]{{3,}})"
    rf"(?!(?:小区|社区|新村|花园|家属|宿舍|公寓|[口段站旁与和以]|{NUMBER}(?:{BUILDING_MARK}|号)))"
)
LANE_HOUSE = re.compile(rf"(?P<building>{NUMBER})号(?:楼)?(?:(?P<unit>{UNIT}){UNIT_MARK})?(?P<room>{ROOM}){ROOM_MARK}?{TRAILING}$")
VILLAGE = re.compile(
    rf"(?P<estate>[{_HAN}]{{1,8}}?(?:村|庄|屯|湾|寨|坡|冲|圩|自建房|城中村))(?:(?P<group>{NUMBER})(?:组|队|社|片))?"
    rf"(?P<room>{NUMBER}(?:-[0-9]{{1,3}})?)号?(?:自建房|民房)?{TRAILING}$"
)
VILLAGE_GROUP = re.compile(
    rf"(?P<estate>[{_HAN}]{{1,8}}?(?:村|庄|屯|湾|寨|坡|冲|圩)?)(?P<group>{NUMBER})(?:组|队|社|片)(?P<room>{NUMBER}(?:-[0-9]{{1,3}})?)号?(?:自建房|民房)?{TRAILING}$"
)

_ESTATE = r"^(?P<estate>.*?)"
TAILS = (
    ("three", re.compile(
        rf"{_ESTATE}{PHASE}?(?P<building>{BUILDING})(?:{BUILDING_MARK}{SEPARATOR}?|{SEPARATOR})(?P<unit>{UNIT})(?:{UNIT_MARK}{SEPARATOR}?|{SEPARATOR})(?:(?P<floor>{NUMBER}){FLOOR_MARK})?(?P<room>{ROOM}){ROOM_MARK}?{TRAILING}$")),
    ("worded", re.compile(
        rf"{_ESTATE}{PHASE}?(?P<building>{BUILDING}){BUILDING_MARK}{SEPARATOR}?(?:(?P<floor>{NUMBER}){FLOOR_MARK})?(?P<room>{ROOM}){ROOM_MARK}?{TRAILING}$")),
    ("door", re.compile(
        rf"{_ESTATE}{PHASE}?(?P<building>{BUILDING})号{SEPARATOR}?(?:(?P<unit>{UNIT}){UNIT_MARK}{SEPARATOR}?)?(?P<room>{ROOM}){ROOM_MARK}?{TRAILING}$")),
    ("two", re.compile(
        rf"{_ESTATE}{PHASE}?(?P<building>{BUILDING}){SEPARATOR}(?P<room>[0-9]{{3,5}}[A-Za-z]?|[0-9]{{1,2}}(?=室)){ROOM_MARK}?{TRAILING}$")),
    ("unit", re.compile(
        rf"{_ESTATE}{PHASE}?(?P<unit>{UNIT}){UNIT_MARK}{SEPARATOR}?(?:(?P<floor>{NUMBER}){FLOOR_MARK})?(?P<room>{ROOM}){ROOM_MARK}?{TRAILING}$")),
    ("block", re.compile(
        rf"{_ESTATE}{PHASE}?(?P<building>{BUILDING}){BUILDING_MARK}(?:{SEPARATOR}?(?P<unit>{UNIT}){UNIT_MARK})?(?:(?P<floor>{NUMBER}){FLOOR_MARK})?(?P<trailing>.{{0,12}})$")),
    ("room", re.compile(
        rf"{_ESTATE}{PHASE}?(?:(?P<floor>{NUMBER}){FLOOR_MARK})?(?P<room>[0-9]{{1,5}}[A-Za-z]?|{_CN}{{1,6}})(?:室|房间?|户){TRAILING}$")),
    ("number", re.compile(rf"{_ESTATE}{PHASE}?(?P<building>[0-9]{{1,5}}|{_CN}{{1,5}})号(?P<trailing>.{{0,12}})$")),
    ("bare", re.compile(rf"{_ESTATE}{PHASE}?(?P<room>[0-9]{{3,4}}){TRAILING}$")),
    ("phase", re.compile(rf"{_ESTATE}{PHASE}(?P<trailing>.{{0,12}})$")),
)  # fmt: skip
BRACKETS = re.compile(r"[(\[【〔<《]([^)\]】〕>》]{0,40})[)\]】〕>》]")
INLINE = re.compile(rf"(?:[^期]{{0,4}}期|[东西南北中]区?|[A-Za-z]区|{NUMBER}区|{BUILDING}{BUILDING_MARK}.*)$")
