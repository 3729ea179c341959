"""The rules of each kind: what can be wrong with one value, why it matters, and what then happens to the value.

Name, dimension (GB/T 36344-2018), default outcome and sentence of each rule stand in `schemas/data/rules.tsv`, the
test itself in `schemas.faults`. Outcomes: withhold (this value is wrong, the row flows on without it) or warn; a type
file may override them in `checks:`. Sentences are for the data officer and never hold a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onegrid.errors import SettingsError
from schemas import faults, geometry
from schemas.dates import ISO_DATE, ISO_TIME, impossible
from schemas.dictionaries import lines
from schemas.faults import Failed

COLUMNS = ("kind", "rule", "dimension", "outcome", "sentence", "chinese")
DIMENSIONS = ("conformity", "completeness", "accuracy", "consistency", "timeliness", "accessibility")
OUTCOMES = ("reject", "withhold", "warn")

LONGEST_NAME = 50  # characters, GB/T 31000 姓名 C50
LONGEST_ADDRESS = 200  # characters; GB/T 31000 allows 80 for the part below the county
CHINA_LONGITUDE, CHINA_LATITUDE = (73.0, 136.0), (3.0, 54.0)  # degrees, rounded outwards


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a value of a kind.

    failed: canonical `str` column -> `bool` column aligned with it, True where the value fails; missing never fails.
    """

    name: str
    dimension: str
    outcome: str
    sentence: str
    failed: Failed


TESTS: Mapping[str, Failed] = {
    "id_type_unknown": faults.not_in("id_type"),
    "sex_unknown": faults.not_in("sex"),
    "ethnicity_unknown": faults.not_in("ethnicity"),
    "kinship_unknown": faults.not_in("kinship"),
    "id_masked": faults.like(faults.MASKED),
    "id_scientific": faults.like(faults.SCIENTIFIC),
    "id_rounded": faults.id_rounded,
    "id_shape": faults.id_shape,
    "id_placeholder": faults.like(faults.PLACEHOLDER_ID),
    "id_check_digit": faults.id_check,
    "id_birth_impossible": faults.id_birth_impossible,
    "id_birth_future": faults.id_birth_future,
    "id_birth_too_old": faults.id_birth_too_old,
    "id_province_unknown": faults.unknown_province,
    "id_county_unknown": faults.unknown_county,
    "name_is_number": faults.like(faults.NUMBER_LIKE),
    "name_too_long": faults.longer_than(LONGEST_NAME),
    "name_without_letters": faults.name_without_letters,
    "name_placeholder": faults.like(faults.PLACEHOLDER_NAME),
    "name_remark": faults.like(faults.NAME_REMARK),
    "lost_characters": faults.lost_characters,
    "date_shape": faults.unlike(ISO_DATE, faults.PARTIAL_DATE),
    "date_impossible": impossible,
    "date_partial": faults.like(faults.PARTIAL_DATE),
    "birth_future": faults.in_future,
    "birth_default": faults.like(faults.DEFAULT_DATE),
    "birth_too_old": faults.too_old,
    "phone_masked": faults.like(faults.MASKED),
    "phone_shape": faults.phone_shape,
    "phone_placeholder": faults.like(faults.PLACEHOLDER_PHONE),
    "phone_unassigned": faults.phone_unassigned,
    "address_too_long": faults.longer_than(LONGEST_ADDRESS),
    "address_without_letters": faults.like(faults.NO_LETTER),
    "address_masked": faults.like(faults.MASKED),
    "number_scientific": faults.like(faults.SCIENTIFIC),
    "time_shape": faults.unlike(ISO_TIME, faults.PARTIAL_DATE),
    "time_impossible": impossible,
    "time_default": faults.time_default,
    "time_partial": faults.like(faults.PARTIAL_DATE),
    "coordinate_shape": faults.unlike(faults.DECIMAL),
    "coordinate_zero": faults.within(0, 0),
    "longitude_range": faults.outside(-180, 180),
    "longitude_swapped": faults.within(*CHINA_LATITUDE),
    "longitude_abroad": faults.abroad(CHINA_LONGITUDE, CHINA_LATITUDE),
    "latitude_range": faults.outside(-90, 90),
    "latitude_swapped": faults.within(*CHINA_LONGITUDE),
    "latitude_abroad": faults.abroad(CHINA_LATITUDE, CHINA_LONGITUDE),
    "geometry_unreadable": geometry.unreadable,
    "geometry_range": geometry.outside_degrees,
    "geometry_invalid": geometry.invalid,
    "registry_code_check": faults.registry_code_check,
    "uscc_length": faults.uscc_length,
    "uscc_letters": faults.uscc_letters,
    "uscc_check_digit": faults.uscc_check(0),
    "uscc_organization_check": faults.uscc_check(1),
}


def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules of a kind in the order of `schemas/data/rules.tsv`, with English and Chinese sentence.

    Raises SettingsError naming the file and line of a rule that has no test, or a wrong dimension or outcome.
    """
    return tuple(_rule(number, cells) for number, cells in lines("rules", COLUMNS) if cells[0] == kind)


def _rule(number: int, cells: list[str]) -> Rule:
    _, name, dimension, outcome, sentence, chinese = cells
    if name not in TESTS or dimension not in DIMENSIONS or outcome not in OUTCOMES:
        raise SettingsError(f"schemas/data/rules.tsv, line {number}: the rule, dimension or outcome is not known.")
    return Rule(name, dimension, outcome, f"{sentence} {chinese}", TESTS[name])
