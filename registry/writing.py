"""A draft onto the published state, table by table: each compares, writes what differs, and says what that was.

What they return is `serial`, `part`, `name`: which codes are different, and in what (names, never values).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame
from registry.aliases import aliases_of
from registry.changes import written
from registry.draft import Draft, Publication
from registry.origins import Integers, Origins
from registry.published import SEALED_FOR, Difference, begin, difference, end, equal, load_temporary
from registry.succession import true_until
from schemas.properties import SEALED_FROM

WEIGHT_DIGITS = 6  # of a membership's weight: what a float says beyond is the noise of summing
EDGE_COLUMNS = ("type", "record_a", "record_b", "weight", "levels")
VALUE_COLUMNS = ("property", "value", "record", "rule", "agree", "differ", "sensitivity")
RELATIONS_MOST = 8  # kinds of relations that fit beside two serials (30 bits each) into 63 bits
LOCATED = ("division", "grid", "basis", "records", "sources")
_VERSION = """
    INSERT INTO entity_version (code, status, merged_into, division, grid, basis, records, sources, changed_run, until_run)
    SELECT e.code, e.status, e.merged_into, e.division, e.grid, e.basis, e.records, e.sources, e.changed_run, :run
    FROM entity e JOIN {table} r ON {on} ON CONFLICT DO NOTHING"""
_REDIRECT = """
    UPDATE entity e SET status = r.status, merged_into = r.merged_into, changed_run = :run
    FROM redirect r WHERE e.code = r.code"""
_FOLLOW = """
    UPDATE entity e SET merged_into = r.merged_into FROM redirect r
    WHERE e.merged_into = r.code AND r.status = 'merged'"""
_RENEW = """
    UPDATE entity e SET status = 'active', merged_into = NULL, division = r.division, grid = r.grid, basis = r.basis,
        records = r.records, sources = r.sources, changed_run = :run
    FROM renewed r WHERE e.code = r.code"""
_TOUCH = "UPDATE entity e SET changed_run = :run FROM touched t WHERE e.code = t.code AND e.changed_run <> :run"


def write_entities(draft: Draft) -> pd.DataFrame:
    """New codes, codes that came back, redirects of merged ones (one hop), retired ones, and where each entity lies."""
    table = draft.groups.table[["type", "kind", "records", "sources"]]
    wanted = pd.concat([table, draft.located], axis=1).assign(code=draft.coding.code, status="active")
    before = draft.place_before
    runs = {"created_run": draft.to.run, "changed_run": draft.to.run}
    draft.to.write(copy_frame, "entity", wanted[before < 0].assign(**runs))
    known = np.flatnonzero(before >= 0)
    old, new = draft.entities.take(before[known]), wanted.take(known)
    alike = {name: equal(new[name], old[name]) for name in (*LOCATED, "status")}
    different = ~np.logical_and.reduce(list(alike.values()))
    _renew(draft, new.loc[different, ["code", *LOCATED]])
    _redirect(draft)
    return _touched(draft.coding.serial[known], "location", {name: ~alike[name] for name in ("division", "grid")})


def _renew(draft: Draft, rows: pd.DataFrame) -> None:
    if not rows.empty:
        draft.to.write(_through, "renewed", rows, _RENEW, draft.to.run, "e.code = r.code")


def _redirect(draft: Draft) -> None:
    merged, retired = draft.coding.merged, draft.coding.retired
    if not len(merged) and not len(retired):
        return
    rows = pd.DataFrame(
        {
            "code": pd.concat([draft.codes(merged.index.to_numpy()), draft.codes(retired)]).array,
            "status": ["merged"] * len(merged) + ["retired"] * len(retired),
            "merged_into": pd.concat(
                [draft.codes(merged), pd.Series(None, index=range(len(retired)), dtype="str")]
            ).array,
        }
    )
    draft.to.write(_through, "redirect", rows, _REDIRECT, draft.to.run, "r.code IN (e.code, e.merged_into)")
    draft.to.write(_follow)


def _through(
    connection: Connection, name: str, rows: pd.DataFrame, statement: str, run: int, past: str | None = None
) -> None:
    """Runs `statement` over a temporary table of columns of `entity`; `past`: the rows `e` to keep beside, by rows `r`."""
    load_temporary(connection, name, "entity", rows)
    if past:
        connection.execute(text(_VERSION.format(table=name, on=past)), {"run": run})
    connection.execute(text(statement), {"run": run})


def _follow(connection: Connection) -> None:
    """Redirects to a code that was now merged go on to its successor: always one hop."""
    connection.execute(text(_FOLLOW))


def write_members(draft: Draft, origins: Origins) -> None:
    """Which record belongs to which code, how and how surely."""
    groups, lines, current = draft.groups, draft.groups.members, draft.before.members
    wanted = lines.assign(
        at=groups.at(lines["rid"], lines["sort"].to_numpy()),
        serial=draft.coding.serial[lines["group"].to_numpy()],
        weight=lines["weight"].round(WEIGHT_DIGITS),
    )
    now = current.assign(at=groups.at(current["rid"], groups.sort_of(current)))
    found = difference(wanted, now, ("serial", "how", "weight"))
    fresh = np.flatnonzero(found.fresh)
    fresh = fresh[np.argsort(wanted["at"].to_numpy()[fresh])]  # the order of the index on the table
    group, lines = wanted["group"].to_numpy()[fresh], wanted[["rid", "at", "how", "weight"]].take(fresh)
    lines["valid_from"] = origins.date.take(origins.at(lines["rid"].to_numpy())).array
    ended = now[found.ended].rename(columns={"rid": "record", "at": "series"})
    until = true_until(ended, lines.rename(columns={"at": "series"}), draft, origins, own=True)
    draft.to.write(end, "membership", ended[["record", "type", "kind"]], draft.to.moment, until)
    rows = (
        lines.drop(columns="at")
        .rename(columns={"rid": "record"})
        .reset_index(drop=True)
        .assign(
            type=_words(groups.table["type"], group),
            kind=_words(groups.table["kind"], group),
            code=draft.coding.code.take(group).array,
            run=draft.to.run,
        )
    )
    draft.to.write(begin, "membership", rows, draft.to.moment)


def _words(column: pd.Series, rows: Integers) -> pd.Categorical:
    """Few distinct words by row, without a copy of the text for each."""
    codes, words = pd.factorize(column)
    return pd.Categorical.from_codes(codes[rows], categories=pd.Index(words))


def write_values(draft: Draft, values: pd.DataFrame, origins: Origins) -> pd.DataFrame:
    """The golden values; what is sensitive is sealed. Says which properties now have another value."""
    current = draft.before.golden
    values = values.assign(serial=draft.coding.serial[values["group"].to_numpy()])
    names = pd.Index(pd.concat([values["property"].astype("str"), current["property"]]).unique())
    wanted, now = (frame.assign(at=_beside(frame, names)) for frame in (values, current))
    found = difference(wanted, now, ("value", "record", "rule", "agree", "differ"))
    ended = now[found.ended]
    keys = ended[["property"]].assign(code=draft.codes(ended["serial"]).array)
    fresh = np.flatnonzero(found.fresh)
    fresh = fresh[np.argsort(wanted["at"].to_numpy()[fresh])]
    rows = wanted[list(VALUE_COLUMNS)].take(fresh).reset_index(drop=True)
    rows["code"] = draft.coding.code.take(wanted["group"].to_numpy()[fresh]).array
    rows["valid_from"] = origins.date.take(origins.at(rows["record"].to_numpy())).array
    series = rows[["valid_from"]].assign(series=wanted["at"].to_numpy()[fresh])
    until = true_until(ended.rename(columns={"at": "series"}), series, draft, origins)
    draft.to.write(end, "entity_value", keys, draft.to.moment, until)
    draft.to.write(begin, "entity_value", _sealed(rows, draft.to), draft.to.moment)
    return _other_values(wanted, now, found, draft)


def _beside(frame: pd.DataFrame, names: pd.Index) -> Integers:
    codes, known = pd.factorize(frame["property"])
    place = names.get_indexer(pd.Index(known))[codes]
    return frame["serial"].to_numpy(dtype=np.int64) * len(names) + place


def _sealed(rows: pd.DataFrame, to: Publication) -> pd.DataFrame:
    secret = rows["sensitivity"] >= SEALED_FROM
    sealed = to.keyring.seal_many(rows["value"].where(secret), SEALED_FOR)
    return rows.assign(sealed=sealed, value=rows["value"].where(~secret))


def _other_values(wanted: pd.DataFrame, now: pd.DataFrame, found: Difference, draft: Draft) -> pd.DataFrame:
    """The properties whose value is another one, new or gone; a change of provenance alone is none."""
    columns = ["at", "serial", "property", "value"]
    fresh = wanted.loc[found.fresh & ~wanted["serial"].isin(draft.coding.created).to_numpy(), columns]
    ended = now.loc[found.ended, columns]
    both = fresh.merge(ended, on=["at", "serial", "property"], how="outer", suffixes=("", "_before"))
    other = both[~equal(both["value"], both["value_before"])]
    return pd.DataFrame({"serial": other["serial"], "part": "properties", "name": other["property"]})


def write_relations(draft: Draft, links: pd.DataFrame, origins: Origins) -> pd.DataFrame:
    """Who lives where and belongs to what; says which codes have another relation."""
    current, serial = draft.before.relations, draft.coding.serial
    links = links.assign(serial=serial[links["group"].to_numpy()], to_serial=serial[links["to_group"].to_numpy()])
    links = links.rename(columns={"rid": "record"})
    names = pd.Index(pd.concat([links["relation"], current["relation"]]).unique())
    wanted, now = (frame.assign(at=_between(frame, names)) for frame in (links, current))
    found = difference(wanted, now, ("record",))
    ended = now[found.ended]
    keys = ended[["relation"]].assign(
        code=draft.codes(ended["serial"]).array, to_code=draft.codes(ended["to_serial"]).array
    )
    fresh = wanted[found.fresh].sort_values("serial", ignore_index=True)
    rows = fresh[["relation", "record"]].assign(
        code=draft.coding.code.take(fresh["group"].to_numpy()).array,
        to_code=draft.coding.code.take(fresh["to_group"].to_numpy()).array,
        valid_from=origins.date.take(origins.at(fresh["record"].to_numpy())).array,
        run=draft.to.run,
    )
    begun = fresh[["serial", "relation", "to_serial"]].assign(valid_from=rows["valid_from"])
    begun = begun[begun["serial"].isin(ended["serial"])]
    until = true_until(_series(ended, draft), _series(begun, draft), draft, origins)
    draft.to.write(end, "relation", keys, draft.to.moment, until)
    draft.to.write(begin, "relation", rows, draft.to.moment)
    lone = pd.concat([fresh[["at", "serial", "relation"]], ended[["at", "serial", "relation"]]])
    lone = lone[~lone["at"].duplicated(keep=False)]
    return pd.DataFrame({"serial": lone["serial"], "part": "relations", "name": lone["relation"]})


def _series(frame: pd.DataFrame, draft: Draft) -> pd.DataFrame:
    """With `series`: an entity has one relation of a name to one sort of entity at a time (one home, one hukou book)."""
    to = draft.sorts(frame["to_serial"])
    return frame.assign(series=frame["serial"].astype("str") + "/" + frame["relation"].astype("str") + "/" + to)


def _between(frame: pd.DataFrame, names: pd.Index) -> Integers:
    if len(names) > RELATIONS_MOST:
        raise ValueError(f"more than {RELATIONS_MOST} kinds of relations")
    pair: Integers = (frame["serial"].to_numpy(dtype=np.int64) << 30) + frame["to_serial"].to_numpy(dtype=np.int64)
    return pair * RELATIONS_MOST + names.get_indexer(pd.Index(frame["relation"]))


def write_aliases(draft: Draft, values: pd.DataFrame, numbers: pd.DataFrame) -> None:
    """Official numbers that lead to codes."""
    current = draft.before.aliases
    wanted = aliases_of(values, numbers, draft.to.keyring)
    wanted = wanted.assign(serial=draft.coding.serial[wanted["group"].to_numpy()])
    wanted = wanted.drop_duplicates(["scheme", "value", "serial"], ignore_index=True)
    both = pd.concat([frame[["scheme", "value", "serial"]] for frame in (wanted, current)], ignore_index=True)
    at = both.groupby(["scheme", "value", "serial"], sort=False).ngroup().to_numpy()
    wanted, now = wanted.assign(at=at[: len(wanted)]), current.assign(at=at[len(wanted) :])
    found = difference(wanted, now, ())
    draft.to.write(end, "alias", _alias_rows(now[found.ended], draft), draft.to.moment)
    draft.to.write(begin, "alias", _alias_rows(wanted[found.fresh], draft), draft.to.moment)


def _alias_rows(lines: pd.DataFrame, draft: Draft) -> pd.DataFrame:
    blind = lines["blind"].to_numpy(dtype=bool)
    code = draft.codes(lines["serial"]).array
    value = lines["value"].astype("str")
    return lines[["scheme"]].assign(value=value.where(~blind), blind=value.where(blind), code=code)


def write_edges(draft: Draft, edges: pd.DataFrame) -> None:
    """The scored pairs of the run's version of the model, with what their records say now."""
    named = edges.rename(columns={"rid_a": "record_a", "rid_b": "record_b"}).reindex(columns=list(EDGE_COLUMNS))
    both = (named.drop_duplicates(["record_a", "record_b"], ignore_index=True), draft.before.edges)
    wanted, now = (
        frame.assign(
            at=_packed(frame["record_a"], frame["record_b"]),
            rounded=frame["weight"].astype("float64").round(WEIGHT_DIGITS),
            levels=frame["levels"].astype("Int64"),
        )
        for frame in both
    )
    found = difference(wanted, now, ("rounded", "levels"))
    gone = now.loc[found.ended, ["record_a", "record_b"]].assign(model=draft.before.model)
    if not gone.empty:
        draft.to.write(_forget, "edge", gone)
    fresh = wanted.loc[found.fresh, list(EDGE_COLUMNS)].sort_values(["record_a", "record_b"])
    draft.to.write(copy_frame, "edge", fresh.assign(model=draft.before.model))


def _packed(one: pd.Series, two: pd.Series) -> Integers:
    high: Integers = one.to_numpy(dtype=np.int64) << 32
    low: Integers = two.to_numpy(dtype=np.int64)
    return high + low


def _forget(connection: Connection, table: str, keys: pd.DataFrame) -> None:
    """Takes away the rows of `table` whose columns equal a row of `keys`: of what can be computed no history is kept."""
    load_temporary(connection, "gone", table, keys)
    same = " AND ".join(f't."{name}" = g."{name}"' for name in keys.columns)
    connection.execute(text(f'DELETE FROM "{table}" t USING gone g WHERE {same}'))


def write_changes(draft: Draft, changes: pd.DataFrame) -> pd.DataFrame:
    """A line a changed code, in the order of serials; says `code`, `type` and `change` of each."""
    if changes.empty:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in ("code", "type", "change")})
    serials = changes["serial"].to_numpy(dtype=np.int64)
    group = pd.Index(draft.coding.serial).get_indexer(pd.Index(serials))
    entity = pd.Index(draft.entities["serial"]).get_indexer(pd.Index(serials))
    codes = draft.codes(serials)
    rows = pd.DataFrame({"code": codes.array, "change": changes["change"].astype("str").array, "run": draft.to.run})
    rows["diff"] = written(changes, lambda serials: draft.codes(np.array(serials)).tolist()).array
    for name in ("type", "division", "grid"):
        now = draft.groups.table["type"] if name == "type" else draft.located[name]
        before = draft.entities[name].reindex(entity).reset_index(drop=True)
        rows[name] = now.reindex(group).reset_index(drop=True).where(group >= 0, before).array
    draft.to.write(copy_frame, "change", rows if draft.to.moment is None else rows.assign(at=draft.to.moment))
    if len(draft.before.entities):
        draft.to.write(_through, "touched", rows[["code"]], _TOUCH, draft.to.run)
    return rows[["code", "type", "change"]]


def _touched(serials: Integers, part: str, different: dict[str, np.typing.NDArray[np.bool_]]) -> pd.DataFrame:
    parts = [pd.DataFrame({"serial": serials[where], "part": part, "name": name}) for name, where in different.items()]
    return pd.concat(parts, ignore_index=True)
