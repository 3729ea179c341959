"""The unified code of an entity: made, parsed, verified.

One form is stored, exported and printed: `P340202-000012345-0`. A letter for the type, the 6 digits of the division
that issued it, a serial of 9 digits that is never used again, and an ISO 7064 MOD 37,36 check character over the
sixteen before it, which betrays every wrong character and all but 36 in 22,680 swaps of two neighbours (ISO/IEC
7064:2003; counted). Nothing that may change is in a code: who moves keeps theirs.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

LETTERS = {"person": "P", "household": "H", "place": "L", "thing": "T", "organization": "O", "event": "M"}
TYPES = {letter: kind for kind, letter in LETTERS.items()}
SERIALS = 10**9  # 9 digits
WIDTH = 19
SERIAL_AT = (9, 9)  # where the serial stands in the stored form, for substr() in SQL

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SEPARATORS = re.compile(r"[\s\-‐‑‒–—―−_.·/]+")
_PLAIN = re.compile(r"([PHLTOM])([0-9]{6})([0-9]{9})([0-9A-Z])")
_DIVISION = re.compile(r"[0-9]{6}(?:[0-9]{3}|[0-9]{6})?")


class Code(NamedTuple):
    """A code in its parts; `str()` is the stored form."""

    letter: str
    division: str
    serial: int
    check: str

    @property
    def type(self) -> str:
        """The entity type the letter stands for."""
        return TYPES[self.letter]

    def __str__(self) -> str:
        return f"{self.letter}{self.division}-{self.serial:09d}-{self.check}"


def check_character(body: str) -> str:
    """The MOD 37,36 check character of letters and digits without separators."""
    left = 36
    for character in body:
        left = _step(left, _ALPHABET.index(character))
    return _ALPHABET[(1 - left) % 36]


def make(letter: str, division: str, serial: int) -> Code:
    """One new code; `division` may be longer than 6 digits, the first six are the issuing division."""
    return parse(str(make_many(pd.Series([letter]), pd.Series([division]), np.array([serial]))[0]))


def parse(text: str) -> Code:
    """The code in `text`, whatever its case, width and separators.

    Raises ValueError, saying what is wrong, when it is not a code or its check character does not fit.
    """
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    found = _PLAIN.fullmatch(plain)
    if found is None:
        raise ValueError("This is not a code: one looks like P340202-000012345-0.")
    if check_character(plain[:-1]) != plain[-1]:
        raise ValueError("This code was mistyped: its check character does not fit.")
    letter, division, serial, check = found.groups()
    return Code(letter, division, int(serial), check)


def verify(text: str) -> bool:
    """Whether `text` is a code whose check character fits."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def make_many(letters: pd.Series, divisions: pd.Series, serials: npt.NDArray[np.int64]) -> pd.Series:
    """The codes of `letters`, `divisions` (6, 9 or 12 digits) and `serials` row by row, on the index of `letters`.

    Raises ValueError for a letter or division that is none, and when the serials are used up.
    """
    _check_parts(letters, divisions, serials)
    digits = np.zeros((16, len(letters)), dtype=np.int16)
    digits[0] = _each(letters, {letter: _ALPHABET.index(letter) for letter in TYPES})
    issuing = _each(divisions, {division: int(division[:6]) for division in divisions.unique().tolist()})
    for place in range(6):
        digits[1 + place] = issuing // 10 ** (5 - place) % 10
    for place in range(9):
        digits[7 + place] = np.asarray(serials, dtype=np.int64) // 10 ** (8 - place) % 10
    return _written(digits, letters.index)


def serials_of(codes: pd.Series) -> pd.Series:
    """The serials of codes in the stored form, as int64; each names one code of all types."""
    return codes.str.slice(8, 17).astype("int64")


def _step(left: int, value: int) -> int:
    return ((left + value) % 36 or 36) * 2 % 37


def _check_parts(letters: pd.Series, divisions: pd.Series, serials: npt.NDArray[np.int64]) -> None:
    if not letters.isin(list(TYPES)).all():
        raise ValueError(f"A code begins with one of {', '.join(TYPES)}.")
    if not all(isinstance(division, str) and _DIVISION.fullmatch(division) for division in divisions.unique().tolist()):
        raise ValueError("A division code has 6, 9 or 12 digits.")
    if len(serials) and not (int(serials.min()) > 0 and int(serials.max()) < SERIALS):
        raise ValueError("The serials of codes are used up: 9 digits hold 999,999,999 codes.")


def _each(values: pd.Series, numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    places, known = pd.factorize(values)
    return np.array([numbers[value] for value in known], dtype=np.int64)[places]


def _written(digits: npt.NDArray[np.int16], index: pd.Index) -> pd.Series:
    """The stored form of columns of sixteen values (0 to 35), with its check character."""
    import pyarrow as pa

    signs = np.frombuffer(_ALPHABET.encode(), dtype=np.uint8)
    text = np.full((digits.shape[1], WIDTH), ord("-"), dtype=np.uint8)
    text[:, 0:7] = signs[digits[0:7]].T
    text[:, 8:17] = signs[digits[7:16]].T
    text[:, 18] = signs[(1 - _left_over(digits)) % 36]
    ends = np.arange(0, text.size + 1, WIDTH, dtype=np.int64)
    whole = pa.LargeStringArray.from_buffers(digits.shape[1], pa.py_buffer(ends), pa.py_buffer(text))
    return pd.Series(whole, index=index, dtype="str")


def _left_over(digits: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """What the sixteen values leave before the check character: `_step` of each in turn, for all codes at once."""
    left = np.full(digits.shape[1], 36, dtype=np.int16)
    for values in digits:
        total = (left + values) % 36
        left = np.where(total == 0, 36, total) * 2 % 37
    return left
