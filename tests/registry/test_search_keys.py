"""The table of search keys: always what the golden values say, only differences written, no phone number in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from onegrid.database import read_frame
from onegrid.sealing import Keyring
from registry.published import golden
from registry.runs import finish_run, start_run
from registry.search_keys import MARK, keys_of
from registry.search_tokens import VERSION, person_tokens, phone_token, place_tokens, read_place, text_tokens
from registry.unify import unify

Undone = Callable[[], AbstractContextManager[Connection]]
Rows = dict[int, tuple[int, str, str | None]]  # record -> cluster, name, phone
START = datetime(2026, 1, 1, tzinfo=UTC)
PHONES = ("13855010000", "13955010037", None)
steps = st.lists(
    st.dictionaries(
        st.integers(1, 5),
        st.tuples(st.integers(0, 2), st.sampled_from(["张建国", "章建国", "王*"]), st.sampled_from(PHONES)),
        max_size=5,
    ),
    min_size=1,
    max_size=4,
)


def publish(connection: Connection, keyring: Keyring, make: SimpleNamespace, rows: Rows, day: int = 0) -> None:
    said = [
        {"rid": rid, "source": "police", "name": name, "phone": phone} for rid, (_, name, phone) in sorted(rows.items())
    ]
    parts = [{rid for rid, row in rows.items() if row[0] == cluster} for cluster in {row[0] for row in rows.values()}]
    number = start_run(connection, "model")
    counts = unify(make.clusters(*parts), make.records(said), connection, keyring, number, START + timedelta(days=day))
    finish_run(connection, number, counts)


def stored(connection: Connection) -> dict[tuple[str, str], str]:
    """Each key and where its row lies in the table: a row that was written again lies elsewhere."""
    rows = connection.execute(text("SELECT token, code, ctid::text AS at FROM search_key WHERE token <> 'version'"))
    return {(row.token, row.code): row.at for row in rows}


def wanted(connection: Connection, keyring: Keyring) -> set[tuple[str, str]]:
    """What the table must hold: the keys of the golden values that are published."""
    codes = read_frame(connection, "SELECT code, type, substr(code, 9, 9)::bigint AS serial FROM entity")
    lines = golden(connection, keyring).merge(codes, on="serial")
    keys = keys_of(lines, keyring).merge(codes, on="serial")
    return set(zip(keys["token"], keys["code"], strict=True))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_the_keys_are_always_those_of_the_golden_values(
    undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list[Rows]
) -> None:
    with undone() as connection:
        for day, rows in enumerate(history):
            publish(connection, keyring, make, rows, day)
            assert stored(connection).keys() == wanted(connection, keyring)


def test_a_new_name_moves_its_own_keys_alone(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    rows: Rows = {1: (1, "张建国", PHONES[0]), 2: (2, "李秀英", PHONES[1]), 3: (3, "张建国", None)}
    publish(connection, keyring, make, rows)
    before = stored(connection)
    publish(connection, keyring, make, {**rows, 1: (1, "章建国", PHONES[0])}, 1)
    after = stored(connection)
    (code,) = {code for _, code in before.keys() ^ after.keys()}
    assert {token for token, _ in before.keys() - after.keys()} == {"n:张建国", "n:张*国", "n:张建"}
    assert {token for token, _ in after.keys() - before.keys()} == {"n:章建国", "n:章*国", "n:章建"}
    assert {at for key, at in before.items() if key[1] != code} <= set(after.values())
    assert all(before[key] == after[key] for key in before.keys() & after.keys())


def test_a_second_run_writes_nothing(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    rows: Rows = {1: (1, "张建国", PHONES[0]), 2: (2, "李秀英", PHONES[1])}
    publish(connection, keyring, make, rows)
    before = stored(connection)
    publish(connection, keyring, make, rows, 1)
    assert stored(connection) == before


def test_codes_out_of_use_are_found_no_more(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    publish(connection, keyring, make, {1: (1, "张建国", None), 2: (2, "李秀英", None)})
    publish(connection, keyring, make, {1: (1, "张建国", None)}, 1)
    assert not {token for token, _ in stored(connection)} & set(person_tokens("李秀英"))


@pytest.mark.parametrize("mark", [None, "0"])
def test_keys_of_another_version_are_all_made_anew(
    connection: Connection, keyring: Keyring, make: SimpleNamespace, mark: str | None
) -> None:
    """Also where a registry was published before there were keys."""
    rows: Rows = {1: (1, "张建国", PHONES[0]), 2: (2, "李秀英", None)}
    publish(connection, keyring, make, rows)
    before = stored(connection).keys()
    connection.execute(text("DELETE FROM search_key"))
    if mark is not None:
        connection.execute(
            text("INSERT INTO search_key VALUES (:token, :mark), ('n:old', 'x')"), {"token": MARK, "mark": mark}
        )
    publish(connection, keyring, make, rows, 1)
    assert stored(connection).keys() == before
    assert connection.execute(text("SELECT code FROM search_key WHERE token = :t"), {"t": MARK}).scalar() == VERSION


def test_no_phone_number_lies_in_the_keys(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    publish(connection, keyring, make, {1: (1, "张建国", PHONES[0]), 2: (2, "李秀英", PHONES[1])})
    tokens = {token for token, _ in stored(connection)}
    assert {phone_token("１３８ 5501 0000", keyring), phone_token("+86 139-5501-0037", keyring)} <= tokens
    assert not any(digits in token for token in tokens for digits in ("13855010000", "0000", "0037", "5501"))


TOKENS = [
    (person_tokens, "張建國", "n:张建国 y:zhangjianguo n:张*国 n:张建 n:建国"),
    (person_tokens, "章建国", "n:章建国 y:zhangjianguo n:章*国 n:章建 n:建国"),
    (person_tokens, "张*国", "n:张?国 n:张*国"),
    (person_tokens, "王先生", "n:王*"),
    (person_tokens, "李四", "n:李四 y:lisi"),
    (person_tokens, "zhang jianguo", "n:ZHANG\u2002JIANGUO y:zhangjianguo"),
    (person_tokens, "李四妈", ""),
    (text_tokens, "春晖１号超市", "t:春晖 t:晖1 t:1号 t:号超 t:超市"),
    (place_tokens, "幸福小区3栋502", "a:幸福502 a:福小502 a:小区502 a:3-502"),
    (place_tokens, "幸福小区三号楼２单元五零二室", "a:幸福502 a:福小502 a:小区502 a:3-502"),
    (place_tokens, "鲁港路", "t:鲁港 t:港路"),
]


@pytest.mark.parametrize(("make_tokens", "raw", "tokens"), TOKENS, ids=[case[1] for case in TOKENS])
def test_tokens(make_tokens: Callable[[str], tuple[str, ...]], raw: str, tokens: str) -> None:
    assert make_tokens(raw) == tuple(token.replace("\u2002", " ") for token in tokens.split(" ") if token)


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        ("长虹路36号3/2/1801", ("36", "3", "2", "1801")),
        ("荷塘广场西区5#4-502", ("5", "4", "502")),
        ("龙庭广场十七幢一单元二零二室", ("17", "1", "202")),
        ("绿地国际A座0803(加油站后面3米)", ("A", "803")),
    ],
)
def test_numbers_of_an_address(raw: str, numbers: tuple[str, ...]) -> None:
    assert read_place(raw).numbers == numbers
