"""Why two records of people are one person or not, and how an entity came together: matching's rules over the few
records that the registry finds for it.

Nothing here holds a value of a record, only names of records, levels and weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection

from onegrid.sealing import Keyring

if TYPE_CHECKING:
    from matching.explain import Step
    from matching.model import Model
    from registry.neighbours import Neighbourhood

Integers = npt.NDArray[np.int64]
COMPARED_MOST = 900  # pairs between two entities that are compared anew
TELLING: Mapping[str, tuple[str, str]] = {
    "number": ("两条记录的证件号码相同，且确属各自本人", "both bear one document number, which is surely their own"),
    "pair": ("这两条记录直接比较，足够相似", "the two were compared, and agree enough"),
    "chain": ("经由同一实体的其他记录相连", "other records of the entity connect them"),
    "judged": ("有人判定为不同的人", "somebody judged them to be different"),
    "numbers": ("双方各有可信的证件号码，且不相同", "each has a trusted document number, and they differ"),
    "birth": ("出生日期完全不同", "the dates of birth are altogether different"),
    "borrowed": ("一方借用了另一方的号码", "one uses the other's number"),
    "head": ("一方是另一方的户主", "one is the head of the other's household"),
    "listed": ("同一名单上分列为两人", "one list names both, as two people"),
    "weak": ("相似程度不够", "too little speaks for it"),
    "weaker": ("虽有共同的键，但键过于常见或得分太低，未保留", "the two share keys, but these are too common, or the score was too low to be kept"),
    "never": ("从未比较：没有共同的键", "the two were never compared: they share no key"),
}  # fmt: skip
_NEVER = {
    ("birth", "different"): "birth",
    ("id", "same, borrowed"): "borrowed",
    ("household", "head of the other"): "head",
}


class Name(NamedTuple):
    """How a feed calls a record."""

    source: str
    key: str
    role: str


def codes_of(connection: Connection, *names: Name) -> list[str]:
    """The codes of the persons that records speak of; NotFound for a record that is not there."""
    from onegrid.errors import NotFound
    from registry.views import NAMED

    rows = [connection.exec_driver_sql(NAMED, {"area": "", **name._asdict()}).first() for name in names]
    found = [str(row.code) for row in rows if row is not None]
    if len(found) < len(names):
        raise NotFound("There is no such record of a person.")
    return found


def why(connection: Connection, keyring: Keyring, one: Name, two: Name, codes: list[str]) -> dict[str, Any]:
    """What made two records of people one person, or what keeps them apart. codes: of the entities they belong to."""
    scene = _Scene.read(connection, keyring, codes)
    a, b = scene.position(one), scene.position(two)
    if codes[0] == codes[-1]:
        return {"together": True, **_together(scene, a, b)}
    return {"together": False, **_apart(scene, a, b)}


def how(connection: Connection, keyring: Keyring, code: str) -> dict[str, Any]:
    """By which joins the records of a person came together, in their order, with the pair that spoke most for each."""
    scene = _Scene.read(connection, keyring, [code])
    inside = scene.of(code)
    groups = [
        {"node": int(node), "records": [scene.name(at) for at in inside[scene.node[inside] == node]]}
        for node in np.unique(scene.node[inside])
    ]
    joins = [scene.join(line) for line in scene.joins(inside)]
    return {"groups": groups, "joins": joins, "threshold": scene.threshold, "model": scene.near.model[0]}


def _together(scene: _Scene, a: int, b: int) -> dict[str, Any]:
    inside = scene.of(scene.code(a))
    if scene.node[a] == scene.node[b]:
        return {"reasons": [_told("number")], "pair": None, "joins": [], "linkage": None}
    lines = scene.joins(inside)
    last = next(n for n, line in enumerate(lines) if _meets(line, scene.node[a], scene.node[b]))
    direct = scene.direct(a, b)
    best = direct if direct is not None else scene.best(lines[last].left, lines[last].right)
    return {
        "reasons": [_told("pair" if direct is not None else "chain")],
        "pair": None if best is None else scene.pair(best),
        "joins": [scene.join(line) for line in lines[: last + 1]],
        "linkage": lines[last].linkage,
    }


def _apart(scene: _Scene, a: int, b: int) -> dict[str, Any]:
    left, right = scene.of(scene.code(a)), scene.of(scene.code(b))
    sides = np.unique(scene.node[left]), np.unique(scene.node[right])
    between = scene.between(*sides)
    linkage = 0.5 * float(between["weight"].max()) + 0.5 * float(between["weight"].mean()) if len(between) else None
    direct = scene.direct(a, b)
    pair = scene.anew(a, b) if direct is None else scene.pair(direct)
    reasons = scene.constraints(left, right)
    if not reasons:
        reasons = ["weak" if linkage is not None else "weaker" if pair["keys"] else "never"]
    return {
        "reasons": [_told(reason) for reason in reasons],
        "pair": pair,
        "joins": [],
        "linkage": linkage,
    }


def _told(reason: str) -> dict[str, str]:
    zh, en = TELLING[reason]
    return {"reason": reason, "zh": zh, "en": en}


class _Nowhere:
    """No places: for what does not hang on them."""

    homes = registered = pd.DataFrame({"rid": pd.Series(dtype="int64")})


@dataclass(frozen=True)
class _Join:
    """Two clusters that joined: their nodes, and the linkage (missing where a person judged)."""

    left: Integers
    right: Integers
    linkage: float | None


def _meets(line: _Join, one: int, two: int) -> bool:
    return (one in line.left and two in line.right) or (two in line.left and one in line.right)


@dataclass(frozen=True)
class _Scene:
    """A neighbourhood made ready for matching's rules: evidence, exact groups (`node`), and the model that scored."""

    near: Neighbourhood
    evidence: pd.DataFrame
    node: Integers
    model: Model

    @classmethod
    def read(cls, connection: Connection, keyring: Keyring, codes: list[str]) -> _Scene:
        from matching.evidence import gather
        from matching.model import Model
        from matching.people import exact_pass
        from registry.neighbours import read_neighbourhood

        near = read_neighbourhood(connection, keyring, codes)
        model = Model.from_json(near.model[1])
        evidence = gather(near.records, _Nowhere(), model.tables)  # whose a number is, does not hang on places
        return cls(near, evidence, exact_pass(evidence), model)

    @cached_property
    def placed(self) -> pd.DataFrame:
        """The evidence with what the addresses mean among these records alone."""
        from matching.atlas import Atlas
        from matching.evidence import gather
        from matching.places import match_places

        places = match_places(self.near.records, Atlas.of(self.model.atlas))
        return gather(self.near.records, places, self.model.tables)

    @property
    def threshold(self) -> float:
        from matching.people import JOIN

        return JOIN

    @cached_property
    def edges(self) -> pd.DataFrame:
        """The stored edges on nodes, with the records they were scored for and whether they rule out one person."""
        from matching.engine import never_one

        found = self.near.edges
        nodes = {side: self.node[found[side].to_numpy(dtype=np.int64)] for side in ("a", "b")}
        apart = np.zeros(0, dtype=bool)
        if len(found):
            apart = never_one(self.model.unpack(found["levels"]), found["weight"].to_numpy(), self.threshold)
        return found.assign(one=found["a"], two=found["b"], apart=apart, **nodes)

    def position(self, name: Name) -> int:
        members = self.near.members
        same = (members["source"] == name.source) & (members["key"] == name.key) & (members["role"] == name.role)
        return int(np.flatnonzero(same.to_numpy())[0])

    def name(self, at: int) -> dict[str, str]:
        line = self.near.members.iloc[int(at)]
        return {part: str(line[part]) for part in ("source", "key", "role")}

    def code(self, at: int) -> str:
        return str(self.near.members["code"].iloc[at])

    def of(self, code: str) -> Integers:
        return np.flatnonzero((self.near.members["code"] == code).to_numpy()).astype(np.int64)

    def between(self, left: Integers, right: Integers) -> pd.DataFrame:
        """The edges between two sets of nodes."""
        a, b = (self.edges[side].to_numpy() for side in ("a", "b"))
        crossing = (np.isin(a, left) & np.isin(b, right)) | (np.isin(a, right) & np.isin(b, left))
        return self.edges[crossing]

    def direct(self, a: int, b: int) -> pd.Series | None:
        """The edge of two records, else the best of those that bear the same numbers: rows that say the same are
        scored once.
        """
        own = self.edges[(self.edges["one"] == min(a, b)) & (self.edges["two"] == max(a, b))]
        return own.iloc[0] if len(own) else self.best(self.node[[a]], self.node[[b]])

    def best(self, left: Integers, right: Integers) -> pd.Series | None:
        """The edge that speaks most for one person; the first by name of equal ones."""
        found = self.between(left, right)
        if found.empty:
            return None
        return found.sort_values(["weight", "one", "two"], ascending=[False, True, True]).iloc[0]

    def joins(self, inside: Integers) -> list[_Join]:
        """The joins among some records, in their order."""
        from matching.cluster import merges
        from matching.people import rules_of

        nodes = np.unique(self.node[inside])
        rules = rules_of(self.evidence, self.node, self.near.judged, self.edges)
        edges = self.edges[self.edges["a"].isin(nodes) & self.edges["b"].isin(nodes)]
        parts = {int(node): np.array([node], dtype=np.int64) for node in nodes}
        found = []
        for a, b, linkage in merges(edges, nodes, rules, self.threshold).itertuples(index=False):
            found.append(_Join(parts[a], parts[b], None if np.isnan(linkage) else float(linkage)))
            parts[min(a, b)] = np.concatenate([parts[a], parts[b]])
        return found

    def join(self, line: _Join) -> dict[str, Any]:
        best = self.best(line.left, line.right)
        sides = {"left": sorted(int(n) for n in line.left), "right": sorted(int(n) for n in line.right)}
        shown = None if best is None else {**self._ends(best), "weight": float(best["weight"])}
        return {**sides, "linkage": line.linkage, "best": shown}

    def pair(self, edge: pd.Series) -> dict[str, Any]:
        """A stored pair: what was computed, to the last digit."""
        return {**self._ends(edge), "stored": True, **self._steps(int(edge["levels"])), "keys": self._keys(edge)}

    def anew(self, a: int, b: int) -> dict[str, Any]:
        """Two records compared among those at hand."""
        from matching.explain import compare_anew

        (found,) = compare_anew(self.placed, self.model, pd.DataFrame({"a": [a], "b": [b]}))
        names = {"one": self.name(a), "two": self.name(b)}
        return {**names, "stored": False, **self._steps(found.packed), "keys": list(found.keys)}

    def constraints(self, left: Integers, right: Integers) -> list[str]:
        """What keeps two entities apart whatever the score."""
        from matching.explain import compare_anew

        found = []
        judged = self.near.judged[self.near.judged["verdict"] == "different"]
        a, b = judged["rid_a"].to_numpy(), judged["rid_b"].to_numpy()
        if bool(((np.isin(a, left) & np.isin(b, right)) | (np.isin(a, right) & np.isin(b, left))).any()):
            found.append("judged")
        trusted = self.evidence["id"].where(self.evidence["trusted"])
        one, two = (set(trusted.iloc[side].dropna()) for side in (left, right))
        if one and two and not (one <= two or two <= one):
            found.append("numbers")
        pairs = pd.DataFrame([(x, y) for x in left for y in right][:COMPARED_MOST], columns=["a", "b"])
        never = compare_anew(self.placed, self.model, pairs, impossible_only=True)
        packed = [*(fresh.packed for fresh in never if fresh.keys), *self._barred(left, right)]
        return list(dict.fromkeys([*found, *self._laws(packed)]))

    def _barred(self, left: Integers, right: Integers) -> list[int]:
        between = self.between(np.unique(self.node[left]), np.unique(self.node[right]))
        return [int(packed) for packed in between.loc[between["apart"], "levels"]]

    def _laws(self, packed: list[int]) -> list[str]:
        if not packed:
            return []
        from matching.levels import listed_twice

        levels = self.model.unpack(pd.Series(packed))
        ladders = {name: [level.name for level in self.model.comparisons[name]] for name, _ in _NEVER}
        found = [
            law for (name, level), law in _NEVER.items() if bool((levels[name] == ladders[name].index(level)).any())
        ]
        twice = listed_twice(levels, self.model.score(levels) < self.threshold)
        return [*found, "listed"] if bool(twice.any()) else found

    def _ends(self, edge: pd.Series) -> dict[str, Any]:
        return {"one": self.name(edge["one"]), "two": self.name(edge["two"])}

    def _keys(self, edge: pd.Series) -> list[str]:
        from matching.explain import shared_keys

        return list(shared_keys(self.placed, int(edge["one"]), int(edge["two"])))

    def _steps(self, packed: int) -> dict[str, Any]:
        from matching.explain import explain, total, waterfall

        steps = explain(self.model, packed)
        return {"weight": total(steps), "steps": [_plain(step) for step in steps], "svg": waterfall(steps)}


def _plain(step: Step) -> dict[str, Any]:
    words = {part: asdict(step)[part] for part in ("comparison", "level", "weight")}
    told = {part: getattr(step, part)._asdict() for part in ("what", "said", "others")}
    return {**words, **told, "others": told["others"] if step.others.en else None}
