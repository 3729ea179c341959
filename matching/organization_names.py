"""What the name of an organization says: its place, its own words, its trade and legal form, its branch, its other names.

Names of Chinese enterprises are place + own words + trade + legal form; institutions carry the body they belong to, and
often a second name in brackets or behind a comma. Comparable forms are for matching only.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.dictionaries import dictionary
from schemas.name_parts import SIMPLIFIED, same_sound
from schemas.numerals import CHINESE, decimal
from schemas.text import fold

NAME_COLUMNS = ("strict", "core", "district", "branch", "marks", "legal")
WRITTEN, CORE, INSIDE, ONE_OFF, OTHER = range(5)  # levels of compare_names
LONGEST = 120  # characters of a cell that are read as names
SHORTEST_CORE = 2  # characters that must be left for a core to tell one organization from another
SHORTEST_INSIDE = 4  # characters of a name that a longer one may hold behind the body it belongs to

_FORMS = (
    "有限责任公司|股份有限公司|集团有限公司|集团股份有限公司|有限公司|股份公司|总公司|公司|个体工商户|个人独资企业|普通合伙|有限合伙|合伙企业|"
    "农民专业合作社|专业合作社|合作社|集团"
)
_KINDS = (
    "医院|卫生院|卫生室|卫生所|卫生站|服务中心|服务站|门诊部|诊所|防治院|研究所|医务室|保健院|疗养院|急救站|中心|学校|小学|中学|大学|学院|幼儿园|"
    "委员会|协会|商会|联合会|促进会|基金会|社区|派出所|事务所|店|超市|餐厅|饭店|馆|厂|部|行|局|院|所|站|室|社|园"
)
_LEGAL = re.compile(rf"(?:{_FORMS})$")
_ENDS_AS_NAME = re.compile(rf"(?:{_FORMS}|{_KINDS})$")
_GENERIC = re.compile(rf"(?:{_KINDS}|中医|人民|妇幼|中心|第[0-9]+|结合|西|老年病|精神病|中西医)*")
_BRACKET = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]?")
_APART = re.compile(r"[、;；]|(?<=[^\x00-\x7f]) +(?=[^\x00-\x7f]{4})")
_SPOT = "路|街|巷|大道|广场|城|村|站|镇|区|里|桥|湾|苑|大厦"
_BRANCH = re.compile(
    r"((?:第?[0-9]+)?(?:分公司|分店|分院|分校|分行|分局|分部|分社|分园|营业部|营业厅|营业所|办事处|代表处)|第?[0-9]+店|"
    rf"[^\x00-\x7f]{{1,4}}(?:{_SPOT})店|[^\x00-\x7f]{{2,4}}[院校]区|[东西南北]院?区)$"
)
_BEHIND_HOUSE = re.compile(r"(?<=公司|中心|超市|药房|学校|集团)[^\x00-\x7f]{2,8}(?:店|部|点|[院校]区)$")
_TRADE_END = re.compile(r"(?:经营部|销售部|服务部|门市部|工作室|商行|商店|中心|店|馆|行|部|坊)$")
_SHOP_BRANCH = re.compile(r"[^\x00-\x7f]{2,6}(?:店|院区|校区|分部)")
_MARKED_BRANCH = re.compile(rf"\(({_SHOP_BRANCH.pattern})\)$")
_PLACE = re.compile(
    r"^(?:[\u3400-\u9fff]{2,3}?(?:省|自治区))?(?:[\u3400-\u9fff]{2,4}?市)?([\u3400-\u9fff]{1,4}?[区县])?"
)
_NUMERAL = re.compile(rf"第?([{CHINESE}]+|[0-9]+)(?=分|店|医|小|中|幼|人民|妇|附|社|中心|院|号|厂|村|中西)")
_JUNK = re.compile(r"[^\w]|_")
_MARKS = re.compile(rf"[0-9]+|[A-Z]+|[东西南北]|[{CHINESE}]")


def read_names(names: pd.Series, short: pd.Series) -> pd.DataFrame:
    """Every name each row bears, a line each: `at` (position), NAME_COLUMNS, `rank` (0 for the first name).

    strict: one spelling, legal form and all. core: without place, legal form and branch. district: the county it names.
    branch: what tells a branch from its house, "" for none. marks: what counts in the core, in order. legal: whether a legal
    form stands in it, so that no second house of the division may bear it.
    """
    texts = pd.concat([names.reset_index(drop=True), short.reset_index(drop=True)]).dropna()
    codes, distinct = pd.factorize(texts)
    lines = [(n, *line) for n, text in enumerate(distinct) for line in name_lines(str(text))]
    read = pd.DataFrame(lines, columns=["code", *NAME_COLUMNS, "rank"])
    asked = pd.DataFrame({"at": texts.index.to_numpy(), "code": codes})
    found = asked.merge(read, on="code").drop(columns="code")
    return found.sort_values(["at", "rank", "strict"]).drop_duplicates(["at", "strict"], ignore_index=True)


def name_lines(text: str) -> list[tuple[str, str, str, str, str, bool, int]]:
    """The lines of `read_names` for one cell."""
    folded = fold(text)[:LONGEST].translate(SIMPLIFIED).upper()
    return [(*_parts(name), rank) for rank, name in enumerate(_several(folded))]


def _several(text: str) -> list[str]:
    """The first name and its second names: in brackets, or after a comma, where they end as a name does."""
    found: list[str] = []
    for piece in _APART.split(text):
        others = [inside for inside in _BRACKET.findall(piece) if _is_name(inside)]
        first = _BRACKET.sub(lambda bracket: "" if _is_name(bracket.group(1)) else _kept(bracket.group(1)), piece)
        behind = _BRACKET.search(piece)
        if others and behind and len(piece) - behind.end() >= SHORTEST_INSIDE and not piece.startswith(("(", "[")):
            # a body under two names, and one of its houses: 甲医院(乙服务中心)丙服务站
            found.append(first)
            continue
        found += [first, *others] if first else others
    return [name for name in dict.fromkeys(found) if name] or [text]


def _is_name(inside: str) -> bool:
    return (
        len(inside) >= SHORTEST_INSIDE
        and _ENDS_AS_NAME.search(inside) is not None
        and not _SHOP_BRANCH.fullmatch(inside)
    )


def _kept(inside: str) -> str:
    """Words in brackets that belong to the name: a place, a branch, a form of partnership; remarks go."""
    if _SHOP_BRANCH.fullmatch(inside):
        return f"({inside})"
    return inside if len(inside) <= 8 and not re.search(r"科$|专科|原|营|停|注销|以下|简称", inside) else ""


def _parts(name: str) -> tuple[str, str, str, str, str, bool]:
    strict = _NUMERAL.sub(lambda found: decimal(found.group(1)), _JUNK.sub("", name)) or name
    marked, shown = _MARKED_BRANCH.search(name), _BEHIND_HOUSE.search(strict) or _BRANCH.search(strict)
    branch = marked.group(1) if marked else shown.group() if shown and shown.start() >= 4 else ""
    branch = branch if strict.endswith(branch) else ""
    whole = strict[: len(strict) - len(branch)]
    bare = _LEGAL.sub("", whole)
    inner = _without_province(bare)
    place = _PLACE.match(inner)
    district = (place.group(1) or "") if place else ""
    core = _without_province(inner[place.end() :] if place else inner)
    while len(core) > SHORTEST_INSIDE and (end := _TRADE_END.search(core)):
        core = core[: end.start()]
    if len(core) < SHORTEST_CORE or _GENERIC.fullmatch(core):
        core = district.rstrip("区县") + core if district else bare
    legal = whole != bare and not whole.endswith("合作社")
    return strict, core, district, branch, " ".join(_MARKS.findall(core)), legal


def _without_province(text: str) -> str:
    for word in _provinces():
        rest = text.removeprefix(word).lstrip("市省")
        if len(rest) < len(text) and len(rest) > SHORTEST_CORE and not _GENERIC.fullmatch(rest):
            return rest
    return text


def _provinces() -> tuple[str, ...]:
    return tuple(sorted(set(dictionary("province").values())))


def compare_names(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.int8]:
    """The level at which two aligned frames of NAME_COLUMNS agree.

    WRITTEN: one spelling. CORE: the same own words and branch, no other district. INSIDE: one name behind the body it
    belongs to. ONE_OFF: a character that sounds alike. OTHER: anything else, other numbers, or another branch.
    """
    same_branch, same_marks = (_equal(one[name], other[name]) for name in ("branch", "marks"))
    one_district, other_district = one["district"].to_numpy(dtype=object), other["district"].to_numpy(dtype=object)
    one_place = (one_district == "") | (other_district == "") | (one_district == other_district)
    joinable = same_branch & same_marks & one_place.astype(bool)
    written, core = _equal(one["strict"], other["strict"]), joinable & _equal(one["core"], other["core"])
    found = np.select([written, core], [WRITTEN, CORE], OTHER)
    open_ = np.flatnonzero(joinable & (found == OTHER))
    cases = pd.DataFrame({"a": one["core"].iloc[open_].to_numpy(), "b": other["core"].iloc[open_].to_numpy()})
    levels = {case: _alike(*case) for case in set(zip(cases["a"], cases["b"], strict=True))}
    found[open_] = [levels[case] for case in zip(cases["a"], cases["b"], strict=True)]
    return found.astype(np.int8)


def _alike(one: str, other: str) -> int:
    short, long = sorted((one, other), key=len)
    if len(short) >= SHORTEST_INSIDE and len(long) > len(short) and long.endswith(short):
        return INSIDE
    if len(short) == len(long) >= SHORTEST_INSIDE:
        differ = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
        return ONE_OFF if len(differ) == 1 and same_sound(*differ[0]) else OTHER
    return OTHER


def _equal(one: pd.Series, other: pd.Series) -> npt.NDArray[np.bool_]:
    return np.asarray(one.to_numpy(dtype=object) == other.to_numpy(dtype=object), dtype=bool)
