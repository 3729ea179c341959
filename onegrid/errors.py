"""Every error OneGrid raises on purpose, as one tree.

    OneGridError                 one clear sentence for the person at the keyboard; the process exits with `exit_code`
    ├── SettingsError            an environment variable or option is wrong
    │   └── HomeError            the home folder cannot be used
    ├── DatabaseError            the registry's database cannot be used
    │   ├── DatabaseUnavailable  it does not answer, or cannot be started
    │   ├── WrongPassword        it answers, but not to these credentials
    │   └── DiskFull             there is no room left to write
    ├── SealError                a key is missing or a sealed value was changed
    ├── SourceFileError          a declaration in a source file is wrong (file, line, field, remedy)
    ├── FeedError                one feed cannot be taken; the other sources go on
    │   ├── FeedUnavailable      it cannot be reached or opened
    │   ├── FeedUnreadable       it was opened, but what it holds cannot be read (encoding, format)
    │   └── FeedRefused          it was read, but must not replace the last good state (columns gone, too few rows)
    ├── RunBusy                  another run holds the registry, or one of the sources
    ├── RunHeld                  a run would change more than its bounds allow, and waits for a person
    ├── ClusterUnavailable       the machines that compare people (Spark) do not answer, or gave up
    ├── PortTaken                another program answers where one of ours should
    ├── NotFound                 what was asked for is not in the registry
    ├── Refused                  what was asked for is not to be done, or not now
    └── Unforeseen               an error nobody foresaw, told by where it happened

Messages never hold a personal value: they name the file, the line, the field, the rule and what to do.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class OneGridError(Exception):
    """One clear sentence for the person at the keyboard."""

    exit_code = 1


class SettingsError(OneGridError):
    """An environment variable or option is wrong."""

    exit_code = 2


class HomeError(SettingsError):
    """The home folder cannot be used."""


class DatabaseError(OneGridError):
    """The registry's database cannot be used."""

    exit_code = 3


class DatabaseUnavailable(DatabaseError):
    """The database does not answer, or cannot be started."""


class WrongPassword(DatabaseError):
    """The database answers, but not to these credentials."""


class DiskFull(DatabaseError):
    """There is no room left to write."""


class SealError(OneGridError):
    """A key is missing, or a sealed value was changed."""

    exit_code = 4


class SourceFileError(OneGridError):
    """A declaration in a source file is wrong."""

    exit_code = 2

    def __init__(self, file: str, line: int | None, message: str) -> None:
        self.file, self.line = file, line
        place = file if line is None else f"{file}, line {line}"
        super().__init__(f"{place}: {message}")


class FeedError(OneGridError):
    """One feed cannot be taken; its last good state stays and the other sources go on."""


class FeedUnavailable(FeedError):
    """The feed cannot be reached or opened."""


class FeedUnreadable(FeedError):
    """The feed was opened, but what it holds cannot be read."""


class FeedRefused(FeedError):
    """The feed was read, but must not replace the last good state."""


class RunBusy(OneGridError):
    """Another run holds the registry, or one of the sources."""

    exit_code = 5


class RunHeld(OneGridError):
    """A run would change more than its bounds allow, and waits for a person."""

    exit_code = 7


class PortTaken(OneGridError):
    """Another program answers where one of ours should."""

    exit_code = 6


class ClusterUnavailable(OneGridError):
    """The machines that compare people do not answer, or gave up."""

    exit_code = 8


class NotFound(OneGridError):
    """What was asked for is not in the registry."""


class Refused(OneGridError):
    """What was asked for is not to be done, or not now."""

    exit_code = 2


class Unforeseen(OneGridError):
    """An error nobody foresaw, told by where it happened and not by what it said: libraries quote what they stumble on."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h

    @classmethod
    def of(cls, error: Exception) -> Unforeseen:
        """The error without its words."""
        frames = "".join(f"  {f.filename}:{f.lineno} in {f.name}\n" for f in traceback.extract_tb(error.__traceback__))
        return cls(
            f"{frames}onegrid: {type(error).__name__} in the program itself; the last published state stands. "
            "Report the lines above; ONEGRID_DEBUG=1 shows the words too, which may hold personal values."
        )


@contextmanager
def without_words() -> Iterator[None]:
    """For work whose errors others log: ours go through as they are, any other as Unforeseen, with no word of its own."""
    try:
        yield
    except OneGridError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is goes on, without its words
        raise Unforeseen.of(error) from None
