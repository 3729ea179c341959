"""Rights and areas, and tokens that are kept as digests alone."""

from __future__ import annotations

import pytest
from district import ACTOR
from sqlalchemy import text

from onegrid.database import Database
from onegrid.errors import NotFound, SettingsError
from registry.access import RIGHTS, Caller, area_of
from registry.tokens import create_token, digest, list_tokens, revoke_token


@pytest.mark.parametrize(
    ("division", "area"),
    [("340202", "340202"), ("340202000", "340202"), ("340202000000", "340202"), ("340202004", "340202004"),
     ("340202004000", "340202004"), ("340202004201", "340202004201"), ("340000", "340000")],
)  # fmt: skip
def test_an_area_is_what_its_codes_begin_with(division: str, area: str) -> None:
    assert area_of(division) == area


def test_an_unknown_role_may_nothing() -> None:
    caller = Caller(1, "x", "god", None, "340202", True)
    assert not any(caller.may(right) for rights in RIGHTS.values() for right in rights)


def test_only_those_of_a_whole_district_see_what_lies_nowhere() -> None:
    assert Caller(1, "x", "worker", None, "340202", False).sees_nowhere
    assert not Caller(1, "x", "worker", None, "340202004", False).sees_nowhere


def make(database: Database, **other: object) -> tuple[int, str]:
    given = {"role": "worker", "department": "街道", "division": "340202004000", "numbers": False, "days": 30, **other}
    with database.session(ACTOR) as connection:
        return create_token(connection, **given)  # type: ignore[arg-type]


def test_the_database_keeps_a_digest_and_no_secret(database: Database) -> None:
    number, secret = make(database)
    with database.session(ACTOR) as connection:
        row = connection.execute(text("SELECT * FROM api_token WHERE id = :id"), {"id": number}).one()
        listed = list_tokens(connection)
    assert bytes(row.hash) == digest(secret)
    assert row.division == "340202004"
    assert secret not in str(row)
    assert "hash" not in listed.columns
    assert listed["state"].tolist() == ["valid"]
    assert make(database)[1] != secret


def test_a_revoked_token_stays_revoked_at_its_first_time(database: Database) -> None:
    number, _ = make(database)
    with database.session(ACTOR) as connection:
        revoke_token(connection, number)
        first = connection.execute(text("SELECT revoked_at FROM api_token")).scalar_one()
        revoke_token(connection, number)
        assert connection.execute(text("SELECT revoked_at FROM api_token")).scalar_one() == first
        assert list_tokens(connection)["state"].tolist() == ["revoked"]
        with pytest.raises(NotFound, match="no token 99"):
            revoke_token(connection, 99)


@pytest.mark.parametrize(
    "wrong", [{"role": "god"}, {"division": "34"}, {"division": "镜湖区"}, {"days": 0}, {"department": " "}]
)
def test_what_cannot_be_is_refused(database: Database, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        make(database, **wrong)


def test_a_reconciler_sees_numbers_masked_and_does_nothing_else(database: Database) -> None:
    with pytest.raises(SettingsError, match="unmasked"):
        make(database, role="reconciler", numbers=True)
    assert RIGHTS["reconciler"] == {"reconcile"}
    assert [role for role, rights in RIGHTS.items() if "reconcile" in rights] == ["reconciler"]
