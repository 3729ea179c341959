"""The command line: `onegrid COMMAND`. This is the process's edge: errors of ours end here as one sentence."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from onegrid.commands import (
    check,
    database,
    evaluate,
    export,
    models,
    properties,
    publish,
    quality,
    quarantine,
    replay,
    review,
    rollback,
    run,
    runs,
    show,
    sources,
    token,
    train,
)
from onegrid.compare_command import compare
from onegrid.errors import OneGridError, Unforeseen
from onegrid.outgoing import hub, package, tickets, webhook
from onegrid.past_commands import RECORD, how, timeline, why
from onegrid.printing import say
from onegrid.serving import AIRFLOW_PORT, API_PORT, HOST, demo, prepare, up
from onegrid.settings import ENGINES
from registry.access import RIGHTS
from registry.changes_out import CHANGE_KINDS

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


Option = tuple[tuple[str, ...], dict[str, object]]
HOME: Option = (("--home",), {"type": Path, "help": "the folder with database, keys and landed loads"})
SOURCES: Option = (("--sources",), {"type": Path, "required": True, "help": "the folder of source files"})
SOURCE: Option = (("--source",), {"help": "one source only"})
PORTS: tuple[Option, ...] = (
    (("--host",), {"default": HOST, "help": f"the address to listen on ({HOST}: this machine alone)"}),
    (("--api-port",), {"type": int, "default": API_PORT, "help": f"the API's port ({API_PORT})"}),
    (("--airflow-port",), {"type": int, "default": AIRFLOW_PORT, "help": f"Airflow's port ({AIRFLOW_PORT})"}),
)
CODE: Option = (("code",), {"help": "a code"})
OUT: Option = (("--out",), {"type": Path, "help": "the file to write"})

COMMANDS: tuple[tuple[str, str, Callable[[Arguments], int], tuple[Option, ...]], ...] = (
    ("run", "land, check, match and publish every source of a folder once", run, (
        SOURCES, HOME,
        (("--json",), {"action": "store_true", "help": "print the summary as JSON on the last line"}),
        (("--reread",), {"action": "store_true", "help": "read everything again, and accept feeds that shrank"}),
        (("--plan",), {"action": "store_true", "help": "say what would change, and publish nothing"}),
        (("--engine",), {"choices": ENGINES, "help": "what compares people: this machine, or a Spark cluster"}),
        (("--spark-master",), {"metavar": "URL", "help": "for --engine spark: spark://HOST:PORT, or local[N]"}),
    )),
    ("runs", "list runs, or tell what one did or would have done", runs, (
        HOME, (("--run",), {"type": int, "help": "one run's number"}),
        (("--rows",), {"type": int, "default": 20, "help": "lines to list (20)"}),
    )),
    ("publish", "publish a run that is held, once somebody has looked at it", publish, (
        (("run",), {"type": int, "help": "the run's number"}), HOME,
        (("--accept",), {"action": "store_true", "help": "yes, what it does is right"}),
    )),
    ("rollback", "bring back what was published before a run", rollback, (
        (("run",), {"type": int, "help": "the run's number"}), HOME,
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
        (("--valid-at",), {"help": "as it was on this day"}),
        (("--known-at",), {"help": "as the hub knew it at this moment (a day alone: its end)"}),
    )),
    ("timeline", "all that happened to an entity in the registry", timeline, (CODE, HOME)),
    ("how", "by which joins the records of a person came together", how, (CODE, HOME)),
    ("why", "why two records are one person, or two", why, (
        HOME,
        (("--one",), {"nargs": "+", "metavar": "WORD", "help": f"{RECORD}; without it: a line of standard input"}),
        (("--two",), {"nargs": "+", "metavar": "WORD", "help": "the other, likewise"}),
        (("--svg",), {"type": Path, "help": "also write the comparison as a picture"}),
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
    ("tickets", "list or export what departments are to correct in their feeds, and by when", tickets, (
        (("what",), {"choices": ("list", "export")}), HOME, SOURCE, OUT,
        (("--department",), {"help": "the owner of the feeds; all of them without"}),
        (("--state",), {"choices": ("open", "overdue", "mended", "closed"), "default": "open"}),
        (("--rows",), {"type": int, "default": 50, "help": "lines to list (50)"}),
    )),
    ("replay", "check, stage and publish a landed load again, without its source", replay, (
        (("load",), {"type": int, "help": "the load's number"}), SOURCES, HOME,
    )),
    ("review", "list what a person should look at, answer a task, or take an answer back", review, (
        (("what",), {"choices": ("list", "answer", "undo")}), HOME,
        (("--state",), {"choices": ("open", "claimed", "second", "settled", "closed"), "default": "open"}),
        (("--rows",), {"type": int, "default": 50, "help": "lines to list (50)"}),
        (("--task",), {"type": int, "help": "the task's number"}),
        (("--verdict",), {"nargs": "+", "default": (), "choices": ("same", "different", "unsure"),
                          "help": "for answer: of each candidate in turn"}),
        (("--reason",), {"help": "for answer: why"}),
    )),
    ("evaluate", "say how the model does on pairs that people judged, and how far they agree", evaluate, (HOME,)),
    ("compare", "compare a csv or xlsx list with the registry: whom does each row mean", compare, (
        (("file",), {"type": Path, "help": "the list, with a header row"}), HOME,
        (("--map",), {"type": Path, "help": "`maps` as in a source file; without it the headers are guessed"}),
        (("--out",), {"type": Path, "required": True, "help": "the file to write (.csv or .xlsx)"}),
        (("--show",), {"help": "properties to add of whom a row surely means: name,phone"}),
        (("--numbers",), {"action": "store_true", "help": "show id and phone numbers unmasked"}),
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
    ("webhook", "tell other systems of changes: add, list, remove or replay subscriptions, or send what is due", webhook, (
        (("what",), {"choices": ("add", "list", "remove", "replay", "deliver")}), HOME,
        (("--url",), {"help": "for add: where changes are sent; https, or http on this machine"}),
        (("--division",), {"help": "for add: the division whose changes are told"}),
        (("--grid",), {"help": "for add: one grid only"}),
        (("--type",), {"action": "append", "choices": TYPES, "help": "for add: one type only; may be repeated"}),
        (("--change",), {"action": "append", "choices": CHANGE_KINDS, "help": "for add: one kind of change only; may be repeated"}),
        (("--name",), {"default": "", "help": "for add: what lists call it"}),
        (("--id",), {"type": int, "help": "for remove and replay: its number"}),
        (("--since",), {"type": int, "help": "for replay: all changes after this one, instead of what could not be delivered"}),
    )),
    ("package", "write what changed in an area since its receiver got the last package, for people and for another hub", package, (
        (("--division",), {"required": True, "help": "the division code of the area"}),
        (("--receiver",), {"required": True, "help": "who gets it; how far each receiver is told is remembered"}),
        (("--out",), {"type": Path, "required": True, "help": "the folder to write to; packages of one receiver gather there"}),
        HOME, (("--grid",), {"help": "one grid of the division only"}),
        (("--format",), {"choices": ("csv", "xlsx", "json"), "default": "csv"}),
        (("--role",), {"choices": tuple(RIGHTS), "default": "department", "help": "the receiver's role (department)"}),
        (("--numbers",), {"action": "store_true", "help": "id and phone numbers unmasked"}),
        (("--without",), {"action": "append", "metavar": "SOURCE", "help": "leave out values of a source: what the receiver sent itself; may be repeated"}),
        (("--full",), {"action": "store_true", "help": "everything that stands, not what changed alone"}),
    )),
    ("hub", "which hub this is among others; number it before its first run", hub, (
        HOME, (("--number",), {"type": int, "help": "0 for the district's hub, another number for each hub below it"}),
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
