"""The past and the reasons of an entity drawn as plain text, as `registry.show` draws the present. Numbers are masked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from onegrid.errors import NotFound
from onegrid.sealing import Keyring
from registry.access import Caller
from registry.history import MOST, PAGE, When, found_at, members_at, relations_at, values_at
from registry.reasons import HOW, RULES
from registry.show import drawn
from registry.timeline import TIMELINE, shown_timeline
from registry.views import IN_KEY, shown_member, shown_values, without_numbers
from schemas.codes import parse
from schemas.properties import entity_types

ALL = Caller(0, "", "", None, "", numbers=False)  # who sits at the hub sees every area, and numbers masked
HAPPENINGS = {
    "created": "建立 created", "absorbed": "并入记录 absorbed", "merged": "被并入 merged", "split": "拆分 split",
    "moved": "记录移出 moved", "retired": "停用 retired", "updated": "更新 updated", "value": "值 value",
    "value ended": "值终止 value ended", "relation": "关系 relation", "relation ended": "关系终止 relation ended",
    "record": "记录加入 record", "record ended": "记录离开 record ended",
}  # fmt: skip


def show_at(connection: Connection, keyring: Keyring, code: str, when: When) -> str:
    """The entity as it was at a date, as the hub knew it at a moment; NotFound when it did not know it then."""
    stored = _stored(code)
    found = found_at(connection, stored, when)
    if found is None:
        raise NotFound(f"The hub did not know the code {stored} at that moment.")
    kind = entity_types()[found["type"]]
    asked = f"真实日期 valid at {when.valid_at or '-'}   知悉时间 known at {when.known_at or 'now 现在'}"
    became = f" → {found['successor']}" if found["successor"] else ""
    sort = f" · {found['kind']}" if found["kind"] else ""
    head = f"{stored}   {kind.title}{sort}   {found['status']}{became}"
    place = f"区划 division {found['division'] or '-'}   网格 grid {found['grid'] or 'none 无'}   {found['records']} records"
    sections = [drawn(None, [], [[head], [asked], [place]])]
    values = shown_values(values_at(connection, stored, when), kind, keyring, ALL)
    rows = [
        [
            kind.properties[v["property"]].title if v["property"] in kind.properties else v["property"],
            _text(v["value"]),
            _text(v["source"]),
            _text(v["valid_from"]),
            _text(v["valid_to"]),
        ]
        for v in values
    ]
    sections.append(drawn("Values 信息", ["property", "value", "source", "from 自", "to 至"], rows))
    links = relations_at(connection, stored, when)
    rows = [
        [
            f"{'→' if line['direction'] == 'out' else '←'} {line['relation']}",
            line["code"],
            _text(line["called"]),
            _text(line["valid_from"]),
            _text(line["valid_to"]),
        ]
        for line in links
    ]
    sections.append(drawn("Relations 关系", ["relation", "code", "called", "from 自", "to 至"], rows))
    members = [shown_member(line, keyring, ALL) for line in members_at(connection, stored, when)]
    rows = [[m["source"], m["key"], m["role"] or m["type"], m["how"]] for m in members]
    sections.append(drawn("Records 记录", ["source", "key", "record", "how"], rows))
    return "\n".join(sections)


def show_timeline(connection: Connection, keyring: Keyring, code: str) -> str:
    """All that happened to an entity, the oldest line first."""
    stored = _stored(code)
    found = found_at(connection, stored, When())
    if found is None:
        raise NotFound(f"The code {stored} was never issued.")
    asked = {**PAGE, "code": stored, "limit": MOST}
    lines = [dict(row) for row in connection.exec_driver_sql(TIMELINE, asked).mappings()]
    shown = shown_timeline(lines, entity_types()[found["type"]], keyring, ALL)
    rows = [
        [
            f"{line['at']:%Y-%m-%d %H:%M}",
            str(line["run"]),
            line["code"],
            HAPPENINGS[line["what"]],
            line["name"],
            _detail(line),
            _text(line["source"]),
            _text(line["valid"]),
        ]
        for line in shown
    ]
    return drawn("Timeline 经过", ["known", "run", "code", "what", "name", "detail", "source", "day"], rows)


def show_how(told: dict[str, Any]) -> str:
    """What `onegrid.explaining.how` found, drawn."""
    groups = {group["node"]: group["records"] for group in told["groups"]}
    rows = [[f"#{node}", _names(records)] for node, records in groups.items()]
    sections = [drawn(f"Groups 号码相同的记录   model {told['model']}", ["group", "records"], rows)]
    rows = [
        [
            str(n),
            _set(join["left"]),
            _set(join["right"]),
            "judged 人工判定" if join["linkage"] is None else f"{join['linkage']:.2f}",
            _best(join["best"]),
        ]
        for n, join in enumerate(told["joins"], start=1)
    ]
    title = f"Joins 合并顺序   threshold {told['threshold']}"
    return "\n".join([*sections, drawn(title, ["order", "one", "two", "linkage", "spoke most for it"], rows)])


def show_why(told: dict[str, Any]) -> str:
    """What `onegrid.explaining.why` found, drawn."""
    verdict = "同一人 one person" if told["together"] else "两个人 two persons"
    sections = [drawn(None, [], [[verdict], *([f"{line['zh']}  {line['en']}"] for line in told["reasons"])])]
    pair = told["pair"]
    if pair is not None:
        rows = [
            [
                f"{s['what']['zh']} {s['what']['en']}",
                f"{s['said']['zh']} {s['said']['en']}",
                f"{s['weight']:+.2f}",
                s["others"]["zh"] if s["others"] else "",
            ]
            for s in pair["steps"]
        ]
        rows.append(["合计 sum", "", f"{pair['weight']:+.2f}", ""])
        kept = "as the last run computed it" if pair["stored"] else "compared anew, among a few records"
        sections.append(
            drawn(
                f"{_names([pair['one'], pair['two']])}   {kept}", ["comparison", "level", "log2 odds", "others"], rows
            )
        )
        sections.append(f"keys 键  {', '.join(pair['keys']) or '-'}")
    if told["linkage"] is not None:
        sections.append(f"linkage 连接强度  {told['linkage']:.2f}")
    return "\n".join(sections)


def masked(told: Any) -> Any:
    """With the keys of records masked where they hold numbers: a feed's key may be a person's."""
    if isinstance(told, list):
        return [masked(part) for part in told]
    if isinstance(told, dict):
        return {name: without_numbers(part, IN_KEY) if name == "key" else masked(part) for name, part in told.items()}
    return told


def _stored(code: str) -> str:
    try:
        return str(parse(code))
    except ValueError as error:
        raise NotFound(str(error)) from None


def _detail(line: dict[str, Any]) -> str:
    if line["what"] == "value":
        rule = RULES.get(line["rule"], (line["rule"], ""))[0]
        return f"{_text(line['value'])}（{rule}）"
    if line["what"].startswith("record"):
        return f"{line['key']}（{HOW.get(line['name'], (line['name'], ''))[0]}）"
    diff = line.get("diff") or {}
    named = [
        f"{word} {', '.join(map(str, diff[word]))}"
        for word in ("from", "to", "properties", "relations")
        if word in diff
    ]
    return str(line.get("other") or "; ".join(named))


def _names(records: list[dict[str, str]]) -> str:
    return "  ".join(f"{r['source']}/{r['key']}{'/' + r['role'] if r['role'] else ''}" for r in records)


def _set(nodes: list[int]) -> str:
    return "+".join(f"#{node}" for node in nodes)


def _best(best: dict[str, Any] | None) -> str:
    return "" if best is None else f"{_names([best['one'], best['two']])}  {best['weight']:+.2f}"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
