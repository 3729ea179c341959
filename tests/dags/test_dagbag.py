"""The DAG files as Airflow reads them: one DAG a source file, wired as declared, and light."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from district import ROOT, District, write_district

FILES = ("sync.py", "unify.py", "upkeep.py")
LIGHT = {"airflow.sdk", "yaml", "schemas.sources"}
PARSED_WITHIN_S = 0.5
READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1], collect_dags=False)
bag.collect_dags(sys.argv[1])
dags = {d.dag_id: {
    "tags": sorted(d.tags), "runs": d.max_active_runs, "catchup": d.catchup, "doc": d.doc_md, "schedule": str(d.schedule),
    "tasks": [t.task_id for t in d.tasks], "retries": [t.retries for t in d.tasks], "owner": [t.owner for t in d.tasks],
    "outlets": [o.name for t in d.tasks for o in t.outlets],
} for d in bag.dags.values()}
seconds = {stat.file.rsplit("/", 1)[-1]: stat.duration.total_seconds() for stat in bag.dagbag_stats}
heavy = sorted({"great_expectations", "splink", "duckdb", "pandas"} & set(sys.modules))
print(json.dumps({"dags": dags, "errors": list(bag.import_errors.values()), "seconds": seconds, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def sources(make_folder: Callable[[], Path]) -> Path:
    folder = make_folder()
    write_district(folder)
    district = District(folder, folder / "home")
    district.spec("population", schedule="0 2 * * *")
    (district.sources / "broken.yml").write_text("name: broken\ntitel: x\n", "utf-8")
    return district.sources


@pytest.fixture(scope="module")
def bag(sources: Path, make_folder: Callable[[], Path]) -> dict[str, Any]:
    """What a process of Airflow's finds in the folder of DAG files."""
    airflow = {"AIRFLOW_HOME": str(make_folder()), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    environ = {**os.environ, **airflow, "ONEGRID_SOURCES": str(sources), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-W", "ignore", "-c", READ, str(ROOT / "dags")]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_source_file_has_its_dag(bag: dict[str, Any]) -> None:
    assert bag["errors"] == []
    synced = {f"sync_{name}" for name in ("addresses", "grid_workers", "lamps", "police", "population", "shops")}
    assert set(bag["dags"]) == synced | {"refused_broken", "unify", "upkeep"}


def test_a_sync_is_one_task_with_its_schedule_tags_and_asset(bag: dict[str, Any]) -> None:
    found = bag["dags"]["sync_population"]
    assert found["tasks"] == ["sync"]
    assert found["schedule"] == "0 2 * * *"
    assert {"区数据局", "district"} <= set(found["tags"])
    assert found["owner"] == ["区数据局"]
    assert found["outlets"] == ["staged_population"]
    assert found["retries"][0] > 0
    assert bag["dags"]["sync_police"]["schedule"] == "None"
    syncs = [found for name, found in bag["dags"].items() if name.startswith("sync_")]
    assert all(found["runs"] == 1 and not found["catchup"] for found in syncs)


def test_unify_is_alone_and_hears_of_every_source(bag: dict[str, Any], sources: Path) -> None:
    found = bag["dags"]["unify"]
    assert found["runs"] == 1
    for path in sources.glob("*.yml"):
        assert (f"staged_{path.stem}" in found["schedule"]) == (path.stem != "broken")


def test_a_broken_source_file_says_what_is_wrong(bag: dict[str, Any]) -> None:
    doc = bag["dags"]["refused_broken"]["doc"]
    assert "broken.yml" in doc
    assert "title" in doc


def test_the_files_are_light(bag: dict[str, Any]) -> None:
    assert bag["heavy"] == []
    assert set(bag["seconds"]) == set(FILES)
    assert max(bag["seconds"].values()) < PARSED_WITHIN_S


@pytest.mark.parametrize("name", FILES)
def test_the_files_wire_and_nothing_more(name: str) -> None:
    tree = ast.parse((ROOT / "dags" / name).read_text("utf-8"))
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert {module for module in modules if module and module.split(".")[0] not in sys.stdlib_module_names} <= LIGHT
