"""The embedded server's life: started, shared, killed, adopted, stopped; on real processes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from onegrid.cluster import Cluster
from onegrid.database import Actor, Database, open_database
from onegrid.errors import DatabaseError, DatabaseUnavailable, HomeError
from onegrid.settings import Settings

ROOT = os.geteuid() == 0
PLANTED = "110101199003072316"
HOLDER = """
import sys
from pathlib import Path
from onegrid.database import open_database
from onegrid.settings import Settings
with open_database(Settings(Path(sys.argv[1]))):
    print("open", flush=True)
    sys.stdin.read()
"""
# Everything is imported before the rights are given up: the interpreter's own folder may be closed to others.
NOT_ROOT = """
import os, sys
from pathlib import Path
import pyarrow.csv, importlib.metadata
from onegrid.database import Actor, Database, open_database, read_frame
from onegrid.settings import Settings
with open_database(Settings(Path(sys.argv[2]))): pass
os.setgroups([]); os.setgid(65534); os.setuid(65534); os.umask(0o077)
with open_database(Settings(Path(sys.argv[1]))) as database, database.session(Actor("x")) as session:
    print(read_frame(session, "SELECT current_user AS name")["name"][0])
"""
FORKING = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from onegrid.database import Actor, open_database
from onegrid.settings import Settings
settings = Settings(Path(sys.argv[1]))
with open_database(settings) as outer:
    with open_database(settings) as inner:
        child = os.fork()
    if not child:
        sys.exit()
    os.waitpid(child, 0)
    with outer.session(Actor("x")) as session:
        session.execute(text("SELECT 1"))
    print("the server lives")
"""


class Holder:
    """Another process that has the database open until told to leave."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ready(self) -> Holder:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "open\n"
        return self

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder(make_folder: Callable[[], Path]) -> Iterator[Path]:
    """A folder others may pass through, unlike pytest's."""
    path = make_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def prepared(make_folder: Callable[[], Path]) -> Path:
    """A home after its first start, stopped."""
    path = make_folder()
    (path / "database").mkdir()
    (path / "database" / "local.conf").write_text("fsync = off\n")
    write_row(path, "kept")
    return path


@pytest.fixture
def home(folder: Path, prepared: Path) -> Path:
    """A home of its own that has been started before."""
    subprocess.run(["cp", "-a", str(prepared), str(folder / "home")], check=True)
    return folder / "home"


@pytest.fixture
def hold() -> Iterator[Callable[[Path], Holder]]:
    holders: list[Holder] = []

    def start(home: Path) -> Holder:
        holders.append(Holder(home))
        return holders[-1]

    yield start
    for holder in holders:
        if holder.process.poll() is None:
            holder.kill()


def postmaster(home: Path) -> int | None:
    """The process that serves this home, found from outside."""
    data = str((home / "database" / "server" / "data").resolve())
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode("utf-8", "replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].endswith("/postgres") and data in words:
            return int(entry.parent.name)
    return None


def write_row(home: Path, name: str) -> None:
    with open_database(Settings(home)) as database, database.owner_session() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS mark (name text)"))
        session.execute(text("INSERT INTO mark VALUES (:name)"), {"name": name})


def rows(home: Path) -> list[str]:
    with open_database(Settings(home)) as database, database.owner_session() as session:
        return list(session.execute(text("SELECT name FROM mark ORDER BY name")).scalars())


def modes(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    return {path: (stat.S_IMODE(path.stat().st_mode), path.stat().st_uid, path.stat().st_gid) for path in paths}


def test_the_server_stops_with_its_last_user(home: Path) -> None:
    with open_database(Settings(home)), open_database(Settings(home)):
        assert postmaster(home)
    assert postmaster(home) is None


def test_the_server_is_stopped_in_good_order(home: Path) -> None:
    log = home / "database" / "server" / "log"
    began = len(log.read_text("utf-8"))
    write_row(home, "last")
    write_row(home, "after")
    said = log.read_text("utf-8")[began:]
    assert said.count("fast shutdown") == 2
    assert "recovery in progress" not in said


def test_a_second_process_connects_and_whoever_leaves_last_stops_it(home: Path, hold: Callable[[Path], Holder]) -> None:
    starter = hold(home).ready()
    serving = postmaster(home)
    write_row(home, "second")
    assert postmaster(home) == serving
    with open_database(Settings(home)) as database:
        starter.leave()
        assert postmaster(home) == serving
        with database.session(Actor("x")) as session:
            assert session.execute(text("SELECT 1")).scalar() == 1
    assert postmaster(home) is None


@pytest.mark.slow
def test_first_starts_at_once_make_one_database(folder: Path, hold: Callable[[Path], Holder]) -> None:
    starters = [hold(folder / "home") for _ in range(3)]
    for starter in starters:
        starter.ready()
    for starter in starters:
        starter.leave()
    assert postmaster(folder / "home") is None


def write_while_it_dies(database: Database, server: int) -> None:
    with database.owner_session() as session:
        session.execute(text("INSERT INTO mark VALUES ('open')"))
        os.kill(server, signal.SIGKILL)
        while Path(f"/proc/{server}/cmdline").exists() and Path(f"/proc/{server}/cmdline").read_bytes():
            time.sleep(0.02)
        time.sleep(0.2)
        session.execute(text("SELECT 1"))


def test_the_server_is_killed_and_starts_again_with_what_was_committed(home: Path) -> None:
    with open_database(Settings(home)) as database:
        with database.owner_session() as session:
            session.execute(text("INSERT INTO mark VALUES ('committed')"))
        with pytest.raises(DatabaseUnavailable):
            write_while_it_dies(database, postmaster(home) or 0)
    assert rows(home) == ["committed", "kept"]


def test_its_starter_is_killed_and_the_next_process_adopts_and_stops_it(
    home: Path, hold: Callable[[Path], Holder]
) -> None:
    starter = hold(home).ready()
    serving = postmaster(home)
    starter.kill()
    with open_database(Settings(home)):
        assert postmaster(home) == serving
    assert postmaster(home) is None


@pytest.mark.slow
def test_a_starter_killed_in_its_first_start_leaves_nothing_in_the_way(
    folder: Path, hold: Callable[[Path], Holder]
) -> None:
    for after_s in (0.6, 1.0, 1.4):
        starter = hold(folder / "home")
        time.sleep(after_s)
        starter.kill()
    write_row(folder / "home", "at last")
    assert rows(folder / "home") == ["at last"]


def test_both_are_killed_and_the_dead_servers_number_is_in_use_again(folder: Path, home: Path) -> None:
    cluster = Cluster.below(home)
    for mark in (cluster.data / "postmaster.pid", cluster.socket_folder / ".s.PGSQL.5432.lock"):
        mark.write_text(f"{os.getpid()}\n{cluster.data}\n0\n5432\n{cluster.socket_folder}\n\n0 0\nready\n")
        cluster.user.give(mark)
    assert rows(home) == ["kept"]


def test_a_forked_child_that_leaves_does_not_stop_the_server(home: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "the server lives\n"
    assert postmaster(home) is None


def test_nobody_is_trusted(home: Path) -> None:
    with open_database(Settings(home)) as database:
        for role in ("postgres", "onegrid_owner", "onegrid_app", "onegrid_auditor", "airflow"):
            for password in ("", role, "wrong"):
                url = database.server.url.set(username=role, password=password)
                with pytest.raises(Exception, match="password"):
                    create_engine(url, poolclass=NullPool).connect()
        assert database.server.passwords["onegrid_app"] not in repr(database.server)
    assert modes(home / "database" / "secrets")[home / "database" / "secrets"][0] == 0o600


def test_the_log_holds_no_values_of_rows(home: Path) -> None:
    with open_database(Settings(home)) as database:
        for statement in (f"SELECT '{PLANTED}'::date", f"SELECT nothing FROM t WHERE n = '{PLANTED}'"):
            with pytest.raises(DatabaseError) as caught, database.session(Actor("x")) as session:
                session.execute(text(statement))
            assert PLANTED not in str(caught.value)
    log = (home / "database" / "server" / "log").read_text()
    assert "ready to accept connections" in log
    assert PLANTED not in log


def test_settings_of_yours_are_taken(home: Path) -> None:
    (home / "database" / "local.conf").write_text("work_mem = '7MB'\n")
    with open_database(Settings(home)) as database, database.session(Actor("x")) as session:
        assert session.execute(text("SHOW work_mem")).scalar() == "7MB"
        assert session.execute(text("SHOW wal_level")).scalar() == "minimal"
        assert session.execute(text("SHOW listen_addresses")).scalar() == ""


def test_a_setting_it_does_not_know_is_one_sentence_that_names_the_log(home: Path) -> None:
    (home / "database" / "local.conf").write_text("nonsense = 1\n")
    with pytest.raises(DatabaseUnavailable, match=r"did not start: see .*log"), open_database(Settings(home)):
        pass


@pytest.mark.slow
def test_a_home_with_a_long_path_gets_a_short_socket(folder: Path) -> None:
    home = folder / ("x" * 60) / ("y" * 60)
    with open_database(Settings(home)) as database:
        socket = Path(str(database.server.url.query["host"]))
        assert len(str(socket)) < 90
        assert socket.is_dir()
    assert not socket.exists()


def test_a_database_of_another_version_is_refused(home: Path) -> None:
    version = home / "database" / "server" / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 17"), open_database(Settings(home)):
        pass


def test_home_not_writable_is_one_sentence(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(HomeError, match="ONEGRID_HOME"), open_database(Settings(folder / "file" / "home")):
        pass
    if not ROOT:
        folder.chmod(0o555)
        with pytest.raises(HomeError, match="Permission denied"), open_database(Settings(folder / "home")):
            pass
        folder.chmod(0o755)


def test_the_passwords_are_lost(home: Path) -> None:
    (home / "database" / "secrets").write_text("not json")
    with pytest.raises(HomeError, match="secrets"), open_database(Settings(home)):
        pass


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o777])
def test_permissions_outside_home_are_never_changed(folder: Path, mode: int) -> None:
    parent = folder / "parent"
    (parent / "sibling").mkdir(parents=True)
    (parent / "sibling").chmod(0o700)
    parent.chmod(mode)
    outside = (*folder.parents, folder, parent, parent / "sibling")
    before = modes(*outside)
    reachable = not ROOT or mode & 0o001
    if reachable:
        write_row(parent / "home", "x")
        assert stat.S_IMODE((parent / "home").stat().st_mode) == (0o710 if ROOT else 0o700)
    else:
        with pytest.raises(HomeError, match=f"cannot pass through {parent}:"), open_database(Settings(parent / "home")):
            pass
    assert modes(*outside) == before


@pytest.mark.skipif(not ROOT, reason="only root has another user run the server")
def test_as_root_another_user_owns_the_data_and_nothing_else(folder: Path) -> None:
    (folder / "home").mkdir(mode=0o700)  # as mktemp -d makes it
    write_row(folder / "home", "x")
    owners = {path: path.stat().st_uid for path in (folder / "home", *(folder / "home" / "database").iterdir())}
    assert {path.name for path, uid in owners.items() if uid != 0} == {"server"}
    assert owners[folder / "home" / "database" / "server"] == 61000


@pytest.mark.skipif(not ROOT, reason="only root refuses")
def test_a_home_the_servers_user_cannot_pass_is_left_as_it_was(folder: Path) -> None:
    (folder / "home").mkdir()
    (folder / "home").chmod(0o770)  # a group has rights here: not ours to change
    with (
        pytest.raises(HomeError, match=f"cannot pass through {folder / 'home'}:"),
        open_database(Settings(folder / "home")),
    ):
        pass
    assert stat.S_IMODE((folder / "home").stat().st_mode) == 0o770
    assert list((folder / "home").iterdir()) == []


@pytest.mark.skipif(
    not ROOT or subprocess.run(["unshare", "-Ur", "true"], check=False, capture_output=True).returncode != 0,
    reason="needs a root without the right to become another user",
)
def test_a_root_that_may_not_become_another_user_is_told_what_to_do(folder: Path) -> None:
    command = ["unshare", "-Ur", sys.executable, "-c", HOLDER, str(folder / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("onegrid.errors.DatabaseUnavailable: As root the database runs as another user"), last


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_it_works_as_a_user_other_than_root(folder: Path) -> None:
    (folder / "theirs").mkdir(mode=0o700)
    os.chown(folder / "theirs", 65534, 65534)
    command = [sys.executable, "-c", NOT_ROOT, str(folder / "theirs" / "home"), str(folder / "ours")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "onegrid_app\n"), done.stderr
    assert {path.stat().st_uid for path in (folder / "theirs").rglob("*")} == {65534}


@pytest.mark.skipif(not ROOT, reason="only root has another user run the server")
def test_programs_in_a_closed_environment_are_copied_below_home(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(Cluster.below(home).programs).parents[1]
    closed = folder / "closed"
    shutil.copytree(package, closed / package.name, ignore=shutil.ignore_patterns("include", "*.a", "pginstall"))
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    with open_database(Settings(home)) as database:
        assert database.name == "onegrid"
        program = os.readlink(f"/proc/{postmaster(folder / 'home')}/exe")
    assert program.startswith(str(home / "database"))
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
