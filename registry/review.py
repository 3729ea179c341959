"""What a person is asked: uncertain entities and conflicts as tasks, one an entity with all its candidates.

A task has parts, lists of records: the first is the entity as it surely stands, each other one a candidate. The answer says of each
candidate whether it is the same, different, or cannot be told, with a reason. Large entities need two who agree. An answer becomes
judgements on the records' names, which hold in every later run; undoing it takes them back.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from sqlalchemy import text

from onegrid.database import copy_frame, read_frame
from registry.draft import Draft
from registry.golden import FIRST
from registry.groups import NOWHERE, Groups
from registry.published import load_temporary
from schemas.properties import entity_types

BUDGET = 0.01  # share of all records that may be asked about: a person's time is the scarcest
LEAST = 20  # records that may be asked about in any registry, however small
EYES_FROM = 10  # records in all parts from which two people must agree
PART_MOST = 20  # records of a part that are shown and judged
UNCERTAIN, ONE_NUMBER, RIVALS = "uncertain", "one_number", "rivals"
NUMBERS = {"person": "id_number", "organization": "uscc"}
LINE = ("group", "kind", "part", "rid", "weight", "reason")
_STANDING = (
    "SELECT id, code, kind, state, parts::text AS parts FROM review_task WHERE state IN ('open', 'claimed', 'second')"
)
_ASKED = "SELECT code, kind, parts::text AS parts FROM review_task WHERE state = 'settled'"
_CLOSE = "UPDATE review_task SET state = 'closed', closed_at = now() WHERE id = ANY(:ids)"
_RENEW = """
    UPDATE review_task t SET parts = n.parts, weight = n.weight, reason = n.reason, division = n.division, grid = n.grid,
        owner = n.owner, eyes = n.eyes, run = n.run FROM renewed n WHERE t.code = n.code AND t.kind = n.kind AND t.state = 'open'"""


def write_tasks(draft: Draft, doubts: pd.DataFrame, values: pd.DataFrame, owners: pd.Series) -> int:
    """Bring the tasks to what this run is unsure of; how many are new.

    doubts: as in `Matched`. values: golden values of the run. owners: the department that owns each record (index `rid`).
    A task that nobody works on follows the data; one whose doubt is gone is closed; what was answered is not asked again.
    """
    connection = draft.to.connection
    wanted = _tasks(draft, doubts, values, owners)
    standing, asked = read_frame(connection, _STANDING), read_frame(connection, _ASKED)
    names = ["code", "kind"]
    known = pd.MultiIndex.from_frame(standing[names])
    gone = standing.loc[~known.isin(pd.MultiIndex.from_frame(wanted[names])), "id"].tolist()
    connection.execute(text(_CLOSE), {"ids": gone})
    old = pd.MultiIndex.from_frame(wanted[names]).isin(known)
    if old.any():
        load_temporary(connection, "renewed", "review_task", wanted[old])
        connection.execute(text(_RENEW))
    fresh = wanted[~old & ~_answered(wanted, asked)]
    copy_frame(connection, "review_task", fresh)
    return len(fresh)


def _answered(wanted: pd.DataFrame, asked: pd.DataFrame) -> np.typing.NDArray[np.bool_]:
    """Where every candidate was asked about in a settled task of the same code and kind."""
    told: dict[tuple[str, str], set[int]] = {}
    for code, kind, parts in asked.itertuples(index=False, name=None):
        told.setdefault((code, kind), set()).update(part[0] for part in json.loads(parts)[1:])
    rows = zip(wanted["code"], wanted["kind"], wanted["parts"], strict=True)
    known = [{part[0] for part in json.loads(parts)[1:]} <= told.get((code, kind), set()) for code, kind, parts in rows]
    return np.array(known, dtype=bool)


def _tasks(draft: Draft, doubts: pd.DataFrame, values: pd.DataFrame, owners: pd.Series) -> pd.DataFrame:
    """The rows of `review_task` that this run asks for, the surest first, within the budget."""
    groups = draft.groups
    parts = [_uncertain(groups, doubts), _one_number(groups, values), _rivals(groups, draft, values)]
    lines = pd.concat(parts, ignore_index=True).astype({"group": "int64", "part": "int64", "rid": "int64"})
    if lines.empty:
        names = ("code", "type", "kind", "parts", "weight", "reason", "division", "grid", "owner", "eyes", "run")
        return pd.DataFrame({name: pd.Series(dtype="str") for name in names})
    lines = lines.sort_values(["kind", "group", "part"], kind="stable").drop_duplicates(["kind", "group", "rid"])
    each = lines.groupby(["kind", "group"], sort=False)
    found = each.agg(weight=("weight", "max"), reason=("reason", "last"), size=("rid", "size")).reset_index()
    parts_of = _parts(lines)
    found["parts"] = [parts_of[key] for key in zip(found["kind"], found["group"].tolist(), strict=True)]
    asked = lines[lines["part"] > 0].drop_duplicates(["kind", "group"])
    found["owner"] = asked["rid"].map(owners).array
    group = found["group"].to_numpy()
    located = draft.located.take(group).reset_index(drop=True)
    found = found.assign(
        code=draft.coding.code.take(group).array, type=groups.table["type"].take(group).array,
        division=located["division"], grid=located["grid"], run=draft.to.run,
        eyes=np.where(found["size"] >= EYES_FROM, 2, 1),
    )  # fmt: skip
    ranked = found.sort_values(["weight", "code", "kind"], ascending=[False, True, True], ignore_index=True)
    kept = ranked[ranked["size"].cumsum() <= max(BUDGET * groups.members["rid"].nunique(), LEAST)]
    return kept.drop(columns=["group", "size"])


def _parts(lines: pd.DataFrame) -> dict[tuple[str, int], str]:
    """The parts of each task as JSON, in the order of `lines`: tasks are few, within the budget or little above it."""
    shown = lines[lines.groupby(["kind", "group", "part"]).cumcount() < PART_MOST]
    found: dict[tuple[str, int], dict[int, list[int]]] = {}
    for kind, group, part, rid in shown[["kind", "group", "part", "rid"]].itertuples(index=False, name=None):
        found.setdefault((kind, group), {}).setdefault(part, []).append(rid)
    return {key: json.dumps([*parts.values()]) for key, parts in found.items()}


def _uncertain(groups: Groups, doubts: pd.DataFrame) -> pd.DataFrame:
    """Entities that matching doubts, with the records it asks about; what a rule keeps apart is no question."""
    asked = doubts[doubts["reason"] != "held"].reset_index(drop=True)
    if asked.empty:
        return _none()
    asked = asked.assign(group=groups.find(asked.assign(kind="")))
    asked = asked[asked["group"] != NOWHERE].reset_index(drop=True)
    asked["part"] = asked.groupby("group").cumcount() + 1
    people = groups.members[
        groups.members["sort"].isin(np.unique(groups.table["sort"].take(asked["group"].to_numpy())))
    ]
    own = people.set_index("rid")["group"]
    asked["other"] = asked["rid"].map(own).to_numpy()
    beside = asked[asked["other"] != asked["group"]]
    mates = beside[["group", "part", "other", "weight", "reason"]].merge(
        people[["rid", "group"]].rename(columns={"group": "other"}), on="other"
    )
    anchor = people[people["group"].isin(asked["group"])][["rid", "group"]].assign(part=0, weight=np.nan, reason="")
    inside = asked.loc[asked["other"] == asked["group"], ["group", "rid"]]
    anchor = anchor[~pd.MultiIndex.from_frame(anchor[["group", "rid"]]).isin(pd.MultiIndex.from_frame(inside))]
    # the record asked about comes first of its part
    lines = pd.concat([asked, mates.sort_values("rid"), anchor.sort_values("rid")], ignore_index=True)
    whole = lines[lines["group"].isin(anchor["group"])]
    return whole.assign(kind=UNCERTAIN)[list(LINE)]


def _one_number(groups: Groups, values: pd.DataFrame) -> pd.DataFrame:
    """Entities that stand on one official number: the older one's records, then each other one's."""
    parts = [_none()]
    for kind, name in NUMBERS.items():
        said = values[(values["property"] == name) & (values["type"] == kind)][["group", "value", "record"]]
        said = said[said.duplicated("value", keep=False)].sort_values(["value", "group"])
        said["part"] = said.groupby("value").cumcount()
        said["first"] = said.groupby("value")["group"].transform("first")
        lines = pd.DataFrame({"group": said["first"], "part": said["part"], "rid": said["record"]})
        parts.append(lines.assign(kind=ONE_NUMBER, weight=0.0, reason=f"one {name}"))
    return pd.concat(parts, ignore_index=True)[list(LINE)]


def _rivals(groups: Groups, draft: Draft, values: pd.DataFrame) -> pd.DataFrame:
    """Entities of which no rule could say which value of a required property is right: who says one, who another."""
    required = {(kind.name, name) for kind in entity_types().values() for name in kind.require_any}
    open_ = values[(values["rule"] == FIRST) & (values["differ"] > 0)]
    keys = zip(open_["type"].astype("str"), open_["property"].astype("str"), strict=True)
    open_ = open_[np.array([key in required for key in keys], dtype=bool)].drop_duplicates("group")
    if open_.empty:
        return _none()
    sort = groups.table["sort"].take(open_["group"].to_numpy())
    lines = groups.members[groups.members["group"].isin(open_["group"]) & groups.members["sort"].isin(np.unique(sort))]
    winner = open_.set_index("group")
    at = lines["group"].map(winner["record"])
    found = lines[["group", "rid"]].assign(part=np.where(lines["rid"] == at, 0, 1))
    reason = "rival values of " + lines["group"].map(winner["property"]).astype("str")
    return found.assign(kind=RIVALS, weight=0.0, reason=reason)[list(LINE)]


def _none() -> pd.DataFrame:
    kinds = {"group": "int64", "kind": "str", "part": "int64", "rid": "int64", "weight": "float64", "reason": "str"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
