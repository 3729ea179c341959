"""Codes of another hub: taken over where nobody here bears them, by the group that most says so, and by no other."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, text

from onegrid.errors import SettingsError
from onegrid.sealing import Keyring
from registry.claims import claimed_pairs
from registry.hubs import MOST, block_of, hub, set_number
from registry.runs import start_run
from registry.unify import unify
from schemas.codes import make, parse

FOREIGN = str(make("P", "340202", 123))
OTHER = str(make("P", "340202", 124))
PLACE = str(make("L", "340202", 125))


def publish(
    connection: Connection, keyring: Keyring, make_: SimpleNamespace, said: dict[int, str | None], *parts: set[int]
) -> dict[int, str]:
    """One run over persons who say these codes; the code of each record."""
    rows = [{"rid": rid, "source": "police", "name": "张三", "registry_code": code} for rid, code in said.items()]
    run = start_run(connection, "model")
    unify(make_.clusters(*parts), make_.records(sorted(rows, key=lambda row: row["rid"])), connection, keyring, run)
    found = connection.execute(text("SELECT record, code FROM membership WHERE known_to IS NULL"))
    return {row.record: row.code for row in found}


@pytest.fixture
def below(connection: Connection) -> Connection:
    """A hub below the one that issued the codes."""
    set_number(connection, 7)
    return connection


def test_a_new_group_takes_the_code_its_records_say(below: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    codes = publish(below, keyring, make, {1: FOREIGN, 2: None, 3: None}, {1, 2}, {3})
    assert codes[1] == codes[2] == FOREIGN
    assert parse(codes[3]).serial in block_of(7)
    again = publish(below, keyring, make, {1: FOREIGN, 2: None, 3: None}, {1, 2}, {3})
    assert again == codes


def test_most_records_decide_and_no_other_nor_one_of_another_type_gets_it(
    below: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    said = {1: FOREIGN, 2: FOREIGN, 3: OTHER, 4: FOREIGN, 5: PLACE}
    codes = publish(below, keyring, make, said, {1, 2, 3}, {4}, {5})
    assert codes[1] == FOREIGN
    assert {parse(codes[rid]).serial in block_of(7) for rid in (4, 5)} == {True}


def test_who_has_a_code_keeps_it_and_the_other_leads_to_it(
    below: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    before = publish(below, keyring, make, {1: None}, {1})
    after = publish(below, keyring, make, {1: None, 2: FOREIGN}, {1, 2})
    assert after[2] == before[1]
    aliases = below.execute(text("SELECT value, code FROM alias WHERE scheme = 'code' AND known_to IS NULL")).all()
    assert [tuple(row) for row in aliases] == [(FOREIGN, before[1])]


def test_codes_of_the_hubs_own_block_that_it_never_issued_are_not_believed(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    codes = publish(connection, keyring, make, {1: FOREIGN, 2: OTHER}, {1}, {2})
    assert {parse(code).serial for code in codes.values()} == {1, 2}  # hub 0: 123 is its own to issue


def test_a_borne_code_is_not_given_twice(below: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    publish(below, keyring, make, {1: FOREIGN}, {1})
    codes = publish(below, keyring, make, {1: FOREIGN, 2: FOREIGN}, {1}, {2})
    assert codes[1] == FOREIGN
    assert parse(codes[2]).serial in block_of(7)


def test_a_hub_is_numbered_before_its_first_code(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    assert hub(connection)[1] == 0
    for number in (-1, MOST + 1):
        with pytest.raises(SettingsError, match="--number"):
            set_number(connection, number)
    publish(connection, keyring, make, {1: None}, {1})
    set_number(connection, 0)
    with pytest.raises(SettingsError, match="its number stays"):
        set_number(connection, 3)


def test_blocks_do_not_meet_and_fill_the_upper_half() -> None:
    blocks = [block_of(number) for number in range(MOST + 1)]
    assert blocks[0].start == 1
    assert all(one.stop == two.start for one, two in pairwise(blocks))
    assert blocks[-1].stop <= 10**9


def test_a_record_that_names_a_code_of_ours_is_bound_to_it_unless_numbers_contradict(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    code = publish(connection, keyring, make, {1: None}, {1})[1]
    one, other = "11010519491231002X", "34020219620315013X"

    def pairs(number: str | None, mine: str | None) -> list[tuple[int, int, str]]:
        rows = [
            {"rid": 1, "source": "police", "name": "张三", "id_number": mine},
            {"rid": 5, "source": "grid", "name": "张叁", "registry_code": code, "id_number": number},
            {"rid": 6, "source": "grid", "name": "王五", "registry_code": FOREIGN},
        ]
        return [tuple(row) for row in claimed_pairs(connection, make.records(rows)).itertuples(index=False)]

    assert pairs(None, one) == [(1, 5, "same")]
    assert pairs(one, one) == [(1, 5, "same")]
    assert pairs(other, one) == []
