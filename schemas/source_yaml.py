"""A YAML file as text with line numbers, and sections of it that know which keys they may hold.

Scalars stay the text that was written: `division: 012345`, `values: {1: male, NO: female}` mean what a person reads
there, not the octal number and the boolean that YAML 1.1 makes of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from onegrid.errors import SourceFileError

T = TypeVar("T")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Item:
    """One node: `text` for a scalar (None for null), `items` for a list, `keys` for a mapping (key -> its line,
    value).
    """

    line: int
    text: str | None = None
    items: tuple[Item, ...] | None = None
    keys: dict[str, tuple[int, Item]] | None = None
    whole: bool = False  # written as a plain whole number

    def plain(self) -> Any:
        """The node as plain dicts, lists and text, for storing."""
        if self.keys is not None:
            return {key: item.plain() for key, (_, item) in self.keys.items()}
        return [item.plain() for item in self.items] if self.items is not None else self.text


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that looks most like `word`, or None when none does."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def read_yaml(path: Path) -> Item:
    """The file as a tree of items; SourceFileError when it cannot be read, is no YAML, or names a key twice."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SourceFileError(str(path), line, "is not utf-8; save the source file as utf-8") from None
    except OSError as error:
        raise SourceFileError(str(path), None, f"cannot be read ({error.strerror})") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise SourceFileError(str(path), _line(error), _yaml_sentence(error, text)) from None
    except yaml.YAMLError:
        raise SourceFileError(str(path), None, "holds a character that YAML does not allow") from None
    if node is None:
        raise SourceFileError(str(path), None, "is empty; a source file names its source, read and maps")
    return _item(node, str(path), ())


def _line(error: yaml.MarkedYAMLError) -> int | None:
    unclosed = "flow" in (error.context or "")  # then the bracket tells more than the place where the reader gave up
    mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
    return mark.line + 1 if mark else None


def _yaml_sentence(error: yaml.MarkedYAMLError, text: str) -> str:
    line = _line(error)
    lines = text.splitlines()
    if line and line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return "is indented with a tab; YAML wants blanks"
    return f"is not valid YAML: {error.problem or error.context}"


def _item(node: yaml.Node, file: str, above: tuple[int, ...]) -> Item:
    line = node.start_mark.line + 1
    if id(node) in above:
        raise SourceFileError(file, line, "holds an alias of something it lies in; write it out")
    inside = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        return Item(line, items=tuple(_item(part, file, inside) for part in node.value))
    if isinstance(node, yaml.MappingNode):
        return Item(line, keys=_keys(node, file, inside))
    if node.tag.endswith(":null"):
        return Item(line)
    return Item(line, text=str(node.value), whole=node.tag.endswith(":int") and str(node.value).isdigit())


def _keys(node: yaml.MappingNode, file: str, above: tuple[int, ...]) -> dict[str, tuple[int, Item]]:
    found: dict[str, tuple[int, Item]] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise SourceFileError(file, line, "has a list or a mapping where the name of a key should stand")
        if key.value in found:
            raise SourceFileError(
                file, line, f"{key.value} stands twice, first on line {found[key.value][0]}; keep one"
            )
        found[str(key.value)] = (line, _item(value, file, above))
    return found


@dataclass(frozen=True)
class Section:
    """A mapping of the source file whose keys are known; every complaint names file, line and field."""

    file: str
    name: str  # dotted, empty for the whole file
    item: Item
    known: tuple[str, ...] | None = field(default=None)  # None: any key

    def __post_init__(self) -> None:
        if self.item.keys is None:
            raise self.wrong(None, "must be a mapping of keys to values")
        for key in self.item.keys:
            if self.known is not None and key not in self.known:
                raise self.wrong(key, f"is not known{hint(key, self.known)}")

    def wrong(self, key: str | None, message: str) -> SourceFileError:
        """The error for one key of this section (or all of it), with its line."""
        place = (self.item.keys or {}).get(key or "")
        where = ".".join(part for part in (self.name, key) if part) or "the file"
        return SourceFileError(self.file, place[0] if place else self.item.line, f"{where} {message}")

    def __contains__(self, key: str) -> bool:
        return key in (self.item.keys or {})

    def __iter__(self) -> Iterator[str]:
        return iter(self.item.keys or {})

    def get(self, key: str) -> Item | None:
        """The value of a key; None when the key is absent or its value is null."""
        place = (self.item.keys or {}).get(key)
        if place is None or (place[1].text is None and place[1].items is None and place[1].keys is None):
            return None
        return place[1]

    def text(self, key: str) -> str | None:
        """A text that is not blank; None when absent."""
        item = self.get(key)
        if item is None:
            return None
        if item.text is None:
            raise self.wrong(key, "must be one text, not a list or a mapping")
        if not item.text.strip():
            raise self.wrong(key, "is blank")
        return item.text

    def need(self, key: str) -> str:
        """A text that must be there."""
        text = self.text(key)
        if text is None:
            raise self.wrong(key if key in self else None, f"{'is empty' if key in self else f'has no {key}'}; give it")
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of texts, without repeats; empty when absent."""
        item = self.get(key)
        if item is None:
            return ()
        parts = [item] if item.items is None else list(item.items)
        found = tuple(part.text for part in parts if part.text)
        if len(found) != len(parts) or not found:
            raise self.wrong(key, "must be a list of texts, none of them blank")
        if len(set(found)) != len(found):
            raise self.wrong(key, "names one thing twice")
        return found

    def word(self, key: str, known: Collection[str]) -> str | None:
        """A text out of a known few."""
        text = self.text(key)
        if text is not None and text not in known:
            raise self.wrong(key, f"is {text}, which is not known{hint(text, known)}")
        return text

    def number(self, key: str, read: Callable[[str], T], what: str) -> T | None:
        """A number by `read` (int, float); `what` says in words what it must be."""
        text = self.text(key)
        try:
            return None if text is None else read(text)
        except ValueError:
            raise self.wrong(key, f"must be {what}") from None

    def section(self, key: str, known: tuple[str, ...] | None = None) -> Section | None:
        """The mapping below a key; None when absent."""
        item = self.get(key)
        name = ".".join(part for part in (self.name, key) if part)
        return None if item is None else Section(self.file, name, item, known)

    def table(self, key: str) -> dict[str, str]:
        """A mapping of text to text; empty when absent."""
        below = self.section(key)
        return {} if below is None else {name: below.cell(name) for name in below}

    def cell(self, key: str) -> str:
        """A text that may be empty."""
        item = self.get(key)
        if item is None or item.text is None:
            raise self.wrong(key, "must be one text")
        return item.text


def hint(word: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, and all of them."""
    near = nearest(word, known)
    return (f"; did you mean {near}?" if near else ";") + f" known: {', '.join(known)}"
