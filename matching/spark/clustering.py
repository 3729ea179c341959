"""Clustering on Spark's workers: the very clustering of `matching.cluster`, over whole connected components at a time.

What could ever join hangs together by pairs that reach the threshold, or by a person's judgement: these components go to
the workers with every line inside them, several in one bucket, and no cluster depends on another component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from matching.cluster import Rules, cluster
from matching.spark.prepared import APART, EDGE, TOGETHER
from onegrid.errors import without_words

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CLUSTERED = "node long, cluster long"


def clustered(placed: DataFrame, lines: DataFrame, nodes: DataFrame, threshold: float, buckets: int) -> DataFrame:
    """The cluster of every node that lies in a component (CLUSTERED).

    placed: `node`, `component`. lines: `kind`, `a`, `b`, `weight`, `component`. nodes: `node` and the exclusive codes.
    """

    from pyspark.sql import functions as sql

    def of_bucket(members: pa.Table, between: pa.Table) -> pa.Table:
        return cluster_bucket(members, between, threshold)

    bucket = sql.pmod("component", sql.lit(buckets)).alias("bucket")
    members = nodes.join(placed, "node").select(bucket, *nodes.columns).groupBy("bucket")
    between = lines.select(bucket, "kind", "a", "b", "weight").groupBy("bucket")
    return members.cogroup(between).applyInArrow(of_bucket, CLUSTERED)


def cluster_bucket(nodes: pa.Table, lines: pa.Table, threshold: float) -> pa.Table:
    """Cluster a bucket of whole components (CLUSTERED).

    nodes: `bucket`, `node`, and the exclusive codes, null where unknown. lines: `kind`, `a`, `b`, `weight`. threshold:
    log2 odds of the linkage two clusters need.
    """
    with without_words():
        frame = lines.to_pandas()
        edges, apart, together = (frame[frame["kind"] == kind] for kind in (EDGE, APART, TOGETHER))
        exclusive = nodes.drop_columns(["bucket"]).to_pandas().set_index("node")
        rules = Rules(exclusive, apart[["a", "b"]], together[["a", "b"]])
        found = cluster(edges[["a", "b", "weight"]], exclusive.index, rules, threshold)
        return pa.table({"node": found.index.to_numpy(), "cluster": found.to_numpy()})
