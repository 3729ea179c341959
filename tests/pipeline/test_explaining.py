"""Explanations over a small town as one run left it: they add up to what was stored, and end in what was published."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from district import ACTOR, ROOT, District

from matching.explain import explain, total
from matching.model import Model
from onegrid.database import read_frame
from onegrid.explaining import TELLING, Name, how, why
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from registry.models import current_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
MEMBERS = """
    SELECT m.record, m.code, r.source, r.key, r.role FROM membership m JOIN record r ON r.id = m.record
    WHERE m.type = 'person' AND m.known_to IS NULL ORDER BY m.record"""
EDGES = "SELECT * FROM edge WHERE type = 'person' ORDER BY record_a, record_b"


@pytest.fixture(scope="module")
def town(make_folder: Callable[[], Path]) -> Iterator[District]:
    folder = make_folder()
    made = [sys.executable, "-m", "town", "--scale", "0.02", "--seed", "5", "--out", str(folder)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    found = District(folder, folder / "home")
    with found.database():
        assert found.run().code == 0
        yield found


def test_explanations_add_up_and_end_in_what_is_published(town: District) -> None:
    keyring = Keyring.open(Settings(town.home).master_key)
    with town.database() as database, database.session(ACTOR) as connection:
        edges, members = read_frame(connection, EDGES), read_frame(connection, MEMBERS)
        model = Model.from_json(str(current_model(connection, keyring)))
        assert len(edges) > 500
        off = [abs(total(explain(model, packed)) - weight) for packed, weight in edges[["levels", "weight"]].to_numpy()]
        assert max(off) < 1e-6

        size = members["code"].value_counts()
        for code in sorted(size[size > 3].index)[:15]:
            told = how(connection, keyring, code)
            records = {(r["source"], r["key"], r["role"]) for group in told["groups"] for r in group["records"]}
            whole = members.loc[members["code"] == code, ["source", "key", "role"]]
            assert records == set(whole.itertuples(index=False, name=None))
            assert len(told["groups"]) - len(told["joins"]) == 1
            assert all(join["linkage"] >= told["threshold"] for join in told["joins"])

        names = members.set_index("record")[["source", "key", "role"]]
        code = members.set_index("record")["code"]
        both = pd.DataFrame({side: edges[f"record_{side}"].map(code) for side in ("a", "b")})
        apart = edges[(both["a"] != both["b"]).to_numpy()].sort_values("weight", ascending=False).head(8)
        together = edges[(both["a"] == both["b"]).to_numpy()].head(8)
        for edge in (*apart.itertuples(), *together.itertuples()):
            one, two = (Name(*names.loc[record]) for record in (edge.record_a, edge.record_b))
            told = why(connection, keyring, one, two, [code[edge.record_a], code[edge.record_b]])
            assert told["together"] == (code[edge.record_a] == code[edge.record_b])
            assert {line["reason"] for line in told["reasons"]} <= set(TELLING)
            assert told["pair"]["stored"]
            assert abs(told["pair"]["weight"] - edge.weight) < 1e-6
            strong = told["linkage"] is not None and told["linkage"] >= 5
            if not told["together"] and strong:  # something must hold apart what speaks so much for one person
                assert {line["reason"] for line in told["reasons"]} & {"numbers", "birth", "borrowed", "head", "listed"}
