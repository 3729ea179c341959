"""A package as files: one a type, the source files by which another hub reads them, and a manifest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import yaml

from onegrid.errors import SettingsError
from onegrid.stages import Hub
from registry.hubs import hub as this_hub
from registry.packages import META, SEQUENCE_DIGITS, Order, Package, keep_package, make_package
from schemas.properties import entity_types

FORMATS = ("csv", "xlsx", "json")
RUNS = r"[=+@\t\r]|-(?![0-9.])"
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "json": "jsonl"}  # one JSON object a line: what a source file can read
LEVELS = {
    6: "district",
    9: "street",
    12: "community",
}  # by the digits of the area a hub below the district's answers for


def hand_over(hub: Hub, order: Order, kind: str, folder: Path) -> tuple[Package, Path]:
    """Writes what the receiver is to be told into `folder`, and remembers that it was; the package and its manifest.

    Files bear the number of the last change they hold, so that packages of one receiver gather in one folder and are
    read in their order. What was written before the position is kept is written again. SettingsError when the folder
    cannot be written.
    """
    with hub.database.session(hub.actor) as connection:
        package = make_package(connection, hub.keyring, hub.actor, order)
        identity, number = this_hub(connection)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            manifest = _write(package, kind, folder, identity, number)
        except OSError as error:
            raise SettingsError(f"The folder {folder} cannot be written ({error.strerror}): name another.") from None
        keep_package(connection, package, hashlib.sha256(manifest.read_bytes()).hexdigest())
    return package, manifest


def _write(package: Package, kind: str, folder: Path, identity: str, number: int) -> Path:
    files = {}
    for name, frame in package.frames.items():
        file = folder / f"{name}-{package.upto:0{SEQUENCE_DIGITS}d}.{ENDINGS[kind]}"
        _whole(file, lambda path, frame=frame: WRITERS[kind](frame, path))  # type: ignore[misc]
        files[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
        if not entity_types()[name].derived:
            spec = source_file(package.order, name, kind, identity, number)
            text = yaml.safe_dump(spec, allow_unicode=True, sort_keys=False)
            _whole(folder / f"{spec['name']}.yml", lambda path, text=text: path.write_text(text, "utf-8"))  # type: ignore[misc]
    order = package.order
    said = {
        "hub": identity, "hub_number": number, "receiver": order.receiver, "area": order.area, "grid": order.grid,
        "role": order.role, "numbers": order.numbers, "without": list(order.without), "from": package.after,
        "to": package.upto, "made_at": datetime.now(UTC).isoformat(timespec="seconds"), "counts": package.counts,
        "sha256": files,
    }  # fmt: skip
    manifest = folder / f"manifest-{package.upto:0{SEQUENCE_DIGITS}d}.json"
    _whole(manifest, lambda path: path.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8"))
    return manifest


def source_file(order: Order, name: str, kind: str, identity: str, number: int) -> Mapping[str, object]:
    """What a receiving hub reads a package's files of one type by: code and values, deletions, only what is newer."""
    columns = {prop: prop for prop in entity_types()[name].properties if prop != "registry_code"}
    if name == "place":
        columns["kind"] = "entity_kind"
    return {
        "name": f"onegrid_{identity[:8]}_{name}",
        "title": f"OneGrid {identity[:8]} {entity_types()[name].title}",
        "owner": f"OneGrid {identity[:8]}",
        "level": "district" if number == 0 else "grid" if order.grid else LEVELS[len(order.area)],
        "division": order.area,
        "read": {
            "kind": "files", "path": f"{name}-*.{ENDINGS[kind]}", "format": ENDINGS[kind], "key": ["code"],
            "cursor": "sequence", "deleted": {"column": "gone", "value": "yes"},
        },
        "maps": {name: {"registry_code": "code", **columns}},
        "expect": {"rows": {"min": 0}},
    }  # fmt: skip


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """A file that is there whole or not at all, for this user alone."""
    draft = path.with_name(f".{path.name}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    write(draft)
    draft.chmod(0o600)
    draft.rename(path)


def _csv(frame: pd.DataFrame, path: Path) -> None:
    """Cells that a sheet program would run get an apostrophe before them (OWASP, CSV injection)."""
    plain = frame.apply(lambda cells: cells.mask(cells.str.match(RUNS, na=False), "'" + cells))
    plain.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _json(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, force_ascii=False)


def _xlsx(frame: pd.DataFrame, path: Path) -> None:
    from quality.corrections import write_sheets

    write_sheets(path, {str(META[0]): frame})


WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {"csv": _csv, "xlsx": _xlsx, "json": _json}
