"""Write what documentation must repeat of the code: properties, commands, matching's numbers. `python docs/write.py`.

Generated text stands between `<!-- generated: NAME -->` and `<!-- end -->`; all else in these files is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
MARK = re.compile(r"(<!-- generated: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
CONSTANT = re.compile(r"^(?P<name>[A-Z][A-Z_]*) = (?P<value>[^#\n\"']*?[0-9][^#\n\"']*?)  # (?P<why>.+)$", re.MULTILINE)


def properties() -> str:
    """Every entity type with its properties, as `schemas/*.yml` declare them."""
    from schemas.properties import entity_types

    parts = []
    for kind in entity_types().values():
        origin = (
            "Derived, never mapped from a feed." if kind.derived else f"A row needs one of {_names(kind.require_any)}."
        )
        parts.append(f"## {kind.name} {kind.title.split()[0]}\n\nCode letter {kind.letter}. {origin}\n")
        parts.append(
            "| property | meaning | kind | sensitivity | golden value by | old after |\n|---|---|---|---|---|---|"
        )
        for found in kind.properties.values():
            days = f"{found.freshness_days:,} days" if found.freshness_days else ""
            sealed = f"{found.sensitivity}, sealed" if found.sealed else str(found.sensitivity)
            unit = f" ({found.unit})" if found.unit else ""
            rules = ", ".join(found.survivorship)
            parts.append(f"| `{found.name}` | {found.title} | {found.kind}{unit} | {sealed} | {rules} | {days} |")
        parts += [_cross(kind.cross), ""]
    return "\n".join(part for part in parts if part is not None)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cross(checks: tuple[object, ...]) -> str:
    lines = [f"- `{c.rule}` ({_names(c.properties)}): {c.outcome}, {c.dimension}" for c in checks]  # type: ignore[attr-defined]
    return "\nChecks over several properties:\n\n" + "\n".join(lines) if lines else ""


def rules() -> str:
    """Every check of a single value, as `schemas/data/rules.tsv` declares it."""
    lines = ["| kind | rule | dimension | outcome | sentence |", "|---|---|---|---|---|"]
    for line in (ROOT / "schemas" / "data" / "rules.tsv").read_text("utf-8").splitlines()[1:]:
        kind, rule, dimension, outcome, sentence, chinese = line.split("\t")
        lines.append(f"| {kind} | `{rule}` | {dimension} | {outcome} | {sentence} {chinese} |")
    return "\n".join(lines)


def commands() -> str:
    """Every command of the command line with its options."""
    from onegrid.cli import COMMANDS

    parts = []
    for name, text, _, options in COMMANDS:
        parts.append(f"### `onegrid {name}`\n\n{text[0].upper()}{text[1:]}.\n")
        parts += [f"- {_option(flags, more)}" for flags, more in options]
        parts.append("")
    return "\n".join(parts)


def _option(flags: tuple[str, ...], more: Mapping[str, object]) -> str:
    choices = more.get("choices")
    told = [str(more["help"])] if "help" in more else []
    told += [" \\| ".join(f"`{choice}`" for choice in choices)] if isinstance(choices, tuple) else []
    default = more.get("default")
    told += [f"default `{default}`"] if default is not None else []
    told += ["required"] if more.get("required") else []
    shown = ", ".join(flags) if flags[0].startswith("-") else flags[0].upper()
    return f"`{shown}`" + (f": {'; '.join(told)}" if told else "")


def constants() -> str:
    """The numbers of matching that stand alone in the code with what they are, by file."""
    lines = ["| file | name | value | what it is |", "|---|---|---|---|"]
    for path in sorted((ROOT / "matching").glob("*.py")):
        for found in CONSTANT.finditer(path.read_text("utf-8")):
            if "noqa" not in found["why"]:
                value, why = (found[part].replace("|", "\\|").strip() for part in ("value", "why"))
                lines.append(f"| `{path.name}` | `{found['name']}` | `{value}` | {why} |")
    return "\n".join(lines)


def weights() -> str:
    """The stated weights of each level of agreement, in log2 odds."""
    from matching.levels import LEVELS, STATED

    lines = ["| comparison | level: weight |", "|---|---|"]
    for name, levels in LEVELS.items():
        told = " · ".join(f"{level}: {weight:g}" for level, weight in zip(levels, STATED[name], strict=True))
        lines.append(f"| {name} | {told} |")
    return "\n".join(lines)


def blocking() -> str:
    """The keys by which candidate pairs are found."""
    from matching.blocking import RULES

    return ", ".join(f"`{rule.name}`" for rule in RULES)


PARTS: Mapping[str, Callable[[], str]] = {
    "properties": properties,
    "rules": rules,
    "commands": commands,
    "constants": constants,
    "weights": weights,
    "blocking": blocking,
}


def written(text: str) -> str:
    """The text of a file with its generated parts made anew."""
    return MARK.sub(lambda found: f"{found[1]}\n{PARTS[found['name']]().strip()}\n\n{found[3]}", text)


def main() -> None:
    """Rewrite every file below docs that has a generated part."""
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text("utf-8")
        if (made := written(text)) != text:
            path.write_text(made, "utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
