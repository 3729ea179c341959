"""How far two folded names agree: a ladder of levels, the strongest first.

Folded names are `schemas.names`'s: without remarks, with ONE and MANY in place of what is not known.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.name_parts import same_look, same_sound, surname_of
from schemas.names import MANY, ONE, spelt_name


class NameLevel(IntEnum):
    """How far two folded names agree; 0 is the strongest, -1 says that one side names nobody."""

    MISSING = -1
    EXACT = 0  # the same folded name
    WILDCARD = 1  # the same but for characters a system could not write, or for dots
    SAME_SOUND = 2  # character by character the same reading: 丽/莉; or the pinyin of the other
    ONE_OFF = 3  # one character of three or more differs, two are swapped, or one is a look-alike: 戌/戍
    SHORTENED = 4  # one is the beginning of the other, its leading segment, or an open mask that fits: 张**, 王先生
    SAME_GIVEN = 5  # the given name of two characters agrees, the surname does not
    SAME_SURNAME = 6  # the surname alone
    DIFFERENT = 7


def compare_names(a: pd.Series, b: pd.Series) -> npt.NDArray[np.int8]:
    """How far each pair of folded names agrees (`NameLevel`), int8, once per distinct pair.

    a, b: folded names (`fold_names`) of the two sides, of equal length, aligned by position; missing gives MISSING.
    """
    numbers, names = pd.factorize(pd.concat([a, b], ignore_index=True))
    left, right = numbers[: len(a)].astype(np.int64), numbers[len(a) :].astype(np.int64)
    level = np.full(len(a), NameLevel.MISSING, dtype=np.int8)
    known = (left >= 0) & (right >= 0)
    pairs, back = np.unique(left[known] * len(names) + right[known], return_inverse=True)
    texts = names.tolist()
    found = [compare_two(texts[pair // len(texts)], texts[pair % len(texts)]) for pair in pairs.tolist()]
    level[known] = np.array(found, dtype=np.int8)[back]
    return level


def compare_two(one: str, two: str) -> int:
    """The `NameLevel` of two folded names."""
    if one == two:
        return NameLevel.SHORTENED if MANY in one else NameLevel.EXACT
    if ONE in one or ONE in two or MANY in one or MANY in two:
        found = _compare_wild(one, two)
        if found is not None:
            return found
    if len(one) == len(two):
        found = _compare_even(one, two)
        if found is not None:
            return found
    return _compare_uneven(one, two)


def _compare_wild(one: str, two: str) -> NameLevel | None:
    if not (set(one) - {ONE, MANY} and set(two) - {ONE, MANY}):
        return NameLevel.MISSING
    if MANY in one or MANY in two:
        return NameLevel.SHORTENED if _fits_open(one, two) else None
    if len(one) != len(two):
        return None
    known = [(x, y) for x, y in zip(one, two, strict=True) if ONE not in (x, y)]
    if known and all(x == y for x, y in known):
        return NameLevel.WILDCARD
    return NameLevel.SAME_SOUND if len(known) > 1 and all(same_sound(x, y) for x, y in known) else None


def _fits_open(one: str, two: str) -> bool:
    """Whether two names, at least one with MANY, could be one: what stands before and behind it agrees."""
    if MANY in one and MANY in two:
        pairs = [*zip(one.split(MANY, maxsplit=1)[0], two.split(MANY, maxsplit=1)[0], strict=False)]
    else:
        mask, name = (one, two) if MANY in one else (two, one)
        head, _, tail = mask.partition(MANY)
        tail = tail.rpartition(MANY)[2]
        if len(name) <= len(head) + len(tail):
            return False
        pairs = [*zip(head, name, strict=False), *zip(reversed(tail), reversed(name), strict=False)]
    known = [(x, y) for x, y in pairs if ONE not in (x, y)]
    return bool(known) and all(x == y for x, y in known)


def _compare_even(one: str, two: str) -> NameLevel | None:
    """Names of one length: sound, one character off, two swapped, another surname."""
    off = [at for at, (x, y) in enumerate(zip(one, two, strict=True)) if x != y]
    if all(same_sound(one[at], two[at]) for at in off):
        return NameLevel.SAME_SOUND
    if len(off) == 1 and (same_look(one[off[0]], two[off[0]]) or (len(one) > 2 and off[0] > 0)):
        return NameLevel.ONE_OFF
    if (
        len(off) == 2
        and off[0] > 0
        and off[1] == off[0] + 1
        and one[off[0]] == two[off[1]]
        and one[off[1]] == two[off[0]]
    ):
        return NameLevel.ONE_OFF
    return NameLevel.SAME_GIVEN if off == [0] and len(one) > 2 else None


def _compare_uneven(one: str, two: str) -> NameLevel:
    """Dots, leading segments, missing characters, pinyin; then the surname."""
    bare_one, bare_two = one.replace("·", ""), two.replace("·", "")
    if bare_one == bare_two:
        return NameLevel.WILDCARD
    short, long = sorted((bare_one, bare_two), key=len)
    if len(short) > 1 and (long.startswith(short) or _one_dropped(short, long)):
        return NameLevel.ONE_OFF if len(short) > 3 and len(long) - len(short) == 1 else NameLevel.SHORTENED
    if len(short) > 4 and len(long) - len(short) <= 1 and _one_edit(short, long):
        return NameLevel.ONE_OFF
    if one.isascii() != two.isascii() and _spelt(one) == _spelt(two):
        return NameLevel.SAME_SOUND
    same = surname_of(one) == surname_of(two) and surname_of(one) not in (ONE, MANY, "")
    return NameLevel.SAME_SURNAME if same else NameLevel.DIFFERENT


def _one_dropped(short: str, long: str) -> bool:
    """Whether `short` is `long` without one character that is not the first."""
    if len(long) - len(short) != 1 or short[0] != long[0]:
        return False
    at = next((place for place, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    return short[at:] == long[at + 1 :]


def _one_edit(one: str, two: str) -> bool:
    from rapidfuzz.distance import OSA

    return bool(OSA.distance(one, two, score_cutoff=1) <= 1)


def _spelt(folded: str) -> str:
    """Letters of the name's pinyin run together; Latin names as they are, in any word order."""
    if folded.isascii():
        return "".join(sorted(folded.lower().replace(" ", "")))
    surname = surname_of(folded)
    return "".join(sorted(spelt_name(surname, folded[len(surname) :]).replace(" ", "")))
