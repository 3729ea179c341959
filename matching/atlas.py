"""What the addresses of a district taught: which names mean one estate, and what estates and buildings are like.

It is learned from all addresses when a model is trained, and belongs to that model: until the next training an address is
read by it, so that what one address means does not change with what others come later. Only a division that was not
there yet is learned in each run anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd


@dataclass
class Lessons:
    """What was learned of one division: `sets` of names or keys and `maps` (what stands for what), by who asks for them.

    learning: asking makes them, from the rows at hand.
    """

    sets: dict[str, list[str]] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    learning: bool = True

    def names(self, asked: str, learn: Callable[[], Iterable[str]]) -> list[str]:
        """A set of names or keys, in order."""
        if self.learning:
            self.sets[asked] = sorted(map(str, learn()))
        return self.sets.get(asked, [])

    def mapping(self, asked: str, learn: Callable[[], Mapping[str, str]]) -> dict[str, str]:
        """What stands for what."""
        if self.learning:
            self.maps[asked] = dict(sorted(learn().items()))
        return self.maps.get(asked, {})

    def shown(self, asked: str, keys: pd.Series, where: pd.Series, wanted: pd.Series | None = None) -> pd.Series:
        """Whether a row's key (or the one it wants) is the key of a row of `where`."""
        if self.learning:
            self.sets[asked] = sorted(keys[where.to_numpy(dtype=bool)].unique())
        return (keys if wanted is None else wanted).isin(self.sets.get(asked, []))

    def only(self, asked: str, keys: pd.Series, values: pd.Series) -> pd.Series:
        """The one value that rows of the same key show; missing where they show none or several."""
        if self.learning:
            self.maps[asked] = dict(sorted(single(keys, values).items()))
        return keys.map(self.maps.get(asked, {})).astype("str")


@dataclass
class Atlas:
    """The lessons by division. A division it does not know is learned from the addresses it is shown."""

    areas: dict[str, Lessons] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Atlas:
        """An atlas that was kept, from its `facts`."""
        return cls({area: Lessons(**told, learning=False) for area, told in facts.items()})

    @property
    def facts(self) -> dict[str, Any]:
        """All that it tells, as JSON holds it."""
        told = {area: asdict(lessons) for area, lessons in sorted(self.areas.items())}
        return {area: {"sets": lessons["sets"], "maps": lessons["maps"]} for area, lessons in told.items()}

    def of_area(self, area: str) -> Lessons:
        """The lessons of a division, to be learned where it is a new one."""
        return self.areas.setdefault(area, Lessons())


def single(keys: pd.Series, values: pd.Series) -> dict[str, str]:
    """Key -> the one value that rows with it show, where it is one."""
    shown = pd.DataFrame({"key": keys, "value": values}).dropna().drop_duplicates()
    only = shown[~shown["key"].duplicated(keep=False)]
    return dict(zip(only["key"], only["value"], strict=True))
