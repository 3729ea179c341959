"""What of a value may be shown: enough to recognise it in a list, not enough to use it.

For screens and reports of people who may see the record but not the number. Each mask takes a canonical value.
"""

from __future__ import annotations

import re

LONGEST = 64  # characters shown of anything
_HOME = re.compile(r"\d")
_DOT = "·"


def whole(value: str) -> str:
    """Nothing to hide."""
    return value


def id_number(value: str) -> str:
    """3402**********1234; of short numbers the first and the last two characters."""
    keep = 4 if len(value) >= 15 else 2 if len(value) >= 7 else 0
    return _middle(value, keep, keep)


def phone(value: str) -> str:
    """138****5678, 0553-****567."""
    area, dash, rest = value.partition("-")
    if dash:
        return area + dash + _middle(rest, 0, 3 if len(rest) > 6 else 0)
    return _middle(value, 3, 4) if len(value) >= 11 else _middle(value, 0, 2 if len(value) > 4 else 0)


def name(value: str) -> str:
    """张*三, 李*, 古丽***·艾***: the first character and, of three or more, the last."""
    if _DOT in value:
        return _DOT.join(_middle(part, 1, 0) for part in value.split(_DOT))
    return _middle(value, 1, 1 if len(value) > 2 else 0)


def address(value: str) -> str:
    """The address up to its first number: road or estate, not the home."""
    found = _HOME.search(value)
    return value if found is None else value[: found.start()] + "***"


def date(value: str) -> str:
    """1990-**-**."""
    return value[:4] + re.sub(r"\d", "*", value[4:])


def coordinate(value: str) -> str:
    """Two decimals, about one kilometre."""
    head, dot, tail = value.partition(".")
    return head + dot + tail[:2]


def text(value: str) -> str:
    """The first ten characters, digits hidden: free text may hold names and numbers."""
    return re.sub(r"\d", "*", value[:10]) + ("…" if len(value) > 10 else "")


def _middle(value: str, head: int, tail: int) -> str:
    """`value` with all but the first `head` and last `tail` characters as stars."""
    value = value[:LONGEST]
    if len(value) <= head + tail:
        return value[:1] + "*" * (len(value) - 1)
    return value[:head] + "*" * (len(value) - head - tail) + value[len(value) - tail :]
