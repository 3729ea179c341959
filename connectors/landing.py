"""Where landed loads lie: one sealed Parquet file each, written under another name and then renamed, never changed
after.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from connectors.opened import is_local
from onegrid.errors import DiskFull, HomeError
from onegrid.sealing import opening_landed, parquet_decryption, parquet_encryption
from onegrid.settings import Settings

PART = ".part"
ROWS_FILE, SEEN_FILE = "{source}/{load}.parquet", "{source}/{load}.seen"
DIGEST_BYTES = 16
GROUP_ROWS = 100_000
BETWEEN, MISSING = "\x1f", "\x00"  # control characters no cell should hold: cells and nulls stay apart in a digest
DIGEST = "digest"


def write_sealed(rows: pa.Table, path: str, key: bytes, settings: Settings) -> None:
    """Writes a table to `path` below the landing URL, whole or not at all.

    Raises DiskFull, or HomeError when the landing folder cannot be written or its store does not answer.
    """
    system, root = _system(settings)
    with _writable(settings), _answering(settings):
        system.makedirs(f"{root}/{path}".rpartition("/")[0], exist_ok=True)
        try:
            _write(rows, f"{root}/{path}{PART}", key, system)
        except OSError:
            remove(path, settings)
            raise
        system.mv(f"{root}/{path}{PART}", f"{root}/{path}")


def _write(rows: pa.Table, path: str, key: bytes, system: Any) -> None:
    seal = parquet_encryption(key)
    with system.open(path, "wb") as file:
        parquet.write_table(rows, file, row_group_size=GROUP_ROWS, compression="zstd", encryption_properties=seal)
        if is_local(system):  # the registry must not say it has a file that a power cut could still take away
            file.flush()
            os.fsync(file.fileno())


def read_sealed(path: str, key: bytes, settings: Settings) -> pa.Table:
    """A landed table; FileNotFoundError when it is not there, SealError when it was changed, HomeError when its store
    does not answer.
    """
    system, root = _system(settings)
    with _answering(settings), system.open(f"{root}/{path}", "rb") as file, opening_landed(path):
        return parquet.ParquetFile(file, decryption_properties=parquet_decryption(key)).read()


def remove(path: str, settings: Settings) -> None:
    """Removes a file that was landed in part or never counted, if it is there."""
    system, root = _system(settings)
    for name in (path, f"{path}{PART}"):
        with suppress(FileNotFoundError), _answering(settings):
            system.rm(f"{root}/{name}")


def _system(settings: Settings) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    system, root = url_to_fs(settings.landing_url)
    return system, str(root).rstrip("/")


@contextmanager
def _writable(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"There is no room left below {settings.landing_url}: free some, then run again.") from None
        raise HomeError(
            f"The landing folder {settings.landing_url} cannot be written ({error.strerror or type(error).__name__}): "
            "give this user the right to, or name another home."
        ) from None


@contextmanager
def _answering(settings: Settings) -> Iterator[None]:
    """An object store that does not answer, or whose keys are not there, as one sentence."""
    try:
        yield
    except _refusals() as error:
        raise HomeError(
            f"The store of landed loads {settings.landing_url} does not answer ({type(error).__name__}): "
            "see that it runs, and that its address and its file of keys are right."
        ) from None


def _refusals() -> tuple[type[Exception], ...]:
    """What an object store's client raises beside OSErrors; nothing as long as none is loaded."""
    client = sys.modules.get("botocore.exceptions")
    return (client.BotoCoreError,) if client else ()


def digests(rows: pa.Table) -> pa.Array:
    """BLAKE2b (RFC 7693) of each row's cells, by column names in order, so that equal rows have equal digests."""
    if rows.num_rows == 0 or not rows.column_names:
        return pa.array([], pa.binary(DIGEST_BYTES))
    columns = [rows.column(name) for name in sorted(rows.column_names)]
    lines = pc.binary_join_element_wise(*columns, BETWEEN, null_handling="replace", null_replacement=MISSING)
    made = [
        hashlib.blake2b(line, digest_size=DIGEST_BYTES).digest()
        for chunk in pa.chunked_array(lines).cast(pa.binary()).chunks
        for line in chunk.to_pylist()
    ]
    return pa.array(made, pa.binary(DIGEST_BYTES))


def content_digest(rows: pa.Table) -> str:
    """SHA-256 over columns and rows in any order of the rows: a query without ORDER BY has none."""
    whole = hashlib.sha256(repr(sorted(rows.column_names)).encode())
    for digest in sorted(digests(rows).to_pylist()):
        whole.update(digest)
    return whole.hexdigest()


def without_known(rows: pa.Table, known: pa.Array) -> pa.Table:
    """The rows whose content is not among the digests of the load before."""
    return rows.filter(pc.invert(pc.is_in(digests(rows), value_set=known)))


def as_seen(rows: pa.Table) -> pa.Table:
    """The digests of what a read saw, as they are kept for the next one."""
    return pa.table({DIGEST: digests(rows)})
