"""Which hub this is among others, and the serials that are its own to issue.

Hubs that hand codes to each other are numbered by whoever runs them, each number once: 0 is the district's, 1 to 499
are those below it. A hub issues serials of its own block alone and takes codes over from others' blocks alone, so that
no code means two things, whatever division stands in it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from onegrid.errors import SettingsError
from schemas.codes import SERIALS

MIDDLE, BLOCK = SERIALS // 2, 1_000_000  # hub 0 has the lower half, each other hub a million of the upper
MOST = MIDDLE // BLOCK - 1


def block_of(number: int) -> range:
    """The serials a hub issues."""
    if number == 0:
        return range(1, MIDDLE)
    first = MIDDLE + (number - 1) * BLOCK
    return range(first, first + BLOCK)


def hub(connection: Connection) -> tuple[str, int]:
    """The id (a UUID) and the number of this hub."""
    found = connection.execute(text("SELECT id, number FROM hub")).one()
    return found.id, found.number


def set_number(connection: Connection, number: int) -> None:
    """Numbers this hub; SettingsError once it has issued a code, or for a number that cannot be."""
    if not 0 <= number <= MOST:
        raise SettingsError(f"--number is 0 for the district's hub, or 1 to {MOST} for one below it.")
    if number != hub(connection)[1] and connection.execute(text("SELECT EXISTS (SELECT FROM entity)")).scalar_one():
        raise SettingsError("This hub has issued codes: its number stays. Number a hub before its first run.")
    connection.execute(text("UPDATE hub SET number = :number"), {"number": number})
