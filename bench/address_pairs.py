"""Whether two addresses mean one place, told by the parts we read: macro-F1 on a labelled file beside text ratios alone.

    python -m bench.address_pairs PATH

PATH: lines `query TAB text TAB label`, label 0 not, 1 partly, 2 fully the same place, the texts of a query together. Learned
on the first four fifths of the lines and judged on the rest; no query is in both.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from matching.addresses import parse_addresses

LEARNED = 0.8
LABELS = (0, 1, 2)
COMPARED = ("city", "district", "town", "community", "road", "road_number", "estate", "building", "unit", "room")
CROSSED = ("road", "road_number", "estate", "building")
ALIKE = 75.0  # rapidfuzz ratio from which two names count as alike
STEPS = (20.0, 35.0, 50.0, 65.0, 80.0, 95.0)  # bounds of the bins of a ratio
HOLD = 2.0  # ridge of the regression
NOTHING, ONE_SIDE, OTHER, LIKE, SAME = range(5)  # what a part of two addresses shows
Matrix = np.ndarray


def read_pairs(path: Path) -> pd.DataFrame:
    """Columns query, text (`str`) and label (int)."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    frame = pd.DataFrame(lines, columns=["query", "text", "label"])
    return frame.astype({"query": "str", "text": "str", "label": "int64"})


def ratios(pairs: pd.DataFrame) -> dict[str, Matrix]:
    """rapidfuzz's ratios of the whole texts, 0 to 100, one a pair; `letters`: of their characters in one order."""
    left, right = pairs["query"].tolist(), pairs["text"].tolist()
    return {
        "ratio": process.cpdist(left, right, scorer=fuzz.ratio),
        "partial": process.cpdist(left, right, scorer=fuzz.partial_ratio),
        "letters": process.cpdist(_sorted(left), _sorted(right), scorer=fuzz.ratio),
    }


def features(pairs: pd.DataFrame) -> Matrix:
    """One row a pair, all columns 0 or 1: what each part shows, some parts crossed, and binned ratios."""
    left, right = (parse_addresses(pairs[side]) for side in ("query", "text"))
    shown = {name: _shown(left[name], right[name]) for name in COMPARED}
    shown["named"] = _held(pairs, left, right)
    columns = [values == state for values in shown.values() for state in range(5)]
    for one, other in combinations((*CROSSED, "named"), 2):
        columns += [(shown[one] == a) & (shown[other] == b) for a in range(5) for b in range(5)]
    told = ratios(pairs) | {"names": _name_ratio(left, right)}
    bins = {name: np.digitize(values, STEPS) for name, values in told.items()}
    columns += [values == state for values in bins.values() for state in range(len(STEPS) + 1)]
    for name in ("road", "estate", "road_number"):
        columns += [(shown[name] == a) & (bins["names"] == b) for a in range(5) for b in range(len(STEPS) + 1)]
    kept = [column for column in columns if 0 < column.sum() < len(column)]
    return np.column_stack([*kept, np.ones(len(pairs), dtype=bool)]).astype(float)


def _shown(one: pd.Series, other: pd.Series) -> Matrix:
    a, b = one.fillna(""), other.fillna("")
    alike = process.cpdist(a.tolist(), b.tolist(), scorer=fuzz.ratio) >= ALIKE
    inside = np.array([x in y or y in x for x, y in zip(a, b, strict=True)]) & ~a.str.isdecimal().to_numpy(dtype=bool)
    known = np.select([(a == "") & (b == ""), (a == "") | (b == ""), a == b], [NOTHING, ONE_SIDE, SAME], default=OTHER)
    return np.where((known == OTHER) & (alike | inside), LIKE, known)


def _held(pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame) -> Matrix:
    """Whether the text of one side holds the other's estate: neither names one, no side, the left, the right, both."""
    names = [left["estate"].fillna(""), right["estate"].fillna("")]
    texts = [pairs["text"], pairs["query"]]
    held = [
        np.array([name in text for name, text in zip(n, t, strict=True)]) & (n != "").to_numpy(dtype=bool)
        for n, t in zip(names, texts, strict=True)
    ]
    none = ((names[0] == "") & (names[1] == "")).to_numpy(dtype=bool)
    return np.where(none, 0, 1 + held[0] + 2 * held[1])


def _name_ratio(left: pd.DataFrame, right: pd.DataFrame) -> Matrix:
    """Partial ratio of what is left of the texts without areas, roads and numbers."""
    rest = [
        (side["estate"].fillna("") + side["detail"].fillna("") + side["remark"].fillna("")).tolist()
        for side in (left, right)
    ]
    return process.cpdist(*rest, scorer=fuzz.partial_ratio)


def _sorted(texts: list[str]) -> list[str]:
    return ["".join(sorted(text)) for text in texts]


def learn(x: Matrix, y: Matrix, steps: int = 25) -> Matrix:
    """Weights of a ridge logistic regression by Newton's method. x: rows by columns; y: 0 or 1 a row."""
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - p) - HOLD * weights
        curve = (x * (p * (1 - p))[:, None]).T @ x + HOLD * np.eye(x.shape[1])
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def macro_f1(true: Matrix, said: Matrix) -> float:
    """The mean of the labels' F1."""
    hits = [((true == label) & (said == label)).sum() for label in LABELS]
    sizes = [((true == label).sum() + (said == label).sum()) for label in LABELS]
    return float(np.mean([2 * hit / max(size, 1) for hit, size in zip(hits, sizes, strict=True)]))


def by_thresholds(values: Matrix, true: Matrix) -> tuple[float, float]:
    """The two bounds of a ratio (not | partly | fully) that are best on what is learned from."""
    grid = np.arange(5.0, 100.0, 2.5)
    return max(combinations(grid, 2), key=lambda bounds: macro_f1(true, np.digitize(values, bounds)))


def by_regression(x: Matrix, true: Matrix, learned: Matrix) -> Matrix:
    """The label of every row: one regression a label, weighed so that the macro-F1 of what is learned from is best."""
    told = np.column_stack([x @ learn(x[learned], (true[learned] == label).astype(float)) for label in LABELS])
    chance = 1 / (1 + np.exp(-told))
    grid = [(1.0, a, b) for a in np.arange(0.6, 3.1, 0.2) for b in np.arange(0.6, 6.1, 0.4)]
    best = max(grid, key=lambda weight: macro_f1(true[learned], (chance[learned] * weight).argmax(axis=1)))
    said: Matrix = np.argmax(chance * np.array(best), axis=1)
    return said


def main() -> None:
    """Print macro-F1 on the part that nothing was learned from."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("path", type=Path)
    pairs = read_pairs(arguments.parse_args().path)
    true = pairs["label"].to_numpy()
    last = pairs["query"].iloc[int(len(pairs) * LEARNED)]
    learned = np.arange(len(pairs)) < int((pairs["query"] == last).to_numpy().argmax())
    print(f"{learned.sum()} pairs to learn from, {(~learned).sum()} to be judged")
    for name, values in ratios(pairs).items():
        bounds = by_thresholds(values[learned], true[learned])
        print(
            f"{name:12} thresholds {bounds} macro-F1 {macro_f1(true[~learned], np.digitize(values[~learned], bounds)):.3f}"
        )
    said = by_regression(features(pairs), true, learned)
    print(f"our parts    regression macro-F1 {macro_f1(true[~learned], said[~learned]):.3f}")
    for label in LABELS:
        hit = ((said == label) & (true == label) & ~learned).sum()
        sizes = ((said == label) & ~learned).sum(), ((true == label) & ~learned).sum()
        print(
            f"  label {label}: precision {hit / max(sizes[0], 1):.3f} recall {hit / max(sizes[1], 1):.3f} of {sizes[1]}"
        )


if __name__ == "__main__":
    main()
