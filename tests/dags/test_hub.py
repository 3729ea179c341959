"""The hub as one program, for real: `onegrid up` in a process of its own, Airflow's scheduler, and what it publishes.

One hub serves all tests, in their order: a source is down at first, then mended; a source file comes; the hub is stopped.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from district import ACTOR, PERSONS, ROOT, District, Registry, copy_district, id_number, person, whole, write_police
from service import free_port

from connectors.loads import lock_source
from onegrid.airflow_client import AirflowClient
from onegrid.airflow_home import AirflowHome
from onegrid.database import open_database
from onegrid.settings import Settings
from registry.read import nothing_new, staged_loads

pytestmark = pytest.mark.slow
PATIENCE_S = 150.0


@dataclass
class Running:
    """`onegrid up` over a district whose police feed is missing at first."""

    district: District
    airflow: AirflowHome
    api: str
    process: subprocess.Popen[str]
    family: set[psutil.Process] = field(default_factory=set)

    def client(self) -> AirflowClient:
        return AirflowClient(self.airflow)

    def logs(self) -> str:
        """All that Airflow's tasks and the programs said."""
        paths = [
            *(self.district.home / "airflow" / "logs").rglob("*.log"),
            *(self.district.home / "logs").glob("*.log"),
        ]
        return "\n".join(path.read_text("utf-8", errors="replace") for path in paths)


def eventually(true: Callable[[], object], within: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(scope="module")
def up(make_folder: Callable[[], Path], prepared_home: Path) -> Iterator[Running]:
    district = copy_district(make_folder(), prepared_home)
    district.data("police.csv").unlink()
    (district.sources / "lamps.yml").rename(district.folder / "lamps.later")
    api, airflow = free_port(), free_port()
    words = [
        sys.executable,
        "-m",
        "onegrid.cli",
        "up",
        "--sources",
        str(district.sources),
        "--home",
        str(district.home),
    ]
    ports = ["--api-port", str(api), "--airflow-port", str(airflow)]
    # Airflow asks its folder every half minute; a test need not wait that long
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3"}
    with subprocess.Popen([*words, *ports], env=environ, stdout=subprocess.PIPE, text=True) as process:
        home = AirflowHome(district.home / "airflow", district.sources, "127.0.0.1", airflow)
        running = Running(district, home, f"http://127.0.0.1:{api}", process)
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(2)]
            assert running.api in said[0], said
            assert home.url in said[1], said
            running.family = set(psutil.Process(process.pid).children(recursive=True))
            yield running
        finally:
            process.kill()


def published(up: Running) -> bool:
    """Whether something is staged, and all of that is published."""
    with up.district.database() as database, database.session(ACTOR) as connection:
        return bool(staged_loads(connection)) and nothing_new(connection)


def by_hand(make_folder: Callable[[], Path], prepared_home: Path, *left_out: str) -> Registry:
    """What `onegrid run` makes of the same feeds, in another home."""
    district = copy_district(make_folder(), prepared_home)
    for name in left_out:
        (district.sources / f"{name}.yml").unlink()
    with district.database():
        done = district.run()
        assert done.code == 0, done.err
        return district.registry()


def test_one_broken_source_holds_nobody_up(up: Running, make_folder: Callable[[], Path], prepared_home: Path) -> None:
    client = up.client()
    for name in ("addresses", "grid_workers", "police", "population", "shops"):
        client.trigger(f"sync_{name}")
    eventually(lambda: published(up))
    registry = up.district.registry()
    states = dict(zip(registry.loads["source"], registry.loads["state"], strict=True))
    assert states.pop("police") == "failed"
    assert set(states.values()) == {"staged"}
    assert client.under_way(["sync_police"]) == ["sync_police"]  # it waits for another try
    whole(registry)
    assert registry.partition == by_hand(make_folder, prepared_home, "police", "lamps").partition
    assert len(up.district.query("SELECT id FROM run WHERE state = 'published'")) == 1


def test_a_mended_source_is_tried_again_by_itself_and_published(
    up: Running, make_folder: Callable[[], Path], prepared_home: Path
) -> None:
    write_police(up.district.data("police.csv"))
    eventually(lambda: up.district.registry().keys("police") and published(up))
    eventually(lambda: not up.client().under_way(["sync_police", "unify"]))
    registry = up.district.registry()
    whole(registry)
    assert registry.partition == by_hand(make_folder, prepared_home, "lamps").partition


def test_a_new_source_file_has_its_dag_without_a_restart(
    up: Running, make_folder: Callable[[], Path], prepared_home: Path
) -> None:
    (up.district.folder / "lamps.later").rename(up.district.sources / "lamps.yml")
    client = up.client()
    eventually(lambda: "sync_lamps" in client.dags())
    client.trigger("sync_lamps")
    eventually(lambda: up.district.registry().keys("lamps") and published(up))
    assert up.district.registry().partition == by_hand(make_folder, prepared_home).partition


def test_a_source_that_is_read_elsewhere_waits(up: Running) -> None:
    with up.district.database() as database, database.session(ACTOR) as connection:
        lock_source(connection, "police")
        run = up.client().trigger("sync_police")
        eventually(lambda: "police: another process is loading it" in up.logs())
    eventually(lambda: up.client().tries("sync_police", run) > 0)
    eventually(lambda: not up.client().under_way(["sync_police"]))
    assert up.district.registry().loads.iloc[-1]["state"] == "unchanged"


def test_keeping_house_backs_up(up: Running) -> None:
    up.client().trigger("upkeep")
    eventually(lambda: list((up.district.home / "backups").glob("registry-*.dump")))
    (dump,) = (up.district.home / "backups").glob("registry-*.dump")
    assert dump.stat().st_mode & 0o077 == 0
    assert dump.read_bytes()[:5] == b"PGDMP"


def test_airflow_asks_who_comes(up: Running) -> None:
    assert httpx.get(f"{up.airflow.url}/api/v2/dags").status_code == 401
    wrong = httpx.post(f"{up.airflow.url}/auth/token", json={"username": "admin", "password": "admin"})
    assert wrong.status_code == 401
    assert up.airflow.password_file.stat().st_mode & 0o077 == 0
    assert (up.airflow.folder / "airflow.cfg").stat().st_mode & 0o077 == 0


def test_the_api_serves_what_airflow_published(up: Running) -> None:
    secret = up.district.command("token", "create", "--role", "department", "--department", "x", "--division", "340202")
    caller = httpx.Client(base_url=up.api, headers={"Authorization": f"Bearer {secret.out.strip()}"})
    (hit,) = caller.post("/v1/lookup", json={"number": id_number(5)}).json()["items"]
    assert hit["code"] == up.district.registry().code("population", "r005")


def test_nothing_personal_is_in_logs_xcom_or_airflows_tables(up: Running) -> None:
    planted = [said[key] for said in map(person, range(PERSONS)) for key in ("id", "phone", "name")]
    with open_database(Settings(up.district.home)) as database:
        url = database.airflow_url.set(drivername="postgresql").render_as_string(hide_password=False)
        secret = database.airflow_url.password or ""
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
        cells = [
            connection.execute(f'SELECT string_agg("{column}"::text, chr(10)) FROM "{table}"').fetchone()
            for table, column in columns
        ]
        returned = connection.execute("SELECT value FROM xcom WHERE key = 'return_value'").fetchall()
    text = up.logs() + "\n".join(str(cell[0]) for cell in cells if cell)
    assert "rows" in text
    assert [word for word in planted if word in text] == []
    assert secret not in text
    assert returned
    assert all(re.fullmatch(r"\d+|null", str(value).strip('"')) for (value,) in returned)


def test_what_ends_by_itself_is_started_again(up: Running) -> None:
    (api,) = [child for child in psutil.Process(up.process.pid).children() if "api" in child.cmdline()]
    api.kill()
    eventually(lambda: _answers(f"{up.api}/readyz"), within=30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_a_second_hub_says_which_port_is_taken(
    up: Running, make_folder: Callable[[], Path], prepared_home: Path
) -> None:
    other = copy_district(make_folder(), prepared_home)
    port = up.api.rpartition(":")[2]
    said = other.command("up", "--sources", str(other.sources), "--api-port", port)
    assert said.code == 6
    assert f"Port {port}" in said.err


def test_sigterm_leaves_nothing_behind(up: Running) -> None:
    family = up.family | set(psutil.Process(up.process.pid).children(recursive=True))
    assert len(family) > 4
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(60) == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert not (up.district.home / "database" / "server" / "data" / "postmaster.pid").exists()
    for url in (up.api, up.airflow.url):
        with pytest.raises(httpx.TransportError):
            httpx.get(url)
