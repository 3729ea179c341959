"""The quality scores as a table for the terminal, as csv, and as one self-contained HTML page with charts as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from quality.scores import DIMENSIONS, GRADES

TITLES = {
    "owner": "责任部门 owner",
    "level": "层级 level",
    "division": "区划 division",
    "grid": "网格 grid",
    "property": "属性 property",
    "source": "数据源 source",
    "type": "类型 type",
    "day": "日期 day",
    "evaluated": "检查数 evaluated",
    "conformity": "规范性 conformity",
    "completeness": "完整性 completeness",
    "accuracy": "准确性 accuracy",
    "consistency": "一致性 consistency",
    "timeliness": "时效性 timeliness",
    "accessibility": "可访问性 accessibility",
    "score": "总分 score",
    "grade": "等级 grade",
    "change": "变化 change",
    "worst": "最差单元 worst",
    "worst_where": "最差所在 where",
}
SHARES = (*DIMENSIONS, "score", "worst")
# Lines a chart can carry and still be read; the worst ones are drawn and the table beneath has the rest.
MOST_ROWS, MOST_LINES = 40, 8
# Blue dark to light: readable in print and for the colour-blind (ColorBrewer Blues); low scores are dark.
COLOURS = ("#08306b", "#6baed6", "#f7fbff")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Heading:
    """A column of a table: its title, and whether it holds text."""

    title: str
    text: bool


@dataclass(frozen=True)
class Section:
    """One chart with the table of its figures beneath."""

    title: str
    caption: str
    columns: list[Heading]
    rows: list[list[str]]
    svg: str = ""
    note: str = ""


def scores_text(scores: pd.DataFrame) -> str:
    """The scores as an aligned table for a terminal."""
    shown = pd.DataFrame({name: [_cell(str(name), value) for value in scores[name]] for name in scores.columns})
    return shown.to_string(index=False) if len(shown) else "no load has been checked yet"


def scores_csv(scores: pd.DataFrame) -> str:
    """The scores as csv, numbers unrounded; text that a sheet program would run begins with an apostrophe."""
    safe = scores.copy()
    for name in safe.columns.difference([*SHARES, "change", "evaluated"]):
        texts = safe[name].astype("str")
        safe[name] = texts.where(~texts.str.startswith(FORMULA, na=False), "'" + texts)
    return safe.to_csv(index=False)


def write_report(scores: pd.DataFrame, trend: pd.DataFrame, by: Sequence[str], out: Path) -> None:
    """Write the page: a heat map of the dimensions, the trend, and the whole table. No script, nothing fetched."""
    import jinja2

    template = resources.files("quality").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(template).render(
        made_at=f"{datetime.now(UTC).astimezone():%Y-%m-%d %H:%M}",
        by="、".join(TITLES[name] for name in by),
        grades="，".join(f"{letter} ≥ {least:.0%}" for letter, least in GRADES),
        sections=[_overview(scores, by), _course(trend, by)],
    )
    out.write_text(page, encoding="utf-8")


def _overview(scores: pd.DataFrame, by: Sequence[str]) -> Section:
    drawn = scores.head(MOST_ROWS)
    note = "" if len(drawn) == len(scores) else f"图中为最差的 {len(drawn)} 行，全部 {len(scores)} 行见下表。"
    columns, rows = _table(scores)
    svg = _svg(_heat_map(drawn.assign(group=_names(drawn, by)))) if len(drawn) else ""
    return Section("六个维度 Six dimensions", "自最差起 worst first", columns, rows, svg, note)


def _course(trend: pd.DataFrame, by: Sequence[str]) -> Section:
    named = trend.assign(group=_names(trend, by))
    last = named.drop_duplicates("group", keep="last").sort_values("score")
    drawn = named[named["group"].isin(last["group"].head(MOST_LINES))]
    note = "" if len(last) <= MOST_LINES else f"图中为最差的 {MOST_LINES} 组。"
    columns, rows = _table(trend)
    svg = _svg(_lines(drawn)) if len(drawn) else ""
    return Section("趋势 Trend", "每个有数据进入的日子 every day with a load", columns, rows, svg, note)


def _names(frame: pd.DataFrame, by: Sequence[str]) -> list[str]:
    rows = frame[list(by)].astype("str").fillna("").itertuples(index=False)
    return [" · ".join(part or "—" for part in row) for row in rows]


def _table(frame: pd.DataFrame) -> tuple[list[Heading], list[list[str]]]:
    numbers = (*SHARES, "change", "evaluated")
    columns = [Heading(TITLES[str(name)], name not in numbers) for name in frame.columns]
    cells = [[_cell(str(name), value) for value in frame[name].tolist()] for name in frame.columns]
    return columns, [list(row) for row in zip(*cells, strict=True)]


def _cell(name: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    if name in SHARES:
        return f"{value:.2%}"
    return f"{value:+.2%}" if name == "change" else f"{value:,}" if name == "evaluated" else str(value)


def _heat_map(frame: pd.DataFrame) -> Any:
    import altair

    cells = frame.melt("group", list(DIMENSIONS), "dimension", "share").dropna(subset="share")
    cells["dimension"] = cells["dimension"].map(TITLES)
    base = altair.Chart(_records(cells)).encode(
        x=altair.X(
            "dimension:N", title=None, sort=[TITLES[name] for name in DIMENSIONS], axis=altair.Axis(labelAngle=0)
        ),
        y=altair.Y("group:N", title=None, sort=list(frame["group"]), axis=altair.Axis(labelLimit=320)),
    )
    scale = altair.Scale(domain=[0.5, 0.9, 1], range=list(COLOURS), clamp=True)
    boxes = base.mark_rect(stroke="#d8dee4").encode(color=altair.Color("share:Q", scale=scale, legend=None))
    light = altair.condition("datum.share < 0.85", altair.value("white"), altair.value("#1b1f24"))
    words = base.mark_text(fontSize=11).encode(text=altair.Text("share:Q", format=".1%"), color=light)
    return (boxes + words).properties(width=720, height=altair.Step(24))


def _lines(frame: pd.DataFrame) -> Any:
    import altair

    points = frame[["day", "group", "score"]].dropna().assign(day=frame["day"].astype("str"))
    return (
        altair.Chart(_records(points))
        .mark_line(point=True)
        .encode(
            x=altair.X("day:O", title=None),
            y=altair.Y(
                "score:Q", title=TITLES["score"], scale=altair.Scale(zero=False), axis=altair.Axis(format=".1%")
            ),
            color=altair.Color("group:N", title=None, scale=altair.Scale(scheme="tableau10")),
            strokeDash=altair.StrokeDash("group:N", title=None),
        )
        .properties(width=720, height=260)
    )


def _records(frame: pd.DataFrame) -> Any:
    import altair

    return altair.Data(values=frame.to_dict("records"))  # type: ignore[no-untyped-call]


def _svg(chart: Any) -> Any:
    """The chart as SVG markup, drawn without fetching anything."""
    import markupsafe
    import vl_convert

    return markupsafe.Markup(vl_convert.vegalite_to_svg(chart.to_json(), allowed_base_urls=[]))  # noqa: S704
