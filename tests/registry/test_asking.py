"""What is kept for asking: only differences are written, and what is no longer said leads nowhere."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
from sqlalchemy import Connection

from onegrid.database import read_frame
from onegrid.sealing import Keyring
from registry.asking import SEALED_FOR, is_kept, keep
from registry.runs import finish_run, start_run
from registry.unify import unify

PHONE = "13855010001"


def publish(connection: Connection, keyring: Keyring, make: SimpleNamespace, *parts: set[int]) -> None:
    rows = [
        {"rid": rid, "source": "police", "name": f"张{rid}", "phone": PHONE} for part in parts for rid in sorted(part)
    ]
    run = start_run(connection, "model")
    finish_run(connection, run, unify(make.clusters(*parts), make.records(rows), connection, keyring, run))


def kept(tokens: dict[int, set[int]]) -> SimpleNamespace:
    """What records keep: a body that says the phone, and tokens."""
    pairs = [(rid, token) for rid, many in tokens.items() for token in sorted(many)]
    return SimpleNamespace(
        bodies=pd.Series({rid: f'["{PHONE}",{rid}]' for rid in tokens}, dtype="str"),
        tokens=pd.DataFrame(pairs, columns=["rid", "token"], dtype="int64"),
        homes=pd.DataFrame({"rid": [], "dwelling": []}, dtype="int64"),
        heads=pd.DataFrame({"area": ["340202"], "text": ["幸福"], "head": ["340202|幸福"]}, dtype="str"),
    )


def keys(connection: Connection) -> set[tuple[int, str]]:
    found = read_frame(connection, "SELECT k.token, p.code FROM ask_key k JOIN ask_person p ON p.person = k.person")
    return set(zip(found["token"], found["code"], strict=True))


def code_of(connection: Connection, rid: int) -> str:
    lines = read_frame(connection, "SELECT record, code FROM membership WHERE known_to IS NULL AND type = 'person'")
    return str(lines.set_index("record")["code"][rid])


def test_a_persons_records_are_kept_together_and_sealed(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    publish(connection, keyring, make, {1, 2}, {3})
    assert not is_kept(connection, 1)
    keep(connection, keyring, kept({1: {10, 11}, 2: {11, 12}, 3: {10}}), 1, 1)
    assert is_kept(connection, 1)
    assert not is_kept(connection, 2)
    one, other = code_of(connection, 1), code_of(connection, 3)
    assert keys(connection) == {(10, one), (11, one), (12, one), (10, other)}
    rows = read_frame(connection, "SELECT code, body FROM ask_person ORDER BY code")
    bodies = dict(zip(rows["code"], keyring.unseal_many(rows["body"], SEALED_FOR), strict=True))
    assert bodies[one] == f'[["{PHONE}",1],["{PHONE}",2]]'
    assert PHONE.encode().hex() not in " ".join(rows["body"])


def test_only_what_differs_is_written(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    publish(connection, keyring, make, {1}, {2}, {3})
    said = {1: {10}, 2: {20}, 3: {30}}
    assert keep(connection, keyring, kept(said), 1, 1) == 3
    assert keep(connection, keyring, kept(said), 1, 2) == 0
    assert keep(connection, keyring, kept(said), 2, 3) > 0, "another version writes all anew"
    before = read_frame(connection, "SELECT person, body FROM ask_person").set_index("person")["body"]
    publish(connection, keyring, make, {1}, {2, 3})
    keep(connection, keyring, kept(said), 2, 4)
    after = read_frame(connection, "SELECT person, body FROM ask_person").set_index("person")["body"]
    assert len(after) == 2
    assert (before.reindex(after.index) == after).sum() == 1, "who stayed the same was not sealed again"
    assert keys(connection) == {
        (10, code_of(connection, 1)),
        (20, code_of(connection, 2)),
        (30, code_of(connection, 2)),
    }


def test_who_is_gone_leads_nowhere(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    publish(connection, keyring, make, {1}, {2})
    keep(connection, keyring, kept({1: {10}, 2: {20}}), 1, 1)
    publish(connection, keyring, make, {2})
    keep(connection, keyring, kept({2: {20}}), 1, 2)
    assert keys(connection) == {(20, code_of(connection, 2))}
    assert read_frame(connection, "SELECT count(*) AS n FROM ask_key")["n"].tolist() == [1]
