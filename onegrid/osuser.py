"""The operating-system user of the embedded server: this one, or for root an unprivileged one that owns nothing else.

PostgreSQL refuses to run as root. For root the server runs under a number without an account (docs/decisions), which
must reach the home through its parents; nothing outside the home is changed to let it.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onegrid.errors import DatabaseUnavailable, HomeError

SERVER_ID = 61000  # user and group; between the ranges systemd gives to containers and to dynamic users
Finished = subprocess.CompletedProcess[str]
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server. `other`: not the user of this process, which is then root."""

    uid: int
    gid: int
    other: bool

    @classmethod
    def for_folder(cls, server: Path) -> ServerUser:
        """The user of an existing server folder, else this user, else (as root) `SERVER_ID`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), other=False)
        if server.exists() and (found := server.stat()).st_uid != 0:
            return cls(found.st_uid, found.st_gid, other=True)
        return cls(SERVER_ID, SERVER_ID, other=True)

    def run(self, command: Sequence[str], cwd: Path | str = "/", uid: int | None = None) -> Finished:
        """Runs a program as the server's user, with nothing of this process's environment."""
        who = {"user": self.uid if uid is None else uid, "group": self.gid, "extra_groups": ()} if self.other else {}
        how = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
        try:
            done: Finished = subprocess.run(command, check=False, cwd=cwd, env=_ENVIRONMENT, **how, **who)  # type: ignore[call-overload]  # noqa: S603
        except OSError as error:
            if not self.other or error.errno not in (errno.EPERM, errno.EINVAL):
                raise
            raise DatabaseUnavailable(
                "As root the database runs as another user, which this root may not become (a container without the "
                "right): run as a user other than root, or name a PostgreSQL of yours with ONEGRID_DATABASE_URL."
            ) from None
        return done

    def run_as_maker(self, command: Sequence[str], cwd: Path) -> Finished:
        """Runs initdb, which wants a user with an account (the server itself does not)."""
        return self.run(command, cwd, uid=_maker() if self.other else None)

    def make_home(self, home: Path) -> None:
        """Makes the home and what is missing above it; lets the server's user through a home that is root's alone."""
        for folder in reversed([path for path in (home, *home.parents) if not path.exists()]):
            _make(folder, 0o700 if folder == home else 0o755)
        if not self.other or self.reaches(home):
            return
        found = home.stat()
        if found.st_uid == 0 and not found.st_mode & stat.S_IRWXG:  # nobody loses or gains a right but the server
            os.chown(home, -1, self.gid)
            home.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXGRP)

    def make_folders(self, folder: Path) -> None:
        """Makes `folder` (home/database), passable by the server's user, and in it `server`, which that user owns."""
        if not folder.exists():
            _make(folder, 0o711 if self.other else 0o700)
        if not (folder / "server").exists():
            _make(folder / "server", 0o700)
            self.give(folder / "server")

    def check_reach(self, folder: Path) -> None:
        """Refuses a folder that the server's user cannot reach; HomeError names the parent that stops it."""
        if not self.other or self.reaches(folder):
            return
        closed = next((path for path in (*reversed(folder.parents), folder) if not self.reaches(path)), folder)
        raise HomeError(
            f"As root the database runs as user {self.uid}, which cannot pass through {closed}: choose a home "
            "below /var/lib with --home or ONEGRID_HOME, run as a user other than root, or let others pass (chmod o+x)."
        )

    def reaches(self, path: Path) -> bool:
        """Whether the server's user may pass through (a folder) or run (a program) `path`."""
        return self.run(["/bin/sh", "-c", 'test -x "$0"', str(path)]).returncode == 0

    def lend(self, *paths: Path) -> None:
        """Gives files to the user that makes the cluster."""
        if self.other:
            for path in paths:
                os.chown(path, _maker(), self.gid)

    def give(self, tree: Path) -> None:
        """Gives a file or a folder with all in it to the server's user."""
        if self.other:
            for path in _tree(tree):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def owns(self, path: Path) -> bool:
        """Whether `path` belongs to the server's user and nobody else may write into it."""
        found = path.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == self.uid and not found.st_mode & 0o022

    def terminate(self, pid: int) -> None:
        """Asks one process of this user to end."""
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return


def copy_programs(package: Path, target: Path, install: str) -> None:
    """Copies the wheel's programs, and the libraries beside it, to where the server's user can run them.

    package: the wheel's folder. target: gets the wheel's layout, for programs find their libraries by relative paths;
    it appears under its name at once, when all is copied.
    """
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    leave = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(package / install, draft / package.name / install, symlinks=True, ignore=leave)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for path in _tree(draft):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644)
    draft.rename(target)


def _make(folder: Path, mode: int) -> None:
    """Makes a folder with exactly this mode, whatever the umask; one made by another meanwhile is left alone."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    folder.chmod(mode)


def _tree(top: Path) -> Iterator[Path]:
    yield top
    for folder, folders, files in os.walk(top):
        yield from (Path(folder) / name for name in (*folders, *files))


def _maker() -> int:
    """A user with an account and without rights: nobody, else the first that is not root."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        found = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid), None)
    if found is None:
        raise DatabaseUnavailable("This machine has no user but root, as whom PostgreSQL cannot be set up: add one.")
    return found
