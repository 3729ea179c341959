"""The scoring model: what agreement on each level is worth, trained by Splink on pairs that trusted ids label.

Pairs reach the model as *levels*: one small whole number for each comparison (0 the strongest, -1 where one side says
nothing), computed in advance by `matching.levels`. Splink defines the comparisons over these numbers, estimates m
(`estimate_m_from_pairwise_labels`) and, run a second time on the pairs that labels tell apart, u; then predicts. Only
the distinct rows of levels are sent through it, a few thousand where there are millions of pairs.
Everything that a score depends on beside the two records stands in the model, and the model's version is its digest:
weights, name frequencies, phone spreads, marks of shared ids, and by what addresses are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.additive import Weights, fit

if TYPE_CHECKING:
    from splink import Linker

DIGITS = 9  # parameters are rounded to this many significant digits, so that training repeats to the byte
SMOOTHING = 2.0  # pairs spread evenly over the levels of a comparison before counting (Laplace)
MICROBITS = 6  # decimals of a weight: whole millionths of a bit, so that a sum is the same in any order, on any engine
MAX_WEIGHT = 14.0  # log2 odds one level may give or take: beyond, the counts do not carry it
Levels = Mapping[str, tuple[str, ...]]
Floats = npt.NDArray[np.float64]


def digest(number: str) -> str:
    """How the model names a number without holding it."""
    return hashlib.sha256(number.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Level:
    """One level: its share among pairs of one person (m) and of two (u), and its weight in log2 odds."""

    name: str
    m: float
    u: float
    weight: float


@dataclass(frozen=True)
class Tables:
    """What a pair's levels need to know of all the data, frozen with the model.

    names: {folded name: distinct persons bearing it}, common ones only. phones: {digest: persons seen with it}, shared
    ones only. people: persons counted. shared_ids: digests of document numbers seen under incompatible people.
    repeats: {feed: share of its rows whose person it has already}. nicknames: names that are nobody's.
    """

    names: Mapping[str, int] = field(default_factory=dict)
    phones: Mapping[str, int] = field(default_factory=dict)
    shared_ids: tuple[str, ...] = ()
    people: int = 0
    repeats: Mapping[str, float] = field(default_factory=dict)
    nicknames: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A version of the scoring model.

    base: log2 odds of a candidate pair before anything is compared. atlas: what addresses taught, as `matching.atlas` keeps it.
    """

    comparisons: Mapping[str, tuple[Level, ...]]
    base: float
    tables: Tables = field(default_factory=Tables)
    atlas: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Sixteen hexadecimal digits of the digest of its canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no blanks, numbers rounded to DIGITS significant digits."""
        return json.dumps(_rounded(asdict(self)), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Model:
        """The model that `to_json` wrote."""
        raw = json.loads(text)
        comparisons = {name: tuple(Level(**level) for level in levels) for name, levels in raw["comparisons"].items()}
        listed = {name: tuple(raw["tables"].get(name, ())) for name in ("shared_ids", "nicknames")}
        tables = Tables(**{**raw["tables"], **listed})
        return cls(comparisons, raw["base"], tables, raw.get("atlas", {}))

    def fits(self, levels: Levels) -> bool:
        """Whether it was trained for these ladders: of another version of the program it may not be."""
        return {name: tuple(level.name for level in ladder) for name, ladder in self.comparisons.items()} == dict(
            levels
        )

    def save(self, path: Path) -> None:
        """Write the model file; it holds names and digests of numbers, so its folder is the registry's own."""
        path.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read a model file."""
        return cls.from_json(path.read_text(encoding="utf-8"))

    def pack(self, levels: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Each row of levels as one whole number, which `unpack` reads again."""
        names = sorted(self.comparisons)
        return _row_code(levels, [len(self.comparisons[name]) + 1 for name in names], names)

    def unpack(self, packed: pd.Series) -> pd.DataFrame:
        """The levels that `pack` made a number of: a column a comparison."""
        rest, found = packed.to_numpy(dtype=np.int64), {}
        for name in sorted(self.comparisons, reverse=True):
            rest, level = np.divmod(rest, len(self.comparisons[name]) + 1)
            found[name] = level - 1
        return pd.DataFrame({name: found[name] for name in self.comparisons}, index=packed.index)

    @cached_property
    def weights(self) -> dict[str, Floats]:
        """The weight of each level by comparison; the last, where -1 leads, says nothing: 0."""
        return {name: np.array([*(level.weight for level in ladder), 0.0]) for name, ladder in self.comparisons.items()}

    def score(self, levels: pd.DataFrame | Mapping[str, npt.NDArray[np.int64]]) -> Floats:
        """log2 odds of each row of levels, in whole millionths: the very numbers that Splink's prediction gives."""
        parts = [weights[np.asarray(levels[name])] for name, weights in self.weights.items()]
        return _whole(self.base + np.sum(parts, axis=0))


def _whole(total: Floats) -> Floats:
    """Sums of whole microbits without what floating point added to them."""
    return np.round(total, MICROBITS)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def train(labelled: pd.DataFrame, levels: Levels, stated: Weights, base: float, tables: Tables | None = None) -> Model:
    """Estimate a model from labelled pairs.

    labelled: one row a pair, an integer column for each comparison of `levels` and the boolean column `same`. stated:
    the weight of each level, and base of all, as far as labels do not tell. The same pairs in any order give the same
    model.
    """
    names = list(levels)
    ordered = labelled.sort_values([*names, "same"], ignore_index=True)
    same = ordered["same"].to_numpy(dtype=bool)
    m, u = (_shares(ordered.loc[side, names], levels) for side in (same, ~same))
    weights, fitted = fit(ordered, {name: stated[name] for name in names}, base)
    comparisons = {name: tuple(map(_level, labels, m[name], u[name], weights[name])) for name, labels in levels.items()}
    return Model(comparisons, round(float(fitted), MICROBITS), tables or Tables())


def _level(label: str, m: float, u: float, weight: float) -> Level:
    bounded = round(float(np.clip(weight, -MAX_WEIGHT, MAX_WEIGHT)), MICROBITS)
    return Level(label, _rounded(float(m)), _rounded(float(u)), bounded)


def _shares(pairs: pd.DataFrame, levels: Levels) -> dict[str, Floats]:
    """The share of each level among the pairs, as Splink counts it, smoothed."""
    counted = _splink_shares(pairs, levels) if len(pairs) else {}
    shares = {}
    for name, labels in levels.items():
        known = float((pairs[name] >= 0).sum())
        seen = np.isin(np.arange(len(labels)), pairs[name])  # Splink falls back on a default for a level it never saw
        raw = np.where(seen, counted.get(name, np.zeros(len(labels))), 0.0)
        shares[name] = (raw * known + SMOOTHING / len(labels)) / (known + SMOOTHING)
    return shares


def _splink_shares(pairs: pd.DataFrame, levels: Levels) -> dict[str, Floats]:
    linker = _linker(pairs, _settings(levels))
    ids = np.arange(len(pairs))
    labels = pd.DataFrame({"source_dataset_l": "levels", "pair_l": ids, "source_dataset_r": "others", "pair_r": ids})
    linker.training.estimate_m_from_pairwise_labels(linker._db_api.register(labels, table_name="labels"))
    return {
        comparison.output_column_name: np.array([float(level.m_probability) for level in _compared(comparison)])
        for comparison in linker._settings_obj.comparisons
    }


def _compared(comparison: Any) -> list[Any]:
    return [level for level in comparison.comparison_levels if not level.is_null_level]


def predict(model: Model, levels: pd.DataFrame) -> Floats:
    """log2 odds of every row of `levels`, by Splink's prediction over the distinct rows."""
    names = list(model.comparisons)
    if levels.empty:
        return np.empty(0)
    code = _row_code(levels, [len(model.comparisons[name]) + 1 for name in names], names)
    _, first, back = np.unique(code, return_index=True, return_inverse=True)
    patterns = levels.iloc[first][names].reset_index(drop=True)
    settings = _settings({name: tuple(level.name for level in model.comparisons[name]) for name in names}, model)
    found = _linker(patterns, settings).inference.predict(threshold_match_weight=None).as_pandas_dataframe()
    weights = np.empty(len(patterns))
    weights[found["pair_l"].to_numpy()] = found["match_weight"].to_numpy()
    return np.asarray(_whole(weights)[back], dtype=np.float64)


def _row_code(levels: pd.DataFrame, sizes: Sequence[int], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Each row of levels as one whole number (mixed radix)."""
    code = np.zeros(len(levels), dtype=np.int64)
    for name, size in zip(names, sizes, strict=True):
        code = code * size + (levels[name].to_numpy(dtype=np.int64) + 1)
    return code


def _linker(pairs: pd.DataFrame, settings: Any) -> Linker:
    """A linker where record n of `levels` carries those of pair n, and record n of `others` is its counterpart."""
    import duckdb
    from splink import DuckDBAPI, Linker

    connection = duckdb.connect(config={"threads": 1})
    api = DuckDBAPI(connection)
    left = pairs.assign(pair=np.arange(len(pairs)))
    right = (left * 0).assign(pair=left["pair"])
    sides = [api.register(left, table_name="levels"), api.register(right, table_name="others")]
    return Linker(sides, settings, log_level="ERROR")


def _settings(levels: Levels, model: Model | None = None) -> Any:
    from splink import SettingsCreator
    from splink.comparison_library import CustomComparison

    comparisons = [
        CustomComparison(_ladder(name, labels, model), output_column_name=name) for name, labels in levels.items()
    ]
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="pair",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=["l.pair = r.pair"],
        probability_two_random_records_match=0.5 if model is None else 1 / (1 + 2**-model.base),
        retain_matching_columns=False,
    )


def _ladder(name: str, labels: Sequence[str], model: Model | None) -> list[dict[str, Any]]:
    """Plain conditions over the prepared column, the same in DuckDB and Spark; the last level takes the rest."""
    ladder: list[dict[str, Any]] = [
        {"sql_condition": f'"{name}_l" < 0', "label_for_charts": "unknown", "is_null_level": True}
    ]
    for at, label in enumerate(labels):
        condition = "ELSE" if at == len(labels) - 1 else f'"{name}_l" = {at}'
        level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": label}
        if model is not None:
            held = model.comparisons[name][at]
            share = 2.0 ** (-abs(held.weight) - 1)  # only the ratio counts: both stay below one
            pair = (0.5, share) if held.weight > 0 else (share, 0.5)
            level |= {"m_probability": pair[0], "u_probability": pair[1]}
        ladder.append(level)
    return ladder
