"""Which columns of a list are which properties of a person, guessed from its headers; the guess is always shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schemas.dictionaries import dictionary
from schemas.text import fold

_NOISE = re.compile(r"[\s_*:]+|\((?:必填|选填|文本)\)")


def guess_map(headers: Iterable[str]) -> dict[str, str]:
    """{property: header}; of two headers that say the same the first counts, what no word says is left out."""
    words = dictionary("header")
    found: dict[str, str] = {}
    for header in headers:
        name = words.get(_NOISE.sub(" ", fold(header)).strip().lower())
        if name is not None:
            found.setdefault(name, header)
    return found
