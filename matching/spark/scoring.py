"""Scoring on Spark's workers: the ladders and the model's sum of `matching`, over the rows that a batch of pairs brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from matching.engine import compare
from matching.model import Model
from matching.spark.prepared import open_model, open_rows, program
from onegrid.errors import without_words

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCORED = "a long, b long, node_a long, node_b long, weight double, apart boolean, levels long"
OTHER_PROGRAM = "a worker of Spark runs another version of OneGrid or of its libraries"


@dataclass(frozen=True)
class Scorer:
    """What a worker does with its pairs. folder, key: of the prepared columns; program: the digest it must have itself;
    join: log2 odds of the linkage two clusters need.
    """

    folder: Path
    key: bytes
    program: str
    join: float

    def __repr__(self) -> str:
        return "<scorer>"

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Score the pairs of each batch (`a`, `b`, and each side's `node` and `sealed` row)."""
        if program() != self.program:
            raise RuntimeError(OTHER_PROGRAM)
        for batch in batches:
            with without_words():
                scored = self.score(batch)
            yield scored

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch's pairs with weight and verdict; every row is opened once."""
        model = open_model(self.folder, self.key)
        ends = np.concatenate([batch.column(side).to_numpy() for side in ("a", "b")])
        rows, first, back = np.unique(ends, return_index=True, return_inverse=True)
        sealed = pa.concat_arrays([batch.column("sealed_a"), batch.column("sealed_b")]).take(pa.array(first))
        frame = open_rows(rows.tolist(), sealed.to_pylist(), self.key)
        a, b = np.split(back, 2)
        verdict = compare(frame, model, (a, b), self.join, Model.score)
        columns = {name: batch.column(name) for name in ("a", "b", "node_a", "node_b")}
        columns |= {name: pa.array(verdict[name].to_numpy()) for name in ("weight", "apart", "levels")}
        return pa.RecordBatch.from_pydict(columns)


def scored(pairs: DataFrame, rows: DataFrame, scorer: Scorer) -> DataFrame:
    """The pairs with the groups of their ends, weight and verdict (SCORED)."""
    met = pairs
    for side in ("a", "b"):
        met = met.join(rows.toDF(side, f"node_{side}", f"sealed_{side}"), side)
    return met.mapInArrow(scorer, SCORED)
