"""The kinds of values: how each is cleaned, what can be wrong with it, and how it is masked.

A property's `kind:` in `schemas/*.yml` names one of these. `clean` takes a feed's raw text column to canonical text (missing
where the cell says that there is nothing; text that is not understood stays, for a rule to fail); `rules` judge canonical
text; `mask` is what may be shown of one canonical value.

Canonical forms: sex male | female | unknown. birth_date YYYY-MM-DD (partial: YYYY-MM, YYYY). datetime YYYY-MM-DDTHH:MM:SS.
id_type as in `data/id_type.tsv`. ethnicity GB/T 3304, kinship GB/T 4761, two digits each. phone 13812345678 or 0553-1234567,
the first one of a cell that holds several. longitude, latitude decimal degrees. geometry WKT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas import cleaning, geometry, masks, rules
from schemas.dates import ISO_DATE, ISO_TIME, impossible
from schemas.rules import Rule
from schemas.text import per_value

__all__ = ["KINDS", "Kind", "Rule"]


@dataclass(frozen=True)
class Kind:
    """One kind of value: raw column -> canonical column, the rules over it, and the mask of one value."""

    name: str
    clean: cleaning.Clean
    rules: tuple[Rule, ...]
    mask: Callable[[str], str]


def _unreadable(what: str, chinese: str) -> Rule:
    sentence = f"{what} holds characters lost in a conversion; send it again as UTF-8 or GB 18030 ({chinese}含乱码)."
    return Rule("lost_characters", "accuracy", "warn", sentence, rules.holds_replacement)


def _in_dictionary(name: str, what: str, chinese: str, outcome: str = "withhold") -> Rule:
    sentence = f"{what} is no code or word of the dictionary; add it to schemas/data/{name}.tsv or mend the feed ({chinese}不在字典中)."
    return Rule(f"{name}_unknown", "conformity", outcome, sentence, rules.not_in(name))


_ID_RULES = (
    Rule(
        "id_masked",
        "completeness",
        "withhold",
        "The number was masked at the source (证件号码已脱敏).",
        rules.like(rules.MASKED),
    ),
    Rule(
        "id_scientific",
        "accuracy",
        "withhold",
        "A spreadsheet turned the number into 3.4E+17 and its last digits are lost (科学计数法, 无法恢复).",
        rules.like(rules.SCIENTIFIC),
    ),
    Rule(
        "id_rounded",
        "accuracy",
        "withhold",
        "A spreadsheet rounded the number to 15 digits; format the column as text (证件号码后三位被表格置零).",
        rules.id_rounded,
    ),
    Rule(
        "id_shape",
        "conformity",
        "withhold",
        "The number has the length or the characters of no known document (证件号码长度或字符不符).",
        rules.id_shape,
    ),
    Rule(
        "id_placeholder",
        "accuracy",
        "withhold",
        "The number is a placeholder, not a document's (证件号码为占位号).",
        rules.like(rules.PLACEHOLDER_ID),
    ),
    Rule(
        "id_check_digit",
        "accuracy",
        "withhold",
        "The check digit does not fit, so a digit is mistyped (校验码错误, GB 11643).",
        rules.id_check,
    ),
    Rule(
        "id_birth_impossible",
        "accuracy",
        "withhold",
        "The birth digits name no day of the calendar (证件号码中出生日期不存在).",
        rules.id_birth_impossible,
    ),
    Rule(
        "id_birth_future",
        "accuracy",
        "withhold",
        "The birth digits lie in the future (证件号码中出生日期晚于今日).",
        lambda ids: rules.in_future(rules.id_dates(ids)),
    ),
    Rule(
        "id_birth_too_old",
        "accuracy",
        "withhold",
        "The birth digits lie more than 130 years back (证件号码中年龄超过130岁).",
        lambda ids: rules.too_old(rules.id_dates(ids)),
    ),
    Rule(
        "id_province_unknown",
        "consistency",
        "warn",
        "The number begins with no province (行政区划前两位不存在).",
        rules.unknown_province,
    ),
    Rule(
        "id_county_unknown",
        "consistency",
        "warn",
        "The first six digits are no known division, past or present (行政区划前六位未知).",
        rules.unknown_county,
    ),
)

_NAME_RULES = (
    Rule(
        "name_is_number",
        "accuracy",
        "withhold",
        "A number stands in the name column; are two columns swapped? (姓名列为数字, 疑似错列)",
        rules.like(rules.NUMBER_LIKE),
    ),
    Rule(
        "name_too_long",
        "conformity",
        "withhold",
        "The name is longer than 50 characters (姓名超过50字).",
        rules.longer_than(rules.LONGEST_NAME),
    ),
    Rule(
        "name_without_letters",
        "conformity",
        "withhold",
        "The name holds no letter (姓名无有效文字).",
        rules.like(rules.NO_LETTER),
    ),
    Rule(
        "name_placeholder",
        "accuracy",
        "withhold",
        "The name is a placeholder (姓名为占位内容).",
        rules.like(rules.PLACEHOLDER_NAME),
    ),
    _unreadable("The name", "姓名"),
)

_BIRTH_RULES = (
    Rule(
        "date_shape",
        "conformity",
        "withhold",
        "The date is in no form that can be read without guessing (日期格式无法识别).",
        rules.unlike(ISO_DATE, r"\d{4}(-\d{2})?"),
    ),
    Rule("date_impossible", "accuracy", "withhold", "There is no such day in the calendar (日期不存在).", impossible),
    Rule(
        "birth_future",
        "accuracy",
        "withhold",
        "The date of birth lies in the future (出生日期晚于今日).",
        rules.in_future,
    ),
    Rule(
        "birth_default",
        "accuracy",
        "withhold",
        "The date is a system's default, not a date of birth (出生日期为系统默认值).",
        rules.like(rules.DEFAULT_DATE),
    ),
    Rule(
        "birth_too_old",
        "accuracy",
        "withhold",
        "The date of birth lies more than 130 years back (年龄超过130岁).",
        rules.too_old,
    ),
    Rule("date_partial", "completeness", "warn", "The date names no day (日期不完整).", rules.like(r"\d{4}(-\d{2})?")),
)

_TIME_RULES = (
    Rule(
        "time_shape",
        "conformity",
        "withhold",
        "The time is in no form that can be read without guessing (时间格式无法识别).",
        rules.unlike(ISO_TIME, r"\d{4}(-\d{2})?"),
    ),
    Rule("time_impossible", "accuracy", "withhold", "There is no such day or time (时间不存在).", impossible),
    Rule(
        "time_default",
        "timeliness",
        "withhold",
        "The time is a system's default (时间为系统默认值).",
        rules.time_default,
    ),
    Rule("time_partial", "completeness", "warn", "The time names no day (时间不完整).", rules.like(r"\d{4}(-\d{2})?")),
)

_PHONE_RULES = (
    Rule(
        "phone_masked",
        "completeness",
        "withhold",
        "The number was masked at the source (电话已脱敏).",
        rules.like(rules.MASKED),
    ),
    Rule(
        "phone_shape",
        "conformity",
        "withhold",
        "This is neither a mobile number nor a landline (非手机号亦非固话).",
        rules.phone_shape,
    ),
    Rule(
        "phone_placeholder",
        "accuracy",
        "withhold",
        "The number was typed to get past a required field (电话为占位号).",
        rules.phone_placeholder,
    ),
    Rule(
        "phone_unassigned",
        "accuracy",
        "warn",
        "The range of this mobile number is not known to be in use (手机号段未知).",
        rules.phone_unassigned,
    ),
)

_USCC_RULES = (
    Rule(
        "uscc_length",
        "conformity",
        "withhold",
        "The code has not 18 characters (统一社会信用代码不足或超过18位).",
        rules.uscc_length,
    ),
    Rule(
        "uscc_letters",
        "conformity",
        "withhold",
        "The code holds a character that GB 32100 does not use, such as I, O, Z, S, V (含非法字符).",
        rules.uscc_letters,
    ),
    Rule(
        "uscc_check_digit",
        "accuracy",
        "withhold",
        "The check digit of GB 32100 does not fit (统一社会信用代码校验码错误).",
        rules.uscc_check(0),
    ),
    Rule(
        "uscc_organization_check",
        "accuracy",
        "withhold",
        "The check digit of the organization code inside, GB 11714, does not fit (主体标识码校验码错误).",
        rules.uscc_check(1),
    ),
)

_ADDRESS_RULES = (
    Rule(
        "address_too_long",
        "conformity",
        "warn",
        "The address is longer than 200 characters (地址过长).",
        rules.longer_than(rules.LONGEST_ADDRESS),
    ),
    Rule(
        "address_without_letters",
        "completeness",
        "warn",
        "The address holds digits or signs alone, no road or estate (地址仅有数字).",
        rules.like(rules.NO_LETTER),
    ),
    Rule(
        "address_masked",
        "completeness",
        "warn",
        "The address was masked at the source (地址已脱敏).",
        rules.like(rules.MASKED),
    ),
    _unreadable("The address", "地址"),
)

_LONGITUDE_RULES = (
    Rule(
        "coordinate_shape",
        "conformity",
        "withhold",
        "This is no number of degrees (经度不是数字).",
        rules.unlike(rules.DECIMAL),
    ),
    Rule(
        "longitude_range",
        "accuracy",
        "withhold",
        "A longitude lies between -180 and 180 degrees (经度超出范围).",
        rules.outside(-180, 180),
    ),
    Rule(
        "coordinate_zero",
        "completeness",
        "withhold",
        "Zero stands for a position that was not taken (经度为0).",
        rules.within(0, 0),
    ),
    Rule(
        "longitude_swapped",
        "consistency",
        "warn",
        "This longitude would be a latitude of China; are two columns swapped? (经纬度疑似颠倒)",
        rules.within(*rules.CHINA_LATITUDE),
    ),
    Rule(
        "longitude_abroad",
        "consistency",
        "warn",
        "This longitude lies outside China (经度在境外).",
        rules.abroad(rules.CHINA_LONGITUDE, rules.CHINA_LATITUDE),
    ),
)

_LATITUDE_RULES = (
    Rule(
        "coordinate_shape",
        "conformity",
        "withhold",
        "This is no number of degrees (纬度不是数字).",
        rules.unlike(rules.DECIMAL),
    ),
    Rule(
        "latitude_range",
        "accuracy",
        "withhold",
        "A latitude lies between -90 and 90 degrees (纬度超出范围).",
        rules.outside(-90, 90),
    ),
    Rule(
        "coordinate_zero",
        "completeness",
        "withhold",
        "Zero stands for a position that was not taken (纬度为0).",
        rules.within(0, 0),
    ),
    Rule(
        "latitude_swapped",
        "consistency",
        "warn",
        "This latitude would be a longitude of China; are two columns swapped? (经纬度疑似颠倒)",
        rules.within(*rules.CHINA_LONGITUDE),
    ),
    Rule(
        "latitude_abroad",
        "consistency",
        "warn",
        "This latitude lies outside China (纬度在境外).",
        rules.abroad(rules.CHINA_LATITUDE, rules.CHINA_LONGITUDE),
    ),
)

_GEOMETRY_RULES = (
    Rule(
        "geometry_unreadable",
        "conformity",
        "withhold",
        "The boundary is neither WKT nor GeoJSON (边界格式无法识别).",
        geometry.unreadable,
    ),
    Rule(
        "geometry_range",
        "accuracy",
        "withhold",
        "The boundary leaves the range of degrees; is it in projected metres? (边界坐标超出经纬度范围)",
        geometry.outside_degrees,
    ),
    Rule("geometry_invalid", "consistency", "warn", "The boundary crosses itself (边界自相交).", geometry.invalid),
)

_NUMBER_RULES = (
    Rule(
        "number_scientific",
        "accuracy",
        "withhold",
        "A spreadsheet turned the number into 3.4E+11 and digits are lost (科学计数法).",
        rules.like(rules.SCIENTIFIC),
    ),
    _unreadable("The number", "编号"),
)

_TEXT_RULES = (_unreadable("The text", "文本"),)

_ALL = (
    Kind(
        "id_type",
        cleaning.column(cleaning.coded("id_type")),
        (_in_dictionary("id_type", "The document type", "证件类型"),),
        masks.whole,
    ),
    Kind("id_number", cleaning.column(cleaning.id_number), _ID_RULES, masks.id_number),
    Kind("name", cleaning.column(cleaning.name, words_first=True), _NAME_RULES, masks.name),
    Kind(
        "sex",
        cleaning.column(cleaning.coded("sex"), words_first=True),
        (_in_dictionary("sex", "The sex", "性别"),),
        masks.whole,
    ),
    Kind("birth_date", cleaning.column(cleaning.birth_date), _BIRTH_RULES, masks.date),
    Kind(
        "ethnicity",
        cleaning.column(cleaning.coded("ethnicity")),
        (_in_dictionary("ethnicity", "The ethnicity", "民族"),),
        masks.whole,
    ),
    Kind("phone", cleaning.column(cleaning.phone), _PHONE_RULES, masks.phone),
    Kind("address", cleaning.column(cleaning.text), _ADDRESS_RULES, masks.address),
    Kind("number", cleaning.column(cleaning.number), _NUMBER_RULES, masks.whole),
    Kind("code", cleaning.column(cleaning.number), _NUMBER_RULES, masks.whole),
    Kind(
        "kinship",
        cleaning.column(cleaning.coded("kinship")),
        (_in_dictionary("kinship", "The relation", "与户主关系"),),
        masks.whole,
    ),
    Kind("text", cleaning.column(cleaning.text), _TEXT_RULES, masks.text),
    Kind("datetime", cleaning.column(cleaning.moment), _TIME_RULES, masks.whole),
    Kind("place_kind", cleaning.column(cleaning.coded("place_kind")), _TEXT_RULES, masks.whole),
    Kind("longitude", cleaning.column(cleaning.coordinate), _LONGITUDE_RULES, masks.coordinate),
    Kind("latitude", cleaning.column(cleaning.coordinate), _LATITUDE_RULES, masks.coordinate),
    Kind("geometry", lambda series: per_value(series, geometry.to_wkt), _GEOMETRY_RULES, masks.whole),
    Kind("uscc", cleaning.column(cleaning.uscc), _USCC_RULES, masks.whole),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
