"""The grammar of Chinese addresses as compiled patterns: what a name ends in, and what a numbered part looks like.

Element classes follow GA/T 2000.32 and the local rule sets of city police; writing variants are those seen in
hand-kept lists: 3-2-501, 3#2-501, 3号楼2门501, 120弄5号302室, 18号院3号楼. Numbers are exact, names are not judged here.
"""

from __future__ import annotations

import re

from schemas.numerals import CHINESE

HAN = r"\u3400-\u9fff"
CN = f"[{CHINESE}]"
SEPARATORS = "#-_/、,.;:·'\"`~|()\\"

# Most names hold none of what a pattern looks for: the characters without which it cannot match are looked at first.
ROAD_MARK = re.compile(r"[路街巷弄道同线]")
ROAD_LAST = frozenset("道街路同弄巷线段")
BESIDE_FIRST = frozenset("斜对过正隔附旁门后前楼边以往向东南西北0123456789")
BESIDE_MARK = re.compile(r"[面过壁近旁门楼边侧首以米]")
REMARK_LAST = frozenset("联提收边面壁近口侧上下内旁东南西北")
REMARK_REST = re.compile(r"有事|请|打|自提")  # what a remark may go on behind
KEEPING_LAST = frozenset("商房铺店面点库位间室楼层卫业")
PART_LAST = frozenset("区楼门室卫库处部心")
ZONE_LAST = frozenset("区团苑园段")

_ROAD_END = r"(?:大道|大街|公路|[国省县乡]道|(?<![号产流热专])线(?=[0-9])|胡同|里弄|[0-9]{1,2}号大?[路街]|路(?!路)|街(?!道|区|坊)|巷(?!路|街)|弄(?![堂]))"
_SECTION = r"(?:[东南西北中][段]|[一二三四五六七八九十]段)?"
SECTION = re.compile(r"(?:[东南西北中一二三四五六七八九十]段|(?<=[路街道])[一二三四五六七八九十]巷)$")
_ROAD_WORD = r"(?:[东南西北中一二三四五六七八九十]?(?:大道|大街|公路|[路街巷道]))"
# 钱库工贸路: a road is called by two characters as a rule; four before it are a place and the road
PLACE_THEN_ROAD = re.compile(
    rf"(?P<place>[{HAN}]{{2,3}}?)(?P<road>(?![东南西北中一二三四五六七八九十新大小老前后门内外环]|步行)[{HAN}](?![东南西北中一二三四五六七八九十前后横环号大村])[{HAN}]{_ROAD_WORD})$"
)
ROAD_END = re.compile(rf"(?:大道|大街|公路|胡同|里弄|[路街巷弄道]|(?<![号产流热专])线){_SECTION}$")
ROAD = re.compile(
    rf"(?P<road>[{HAN}A-Za-z0-9]{{1,9}}?{_ROAD_END}(?:[东南西北中一二三四五六七八九十](?:路|街|巷|道))?{_SECTION})"
)
CROSSING = re.compile(rf"[与和跟及、](?=[{HAN}0-9]{{2,8}}?(?:[路街巷弄线]|大道))|(?:交叉|交汇|交界)路?[口处]?|路?口")
ESTATE_AFTER_ROAD = re.compile(
    r"(?:小区|社区|新村|花园|花苑|家园|家属|宿舍|公寓|大厦|广场|新苑|佳苑|[一二三四五六七八九十东南西北][里村区苑]|职工|住宅|片区|商场|市场|小学|中学|派出所|支行|步行街|店|分店|口|站)"
)
PLACE_IN_ROAD = re.compile(
    # 望春工业园区杉杉路, but 花园路, 科技园东路 are roads as a whole
    rf"(?P<place>[{HAN}]{{1,9}}?(?:[园区](?!区)|新城|工业城|商城|贸城|农场|林场|机场|车站|[东南西北]站|中心|广场|市场|大学|学院|学校|大厦|新村|社区|(?<![新一二三四五六七八九十])村)|工业园区?(?!区)|工业区|园区|开发区|科技园区?|产业园区?)"
    rf"(?P<road>(?![东南西北中一二三四五六七八九十]?(?:大道|大街|[路街巷]))[{HAN}0-9]{{3,7}})$"
)
ZONE = re.compile(
    rf"第?(?:[东西南北中][0-9一二三四五六七八九十]|[东西南北中]{{1,2}}|[A-Za-z]|[0-9]{{1,3}}|{CN}{{1,3}})区$"
)
WHOLE_ZONE = re.compile(
    rf"第?(?:[东西南北中上下]{{1,2}}|[A-Za-z]|[0-9]{{1,3}}|{CN}{{1,3}})(?:区|街区|组团|苑|园|标段)$"
)
PARK = re.compile(
    rf"[{HAN}]{{0,8}}?(?:经济技术开发区|经济开发区|高新技术开发区|技术开发区|高新开发区|高新区|开发区|集聚区|新区)(?=[{HAN}]{{3}})"
)
VILLAGE_THEN = re.compile(
    rf"(?P<village>[{HAN}]{{1,6}}?(?<![新一二三四五六七八九十农乡])村村?)(?![委民口头里路街尾镇庄]|小(?:学|$))(?=[{HAN}]{{2}})"
)
VILLAGE = re.compile(r"(?:村|庄|屯|寨|坡|冲|圩|塘|坝|堡|浜|埭|坞|岙|畈|桥|头|山|岭|自建房)$")
NUMBERED_VILLAGE = re.compile(r"(?:新村|[一二三四五六七八九十]村)$")
NAME_BREAK = re.compile(r"[(),;、|_]+")
NAMED_NUMBER = re.compile(rf"{CN}{{1,2}}号$")
_CATEGORY = (
    # what a compound, a market, a park of firms or an institution is called; a name behind it is one of its parts
    "小区|花园|花苑|家园|家苑|嘉苑|佳苑|景苑|雅苑|公寓|大厦|大楼|广场|新村|山庄|水岸|人家|天地|华庭|花城|新城|商城|商贸城|贸易城|轻纺城|皮革城|"
    "汽配城|珠宝城|鞋都|码城|材城|具城|料城|装城|品城|鞋城|饰城|电城|市场|超市|商场|酒店|宾馆|工业园区|工业园|工业区|工业城|产业园|科技园|创业园|创意园|物流园|软件园|商务区|园区|基地|中心|"
    "医院|大学|学院|中学|小学|幼儿园|校区|汽车站|车站|火车站|机场|公园|公司|法院|集团"
)
CATEGORY = re.compile(_CATEGORY)
STRONG_END = re.compile(
    rf"(?P<name>[{HAN}A-Za-z0-9·]{{2,14}}?(?:{_CATEGORY})(?![区园城]))(?P<more>[{HAN}A-Za-z0-9·]{{2,}})$"
)
# what goes on with the word before it: 大学城, 市场部, 公寓楼, 中心小学
GOES_ON = re.compile(
    r"(?:[城部店馆楼站院区园路街村里苑]|[东南西北]?区$|[东南西北中][区苑园].|别墅|[一二三四五六七八九十0-9A-Za-z]+[区期号楼栋幢座]|小区|社区|新村|花园|花苑|家园|公寓|大厦|大楼|广场|商城|商场|市场|小学|中学|学校|医院|有限|股份|集团|公司|分|支|宿舍|住宅|家属|职工)"
)
BUILDING_NAME = re.compile(
    r"(?:综合楼|办公楼|写字楼|[东南西北]楼|[东南西北]大?门|传达室|门卫室?|保安室|仓库|售楼[处部]|售楼中心|销售部|项目部)$"
)
_BESIDE = r"(?:斜?对面|对过|正对面|隔壁|附近|旁边|门口|后面|前面|楼下|楼上|边上|(?:[东南西北]{1,2})(?:侧|面|边|首)|以[东南西北]|(?:[往向]?[东南西北]{1,2})?[0-9]+米处?)"
BESIDE_THEN = re.compile(rf"{_BESIDE}+(?=[{HAN}A-Za-z0-9]{{2}}|$)|[东南西北]$")
THEN_BESIDE = re.compile(rf"(?:{_BESIDE}|(?<!路)旁)(?=[{HAN}A-Za-z]{{2}})")
REMARK = re.compile(
    r"(?:电联|有事|请|到了|打电话|放|自提|户主|房东|租客|租户|本人|代收|收件|附近|旁|斜对面|对面|隔壁|对门|门口|路口|后面|前面|"
    r"交叉口|交汇处|内$|东侧|南侧|西侧|北侧|东面|南面|西面|北面|楼上|楼下|左右)"
)
HERE = re.compile(r"(?:口|家|处)$")  # behind a home: 张三家
REMARK_TAIL = re.compile(
    r"(?:电联|有事.*|请.*|到了?打.*|打电话.*|放.{0,4}代收|自提.*|(?<=[^内])里面|院?内|边上|(?<=[区园场厦城院店厂馆村])[东南西北]|[东南西北]?门?旁边?|斜?对面|隔壁|附近|[东南西北]?门口|路口|[后前]面|[东南西北][侧面]|楼上|楼下)+$"
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
