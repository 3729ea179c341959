"""The engine of people, chosen on the command line: a Spark cluster ends in the registry that this machine ends in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from district import District
from spark_cluster import Cluster, free_port, spark_cluster

from town import build

__all__ = ["spark_cluster"]
SCALE = 0.02


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_town_is_the_same_registry_on_a_cluster(
    spark_cluster: Cluster, make_district: Callable[[], District], tmp_path: Path
) -> None:
    build(SCALE, 7, tmp_path)
    words = ("run", "--json", "--sources", str(tmp_path / "sources"))
    local, spark = make_district(), make_district()
    for district, more in ((local, ()), (spark, ("--engine", "spark", "--spark-master", spark_cluster.url))):
        done = district.command(*words, *more)
        assert done.code == 0, done.err
        assert "WARN" not in done.err
    pd.testing.assert_frame_equal(*(by_record(district.registry().members) for district in (spark, local)))
    assert scores(spark) == scores(local)
    assert len(scores(local)) > 100
    assert list((spark.home / "spark").iterdir()) == []
    assert (spark.home / "logs" / "spark.log").stat().st_size > 0


def by_record(members: pd.DataFrame) -> pd.DataFrame:
    return members.sort_values(["source", "key", "role", "type", "kind"], ignore_index=True)


def scores(district: District) -> list[tuple[object, ...]]:
    """Every pair of people that was kept, with its score, and the model's version."""
    found = district.query(
        """SELECT a.source, a.key, a.role, b.source AS with_source, b.key AS with_key, b.role AS with_role, weight, model
           FROM edge e JOIN record a ON a.id = e.record_a JOIN record b ON b.id = e.record_b
           WHERE e.type = 'person' ORDER BY 1, 2, 3, 4, 5, 6"""
    )
    return list(found.itertuples(index=False, name=None))


def test_an_engine_that_cannot_be_used_is_said_before_any_feed_is_read(district: District) -> None:
    master = f"spark://127.0.0.1:{free_port()}"
    for words, code in ((("--engine", "spark", "--spark-master", master), (2, 8)), (("--spark-master", master), (2,))):
        done = district.run(*words)
        assert done.code in code  # 2 where PySpark is not installed, which is said first
        assert len(done.sentences) == 1
        assert "Traceback" not in done.err
    assert district.registry().loads.empty
