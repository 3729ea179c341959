"""What the commands do: each takes its arguments and returns the process's exit code. Heavy libraries load where they are
used, so that light commands start fast.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from onegrid import publishing, reviewing
from onegrid.errors import NotFound, SettingsError, SourceFileError
from onegrid.printing import outcome_text, print_table, say, summary_text
from onegrid.settings import Settings, read_settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from onegrid.database import Actor
    from onegrid.pipeline import Summary
    from onegrid.stages import Hub

Arguments = argparse.Namespace


def run(arguments: Arguments) -> int:
    """Land, check, match and publish every source of the folder once."""
    from onegrid import pipeline
    from schemas.sources import read_sources

    sources, errors = read_sources(arguments.sources)
    if not sources:
        for error in errors[1:]:
            say(f"onegrid: {error}")
        raise errors[0]
    settings = _engine_chosen(read_settings(arguments.home), arguments)
    with pipeline.open_hub(settings, _actor(arguments.command), say) as hub:
        summary = pipeline.run(hub, sources, reread=arguments.reread, plan=arguments.plan)
    for error in errors:
        summary.sources[_name_of(error, summary)] = {
            **_nothing(),
            "state": "refused",
            "warnings": [],
            "error": str(error),
        }
    print(summary_text(summary))
    if arguments.plan and summary.outcome is not None:
        planned = summary.outcome
        print("planned, not published:")
        print(outcome_text(planned.by_type, planned.reasons, planned.examples, planned.alarms))
    if arguments.json:
        found = {name: getattr(summary, name) for name in ("sources", "entities", "changes", "stages")}
        print(json.dumps(found, ensure_ascii=False))
    failures = [*map(str, errors), *summary.errors]
    for failure in failures:
        say(f"onegrid: {failure}")
    return 1 if failures else 0


def _engine_chosen(settings: Settings, arguments: Arguments) -> Settings:
    """The settings with the engine of the command line; one that cannot be used is said before feeds are read."""
    from onegrid.stages import engine_of

    chosen = {"engine": arguments.engine, "spark_master": arguments.spark_master}
    settings = replace(settings, **{name: said for name, said in chosen.items() if said})
    if arguments.spark_master and settings.engine != "spark":
        raise SettingsError("--spark-master is for --engine spark: name both, or neither.")
    if settings.engine != "local":
        engine_of(settings)
    return settings


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
    """Draw an entity, now or at two clocks; an official number is read from standard input, so that no shell keeps it."""
    from onegrid.past_commands import day_of, moment_of
    from registry.drawing import show_at
    from registry.history import When
    from registry.show import find_by_number
    from registry.show import show as draw

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        codes = [arguments.code]
        if arguments.code == "-":
            codes = find_by_number(connection, hub.keyring, sys.stdin.readline().strip())
            if not codes:
                raise NotFound("No entity bears the number on standard input.")
        when = When(day_of(arguments.valid_at), moment_of(arguments.known_at))
        for code in codes:
            now = when == When()
            print(draw(connection, hub.keyring, code) if now else show_at(connection, hub.keyring, code, when))
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


def runs(arguments: Arguments) -> int:
    """List runs, or tell what one did or would have done."""
    with _hub(arguments) as hub:
        return publishing.runs(hub, arguments)


def publish(arguments: Arguments) -> int:
    """Publish a run that is held."""
    with _hub(arguments) as hub:
        return publishing.publish(hub, arguments)


def rollback(arguments: Arguments) -> int:
    """Bring back what was published before a run."""
    with _hub(arguments) as hub:
        return publishing.rollback(hub, arguments)


def review(arguments: Arguments) -> int:
    """List review tasks, answer one, or take an answer back."""
    with _hub(arguments) as hub:
        return reviewing.review(hub, arguments)


def evaluate(arguments: Arguments) -> int:
    """Say how the model does on what people judged."""
    with _hub(arguments) as hub:
        return reviewing.evaluate(hub, arguments)


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


def _actor(command: str) -> Actor:
    from onegrid.database import Actor

    return Actor(f"onegrid {command}")


def _hub(arguments: Arguments) -> AbstractContextManager[Hub]:
    from onegrid import pipeline

    settings: Settings = read_settings(arguments.home)
    return pipeline.open_hub(settings, _actor(arguments.command), say)
