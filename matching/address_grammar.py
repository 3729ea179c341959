"""The grammar of Chinese addresses as compiled patterns: what a name ends in, and what a numbered part looks like.

Element classes follow GA/T 2000.32 and the local rule sets of city police; writing variants are those seen in
hand-kept lists: 3-2-501, 3#2-501, 3号楼2门501, 120弄5号302室, 18号院3号楼. Numbers are exact, names are not judged here.
"""

from __future__ import annotations

import re

from schemas.numerals import CHINESE, ROMAN

HAN = r"\u3400-\u9fff"
CN = f"[{CHINESE}]"
SEPARATORS = "#-_/、,.;:·'\"`~|()\\"
_LETTERED = r"[A-Za-z]{0,2}[0-9]{1,5}[A-Za-z]?"
_SMALL = rf"(?:{_LETTERED}|[A-Za-z]|{CN}{{1,5}})"  # a building's or a unit's number
_AFTER = rf"(?=$|[^{HAN}A-Za-z0-9]|[旁对附内隔楼门店商车地底阁储电东西南北左右后前家房出边户])"
_NOT_NAME = r"(?!面|店|口|卫|诊|市|厅|头|路|街|镇|县|村|乡|里|桥|山|湖)"

TOKEN = re.compile(
    rf"(?=[0-9A-Za-z{CHINESE}{ROMAN}甲乙丙丁戊己庚辛东西南北中负地半附之])(?:"
    rf"(?P<phase>(?:[0-9]{{1,2}}|{CN}{{1,3}}|[{ROMAN}]|I{{1,3}}|IV|V)期)"
    rf"|(?P<group>(?:[0-9]{{1,3}}|{CN}{{1,3}})(?:村民小组|小组|组|队(?!部)|社(?!区|保|会)))"
    rf"|(?P<lane>(?:[0-9]{{1,5}}|{CN}{{1,6}})(?:支弄|弄))"
    rf"|(?P<building>{_SMALL}(?:号楼|号院楼|#楼|号?[栋幢]楼?|橦|懂(?!事))|(?:{_LETTERED}|[A-Za-z甲乙丙丁戊己庚辛]|{CN}{{1,3}}(?=座(?:[0-9]|{CN}{{1,3}}单[元无]|{CN}{{3,5}}(?:室|户|$))))座"
    rf"|[甲乙丙丁戊己庚辛](?:栋|幢|号?楼)|(?:[0-9]{{1,3}}|{CN}{{1,3}})排(?=[0-9{CHINESE}]))"
    rf"|(?P<unit>(?:{_SMALL}|[甲乙丙丁东西南北中])单[元无]|(?:[0-9]{{1,2}}[A-Za-z]?|{CN}{{1,2}})(?:门{_NOT_NAME}(?=$|号?[-0-9{CHINESE}])|[梯口](?=[-0-9{CHINESE}])|梯$|U(?=[0-9])))"
    rf"|(?P<floor>(?:负|地下|-(?=[0-9]楼|[0-9]层|[0-9]F)|B(?=[0-9](?:层|楼|F)))?(?:[0-9]{{1,3}}|{CN}{{1,5}})(?:楼层|层|楼(?!栋|盘)|[Ff](?![A-Za-z])))"
    rf"|(?P<room>(?:{_LETTERED}(?:-[0-9]{{1,2}}(?=[室房户]))?|{CN}{{1,6}})(?:号?室|号?房间?|号?户(?!主|籍|口)|号店?铺)|[东西南北中]{{1,2}}户)"
    rf"|(?P<yard>(?:甲|乙|附)?(?:[0-9]{{1,5}}(?:-[0-9]{{1,3}})?|{CN}{{1,6}})号大?院(?!楼))"
    rf"|(?P<hao>(?:甲|乙|附|之)?(?:{_LETTERED}|{CN}{{1,6}})[号號](?![路线院])(?!大街|大道|公路))"
    rf"|(?P<plate>(?<=[路街道巷弄])(?:甲|乙)?[0-9]{{1,5}}(?:-[0-9]{{1,2}}(?=[{HAN}])(?![号栋幢座单楼室层]))?(?![0-9A-Za-z#期号弄栋幢座单层楼室米公国]))"
    rf"|(?P<sharp>{_LETTERED}#|[A-Za-z]#)"
    rf"|(?P<number>{_LETTERED}{_AFTER}|[A-Za-z](?=-[0-9A-Za-z])|[零〇一二三四五六七八九]{{3,5}}$|(?<=[楼元栋幢座层#-])[0-9]{{3,4}}(?=[{HAN}]))"
    rf"|(?P<cellar>地下(?:室|车库)?(?=$|[0-9])|半地下(?:室)?)"
    r")"
)  # fmt: skip

_ROAD_END = r"(?:大道|大街|公路|胡同|里弄|[0-9]{1,2}号大?[路街]|路(?!路)|街(?!道|区|坊)|巷(?!路|街)|弄(?![堂]))"
_SECTION = r"(?:[东南西北中][段]|[一二三四五六七八九十]段)?"
SECTION = re.compile(r"(?:[东南西北中]|[一二三四五六七八九十])段$")
_ROAD_WORD = r"(?:[东南西北中一二三四五六七八九十]?(?:大道|大街|公路|[路街巷道]))"
# 钱库工贸路: a road is called by two characters as a rule; four before it are a place and the road
PLACE_THEN_ROAD = re.compile(
    rf"(?P<place>[{HAN}]{{2,3}})(?P<road>(?![东南西北中一二三四五六七八九十新大小老前后门内外])[{HAN}](?![一二三四五六七八九十横环号大])[{HAN}]{_ROAD_WORD})$"
)
ROAD_END = re.compile(rf"(?:大道|大街|公路|胡同|里弄|[路街巷弄道]){_SECTION}$")
ROAD = re.compile(
    rf"(?P<road>[{HAN}A-Za-z0-9]{{1,9}}?{_ROAD_END}(?:[东南西北中一二三四五六七八九十](?:路|街|巷|道))?{_SECTION})"
)
CROSSING = re.compile(r"[与和跟及、]|(?:交叉|交汇|交界)路?[口处]?|路?口")
ESTATE_AFTER_ROAD = re.compile(
    r"(?:小区|社区|新村|花园|花苑|家园|家属|宿舍|公寓|大厦|广场|新苑|佳苑|[一二三四五六七八九十东南西北][里村区苑]|职工|住宅|片区|商场|市场|小学|中学|派出所|支行|步行街|店|分店|口|站)"
)
PLACE_IN_ROAD = re.compile(
    rf"(?P<place>[{HAN}]{{1,8}}?(?:新城|工业园区|工业园|工业区|工业城|开发区|高新区|科技园|产业园|园区|小区|花园|新区|度假区|市场|广场|新村|社区|商城|(?<![新一二三四五六七八九十])村|校区))(?P<road>[{HAN}]{{2,7}})$"
)
ZONE = re.compile(rf"第?(?:[东西南北中][0-9一二三四五六七八九十]|[东西南北中]{{1,2}}|[A-Za-z]|[0-9]{{1,3}}|{CN}{{1,3}})区$")
WHOLE_ZONE = re.compile(
    rf"第?(?:[东西南北中上下]{{1,2}}|[A-Za-z]|[0-9]{{1,3}}|{CN}{{1,3}})(?:区|街区|组团|苑|园|标段)$"
)
PARK = re.compile(
    rf"[{HAN}]{{0,8}}?(?:经济技术开发区|经济开发区|高新技术开发区|技术开发区|高新开发区|高新区|开发区|集聚区|[杭州]湾新区)(?=[{HAN}]{{3}})"
)
VILLAGE_THEN = re.compile(
    rf"(?P<village>[{HAN}]{{1,6}}?(?<![新一二三四五六七八九十农乡])村)(?![委民口头里路街小尾镇庄])(?=[{HAN}]{{2}})"
)
VILLAGE = re.compile(r"(?:村|庄|屯|寨|坡|冲|圩|塘|坝|堡|浜|埭|坞|岙|畈|桥|头|山|岭|自建房)$")
NUMBERED_VILLAGE = re.compile(r"(?:新村|[一二三四五六七八九十]村)$")
NAME_BREAK = re.compile(r"[(),;、|_]+")
NAMED_NUMBER = re.compile(rf"{CN}{{1,2}}号$")
_CATEGORY = (
    # what a compound, a market, a park of firms or an institution is called; a name behind it is one of its parts
    "小区|花园|花苑|家园|家苑|嘉苑|佳苑|景苑|雅苑|公寓|大厦|大楼|广场|新村|山庄|水岸|人家|天地|华庭|花城|新城|商城|商贸城|贸易城|轻纺城|皮革城|"
    "汽配城|珠宝城|鞋都|市场|超市|商场|酒店|宾馆|工业园区|工业园|工业区|工业城|产业园|科技园|创业园|创意园|物流园|软件园|商务区|园区|基地|中心|"
    "医院|大学|学院|中学|小学|幼儿园|校区|汽车站|车站|火车站|机场|公园|公司|法院|集团"
)
STRONG_END = re.compile(
    rf"(?P<name>[{HAN}A-Za-z0-9·]{{2,14}}?(?:{_CATEGORY})(?![区园城]))(?P<more>[{HAN}A-Za-z0-9·]{{2,}})$"
)
# what goes on with the word before it: 大学城, 市场部, 公寓楼, 中心小学
GOES_ON = re.compile(
    r"(?:[城部店馆楼站院区园路街村里苑]|[东南西北]?[门楼区]$|[一二三四五六七八九十0-9A-Za-z]+[区期号楼栋幢座]|小区|社区|新村|花园|花苑|家园|公寓|大厦|大楼|广场|商城|商场|市场|小学|中学|学校|医院|有限|股份|集团|公司|分|支|宿舍|住宅|家属|职工)"
)
_BESIDE = r"(?:斜?对面|对过|正对面|隔壁|附近|旁边|门口|后面|前面|楼下|楼上|边上|(?:[东南西北]{1,2})(?:侧|面|边|首)|(?:[往向]?[东南西北]{1,2})?[0-9]+米处?)"
BESIDE_THEN = re.compile(rf"{_BESIDE}+(?=[{HAN}A-Za-z0-9]{{2}})")
THEN_BESIDE = re.compile(rf"(?:{_BESIDE}|(?<!路)旁)(?=[{HAN}A-Za-z]{{2}})")
REMARK = re.compile(
    r"(?:电联|有事|请|到了|打电话|放|自提|户主|房东|租客|租户|本人|代收|收件|附近|旁边?|斜?对面|隔壁|对门|门口|路口|后面|前面|交叉口|交汇处|内$|[东南西北]侧|[东南西北]面|楼上|楼下|口$|左右|家$|处$)"
)
REMARK_TAIL = re.compile(
    r"(?:电联|有事.*|请.*|到了?打.*|打电话.*|放.{0,4}代收|自提.*|[东南西北]?门?旁边?|斜?对面|隔壁|附近|[东南西北]?门口|路口|[后前]面|[东南西北][侧面]|楼上|楼下)+$"
)
HOME_END = re.compile(
    r"(?:小区|[园苑里府邸庭居舍寓湾郡轩阁墅院]|(?<![市])区|新村|[一二三四五六七八九十0-9]村|新城|宿舍)$"
)
TRADE_END = re.compile(r"(?:[城场厦心店楼馆际司]|大学|学院|医院|学校)$")
KEEPING = re.compile(
    r"(?:底商|门面房?|商铺|店铺|店面|网点|车库|车位|储藏室|储藏间|地下室|半地下室?|阁楼|架空层|自行车库|传达室|门卫室?|物业用?房?|自建房|民房|平房|营业房)$"
)
TRAILING = re.compile(r"(?:室|号|房|户|之[一二三四五]|内)?$")
BRACKETS = re.compile(r"\([^()]{0,60}\)")
INLINE = re.compile(
    rf"(?:.{{0,3}}期|[东西南北中A-Za-z]{{1,2}}[区苑园]?|(?:[0-9]{{1,3}}|{CN}{{1,3}})[区里]|.{{0,3}}(?:[0-9]|{CN})(?:栋|幢|号楼|座|单元|室|#).*|[0-9A-Za-z]+(?:[-#][0-9A-Za-z]+)*#?)$"
)
