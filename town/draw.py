"""Chance with a name: every draw comes from a stream named after what it decides, so that one rate changes one thing."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

Rng: TypeAlias = np.random.Generator
Texts: TypeAlias = npt.NDArray[np.object_]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Rates: TypeAlias = Mapping[str, Any]


def stream(seed: int, *names: object) -> Rng:
    """The generator of one decision: the same for the same seed and names, independent of all others."""
    return np.random.default_rng(np.random.SeedSequence([seed, *(zlib.crc32(str(name).encode()) for name in names)]))


def pick(rng: Rng, shares: Sequence[float] | npt.NDArray[Any], size: int) -> Ints:
    """Positions 0 to len(shares) - 1, drawn with the given shares (which need not sum to 1)."""
    steps = np.cumsum(np.asarray(shares, dtype=float))
    places = np.searchsorted(steps, rng.random(size) * steps[-1], side="right")
    drawn: Ints = np.minimum(places, len(steps) - 1).astype(np.int64)
    return drawn


def choose(rng: Rng, values: Sequence[Any] | npt.NDArray[Any], size: int) -> Texts:
    """Values drawn evenly, as an object array."""
    chosen: Texts = texts(values)[rng.integers(0, len(values), size)]
    return chosen


def among(rng: Rng, shares: Mapping[str, float], size: int) -> Texts:
    """Keys of a table of shares, drawn by their shares."""
    return texts(list(shares))[pick(rng, list(shares.values()), size)]


def joined(*parts: Any) -> Texts:
    """Texts put together, cell by cell."""
    whole: Texts = sum(parts[1:], start=parts[0])
    return whole


def texts(values: Sequence[Any] | npt.NDArray[Any]) -> Texts:
    """An object array of the values, one cell each."""
    cells = np.empty(len(values), dtype=object)
    cells[:] = list(values)
    return cells


def strings(numbers: npt.NDArray[Any], width: int = 0) -> Texts:
    """Whole numbers as texts, padded with zeros to the width."""
    return texts([str(number).zfill(width) for number in numbers.tolist()])


def either(where: Any, this: Any, that: Any) -> Texts:
    """`this` where the mask holds, else `that`; None is a value like any other."""
    chosen: Texts = np.where(where, this, that).astype(object)
    return chosen


def bounded(values: npt.NDArray[np.float64], low: int, high: int) -> Ints:
    """Rounded to whole numbers between two bounds, inclusive."""
    return np.clip(np.rint(values), low, high).astype(np.int64)


@cache
def table(name: str) -> pd.DataFrame:
    """A tab-separated data file of this package, every column as text."""
    with resources.files("town").joinpath("data", name).open(encoding="utf-8") as file:
        return pd.read_csv(file, sep="\t", dtype=str)


@cache
def words(name: str) -> dict[str, Any]:
    """A YAML data file of this package."""
    loaded: dict[str, Any] = yaml.safe_load(resources.files("town").joinpath("data", name).read_text(encoding="utf-8"))
    return loaded
