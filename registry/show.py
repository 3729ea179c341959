"""An entity drawn as plain text: what the registry holds of it, where each value came from, and what lost to it.

Values of sensitivity 3 and more are masked, also those that lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, text

from onegrid.database import read_frame
from onegrid.errors import NotFound
from onegrid.sealing import Keyring
from registry.aliases import PLAIN, PURPOSE, document_scheme
from registry.published import SEALED_FOR
from registry.read import open_values
from schemas.codes import parse, verify
from schemas.kinds import KINDS
from schemas.masks import id_number
from schemas.properties import EntityType, entity_types

WIDTH = 132  # columns of a wide terminal, and of a printed landscape page
MEMBERS_MOST = 50  # lines of members and of relations that are drawn; the rest is counted
_LONG_NUMBER = re.compile(r"\d{14,}[\dXx]")  # a feed's key may be a person's number
_ENTITY = "SELECT * FROM entity WHERE code = :code"
_VALUES = """
    SELECT v.property, v.value, v.sealed, v.rule, v.agree, v.differ, r.source, s.owner, l.finished_at AS loaded
    FROM entity_value v LEFT JOIN record r ON r.id = v.record LEFT JOIN source s ON s.name = r.source
    LEFT JOIN load l ON l.id = r.load WHERE v.code = %(code)s AND v.known_to IS NULL"""
_MEMBERS = """
    SELECT r.id AS rid, r.source, r.key, r.role, r.type, r."values", r.sealed, m.how, m.weight, l.finished_at AS loaded
    FROM membership m JOIN record r ON r.id = m.record LEFT JOIN load l ON l.id = r.load
    WHERE m.code = %(code)s AND m.known_to IS NULL ORDER BY r.id"""
_RELATIONS = """
    SELECT t.{end} AS other, t.relation, e.type, e.kind,
        (SELECT string_agg(v.value, ' ' ORDER BY v.property DESC) FROM entity_value v
         WHERE v.code = e.code AND v.known_to IS NULL AND v.property IN ('name', 'head_name', 'address')) AS called
    FROM relation t JOIN entity e ON e.code = t.{end}
    WHERE t.{start} = %(code)s AND t.known_to IS NULL ORDER BY t.relation, t.{end}"""
_BY_NUMBER = """
    SELECT DISTINCT code FROM alias WHERE known_to IS NULL
    AND ((scheme = ANY(%(schemes)s) AND value = ANY(%(plain)s)) OR (scheme = %(document)s AND blind = %(blind)s::bytea))
    ORDER BY code"""


def show(connection: Connection, keyring: Keyring, code: str) -> str:
    """The entity of `code` as text with box drawing; a merged code shows its successor and says so.

    Raises NotFound when the code was mistyped or never issued.
    """
    entity, note = _resolved(connection, code)
    kind = entity_types()[entity.type]
    members = read_frame(connection, _MEMBERS, {"code": entity.code})
    sections = [_head(entity, kind, note)]
    values = read_frame(connection, _VALUES, {"code": entity.code})
    if len(values):
        sections.append(_values(values, _said(members, keyring, kind), keyring, kind))
    for title, start, end in (("Relations 关系", "code", "to_code"), ("Related here 关联", "to_code", "code")):
        links = read_frame(connection, _RELATIONS.format(start=start, end=end), {"code": entity.code})
        if len(links):
            sections.append(_links(links, title))
    if len(members):
        sections.append(_records(members))
    return "\n".join(sections)


def find_by_number(connection: Connection, keyring: Keyring, number: str) -> list[str]:
    """The codes an official number leads to: a document, credit code, component, grid, division or household number.

    A code itself is understood too. Empty when nothing is known by it.
    """
    values = number_values(keyring, number)
    if values["codes"]:
        return list(values["codes"])
    return read_frame(connection, _BY_NUMBER, values)["code"].tolist()


def number_values(keyring: Keyring, number: str) -> dict[str, Any]:
    """The parameters by which `alias` knows a number: `schemes`, `plain`, `document`, `blind`; `codes` if it is one."""
    plain = {KINDS[kind].clean.one(number) for kind in ("number", "code", "uscc", "registry_code")} - {None}
    document = document_scheme(number)
    return {
        "schemes": sorted(set(PLAIN.values())),
        "plain": sorted(str(value) for value in plain),
        "document": document[0] if document else "",
        "blind": "\\x" + (keyring.blind(document[1], PURPOSE).hex() if document else ""),
        "codes": [str(parse(number))] if verify(number) else [],
    }


def _resolved(connection: Connection, code: str) -> tuple[Row[Any], str]:
    """The entity that stands for the code now, and how it came to that."""
    try:
        asked = str(parse(code))
    except ValueError as error:
        raise NotFound(str(error)) from None
    found = connection.execute(text(_ENTITY), {"code": asked}).one_or_none()
    if found is None:
        raise NotFound(f"The code {asked} was never issued.")
    if found.status != "merged":
        return found, ""
    heir = connection.execute(text(_ENTITY), {"code": found.merged_into}).one()
    return heir, f"{asked} was merged into {heir.code} 已并入"


def _head(entity: Row[Any], kind: EntityType, note: str) -> str:
    lines = [
        f"{entity.code}   {kind.title}{f' · {entity.kind}' if entity.kind else ''}   {entity.status}",
        f"区划 division {entity.division or '-'}   网格 grid {entity.grid or 'none 无'}   ({entity.basis or '-'})",
        f"{entity.records} records of {entity.sources} sources",
    ]
    return drawn(None, [], [[line] for line in ([note] if note else []) + lines])


def _said(members: pd.DataFrame, keyring: Keyring, kind: EntityType) -> pd.DataFrame:
    """What the member records of the entity's own type say: `property`, `value`, `source`."""
    own = members[members["type"] == kind.name].reset_index(drop=True)
    opened = open_values(own[["source", "values", "sealed"]], keyring, kind)
    names = [name for name in kind.properties if name in opened.columns]
    lines = opened.melt(id_vars=["source"], value_vars=names, var_name="property")
    return lines.dropna(subset=["value"]).drop_duplicates()


def _values(values: pd.DataFrame, said: pd.DataFrame, keyring: Keyring, kind: EntityType) -> str:
    opened = keyring.unseal_many(values["sealed"], SEALED_FOR)
    values = values.assign(value=values["value"].where(values["sealed"].isna(), opened)).set_index("property")
    order = [
        name for name in (*kind.properties, *sorted(set(values.index) - set(kind.properties))) if name in values.index
    ]
    rows = []
    for name in order:
        won = values.loc[name]
        title = kind.properties[name].title if name in kind.properties else name
        origin = [_text(won["source"]), _text(won["owner"]), _day(won["loaded"])]
        rows.append(
            [title, _shown(won["value"], name, kind), *origin, f"{won['rule']} +{won['agree']} -{won['differ']}"]
        )
        lost = said[(said["property"] == name) & (said["value"] != won["value"])]
        rows += [
            ["", f"  ✗ {_shown(value, name, kind)}", source, "", "", ""]
            for value, source in zip(lost["value"], lost["source"], strict=True)
        ]
    return drawn("Values 信息", ["property", "value", "source", "owner", "loaded", "rule"], rows)


def _shown(value: str, name: str, kind: EntityType) -> str:
    prop = kind.properties.get(name)
    return KINDS[prop.kind].mask(value) if prop is not None and prop.sealed else value


def _links(links: pd.DataFrame, title: str) -> str:
    lines = links.head(MEMBERS_MOST).to_dict("records")
    rows = [
        [line["relation"], line["other"], _kinds(line["type"], line["kind"]), _text(line["called"])] for line in lines
    ]
    return drawn(title, ["relation", "code", "type", "called"], rows + _rest(links, 4))


def _records(members: pd.DataFrame) -> str:
    rows = []
    for line in members.head(MEMBERS_MOST).to_dict("records"):
        key = _LONG_NUMBER.sub(lambda found: id_number(found[0]), line["key"])
        weight = "" if pd.isna(line["weight"]) else f"{line['weight']:.1f}"
        kinds = _kinds(line["type"], line["role"])
        rows.append([line["source"], key, kinds, line["how"], weight, _day(line["loaded"])])
    return drawn("Records 记录", ["source", "key", "record", "how", "weight", "loaded"], rows + _rest(members, 6))


def _kinds(kind_of: str, part: str) -> str:
    return f"{kind_of}.{part}" if part else kind_of


def _rest(frame: pd.DataFrame, columns: int) -> list[list[str]]:
    left = len(frame) - MEMBERS_MOST
    return [[f"… {left} more", *[""] * (columns - 1)]] if left > 0 else []


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _day(moment: Any) -> str:
    return _text(moment)[:10]


def drawn(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in box drawing; rich knows how wide Chinese characters are."""
    from rich.box import ROUNDED
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=title, title_justify="left", box=ROUNDED, show_header=bool(columns), highlight=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out = StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False).print(table)
    return out.getvalue().rstrip("\n")
