"""Text files in the encoding their source file declares, and no other: nothing is replaced, nothing is guessed."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from connectors.opened import FeedFile
from onegrid.errors import FeedUnreadable

LINE_END = b"\n"
SAMPLE = 2**20  # bytes looked at to tell utf-8 from what is declared
HAN = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
CANDIDATES = ("utf-8", "gb18030", "utf-16")
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8"}


@contextmanager
def strict_text(raw: IO[bytes], file: FeedFile, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The file as text. FeedUnreadable names the line that the encoding cannot mean, and the encoding that fits."""
    name = codecs.lookup(encoding).name.removesuffix("-sig")  # a BOM is understood whether it is declared or not
    if name != "utf-8" and _is_utf8(raw):
        raise FeedUnreadable(f"{file.name}: is utf-8, not {encoding} as its source file says; remove read.encoding")
    with io.TextIOWrapper(raw, "utf-8-sig" if name == "utf-8" else name, newline="") as text:
        try:
            yield text
        except UnicodeError:
            raise _undecodable(file, encoding) from None


def _is_utf8(raw: IO[bytes]) -> bool:
    """Whether the beginning reads as Chinese in utf-8: by chance no other encoding's text does."""
    head = raw.read(SAMPLE)
    raw.seek(0)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return head.startswith(codecs.BOM_UTF8) or HAN.search(text) is not None


def _undecodable(file: FeedFile, encoding: str) -> FeedUnreadable:
    with file.open() as raw:
        content = raw.read()
    line = ""
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = f", line {before.count(LINE_END) + 1}"
    fits = _fitting(content)
    remedy = f"declare encoding: {fits} in read" if fits else "ask its owner for it in utf-8"
    return FeedUnreadable(f"{file.name}{line}: is not {encoding}; {remedy}")


def _fitting(content: bytes) -> str | None:
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return name
    return next((name for name in CANDIDATES[:2] if _decodes(content, name)), None)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
