"""The prepared columns as Spark's workers read them: what leaves this process, and in which form.

Keys are hashes under a secret of the run, so that equal values meet and nobody can look a value up. All that pairs are
compared by, and the model, is sealed under a key of the run (AES-256-GCM) that the workers get from the driver and no
file holds. The folder holds nothing else, and is gone after the run.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import matching
import schemas
from matching.blocking import RULES, Keys, joins
from matching.engine import Work
from matching.levels import COMPARED, FLAGS
from matching.model import Model

KEYS, ROWS, NODES, JUDGED, MODEL = "keys.parquet", "rows.parquet", "nodes.parquet", "judged.parquet", "model.sealed"
EDGES, CLUSTERS, COUNTS = "edges.parquet", "clusters.parquet", "counts.json"
EDGE, APART, TOGETHER = 0, 1, 2  # what a line between two groups says
KEY_LINES = pa.schema([("kind", pa.int64()), ("key", pa.int64()), ("row", pa.int64()), ("loose", pa.bool_())])
_LIBRARIES = ("numpy", "pandas", "rapidfuzz", "pypinyin", "OpenCC")
_MODEL_NONCE = b"\xff" * 12  # rows count from 0 and never come so far


class Meeting(NamedTuple):
    """A join of blocking over KEYS: the `kind` of key of each side, who stands on it (loose, not, all), and the limit."""

    left: int
    right: int
    in_left: bool
    in_right: bool | None
    limit: int


def prepare(work: Work, folder: Path, key: bytes) -> list[Meeting]:
    """Write the prepared columns of the work into the folder; returns the joins of blocking over KEYS."""
    meetings = _write_keys(work, folder)
    columns = work.rows[list(COMPARED)].astype(object).where(work.rows[list(COMPARED)].notna(), None)
    cipher = AESGCM(key)
    said = (orjson.dumps(row) for row in zip(*(columns[name].tolist() for name in columns), strict=True))
    sealed = [cipher.encrypt(_nonce(row), text, None) for row, text in enumerate(said)]
    _write(
        folder / ROWS, {"row": np.arange(len(work.rows)), "node": work.node, "sealed": pa.array(sealed, pa.binary())}
    )
    (folder / MODEL).write_bytes(cipher.encrypt(_MODEL_NONCE, work.model.to_json().encode(), None))
    _write_rules(work, folder)
    return meetings


def _write_keys(work: Work, folder: Path) -> list[Meeting]:
    keys = Keys(work.rows, secrets.token_urlsafe(12))  # sixteen characters
    kinds: dict[tuple[str, ...], int] = {}
    meetings = []
    for rule in (rule for rule in RULES if keys.has(rule)):
        for join in joins(rule):
            left, right = (kinds.setdefault(side, len(kinds)) for side in (join.left, join.right))
            meetings.append(Meeting(left, right, join.in_left, join.in_right, rule.limit))
    with pq.ParquetWriter(folder / KEYS, KEY_LINES) as writer:
        for names, kind in kinds.items():
            value, known = keys.key(names)
            rows = np.flatnonzero(known)
            lines = {"kind": np.full(len(rows), kind), "key": value[rows].view(np.int64), "row": rows}
            writer.write_table(pa.table({**lines, "loose": work.loose[rows]}, KEY_LINES))
    return meetings


def _write_rules(work: Work, folder: Path) -> None:
    nodes = np.unique(work.node)
    exclusive = work.rules.exclusive.reindex(nodes)
    codes = {f"exclusive{at}": pd.factorize(exclusive[name])[0] for at, name in enumerate(exclusive)}
    _write(folder / NODES, {"node": nodes, **{name: pa.array(code, mask=code < 0) for name, code in codes.items()}})
    judged = pd.concat([work.rules.apart.assign(kind=APART), work.rules.together.assign(kind=TOGETHER)])
    _write(folder / JUDGED, {name: judged[name].to_numpy(dtype=np.int64) for name in ("a", "b", "kind")})


def _write(path: Path, columns: dict[str, object]) -> None:
    pq.write_table(pa.table(columns), path)


def _nonce(row: int) -> bytes:
    """The row's number, used once under one run's key: a sealed row opens in its own place alone."""
    return row.to_bytes(12, "big")


def open_rows(rows: Sequence[int], sealed: Sequence[bytes], key: bytes) -> pd.DataFrame:
    """The columns that pairs are compared by, of sealed rows; numbered from 0."""
    cipher = AESGCM(key)
    said = [orjson.loads(cipher.decrypt(_nonce(row), text, None)) for row, text in zip(rows, sealed, strict=True)]
    kinds = {name: "bool" if name in FLAGS else "str" for name in COMPARED}
    return pd.DataFrame(said, columns=list(COMPARED), dtype=object).astype(kinds)


@lru_cache(maxsize=1)
def open_model(folder: Path, key: bytes) -> Model:
    """The model of the run; opened once a process."""
    return Model.from_json(AESGCM(key).decrypt(_MODEL_NONCE, (folder / MODEL).read_bytes(), None).decode())


@lru_cache(maxsize=1)
def program() -> str:
    """A digest of all that a comparison depends on beside its data: this program's files and its libraries' versions."""
    digest = hashlib.sha256()
    for package in (matching, schemas):
        root = Path(package.__path__[0])
        for file in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".tsv", ".yml", ".txt")):
            digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    digest.update(" ".join(version(name) for name in _LIBRARIES).encode())
    return digest.hexdigest()
