"""Why the registry gives a value, and by what each record came to its entity, in Chinese and English."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from onegrid.sealing import Keyring
from registry.access import Caller
from registry.published import SEALED_FOR
from registry.values import SEALED_FOR as RECORD_SEALED_FOR
from registry.views import shown_member, shown_values
from schemas.properties import EntityType

RULES: Mapping[str, tuple[str, str]] = {
    "only": ("没有不同的说法", "no record says otherwise"),
    "trusted": (
        "通过全部校验，且与本记录其他各项不矛盾",
        "it passes every check, and its own record does not contradict it",
    ),
    "majority": ("说法相同的来源最多", "the most feeds say so"),
    "authority": ("来源的级别最高", "it comes from the feed of the highest level"),
    "complete": ("内容最完整", "it is the most complete"),
    "newest": ("最新", "it is the newest"),
    "first": ("各条规则不分上下，取排在最前的记录", "no rule could decide: the first record by name"),
}
HOW: Mapping[str, tuple[str, str]] = {
    "exact_id": ("证件号码确属本人", "by a document number that is surely its own"),
    "model": ("按相似程度评分", "by the score of its agreements"),
    "single": ("没有其他记录与之相同", "no other record is the same"),
    "address": ("按地址", "by its address"),
    "number": ("按编号", "by its number"),
    "code": ("按代码", "by its code"),
    "name": ("按名称", "by its name"),
    "kin": ("随家人", "with its family"),
}
VALUE = """
    SELECT v.property, v.value, encode(v.sealed, 'hex') AS sealed, v.rule, v.agree, v.differ, r.source, s.owner,
        v.known_from AS since, v.valid_from
    FROM entity_value v LEFT JOIN record r ON r.id = v.record LEFT JOIN source s ON s.name = r.source
    WHERE v.code = %(code)s AND v.property = %(property)s AND v.known_to IS NULL"""


def two(words: Mapping[str, tuple[str, str]], name: str) -> dict[str, str]:
    """A word in both languages; one that is not known stands for itself."""
    zh, en = words.get(name, (name, name))
    return {"zh": zh, "en": en}


def value_reason(
    golden: Mapping[str, Any],
    members: Sequence[Mapping[str, Any]],
    kind: EntityType,
    keyring: Keyring,
    caller: Caller,
) -> dict[str, Any]:
    """The value with the rule that decided, and what each member record of the entity's own type says of the property.

    golden: a row of VALUE. members: rows of `registry.views.MEMBERS`. Masked as the caller may see it.
    """
    name = golden["property"]
    sealed = golden["sealed"]
    value = golden["value"] if sealed is None else keyring.unseal(bytes.fromhex(sealed), SEALED_FOR)
    said = []
    for line in members:
        if line["type"] != kind.name or (told := _told(line, name, keyring)) is None:
            continue
        shown = shown_member(line, keyring, caller)
        kept = {part: shown[part] for part in ("source", "owner", "key", "role")}
        said.append({**kept, "value": shown["values"][name], "same": told == value})
    (won,) = shown_values([golden], kind, keyring, caller)
    rule = {"rule": golden["rule"], "because": two(RULES, golden["rule"])}
    order = list(kind.properties[name].survivorship) if name in kind.properties else []
    return {**won, **rule, "order": order, "derived": not any(line["same"] for line in said), "said": said}


def _told(line: Mapping[str, Any], name: str, keyring: Keyring) -> Any:
    plain = json.loads(line["plain"])
    if name in plain or line["sealed"] is None:
        return plain.get(name)
    return json.loads(keyring.unseal(line["sealed"], RECORD_SEALED_FOR)).get(name)
