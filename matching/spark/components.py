"""Connected components on Spark: large stars and small stars in turn, until every node points at its smallest.

Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii: Connected Components in MapReduce and Beyond (SoCC 2014). Each round
lies in a file: what a lost worker held is read again, not computed from the beginning.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as sql


def components(edges: DataFrame, folder: Path) -> DataFrame:
    """The smallest node of its component (`component`) for each node with an edge (`node`); edges: `a`, `b`."""
    spark = edges.sparkSession
    star = edges.where("a <> b").select(sql.greatest("a", "b").alias("u"), sql.least("a", "b").alias("v")).distinct()
    before = None
    for turn in count():
        path = str(folder / f"stars-{turn}")
        star.write.parquet(path)
        star = spark.read.parquet(path)
        now = star.agg(sql.count("*"), sql.sum(sql.xxhash64("u", "v").cast("decimal(38,0)"))).first()
        if now == before:
            break
        before = now
        star = _small_star(_large_star(star))
    centres = star.select(sql.col("v").alias("node"), sql.col("v").alias("component")).distinct()
    return star.select(sql.col("u").alias("node"), sql.col("v").alias("component")).union(centres)


def _large_star(star: DataFrame) -> DataFrame:
    """Every larger neighbour of a node now points at the smallest of them all."""
    both = star.union(star.select("v", "u"))
    least = sql.least("u", sql.min("v").over(Window.partitionBy("u")))
    return (
        both.select("u", "v", least.alias("m")).where("v > u").select(sql.col("v").alias("u"), sql.col("m").alias("v"))
    )


def _small_star(star: DataFrame) -> DataFrame:
    """A node and its smaller neighbours now point at the smallest of them."""
    least = star.distinct().select("u", "v", sql.min("v").over(Window.partitionBy("u")).alias("m"))
    ends = sql.explode(sql.array("u", "v")).alias("u")
    return least.select(ends, sql.col("m").alias("v")).where("u <> v").distinct()
