"""Sealing: what is sealed opens only as it was sealed; keys are made once and kept close."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select

from onegrid.errors import SealError
from onegrid.sealing import Keyring, Sealed, SealedValue, opening_landed, parquet_decryption, parquet_encryption

RING = Keyring.of(bytes(range(32)))
OTHER = Keyring.of(bytes(32))
PLANTED = "110101199003072316"


@given(st.text(), st.text(max_size=8))
def test_unseal_gives_back_what_was_sealed(value: str, context: str) -> None:
    assert RING.unseal(RING.seal(value, context), context) == value


@given(st.lists(st.one_of(st.none(), st.text()), max_size=20), st.text(max_size=8))
def test_many_agree_with_one(values: list[str | None], context: str) -> None:
    given_values = pd.Series(values, dtype="str", index=range(5, 5 + len(values)), name="id_number")
    sealed = RING.seal_many(given_values, context)
    pd.testing.assert_series_equal(RING.unseal_many(sealed, context), given_values)
    one_by_one = [None if pd.isna(v) else RING.unseal(bytes.fromhex(v[2:]), context) for v in sealed]
    assert one_by_one == values
    blind = RING.blind_many(given_values, "alias")
    assert [None if pd.isna(v) else bytes.fromhex(v[2:]) for v in blind] == [
        None if v is None else RING.blind(v, "alias") for v in values
    ]


def test_unseal_many_takes_bytes_too() -> None:
    sealed = pd.Series([RING.seal("a"), None, RING.seal("b")], dtype="object")
    assert RING.unseal_many(sealed).fillna("-").tolist() == ["a", "-", "b"]


def test_equal_values_never_look_equal_when_sealed() -> None:
    sealed = RING.seal_many(pd.Series([PLANTED] * 1000, dtype="str"))
    assert sealed.nunique() == 1000


@pytest.mark.parametrize("place", range(0, 46, 5))
def test_a_changed_byte_is_noticed(place: int) -> None:
    sealed = bytearray(RING.seal(PLANTED, "record"))
    sealed[place] ^= 1
    with pytest.raises(SealError) as caught:
        RING.unseal(bytes(sealed), "record")
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize("sealed", [b"", b"\x01\x01", b"\x01\x01" + bytes(12), b"plain text"])
def test_what_is_no_sealed_value_is_refused(sealed: bytes) -> None:
    with pytest.raises(SealError):
        RING.unseal(sealed)


@pytest.mark.parametrize("text", ["张三", "", "\\x", "\\xzz", "\\x0"])
def test_plain_text_in_a_sealed_column_is_refused(text: str) -> None:
    with pytest.raises(SealError, match="not sealed"):
        RING.unseal_many(pd.Series([text], dtype="str"))


def test_another_key_or_context_opens_nothing() -> None:
    sealed = RING.seal(PLANTED, "record")
    with pytest.raises(SealError):
        OTHER.unseal(sealed, "record")
    with pytest.raises(SealError):
        RING.unseal(sealed, "quarantine")


def test_blind_is_equal_for_equal_values_of_one_purpose_alone() -> None:
    assert RING.blind(PLANTED, "resident_id") == RING.blind(PLANTED, "resident_id")
    others = (
        RING.blind(PLANTED, "phone"),
        OTHER.blind(PLANTED, "resident_id"),
        RING.blind(PLANTED[::-1], "resident_id"),
    )
    assert RING.blind(PLANTED, "resident_id") not in others
    assert len(RING.blind(PLANTED, "resident_id")) == 16


def test_keys_and_values_do_not_print() -> None:
    assert repr(RING) == "<keyring>"
    value = SealedValue(RING.seal(PLANTED))
    assert f"{value} {value!r} {[value]}" == "<sealed> <sealed> [<sealed>]"


def test_a_sealed_column_carries_sealed_values_and_refuses_text() -> None:
    table = Table("t", MetaData(), Column("id", Integer), Column("number", Sealed))
    value = SealedValue(RING.seal(PLANTED))
    with create_engine("sqlite://").begin() as connection:
        table.create(connection)
        connection.execute(insert(table), [{"id": 1, "number": value}, {"id": 2, "number": None}])
        found = list(connection.execute(select(table.c.number).order_by(table.c.id)).scalars())
        assert found == [value, None]
        assert RING.unseal(bytes(found[0])) == PLANTED
        with pytest.raises(Exception, match="only sealed values"):
            connection.execute(insert(table), {"id": 3, "number": PLANTED})


def test_load_keys_are_wrapped_by_the_master_key() -> None:
    key, wrapped = RING.new_load_key()
    assert len(key) == 32
    assert key not in wrapped
    assert RING.unwrap_load_key(wrapped) == key
    assert RING.new_load_key()[0] != key
    with pytest.raises(SealError):
        OTHER.unwrap_load_key(wrapped)
    with pytest.raises(SealError):
        RING.unseal(wrapped)


def test_a_landed_file_hides_values_and_headers_and_opens_with_its_key_alone(tmp_path: Path) -> None:
    key, _ = RING.new_load_key()
    table = pa.table({"身份证号": [PLANTED, None], "x": ["1", "2"]})
    sealed, plain = tmp_path / "sealed.parquet", tmp_path / "plain.parquet"
    with pq.ParquetWriter(
        sealed, table.schema, encryption_properties=parquet_encryption(key), compression="none"
    ) as out:
        out.write_table(table)
    pq.write_table(table, plain, compression="none")
    assert PLANTED.encode() in plain.read_bytes()
    assert PLANTED.encode() not in sealed.read_bytes()
    assert "身份证号".encode() not in sealed.read_bytes()
    assert pq.ParquetFile(sealed, decryption_properties=parquet_decryption(key)).read().equals(table)
    for properties in (None, parquet_decryption(bytes(32))):
        with pytest.raises(SealError, match=r"sealed\.parquet"), opening_landed(str(sealed)):
            pq.ParquetFile(sealed, decryption_properties=properties)
    with pytest.raises(SealError), opening_landed(str(plain)):
        pq.ParquetFile(plain, decryption_properties=parquet_decryption(key))


def test_a_missing_landed_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), opening_landed("gone"):
        pq.ParquetFile(tmp_path / "gone.parquet")


def test_the_key_file_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keys" / "master.key"
    sealed = Keyring.open(path).seal(PLANTED)
    assert Keyring.open(path).unseal(sealed) == PLANTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Keyring.open(tmp_path / "master.key")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_starters_at_once_get_one_key(tmp_path: Path) -> None:
    path, rings, gate = tmp_path / "keys" / "master.key", [], threading.Barrier(8)

    def start() -> None:
        gate.wait()
        rings.append(Keyring.open(path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {ring.blind("x", "y") for ring in rings} == {Keyring.open(path).blind("x", "y")}
    assert len(rings) == 8


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("00" * 31, 0o600, "64 hexadecimal digits"),
        ("", 0o600, "64 hexadecimal digits"),
        ("zz" * 32, 0o600, "64 hexadecimal digits"),
        ("密钥", 0o600, "64 hexadecimal digits"),
        ("00" * 32, 0o640, "chmod 600"),
        ("00" * 32, 0o604, "chmod 600"),
    ],
)
def test_a_key_file_that_cannot_be_trusted_is_refused(tmp_path: Path, content: str, mode: int, said: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(SealError, match=said) as caught:
        Keyring.open(path)
    assert str(path) in str(caught.value)


def test_a_key_file_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SealError, match="ONEGRID_KEY_FILE"):
        Keyring.open(tmp_path / "file" / "keys" / "master.key")
