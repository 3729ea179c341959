"""Numbers for records that follow from what they are called, not from when they came.

The database numbers records as they are delivered. Matching breaks ties by number (which of two equal candidates comes
first), so it is given numbers in the order of (type, source, key, role): the same records then end in the same clusters,
in whatever order, batches or repetition they were delivered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from schemas.records import Matched, Records


@dataclass(frozen=True)
class Numbering:
    """ids: the database's number of each record, in the order of the records' names."""

    ids: np.typing.NDArray[np.int64]

    @classmethod
    def of(cls, records: Records) -> Numbering:
        """The numbering of records whose frames are ordered by (source, key, role), as `read_records` gives them."""
        parts = [records.frames[name]["rid"].to_numpy(dtype=np.int64) for name in sorted(records.frames)]
        return cls(np.concatenate([np.empty(0, np.int64), *parts]))

    def number(self, records: Records) -> Records:
        """The same records under their own numbers."""
        frames, start = {}, 0
        for name in sorted(records.frames):
            frame = records.frames[name]
            frames[name] = frame.assign(rid=np.arange(start, start + len(frame), dtype=np.int64))
            start += len(frame)
        return replace(records, frames={name: frames[name] for name in records.frames})

    def number_pairs(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """`rid_a`, `rid_b` of the database as own numbers, the smaller first."""
        order = np.argsort(self.ids)
        places = [
            order[np.searchsorted(self.ids[order], pairs[name].to_numpy(np.int64))] for name in ("rid_a", "rid_b")
        ]
        return pairs.assign(rid_a=np.minimum(*places), rid_b=np.maximum(*places))

    def restore(self, matched: Matched) -> Matched:
        """What was matched under own numbers, under the database's."""
        edges = matched.edges
        if len(edges):
            ends = [self.ids[edges[name].to_numpy(np.int64)] for name in ("rid_a", "rid_b")]
            edges = edges.assign(rid_a=np.minimum(*ends), rid_b=np.maximum(*ends))
        return replace(
            matched,
            members=self._named(matched.members),
            derived=self._named(matched.derived),
            relations=self._named(matched.relations),
            edges=edges,
            doubts=self._named(matched.doubts),
        )

    def _named(self, lines: pd.DataFrame) -> pd.DataFrame:
        return lines.assign(rid=self.ids[lines["rid"].to_numpy(dtype=np.int64)]) if len(lines) else lines
