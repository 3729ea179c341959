"""Blocking on Spark: plain joins on the prepared keys, with the limits and the budget of `matching.blocking`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from matching.blocking import affordable
from matching.spark.prepared import Meeting


def pairs_of(keys: DataFrame, meetings: Sequence[Meeting], records: int) -> tuple[DataFrame, int]:
    """The candidate pairs (`a` < `b`, distinct), and how many blocks were skipped as hubs.

    keys: a line for each key a row has: its `kind`, the hashed `key`, the `row`, and whether that is `loose`.
    """
    left = _side(keys, [(meeting.left, meeting.in_left) for meeting in meetings])
    right = _side(keys, [(meeting.right, meeting.in_right) for meeting in meetings])
    blocks = _blocks(left, right)
    limits, hubs = _limits(blocks, meetings, records)
    within = blocks.where(sql.col("work") <= sql.array(*map(sql.lit, limits))[sql.col("join")]).drop("work")
    met = (
        left.withColumnRenamed("row", "one")
        .join(within, ["join", "key"])
        .join(right.withColumnRenamed("row", "two"), ["join", "key"])
    )
    pairs = met.where("one <> two").select(sql.least("one", "two").alias("a"), sql.greatest("one", "two").alias("b"))
    return pairs.distinct(), hubs


def _side(keys: DataFrame, entries: Sequence[tuple[int, bool | None]]) -> DataFrame:
    """One line for each join a row takes part in on a side: `join`, `key`, `row`. entries: by join, the kind and who."""
    lines = [(join, kind, loose) for join, (kind, loose) in enumerate(entries)]
    wanted = keys.sparkSession.createDataFrame(lines, "join int, kind long, wanted boolean")
    told = keys.join(sql.broadcast(wanted), "kind").where("wanted IS NULL OR wanted = loose")
    return told.select("join", "key", "row")


def _blocks(left: DataFrame, right: DataFrame) -> DataFrame:
    """The blocks with rows on both sides, and the pairs each would give: `join`, `key`, `work`."""
    sizes = [side.groupBy("join", "key").agg(sql.count("*").alias(name)) for side, name in ((left, "l"), (right, "r"))]
    return sizes[0].join(sizes[1], ["join", "key"]).select("join", "key", (sql.col("l") * sql.col("r")).alias("work"))


def _limits(blocks: DataFrame, meetings: Sequence[Meeting], records: int) -> tuple[list[int], int]:
    """The limit of each join within the budget, and how many blocks lie above it."""
    largest = max((meeting.limit for meeting in meetings), default=0)
    spread = blocks.groupBy("join", sql.least("work", sql.lit(largest + 1)).alias("work")).agg(
        sql.count("*").alias("blocks")
    )
    table = spread.toArrow()
    at, work, number = (table[name].to_numpy().astype(np.int64) for name in ("join", "work", "blocks"))
    limits, hubs = [], 0
    for join, meeting in enumerate(meetings):
        its = at == join
        limits.append(affordable(meeting.limit, work[its], work[its] * number[its], records))
        hubs += int(number[its][work[its] > limits[-1]].sum())
    return limits, hubs
