"""The command line: `onegrid COMMAND`. This is the process's edge: errors of ours end here as one sentence."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from onegrid.errors import NotFound, OneGridError, SettingsError, SourceFileError, Unforeseen
from onegrid.printing import print_table, say, summary_text
from onegrid.serving import AIRFLOW_PORT, API_PORT, HOST, demo, prepare, up
from onegrid.settings import Settings, read_settings
from registry.access import RIGHTS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from onegrid.database import Actor
    from onegrid.pipeline import Summary
    from onegrid.stages import Hub

Arguments = argparse.Namespace
TYPES = ("person", "household", "place", "thing", "organization", "event")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. A stop signal ends the process in good order, so that nothing is left running."""
    signal.signal(signal.SIGTERM, _stop)
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.act(arguments)
    except OneGridError as error:
        say(f"onegrid: {error}")
        return error.exit_code
    except (KeyboardInterrupt, Stopped) as stop:
        say("onegrid: stopped; the last published state stands, and the next run goes on from there.")
        return 128 + (signal.SIGTERM if isinstance(stop, Stopped) else signal.SIGINT)
    except BrokenPipeError:
        return 141
    except Exception as error:
        if os.environ.get("ONEGRID_DEBUG"):
            raise
        unforeseen = Unforeseen.of(error)
        say(str(unforeseen))
        return unforeseen.exit_code
    return code


class Stopped(BaseException):
    """A stop signal: like KeyboardInterrupt no error, so that nothing on the way takes it for one."""


def _stop(_: int, __: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: a second one must not cut the way out short
    raise Stopped


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="onegrid", description="A data-integration hub for a district.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, text, act, options in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(act=act, command=name)
        for flags, more in options:
            command.add_argument(*flags, **more)  # type: ignore[arg-type]
    return parser


# ---------------------------------------------------------------- commands


def run(arguments: Arguments) -> int:
    """Land, check, match and publish every source of the folder once."""
    from onegrid import pipeline
    from schemas.sources import read_sources

    sources, errors = read_sources(arguments.sources)
    if not sources:
        for error in errors[1:]:
            say(f"onegrid: {error}")
        raise errors[0]
    with _hub(arguments) as hub:
        summary = pipeline.run(hub, sources, reread=arguments.reread)
    for error in errors:
        summary.sources[_name_of(error, summary)] = {
            **_nothing(),
            "state": "refused",
            "warnings": [],
            "error": str(error),
        }
    print(summary_text(summary))
    if arguments.json:
        found = {name: getattr(summary, name) for name in ("sources", "entities", "changes", "stages")}
        print(json.dumps(found, ensure_ascii=False))
    failures = [*map(str, errors), *summary.errors]
    for failure in failures:
        say(f"onegrid: {failure}")
    return 1 if failures else 0


def _name_of(error: SourceFileError, summary: Summary) -> str:
    """What a source file that cannot be read is called in the summary: its name, as long as no source has it."""
    path = Path(error.file)
    return path.name if path.stem in summary.sources else path.stem


def _nothing() -> dict[str, object]:
    return dict.fromkeys(("read", "clean", "quarantined", "repeated", "deleted", "withheld"), 0)


def check(arguments: Arguments) -> int:
    """Read the head of a feed and say what the checks would say; writes nothing."""
    from connectors.feed import head
    from quality.preview import preview, preview_text
    from schemas.sources import read_source

    source = read_source(arguments.file)
    print(preview_text(preview(source, head(source, arguments.rows))))
    return 0


def sources(arguments: Arguments) -> int:
    """List the declared sources with their last loads and freshness."""
    from registry.figures import source_states

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        found = source_states(connection)
    print_table(found.rename(columns={"finished_at": "last load", "good_at": "last good", "current_rows": "rows"}))
    return 0


def properties(_: Arguments) -> int:
    """Print the properties a feed may map, with kind, unit and sensitivity."""
    from schemas.properties import entity_types

    for kind in entity_types().values():
        print(f"{kind.name}  {kind.title}" + ("  (derived, never mapped)" if kind.derived else ""))
        for found in kind.properties.values():
            print(f"  {found.name:<22}{found.kind:<12}{found.unit:<8}sensitivity {found.sensitivity}  {found.title}")
    return 0


def export(arguments: Arguments) -> int:
    """Write members or entities to a Parquet file."""
    from registry.export import export_entities, export_members

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        if arguments.what == "members":
            rows = export_members(connection, arguments.out)
        else:
            rows = export_entities(connection, hub.keyring, arguments.type, arguments.out)
    say(f"{rows:,} rows in {arguments.out}")
    return 0


def show(arguments: Arguments) -> int:
    """Draw an entity; an official number is read from standard input, so that no shell keeps it."""
    from registry.show import find_by_number
    from registry.show import show as draw

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        codes = [arguments.code]
        if arguments.code == "-":
            codes = find_by_number(connection, hub.keyring, sys.stdin.readline().strip())
            if not codes:
                raise NotFound("No entity bears the number on standard input.")
        for code in codes:
            print(draw(connection, hub.keyring, code))
    return 0


def quality(arguments: Arguments) -> int:
    """Show how good the data is, by owner, level, division, grid, property, source or type."""
    from quality.report import scores_csv, scores_text, write_report
    from quality.scores import scores, trend

    by = [name.strip() for name in arguments.by.split(",") if name.strip()]
    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        found = scores(connection, by)
        if arguments.format == "html":
            out = arguments.out or Path("quality.html")
            write_report(found, trend(connection, by), by, out)
            say(f"The report is in {out}")
            return 0
    text = scores_csv(found) if arguments.format == "csv" else scores_text(found)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


def quarantine(arguments: Arguments) -> int:
    """List, export or replay what the checks held back."""
    from quality.quarantine import export_quarantine, list_quarantine

    with _hub(arguments) as hub:
        if arguments.what == "replay":
            return _replay_quarantine(hub, arguments)
        with hub.database.session(hub.actor) as connection:
            if arguments.what == "list":
                print_table(list_quarantine(connection, arguments.source, arguments.state), arguments.rows)
                return 0
            out = arguments.out or Path("quarantine.xlsx")
            lines = export_quarantine(connection, hub.keyring, out, arguments.source, arguments.state)
    say(f"{lines:,} lines in {out}; the file holds personal values: keep it as you keep the feed.")
    return 0


def _replay_quarantine(hub: Hub, arguments: Arguments) -> int:
    from onegrid import pipeline
    from schemas.sources import read_sources

    if arguments.sources is None:
        raise SettingsError("quarantine replay needs --sources: the folder of source files the rows are read by.")
    declared, errors = read_sources(arguments.sources)
    chosen = [source for source in declared if arguments.source in (None, source.name)]
    if not chosen:
        raise errors[0] if errors else NotFound(f"No source {arguments.source} is declared in {arguments.sources}.")
    for source in chosen:
        mended, left = pipeline.replay_quarantine(hub, source, arguments.corrected)
        say(f"{source.name}: {mended:,} rows mended, {left:,} still held back")
    summary = pipeline.run(hub, declared)
    print(summary_text(summary))
    return 1 if summary.errors else 0


def replay(arguments: Arguments) -> int:
    """Check, stage and publish a landed load again, without its source."""
    from onegrid import pipeline
    from schemas.sources import read_sources

    declared, _ = read_sources(arguments.sources)
    with _hub(arguments) as hub:
        summary = pipeline.replay(hub, declared, arguments.load)
    print(summary_text(summary))
    return 1 if summary.errors else 0


def database(arguments: Arguments) -> int:
    """Print the SQL a database administrator runs on a server of yours, or say where the embedded one answers."""
    if arguments.print_sql:
        from onegrid.database import setup_sql

        print(setup_sql())
        return 0
    with _hub(arguments) as hub:
        print(hub.database.app_url.render_as_string(hide_password=True))
    return 0


def token(arguments: Arguments) -> int:
    """Make, list or revoke tokens of the API; the secret of a new one is printed once, alone on standard output."""
    from registry.tokens import create_token, list_tokens, revoke_token

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        if arguments.what == "list":
            print_table(list_tokens(connection))
        elif arguments.what == "revoke":
            if arguments.id is None:
                raise SettingsError("token revoke needs --id: `onegrid token list` shows the numbers.")
            revoke_token(connection, arguments.id)
            say(f"Token {arguments.id} is revoked: it is refused from now on.")
        else:
            given = {name: getattr(arguments, name) for name in ("role", "department", "division")}
            if missing := [f"--{name}" for name, value in given.items() if value is None]:
                raise SettingsError(f"token create needs {', '.join(missing)}.")
            more = {"numbers": arguments.numbers, "days": arguments.days, "name": arguments.name}
            number, secret = create_token(connection, **given, **more)
            say(f"Token {number}, valid for {arguments.days} days. It is shown this once: hand it over safely.")
            print(secret)
    return 0


def train(arguments: Arguments) -> int:
    """Train a version of the model on the records at hand, and say how its weights differ from those in use."""
    from matching.model import Model
    from onegrid import modelling
    from onegrid.pipeline import feeds_of
    from registry.models import current_model
    from schemas.sources import read_sources

    declared, errors = read_sources(arguments.sources)
    if not declared:
        raise errors[0]
    with _hub(arguments) as hub:
        with hub.database.session(hub.actor) as connection:
            before = current_model(connection, hub.keyring)
        model, recall = modelling.train(hub, feeds_of(declared), use=arguments.use)
    state = (
        "in use from the next run on"
        if arguments.use
        else f"kept; `onegrid models use {model.version}` takes it into use"
    )
    print(f"model {model.version}, {state}; candidates hold {recall:.4f} of the pairs that numbers tell")
    if before is not None:
        print_table(modelling.difference(Model.from_json(before), model), 20)
    return 0


def models(arguments: Arguments) -> int:
    """List the models kept, compare two, or take one into use."""
    from matching.model import Model
    from onegrid.modelling import difference
    from registry.models import find_model, list_models, use_model

    wanted = {"list": 0, "use": 1, "compare": 2}[arguments.what]
    if len(arguments.version) != wanted:
        raise SettingsError(f"models {arguments.what} needs {wanted} version{'' if wanted == 1 else 's'}.")
    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        found = [find_model(connection, hub.keyring, start) for start in arguments.version]
        if len({version for version, _ in found}) < wanted:
            raise SettingsError("models compare needs two different versions.")
        if arguments.what == "use":
            use_model(connection, found[0][0])
            say(f"Model {found[0][0]} is in use: the next run scores all anew.")
        elif arguments.what == "compare":
            print_table(difference(*(Model.from_json(body) for _, body in found)))
        else:
            print_table(list_models(connection))
    return 0


# ---------------------------------------------------------------- what commands share


def _actor(command: str) -> Actor:
    from onegrid.database import Actor

    return Actor(f"onegrid {command}")


def _hub(arguments: Arguments) -> AbstractContextManager[Hub]:
    from onegrid import pipeline

    settings: Settings = read_settings(arguments.home)
    return pipeline.open_hub(settings, _actor(arguments.command), say)


Option = tuple[tuple[str, ...], dict[str, object]]
HOME: Option = (("--home",), {"type": Path, "help": "the folder with database, keys and landed loads"})
SOURCES: Option = (("--sources",), {"type": Path, "required": True, "help": "the folder of source files"})
SOURCE: Option = (("--source",), {"help": "one source only"})
PORTS: tuple[Option, ...] = (
    (("--host",), {"default": HOST, "help": f"the address to listen on ({HOST}: this machine alone)"}),
    (("--api-port",), {"type": int, "default": API_PORT, "help": f"the API's port ({API_PORT})"}),
    (("--airflow-port",), {"type": int, "default": AIRFLOW_PORT, "help": f"Airflow's port ({AIRFLOW_PORT})"}),
)
OUT: Option = (("--out",), {"type": Path, "help": "the file to write"})

COMMANDS: tuple[tuple[str, str, Callable[[Arguments], int], tuple[Option, ...]], ...] = (
    ("run", "land, check, match and publish every source of a folder once", run, (
        SOURCES, HOME,
        (("--json",), {"action": "store_true", "help": "print the summary as JSON on the last line"}),
        (("--reread",), {"action": "store_true", "help": "read everything again, and accept feeds that shrank"}),
    )),
    ("check", "read the head of a feed and say what the checks would say; writes nothing", check, (
        (("file",), {"type": Path, "help": "a source file"}),
        (("--rows",), {"type": int, "default": 1000, "help": "rows to read (1000)"}),
    )),
    ("sources", "list sources with their last loads and freshness", sources, (HOME,)),
    ("properties", "print the properties a feed may map", properties, ()),
    ("export", "write members or entities to Parquet", export, (
        (("what",), {"choices": ("members", "entities")}), HOME,
        (("--out",), {"type": Path, "required": True, "help": "the file to write"}),
        (("--type",), {"choices": TYPES, "default": "person", "help": "for entities: the type"}),
    )),
    ("show", "draw an entity with where each value came from", show, (
        (("code",), {"help": "a code, or - to read an official number from standard input"}), HOME,
    )),
    ("quality", "show how good the data is", quality, (
        HOME, (("--by",), {"default": "owner", "help": "owner,level,division,grid,property,source,type"}),
        (("--format",), {"choices": ("table", "csv", "html"), "default": "table"}), OUT,
    )),
    ("quarantine", "list, export or replay what the checks held back", quarantine, (
        (("what",), {"choices": ("list", "export", "replay")}), HOME, SOURCE, OUT,
        (("--state",), {"choices": ("open", "mended", "closed"), "default": "open"}),
        (("--rows",), {"type": int, "default": 50, "help": "lines to list (50)"}),
        (("--sources",), {"type": Path, "help": "for replay: the folder of source files"}),
        (("--from",), {"dest": "corrected", "type": Path, "help": "for replay: an exported file with corrected cells"}),
    )),
    ("replay", "check, stage and publish a landed load again, without its source", replay, (
        (("load",), {"type": int, "help": "the load's number"}), SOURCES, HOME,
    )),
    ("train", "train a version of the matching model on the records at hand", train, (
        SOURCES, HOME, (("--use",), {"action": "store_true", "help": "take it into use from the next run on"}),
    )),
    ("models", "list the matching models kept, compare two, or take one into use", models, (
        (("what",), {"choices": ("list", "compare", "use")}),
        (("version",), {"nargs": "*", "help": "versions, or their beginnings"}), HOME,
    )),
    ("database", "where the database answers, or the SQL that sets up a server of yours", database, (
        HOME, (("--print-sql",), {"action": "store_true", "help": "print what a database administrator runs"}),
    )),
    ("token", "make, list or revoke tokens of the API", token, (
        (("what",), {"choices": ("create", "list", "revoke")}), HOME,
        (("--role",), {"choices": tuple(RIGHTS), "help": "for create: what the token may do"}),
        (("--department",), {"help": "for create: who answers for it"}),
        (("--division",), {"help": "for create: the division code of the area it may see"}),
        (("--numbers",), {"action": "store_true", "help": "for create: it sees id and phone numbers unmasked"}),
        (("--days",), {"type": int, "default": 365, "help": "for create: how long it is valid (365)"}),
        (("--name",), {"default": "", "help": "for create: what the access log calls it"}),
        (("--id",), {"type": int, "help": "for revoke: the token's number"}),
    )),
    ("up", "start database, Airflow and API over a folder of source files, until Ctrl-C", up, (SOURCES, HOME, *PORTS)),
    ("prepare", "make what the hub's programs need, for programs that others start (containers)", prepare, (
        SOURCES, HOME, *(option for option in PORTS if option[0] != ("--api-port",)),
    )),
    ("demo", "start the sample town's departments and the hub, and run all feeds through Airflow", demo, (
        (("--scale",), {"type": float, "default": 1.0, "help": "1 is the whole street"}),
        (("--seed",), {"type": int, "default": 7}),
        (("--dir",), {"type": Path, "help": "where town and registry are put"}),
        (("--no-wait",), {"action": "store_true", "help": "stop everything after the summary"}),
        *PORTS,
    )),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
