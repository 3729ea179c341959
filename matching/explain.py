"""Why two records are one person, or not: the comparisons of a pair with what each was worth, drawn as a waterfall.

The levels of a scored pair are kept with its edge, so that what is told is what was computed, and adds up to the edge's
weight. Pairs that no run has kept are compared anew among the records at hand (`compare_anew`), which is said: what their
addresses mean, and whose a number is, may look otherwise among all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from matching.blocking import RULES
from matching.engine import compare
from matching.model import Model
from matching.people import JOIN
from matching.words import ALONE, COMPARISONS, FROM_OTHERS, LEVEL_WORDS, Words

BAR, ROW, LEFT, WIDTH = 14, 22, 330, 760  # pixels: a bar, a line, where the bars begin, all
NOBODY = Words("", "")


@dataclass(frozen=True)
class Step:
    """One comparison: its level, and the log2 odds it gave or took. others: how far other records had a say in it."""

    comparison: str
    level: str
    weight: float
    what: Words
    said: Words
    others: Words = NOBODY


def explain(model: Model, packed: int) -> list[Step]:
    """The steps of a pair from its packed levels, the base first; their weights sum to the pair's."""
    levels = model.unpack(pd.Series([packed])).iloc[0]
    steps = [Step("base", "", model.base, COMPARISONS["base"], NOBODY)]
    for name, ladder in model.comparisons.items():
        at = int(levels[name])
        if at < 0:
            continue
        level = ladder[at]
        others = NOBODY if level.name in ALONE.get(name, ()) else FROM_OTHERS.get(name, NOBODY)
        said = LEVEL_WORDS[name][level.name]
        steps.append(Step(name, level.name, level.weight, COMPARISONS[name], said, others))
    return steps


def total(steps: Sequence[Step]) -> float:
    """The weight of the pair, in log2 odds."""
    return sum(step.weight for step in steps)


@dataclass(frozen=True)
class Fresh:
    """A pair compared anew: its packed levels, whether they rule out one person, and the keys that it shares."""

    packed: int
    impossible: bool
    keys: tuple[str, ...]


def compare_anew(
    evidence: pd.DataFrame, model: Model, pairs: pd.DataFrame, *, impossible_only: bool = False
) -> list[Fresh]:
    """Each pair of positions `a`, `b` of the evidence as it compares now; only those that cannot be one person if asked."""
    if pairs.empty:
        return []
    a, b = (pairs[name].to_numpy(dtype=np.int64) for name in ("a", "b"))
    found = compare(evidence, model, (a, b), JOIN, Model.score)
    packed, never = found["levels"].to_numpy(), found["apart"].to_numpy()
    asked = np.flatnonzero(never) if impossible_only else np.arange(len(pairs))
    return [Fresh(int(packed[n]), bool(never[n]), shared_keys(evidence, int(a[n]), int(b[n]))) for n in asked]


def shared_keys(evidence: pd.DataFrame, a: int, b: int) -> tuple[str, ...]:
    """The blocking keys that two rows share, by their names: hubs among them brought nobody together."""
    found = []
    rows = (evidence.iloc[a].to_dict(), evidence.iloc[b].to_dict())
    for rule in RULES:
        sides = [(rule.columns, rule.other or rule.columns), (rule.other or rule.columns, rule.columns)]
        for one, two in sides:
            met = zip((rows[0].get(name) for name in one), (rows[1].get(name) for name in two), strict=True)
            if all(pd.notna(x) and pd.notna(y) and x == y for x, y in met):
                found.append(rule.name)
                break
    return tuple(found)


def waterfall(steps: Sequence[Step]) -> str:
    """The steps as SVG: what adds is filled, what takes away is hatched, so that grey tells them apart; under 30 KB."""
    ends = np.cumsum([step.weight for step in steps])
    starts = np.concatenate([[0.0], ends[:-1]])
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))
    scale = (WIDTH - LEFT - 60) / max(high - low, 1e-9)

    def x(value: float) -> float:
        return round(LEFT + (value - low) * scale, 1)

    lines = [
        _line(n, step, x(start), x(end)) for n, (step, start, end) in enumerate(zip(steps, starts, ends, strict=True))
    ]
    sum_ = Step("total", "", float(ends[-1]), Words("合计", "sum"), NOBODY)
    lines.append(_line(len(steps), sum_, x(0.0), x(float(ends[-1]))))
    height = ROW * (len(steps) + 1) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12" role="img"><title>log2 odds 对数几率</title>'
        '<defs><pattern id="h" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="5" height="5" fill="#fff"/><path d="M0 0V5" stroke="#222" stroke-width="3"/></pattern></defs>'
        f'<path d="M{x(0.0)} 4V{height - 6}" stroke="#888" stroke-dasharray="2 2"/>{"".join(lines)}</svg>'
    )


def _line(place: int, step: Step, start: float, end: float) -> str:
    top = 6 + ROW * place
    fill = "#555" if step.weight >= 0 else "url(#h)"
    word = escape(f"{step.what.zh} {step.what.en}" + (f"：{step.said.zh}" if step.said.zh else ""))
    left, wide = min(start, end), max(abs(end - start), 1.0)
    return (
        f'<text x="4" y="{top + 12}">{word}</text><rect x="{left}" y="{top}" width="{wide:.1f}" height="{BAR}" '
        f'fill="{fill}" stroke="#222"/><text x="{max(start, end) + 4}" y="{top + 12}">{step.weight:+.1f}</text>'
    )
