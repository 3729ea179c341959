"""The files a feed consists of: paths, globs and fsspec URLs, with marks that tell whether one has changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from onegrid.errors import FeedUnavailable
from schemas.sources import FilesRead, Source

BLOCK = 2**20
CHANGED_KEYS = (
    "mtime",
    "LastModified",
    "last_modified",
    "modified",
    "updated",
    "created",
)  # as fsspec's systems name it
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
WILD = re.compile(r"[*?\[]")


def expanded(text: str, source: Source, environ: Mapping[str, str]) -> str:
    """The text with each ${ENV} put in; FeedUnavailable names the variable that is not set."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise FeedUnavailable(
                f"{source.name}: the environment variable {match[1]} that {source.file} names is not set; set it"
            )
        return environ[match[1]]

    return VARIABLE.sub(value, text)


@dataclass(frozen=True)
class FeedFile:
    """One file of a feed. name: for people. changed: when it changed last, as its system tells it."""

    name: str
    path: str
    system: Any
    local: bool
    size: int
    changed: str

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The file's bytes; FeedUnavailable when it cannot be opened."""
        with reachable(self.name):
            # closed below, outside: errors while reading are not errors of reaching
            opened = Path(self.path).open("rb") if self.local else self.system.open(self.path, "rb")  # noqa: SIM115
        with opened as file:
            yield file

    def digest(self) -> str:
        """SHA-256 of the content."""
        found = hashlib.sha256()
        with self.open() as file:
            while block := file.read(BLOCK):
                found.update(block)
        return found.hexdigest()


def files_read(source: Source) -> FilesRead:
    """How the files of a source are read; TypeError for sources of another kind."""
    if not isinstance(source.read, FilesRead):
        raise TypeError(f"{source.name} is no source of files")
    return source.read


def feed_files(source: Source, environ: Mapping[str, str] = os.environ) -> list[FeedFile]:
    """The files of a feed by name; FeedUnavailable when there is none or its place cannot be reached."""
    read = files_read(source)
    pattern = expanded(read.path, source, environ)
    local = "://" not in pattern
    system, root = _system(f"file://{source.file.absolute().parent / pattern}" if local else pattern, source)
    with reachable(f"{source.name}: {read.path}"):
        literal = not WILD.search(root) or system.exists(root)
        paths = [root] if literal else sorted(system.glob(root))
        files = [_feed_file(system, path, read.path if literal else Path(path).name) for path in paths]
    if not files:
        raise FeedUnavailable(
            f"{source.name}: no file matches {read.path} (looked for beside {source.file}); deliver one"
        )
    return files


def _system(url: str, source: Source) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        system, root = url_to_fs(url)
    except ImportError as error:
        raise FeedUnavailable(f"{source.name}: its URL needs a driver that is not installed ({error})") from None
    except ValueError:
        scheme = url.partition("://")[0]
        raise FeedUnavailable(
            f"{source.name}: no driver knows URLs of {scheme}://; check read.path in {source.file}"
        ) from None
    return system, root


def _feed_file(system: Any, path: str, name: str) -> FeedFile:
    info = system.info(path)
    if info.get("type") == "directory":
        raise IsADirectoryError(path)
    changed = next((str(info[key]) for key in CHANGED_KEYS if info.get(key)), "")
    return FeedFile(name, path, system, is_local(system), int(info.get("size") or 0), changed)


def is_local(system: Any) -> bool:
    """Whether an fsspec file system is this machine's own."""
    return "file" in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol)


@contextmanager
def reachable(name: str) -> Iterator[None]:
    """Turns a file system's own errors into FeedUnavailable."""
    try:
        yield
    except FileNotFoundError:
        raise FeedUnavailable(f"{name} is not there; deliver it, or correct read.path") from None
    except PermissionError:
        raise FeedUnavailable(f"{name} may not be read by this user; give it the right to") from None
    except IsADirectoryError:
        raise FeedUnavailable(f"{name} is a folder; name the files in it, as in {Path(name).name}/*.csv") from None
    except OSError as error:
        raise FeedUnavailable(f"{name} cannot be reached ({error.strerror or type(error).__name__})") from None


def marks(files: list[FeedFile], before: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """What a file looked like: {path: [size, time, SHA-256]}.

    The digest is only taken anew where size or time differ from `before`, or the system tells no time.
    """
    found: dict[str, list[Any]] = {}
    for file in files:
        known = before.get(file.path)
        same = known is not None and file.changed and known[:2] == [file.size, file.changed]
        found[file.path] = [file.size, file.changed, known[2] if same and known else file.digest()]
    return found


def same_content(now: Mapping[str, list[Any]], before: Mapping[str, list[Any]]) -> bool:
    """Whether the same files hold the same bytes."""
    return {path: mark[2] for path, mark in now.items()} == {path: mark[2] for path, mark in before.items()}
