"""Sealed values: authenticated encryption for what may not lie plain, and a keyed blind index to find it again.

One master key of 32 random bytes in a file outside the database. Three keys are derived from it (HKDF-SHA-256,
RFC 5869), so that none of them tells the others: one seals values, one makes blind indexes, one wraps load keys.
A sealed value is: format (1 byte), key version (1 byte), nonce (12 bytes), AES-256-GCM ciphertext with its 16-byte tag
(NIST SP 800-38D). Random nonces of 96 bits are safe for 2**32 values of one key; key versions are for rotation.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary
from sqlalchemy.types import TypeDecorator

from onegrid.errors import SealError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

KEY_BYTES = 32
NONCE_BYTES = 12
BLIND_BYTES = 16  # 128 bits of HMAC-SHA-256: no two of a district's values meet by chance
FORMAT, KEY_VERSION = 1, 1
_HEAD = bytes((FORMAT, KEY_VERSION))
_LOAD_KEY = b"load key"


@dataclass(frozen=True, repr=False)
class Keyring:
    """The keys derived from one master key; never printed.

    Values are bound to a `context` (associated data): what was sealed for one place cannot be unsealed as another.
    """

    _sealing: AESGCM
    _wrapping: AESGCM
    _blinding: bytes

    @classmethod
    def open(cls, path: Path) -> Keyring:
        """The keyring of the master key in `path`, made on first start (mode 0600, below a folder of mode 0700).

        Raises SealError when the file cannot be read or made, is not a key, or may be read by other users.
        """
        try:
            _make_key_file(path)
            return cls.of(_read_key_file(path))
        except OSError as error:
            raise SealError(
                f"The key file {path} cannot be used ({error.strerror}): "
                "give this user the right to read it, or name another with ONEGRID_KEY_FILE."
            ) from None

    @classmethod
    def of(cls, master: bytes) -> Keyring:
        """The keyring of 32 random bytes."""
        return cls(AESGCM(_derive(master, "seal")), AESGCM(_derive(master, "wrap")), _derive(master, "blind"))

    def __repr__(self) -> str:
        return "<keyring>"

    def seal(self, text: str, context: str = "") -> bytes:
        """`text` as ciphertext that only this key and this context open."""
        nonce = os.urandom(NONCE_BYTES)
        return _HEAD + nonce + self._sealing.encrypt(nonce, text.encode(), _bound(context))

    def unseal(self, sealed: bytes, context: str = "") -> str:
        """The text that was sealed; SealError when it was changed, or sealed by another key or for another context."""
        return _open(self._sealing, bytes(sealed), _bound(context)).decode()

    def seal_many(self, values: pd.Series, context: str = "") -> pd.Series:
        """Each value sealed with its own nonce, as PostgreSQL's hexadecimal text (`\\x...`); missing stays missing."""
        present = values.notna()
        plain = values[present].tolist()
        pool, bound, encrypt = os.urandom(NONCE_BYTES * len(plain)), _bound(context), self._sealing.encrypt
        nonces = (pool[at : at + NONCE_BYTES] for at in range(0, len(pool), NONCE_BYTES))
        head = "\\x" + _HEAD.hex()
        pairs = zip(nonces, plain, strict=True)
        sealed = [head + (nonce + encrypt(nonce, text.encode(), bound)).hex() for nonce, text in pairs]
        return _placed(sealed, present)

    def unseal_many(self, values: pd.Series, context: str = "") -> pd.Series:
        """The texts of sealed values given as `\\x...` text or bytes; missing stays missing. SealError as `unseal`."""
        present = values.notna()
        bound, cipher = _bound(context), self._sealing
        return _placed([_open(cipher, _raw(value), bound).decode() for value in values[present].tolist()], present)

    def blind(self, value: str, purpose: str) -> bytes:
        """A keyed digest (HMAC-SHA-256, first 16 bytes): equal for equal values of one purpose, no more."""
        return hmac.digest(self._domain(purpose), value.encode(), "sha256")[:BLIND_BYTES]

    def blind_many(self, values: pd.Series, purpose: str) -> pd.Series:
        """`blind` of each value as `\\x...` text, computed once for each distinct value; missing stays missing."""
        domain = self._domain(purpose)
        digests = {
            value: "\\x" + hmac.digest(domain, value.encode(), "sha256")[:BLIND_BYTES].hex()
            for value in values.dropna().unique().tolist()
        }
        present = values.notna()
        return _placed([digests[value] for value in values[present].tolist()], present)

    def new_load_key(self) -> tuple[bytes, bytes]:
        """A fresh 32-byte key for one landed load, and the same wrapped for `load.wrapped_key`."""
        key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        return key, _HEAD + nonce + self._wrapping.encrypt(nonce, key, _LOAD_KEY)

    def unwrap_load_key(self, wrapped: bytes) -> bytes:
        """The load's key; SealError when the wrapped key was changed or belongs to another master key."""
        return _open(self._wrapping, bytes(wrapped), _LOAD_KEY)

    def _domain(self, purpose: str) -> bytes:
        """A key for one purpose: the digests of two purposes cannot be joined."""
        return hmac.digest(self._blinding, purpose.encode(), "sha256")


class SealedValue:
    """A sealed value as it lies in the database: prints as `<sealed>`, gives its bytes only on demand."""

    __slots__ = ("_sealed",)

    def __init__(self, sealed: bytes) -> None:
        self._sealed = bytes(sealed)

    def __bytes__(self) -> bytes:
        return self._sealed

    def __repr__(self) -> str:
        return "<sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealedValue) and hmac.compare_digest(self._sealed, other._sealed)

    def __hash__(self) -> int:
        return hash(self._sealed)


class Sealed(TypeDecorator[SealedValue]):
    """A column of sealed values. It carries `SealedValue` in and out; nothing is opened without a keyring in hand."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: SealedValue | None, dialect: Dialect) -> bytes | None:
        """The bytes to store; plain text is refused."""
        if value is not None and not isinstance(value, SealedValue):
            raise SealError("A sealed column takes only sealed values: seal the text with the keyring first.")
        return None if value is None else bytes(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> SealedValue | None:
        """The stored bytes, still sealed."""
        return None if value is None else SealedValue(value)


def parquet_encryption(key: bytes) -> Any:
    """The `encryption_properties` of a ParquetWriter that seals the whole file, its schema too, with a load's key."""
    from pyarrow.parquet.encryption import create_encryption_properties

    return create_encryption_properties(key)


def parquet_decryption(key: bytes) -> Any:
    """The `decryption_properties` of a ParquetFile for what `parquet_encryption` sealed; plain files are refused."""
    from pyarrow.parquet.encryption import create_decryption_properties

    return create_decryption_properties(key)


@contextmanager
def opening_landed(path: str) -> Iterator[None]:
    """Turns pyarrow's failure to open a sealed Parquet file into a SealError that names the file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:  # the file system's own errors are not ours to judge
            raise
        raise SealError(f"The landed file {path} was changed, or sealed with another key.") from None


def _derive(master: bytes, use: str) -> bytes:
    info = f"onegrid {use} {KEY_VERSION}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


def _bound(context: str) -> bytes:
    return _HEAD + context.encode()


def _raw(value: str | bytes) -> bytes:
    if not isinstance(value, str):
        return bytes(value)
    try:
        return bytes.fromhex(value.removeprefix("\\x")) if value.startswith("\\x") else b""
    except ValueError:
        return b""


def _open(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    if sealed[:2] != _HEAD:
        raise SealError("A value is not sealed, or in a format or key version that this program does not know.")
    try:
        return cipher.decrypt(sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :], bound)
    except (InvalidTag, ValueError):
        raise SealError(
            "A sealed value was changed, or sealed with another master key or for another column."
        ) from None


def _placed(values: list[str], present: pd.Series) -> pd.Series:
    """`values` at the places that are present, missing elsewhere; as `str`, on the index of `present`."""
    placed = pd.Series(None, index=present.index, dtype="str", name=present.name)
    if len(values) == len(present):
        return pd.Series(values, index=present.index, dtype="str", name=present.name)
    placed[present] = pd.array(values, dtype="str")
    return placed


def _make_key_file(path: Path) -> None:
    """Makes the key once: the whole file appears under its name at once (link), and of two starters one wins."""
    if path.exists():
        return
    with suppress(FileExistsError):
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(KEY_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
            _keep_entry(path.parent)
    finally:
        draft.unlink()


def _keep_entry(folder: Path) -> None:
    """Writes a folder's entries to disk: nothing may be sealed with a key that a power cut could take away."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_key_file(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise SealError(f"The key file {path} may be read by other users: run chmod 600 {path}.")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SealError(f"The key file {path} does not hold 64 hexadecimal digits: restore it from your backup.")
    return key
