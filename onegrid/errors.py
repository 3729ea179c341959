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
    ├── RunBusy                  another run holds the registry
    └── NotFound                 what was asked for is not in the registry

Messages never hold a personal value: they name the file, the line, the field, the rule and what to do.
"""

from __future__ import annotations


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
    """Another run holds the registry."""

    exit_code = 5


class NotFound(OneGridError):
    """What was asked for is not in the registry."""
