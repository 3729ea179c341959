"""People compared on a real Spark cluster: the result of one machine, to the last edge, also when a worker is lost."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from spark_cluster import Cluster, await_, free_port, running, spark_cluster

from matching.blocking import Keys
from matching.cluster import Rules, cluster, components
from matching.engine import Work, score
from matching.evidence import gather
from matching.levels import COMPARED, Comparer
from matching.model import Model
from matching.people import PeopleMatch, compared, exact_pass, match_people
from matching.spark import prepared
from matching.spark.clustering import cluster_bucket
from matching.spark.driver import Job
from matching.spark.engine import Spark
from matching.spark.java import java_home
from matching.spark.scoring import Scorer
from onegrid.errors import ClusterUnavailable, SettingsError

__all__ = ["spark_cluster"]
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def judgements(street: Any) -> pd.DataFrame:
    """Some judged to be the same who are not, and some apart who are one."""
    rows = street.truth.sort_values(["person", "rid"])
    one = rows[rows.duplicated("person", keep=False)].groupby("person")["rid"].agg(["first", "last"]).head(20)
    other = rows.drop_duplicates("person")["rid"].to_numpy()
    apart = pd.DataFrame({"rid_a": one["first"], "rid_b": one["last"], "verdict": "different"})
    same = pd.DataFrame({"rid_a": other[100:110], "rid_b": other[200:210], "verdict": "same"})
    return pd.concat([apart, same], ignore_index=True)


@pytest.fixture(scope="module")
def local(street: Any, judgements: pd.DataFrame) -> PeopleMatch:
    return match_people(street.records, street.places, judgements)


@pytest.fixture(scope="module")
def work(street: Any, local: PeopleMatch) -> Work:
    evidence = gather(street.records, street.places)
    return compared(evidence, exact_pass(evidence), local.model)[0]


@pytest.fixture
def folder(make_folder: Callable[[], Path]) -> Iterator[Path]:
    """Empty before the test, and no more than Spark's log in it afterwards."""
    found = make_folder()
    yield found
    assert not list(found.glob("shared/*"))


def spark(master: str, folder: Path) -> Spark:
    return Spark(master, folder / "shared", folder / "spark.log")


def the_same(one: PeopleMatch, other: PeopleMatch) -> None:
    pd.testing.assert_frame_equal(one.matched.members, other.matched.members)
    pd.testing.assert_frame_equal(one.matched.edges, other.matched.edges)
    pd.testing.assert_frame_equal(one.matched.doubts, other.matched.doubts)
    assert one.model.version == other.model.version
    assert [one.report[name] for name in ("pairs", "hubs")] == [other.report[name] for name in ("pairs", "hubs")]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_cluster_finds_what_one_machine_finds(
    street: Any, judgements: pd.DataFrame, local: PeopleMatch, spark_cluster: Cluster, folder: Path
) -> None:
    found = match_people(street.records, street.places, judgements, engine=spark(spark_cluster.url, folder))
    assert len(found.matched.edges) > 1000
    assert (found.matched.members["how"] == "model").any()
    the_same(found, local)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_lost_on_the_way_changes_nothing(
    street: Any, judgements: pd.DataFrame, local: PeopleMatch, make_folder: Callable[[], Path], folder: Path
) -> None:
    found: list[PeopleMatch] = []
    with running(make_folder()) as other:

        def run() -> None:
            engine = spark(other.url, folder)
            found.append(match_people(street.records, street.places, judgements, local.model, engine))

        thread = threading.Thread(target=run)
        thread.start()
        await_(lambda: bool(list(folder.glob("shared/*/scored.parquet/_temporary"))), 600)
        assert not list(folder.glob("shared/*/scored.parquet/_SUCCESS"))
        other.kill_worker()
        thread.join()
    assert "Lost executor" in (folder / "spark.log").read_text("utf-8")
    the_same(found[0], local)


def test_a_worker_has_all_that_a_comparison_reads(work: Work, tmp_path: Path) -> None:
    """Of every other column a worker knows nothing."""
    prepared.prepare(work, tmp_path, KEY)
    sealed = pd.read_parquet(tmp_path / prepared.ROWS)
    opened = prepared.open_rows(sealed["row"].tolist(), sealed["sealed"].tolist(), KEY)
    random = np.random.default_rng(1)
    a, b = random.integers(0, len(opened), (2, 3000))
    edges, _ = score(work)
    a, b = np.concatenate([a, edges["a"]]), np.concatenate([b, edges["b"]])
    pd.testing.assert_frame_equal(
        Comparer(opened, work.model.tables).levels(a, b), Comparer(work.rows, work.model.tables).levels(a, b)
    )
    assert list(opened) == list(COMPARED)


def test_a_worker_scores_as_this_process_does(work: Work, tmp_path: Path) -> None:
    prepared.prepare(work, tmp_path, KEY)
    sealed = pd.read_parquet(tmp_path / prepared.ROWS)["sealed"]
    edges, _ = score(work)
    ends = {"a": edges["a"], "b": edges["b"], "node_a": work.node[edges["a"]], "node_b": work.node[edges["b"]]}
    texts = {"sealed_a": sealed[edges["a"]].tolist(), "sealed_b": sealed[edges["b"]].tolist()}
    batch = pa.RecordBatch.from_pydict({**ends, **texts})
    halves = [batch.slice(0, len(edges) // 2), batch.slice(len(edges) // 2)]
    found = pa.Table.from_batches(list(Scorer(tmp_path, KEY, prepared.program(), work.join)(iter(halves)))).to_pandas()
    pd.testing.assert_frame_equal(found[["a", "b", "weight", "apart", "levels"]], edges)


def test_a_worker_of_another_version_refuses(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="another version"):
        next(Scorer(tmp_path, KEY, "0" * 64, 0.0)(iter([])))


@pytest.mark.parametrize("buckets", [1, 3, 50])
def test_clusters_of_whole_components_are_those_of_all(buckets: int) -> None:
    """With scores that tie, values that exclude each other, and pairs that are held apart or together."""
    random = np.random.default_rng(7)
    size, threshold = 400, -1.0
    a, b = random.integers(0, size, (2, 500))
    edges = pd.DataFrame({"a": a, "b": b, "weight": random.integers(-3, 4, 500) / 2})
    codes = np.where(random.random(size) < 0.5, random.integers(0, 60, size), -1)
    exclusive = pd.DataFrame({"id": pd.Series(codes).where(codes >= 0)})
    judged = [pd.DataFrame(random.integers(0, size, (9, 2)), columns=["a", "b"]) for _ in range(2)]
    whole = cluster(edges, range(size), Rules(exclusive, *judged), threshold)
    firm = pd.concat([edges.loc[edges["weight"] >= threshold, ["a", "b"]], judged[1]])
    part = components(firm["a"].to_numpy(), firm["b"].to_numpy(), size)
    kinds = zip((prepared.EDGE, prepared.APART, prepared.TOGETHER), (edges, *judged), strict=True)
    lines = pd.concat([frame.assign(kind=kind) for kind, frame in kinds], ignore_index=True)
    lines = lines[part[lines["a"]] == part[lines["b"]]]
    found = []
    for bucket in range(buckets):
        nodes = pd.DataFrame({"bucket": bucket, "node": range(size), "id": exclusive["id"]})[part % buckets == bucket]
        inside = lines[part[lines["a"]] % buckets == bucket]
        tables = [pa.Table.from_pandas(frame, preserve_index=False) for frame in (nodes, inside)]
        found.append(cluster_bucket(*tables, threshold).to_pandas())
    every = pd.concat(found).set_index("node")["cluster"].sort_index()
    assert every.tolist() == whole.tolist()
    assert 1 < every.nunique() < size


def test_no_file_for_the_workers_tells_anything_of_anybody(work: Work, tmp_path: Path) -> None:
    prepared.prepare(work, tmp_path, KEY)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    said = pd.concat([work.rows[name].dropna() for name in ("name", "id", "phone", "birth", "household_number")])
    assert len(said) > 5000
    assert not [text for text in said.unique() if text.encode() in held]
    keys = pd.read_parquet(tmp_path / prepared.KEYS)["key"]
    assert not keys.isin(Keys(work.rows).key(("id",))[0].view(np.int64)).any()
    assert not keys.isin(pd.util.hash_array(work.rows["id"].dropna().to_numpy(dtype=object)).view(np.int64)).any()


def test_the_model_is_sealed_and_comes_back_whole(work: Work, tmp_path: Path) -> None:
    prepared.prepare(work, tmp_path, KEY)
    assert prepared.open_model(tmp_path, KEY) == Model.from_json(work.model.to_json())


def test_the_driver_reads_the_job_it_was_given() -> None:
    job = Job("local[2]", "/f", "00", "p", [prepared.Meeting(0, 1, True, None, 9)], 1, 2, -2.0, 7)
    assert Job.from_json(job.to_json()) == job
    assert Job.from_json(job.to_json()).meetings[0].limit == 9


@pytest.mark.parametrize("url", ["", "spark:/host:7077", "spark://host", "yarn", "http://host:7077", "local[0x]"])
def test_a_url_that_is_none_is_said(url: str, tmp_path: Path, with_pyspark: None) -> None:
    with pytest.raises(SettingsError, match=r"spark://HOST:PORT"):
        spark(url, tmp_path).check()


def test_a_master_that_does_not_answer_is_said(tmp_path: Path, with_pyspark: None) -> None:
    with pytest.raises(ClusterUnavailable, match=r"No Spark master answers at spark://127\.0\.0\.1:\d+: start it"):
        spark(f"spark://127.0.0.1:{free_port()}", tmp_path).check()


def test_without_pyspark_the_command_that_installs_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.spark.engine.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="make spark"):
        spark("spark://127.0.0.1:7077", tmp_path).check()


@pytest.fixture
def with_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has it: these tests go no further than the URL."""
    monkeypatch.setattr("matching.spark.engine.find_spec", lambda name: name)


@pytest.mark.slow
def test_the_packaged_java_runs_where_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    java = java_home(tmp_path) / "bin" / "java"
    words = [str(java), "--add-modules=jdk.incubator.vector", "-version"]
    done = subprocess.run(words, env=os.environ, capture_output=True, text=True, check=True)
    assert "version" in done.stderr


def test_a_java_home_without_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="JAVA_HOME"):
        java_home(tmp_path)
