"""`onegrid compare`: a list beside this machine's registry, each row with the code it means."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onegrid.errors import SettingsError
from onegrid.printing import say
from onegrid.settings import read_settings

if TYPE_CHECKING:
    import pandas as pd


def compare(arguments: argparse.Namespace) -> int:
    """Compare a csv or xlsx with the registry and write it again with code, verdict and weight in each row."""
    from onegrid import comparing
    from onegrid.database import Actor
    from onegrid.pipeline import open_hub
    from registry.access import Caller
    from registry.comparing import tell

    actor = Actor("onegrid compare")
    show = [name.strip() for name in (arguments.show or "").split(",") if name.strip()]
    comparing.shown_properties(show)
    if arguments.out.suffix.lower() not in comparing.FORMATS:
        raise SettingsError("--out must end in .csv or .xlsx.")
    caller = Caller(0, actor.name, "officer", None, "", arguments.numbers)
    with open_hub(read_settings(arguments.home), actor, say) as hub, hub.database.session(actor) as connection:
        asker = comparing.asker_of(connection, hub.keyring)
        division = asker.heads.area("").ljust(6, "0")
        listed = comparing.read_list(arguments.file.name, _content(arguments.file), division, _spec(arguments.map))
        if listed.guessed:
            said = ", ".join(f"{name} = {'+'.join(columns)}" for name, columns in listed.map.items())
            say(f"No --map: guessed from the headers: {said}")
        comparison = comparing.Comparison(asker, caller, show)
        result = comparing.compare(connection, listed, comparison, lambda done: say(f"{done:>10,} rows"))
        tell(connection, caller, None, None, show, result["code"].dropna().tolist())
    _write(listed.rows, result, arguments.out)
    counts = result["verdict"].value_counts()
    print("  ".join(f"{verdict} {rows:,}" for verdict, rows in counts.items()))
    say(f"{len(result):,} rows in {arguments.out}; the file holds personal values: keep it as you keep the list.")
    return 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None


def _spec(path: Path | None) -> dict[str, Any] | None:
    """`maps` and `read` of a map file, which is written as a source file is."""
    if path is None:
        return None
    import yaml

    try:
        found = yaml.safe_load(_content(path))
    except yaml.YAMLError:
        raise SettingsError(f"{path} is no YAML.") from None
    if not isinstance(found, dict) or not isinstance(found.get("maps"), dict):
        raise SettingsError(f"{path} has no `maps`: write them as in a source file.")
    return {name: found[name] for name in ("maps", "read") if name in found}


def _write(rows: pd.DataFrame, result: pd.DataFrame, out: Path) -> None:
    """The list's own columns and the result's behind them, for this user alone (mode 0600)."""
    import pandas as pd

    from quality.corrections import write_sheets

    taken = {name: f"onegrid {name}" for name in result.columns if name in rows.columns}
    whole = pd.concat([rows, result.drop(columns="row").rename(columns=taken)], axis=1)
    if out.suffix.lower() == ".xlsx":
        write_sheets(out, {"compared": whole.astype("str")})
        return
    with open(
        os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8-sig", newline=""
    ) as file:
        whole.to_csv(file, index=False)
