"""Short texts of pairs held against each other position by position: dates, phones, document numbers, misspelt names."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from matching.identifiers import FULL, UNKNOWN
from schemas.name_parts import same_look

Integers = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint32]
COUNTY, SERIAL = 6, 14  # digits of a resident id before the birth date, and before sequence and check
DAY = len("2000-01-01")


def letters(values: npt.NDArray[np.object_]) -> Letters:
    """The code points of texts, a row a text, filled up with zeros."""
    width = max([1, *(len(value) for value in values)])
    return np.asarray(values, dtype=f"<U{width}").view(np.uint32).reshape(len(values), width)


def even(one: Letters, two: Letters) -> tuple[Letters, Letters]:
    """Both of one width."""
    width = max(one.shape[1], two.shape[1])
    return tuple(np.pad(side, ((0, 0), (0, width - side.shape[1]))) for side in (one, two))  # type: ignore[return-value]


def digits_off(one: Letters, two: Letters) -> Integers:
    """How many positions differ, those that only one text has included."""
    return np.asarray((one != two).sum(axis=1), dtype=np.int64)


def fits_mask(mask: Letters, text: Letters) -> Integers:
    """1 where the text has the length of the mask and all that it shows."""
    known = (mask == text) | ((mask == ord("*")) & (text > 0))
    return np.asarray(known.all(axis=1), dtype=np.int64)


def birth_level(one: Letters, two: Letters) -> Integers:
    """The ladder of unequal dates (YYYY, YYYY-MM or YYYY-MM-DD): 1 fits, 2 one digit or swap, 3 year, 4 near, 5 different."""
    whole = (one[:, -1] > 0) & (two[:, -1] > 0) & (one.shape[1] == DAY)
    off = digits_off(one, two)
    year = (one[:, :4] == two[:, :4]).all(axis=1)
    swapped = year & (one[:, 5:7] == two[:, 8:10]).all(axis=1) & (one[:, 8:10] == two[:, 5:7]).all(axis=1)
    near = np.abs(_year(one) - _year(two)) <= 3
    full = np.select([(off <= 1) | swapped, year, near], [2, 3, 4], default=5)
    fits = ((one == two) | (one == 0) | (two == 0)).all(axis=1)
    return np.where(whole, full, np.where(fits, 1, 5))


def _year(date: Letters) -> Integers:
    return np.asarray((date[:, :4].astype(np.int64) - ord("0")) @ np.array([1000, 100, 10, 1]), dtype=np.int64)


def number_level(mask: Letters, number: Letters) -> Integers:
    """Of a damaged number against another, both padded to at least FULL: 0 to 2 what is shown fits, 6 it does not, -1
    nothing can be said. 3 is for `one_edit`, on those that give 6.
    """
    hidden = (mask == ord(UNKNOWN)) | (number == ord(UNKNOWN))
    seen, same = ~hidden[:, :FULL], (mask == number)[:, :FULL]
    size, whole = (mask > 0).sum(axis=1), (number > 0).sum(axis=1)
    fits = (size == FULL) & (same | ~seen).all(axis=1)
    known, last = seen[:, COUNTY:].sum(axis=1), seen[:, SERIAL:].sum(axis=1)
    level = np.select([~fits, known >= 8, last >= 3, known >= 3], [6, 0, 1, 2], default=-1)
    return np.where(whole == FULL, level, -1)


def one_edit(mask: str, number: str) -> int:
    """1 where a number without unknown digits is another but for one edit or swap."""
    from rapidfuzz.distance import OSA

    return int(UNKNOWN not in mask and OSA.distance(mask, number, score_cutoff=1) <= 1)


def misspelt(one: str, two: str) -> int:
    """1 where two names differ by two characters swapped or by a look-alike: a typist's doing, not parents'."""
    off = [at for at, (x, y) in enumerate(zip(one, two, strict=False)) if x != y]
    return int(len(one) == len(two) and (len(off) == 2 or same_look(one[off[0]], two[off[0]])))
