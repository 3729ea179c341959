"""Clusters become coded entities: codes, membership, golden values, relations, aliases and changes, in one transaction.

Only what differs from the published state is written; a second run over the same records writes nothing. The caller's
transaction makes it visible at once or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from onegrid.sealing import Keyring
from registry import writing
from registry.changes import Movement, Outcome, changes_of, count, outcome, reasons
from registry.claims import said_codes
from registry.draft import Bearing, Draft, Publication, code_groups
from registry.golden import derived_values, golden_values
from registry.groups import NOWHERE, Groups
from registry.guard import Bounds, beyond_shares, bounds, over_merged
from registry.locations import locate
from registry.origins import Integers, Origins
from registry.published import Published, read_published
from registry.review import write_tasks
from registry.runs import publish_in_turn
from registry.search_keys import is_current, write_search_keys
from schemas.properties import EntityType, entity_types
from schemas.records import Matched, Records

UNDECLARED = 2  # sensitivity of a derived value that is no declared property


def unify(
    matched: Matched,
    records: Records,
    connection: Connection,
    keyring: Keyring,
    run: int,
    moment: datetime | None = None,
    limits: Bounds | None = None,
) -> Outcome:
    """Brings the registry to what matching found; the caller decides whether that is committed (`Outcome.alarms`).

    Codes follow the largest overlap of records (ties: the older code). Every record that `matched` names is one of
    `records`. moment: from when on the hub knows this, later than that of any run before, with a time zone; None for
    the time at which the caller's transaction began. limits: what alarms; None for the usual bounds. Until it returns, nothing else may use the connection.
    """
    publish_in_turn(connection)
    origins = Origins.of(records)
    before, keyed = read_published(connection, keyring, run), is_current(connection)
    groups = Groups.of(matched.members, origins)
    to = Publication(connection, keyring, run, moment)
    coding = code_groups(to, groups, origins, before.entities, _bearing(groups, before), said_codes(groups, records))
    links = _links(groups, matched.relations)
    draft = Draft(to, groups, coding, locate(groups, matched.locations, links, origins), before)
    try:
        told, changes, values = _write(draft, matched, records, links, origins, keyed=keyed)
    finally:
        to.settle()
    write_tasks(draft, matched.doubts, values, _owners(records))
    return replace(told, alarms=tuple(_alarms(draft, told, changes, records, limits or bounds())))


def _write(
    draft: Draft, matched: Matched, records: Records, links: pd.DataFrame, origins: Origins, *, keyed: bool
) -> tuple[Outcome, pd.DataFrame, pd.DataFrame]:
    groups = draft.groups
    entities = writing.write_entities(draft)
    writing.write_members(draft, origins)
    relations = writing.write_relations(
        draft, links, origins
    )  # the database is busy with these while values are chosen
    writing.write_edges(draft, matched.edges)
    values = _golden(groups, records, matched, origins)
    valued = writing.write_values(draft, values, origins)
    write_search_keys(draft, values, valued["serial"].to_numpy(dtype=np.int64), current=keyed)
    touched = [entities, valued, relations]
    writing.write_aliases(draft, values, _numbers(groups, records))
    movement = _movement(draft, pd.concat(touched, ignore_index=True))
    changes = changes_of(movement)
    told = writing.write_changes(draft, changes).assign(reason=reasons(changes, _joined_by(draft)).array)
    return outcome(count(changes, movement, len(groups.table)), told), changes, values


def _owners(records: Records) -> pd.Series:
    """The department whose feed each record is of, by `rid`."""
    owner = {name: feed.owner for name, feed in records.feeds.items()}
    parts = [frame.set_index("rid")["source"].map(owner) for frame in records.frames.values()]
    return pd.concat(parts) if parts else pd.Series(dtype="str")


def _joined_by(draft: Draft) -> dict[int, str]:
    """How most records of each merged code came to the other one."""
    merged = draft.coding.merged.index
    lost = draft.before.members[draft.before.members["serial"].isin(merged)]
    if lost.empty:
        return {}
    groups = draft.groups
    at = pd.Index(groups.at(groups.members["rid"], groups.members["sort"].to_numpy()))
    place = at.get_indexer(pd.Index(groups.at(lost["rid"], groups.sort_of(lost))))
    how = groups.members["how"].take(place[place >= 0]).array
    counted = pd.DataFrame({"serial": lost["serial"].to_numpy()[place >= 0], "how": how}).value_counts()
    ranked = counted.rename("n").reset_index().sort_values(["serial", "n", "how"], ascending=[True, False, True])
    best = ranked.drop_duplicates("serial")
    return dict(zip(best["serial"].tolist(), best["how"].astype("str").tolist(), strict=True))


def _alarms(draft: Draft, summed: Outcome, changes: pd.DataFrame, records: Records, limits: Bounds) -> list[str]:
    before = draft.before.entities
    active = before.loc[before["status"] == "active", "type"].value_counts()
    changed = changes.loc[changes["change"].isin(["created", "absorbed"]), "serial"]
    place = pd.Index(draft.coding.serial).get_indexer(pd.Index(changed))
    standing = {str(name): int(number) for name, number in active.items()}
    undone = draft.before.rolled_back
    again = (
        []
        if undone is None or summed.nothing
        else [f"run {undone} was rolled back, and this would bring back part of it"]
    )
    return [
        *again,
        *beyond_shares(summed.by_type, standing, limits),
        *over_merged(draft.groups, place[place >= 0], records, limits),
    ]


def _bearing(groups: Groups, before: Published) -> Bearing:
    active = before.entities["status"] == "active"
    frames = (before.members, before.past_members)
    current, past = (frame.assign(sort=groups.sort_of(frame))[["rid", "sort", "serial"]] for frame in frames)
    return Bearing(current, past, before.entities.loc[active, "serial"].to_numpy(dtype=np.int64))


def _links(groups: Groups, relations: pd.DataFrame) -> pd.DataFrame:
    """Relations as `group`, `relation`, `to_group`, `rid`, each once with the first record that shows it."""
    named = {"to_type": "type", "to_kind": "kind", "to_cluster": "cluster"}
    target = relations[list(named)].rename(columns=named)
    links = pd.DataFrame(
        {
            "group": groups.find(relations),
            "relation": relations["relation"].astype("str").array,
            "to_group": groups.find(target),
            "rid": relations["rid"].to_numpy(dtype=np.int64),
        }
    )
    known = links[(links["group"] != NOWHERE) & (links["to_group"] != NOWHERE)]
    return known.sort_values("rid").drop_duplicates(["group", "relation", "to_group"], ignore_index=True)


def _golden(groups: Groups, records: Records, matched: Matched, origins: Origins) -> pd.DataFrame:
    """Golden values of all groups, derived ones where no own record says anything; with `type` and `kind`."""
    derived = matched.derived.assign(group=groups.find(matched.derived))
    derived = derived[derived["group"] != NOWHERE]
    parts = []
    for name, entity_type in entity_types().items():
        own = golden_values(_own(groups, records, name), records.frame(name), entity_type, origins)
        more = derived_values(derived[derived["type"] == name], entity_type, origins)
        said = pd.MultiIndex.from_frame(own[["group", "property"]])
        more = more[~pd.MultiIndex.from_frame(more[["group", "property"]]).isin(said)] if len(more) else more
        found = pd.concat([own, more], ignore_index=True)
        parts.append(found.assign(type=name, sensitivity=_sensitivity(found["property"], entity_type)))
    values = pd.concat(parts, ignore_index=True)
    return values.assign(kind=groups.table["kind"].take(values["group"].to_numpy()).array)


def _sensitivity(names: pd.Series, entity_type: EntityType) -> Integers:
    codes, known = pd.factorize(names)
    declared = entity_type.properties
    levels = [declared[name].sensitivity if name in declared else UNDECLARED for name in known]
    return np.array(levels, dtype=np.int64)[codes]


def _own(groups: Groups, records: Records, name: str) -> pd.DataFrame:
    """`group` and `rid` of the members that are themselves records of the type."""
    lines = groups.members[groups.members["sort"].isin(groups.sorts_of(name))]
    own = lines[lines["rid"].isin(records.frame(name)["rid"])]
    return own[["group", "rid"]].sort_values(["group", "rid"], ignore_index=True)


def _numbers(groups: Groups, records: Records) -> pd.DataFrame:
    """`group` and `value` of every document number that a person's records say."""
    people = records.frame("person")
    if "id_number" not in people.columns:
        return pd.DataFrame({"group": pd.Series(dtype="int64"), "value": pd.Series(dtype="str")})
    own = _own(groups, records, "person")
    place = pd.Index(people["rid"]).get_indexer(pd.Index(own["rid"]))
    lines = pd.DataFrame({"group": own["group"].to_numpy(), "value": people["id_number"].take(place).array})
    return lines.dropna().drop_duplicates(ignore_index=True)


def _movement(draft: Draft, touched: pd.DataFrame) -> Movement:
    coding, members, current = draft.coding, draft.groups.members, draft.before.members
    flows = coding.shared.assign(to=coding.serial[coding.shared["group"].to_numpy()])
    flows = flows.loc[flows["serial"] != flows["to"], ["serial", "to", "shared"]]
    before = pd.Index(draft.groups.at(current["rid"], draft.groups.sort_of(current)))
    now = pd.Index(draft.groups.at(members["rid"], members["sort"].to_numpy()))
    serial = coding.serial[members["group"].to_numpy()[before.get_indexer(now) < 0]]
    gainers, gained = np.unique(serial[~np.isin(serial, coding.created)], return_counts=True)
    lost = np.setdiff1d(current.loc[now.get_indexer(before) < 0, "serial"].unique(), coding.retired)
    return Movement(
        created=coding.created,
        returned=coding.returned,
        flows=flows,
        gained=dict(zip(gainers.tolist(), gained.tolist(), strict=True)),
        lost=lost,
        merged={int(serial): int(into) for serial, into in coding.merged.items()},  # type: ignore[call-overload]
        retired=coding.retired,
        touched=touched[~touched["serial"].isin(coding.created)],
    )
