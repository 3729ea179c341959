"""How names go wrong on their way into a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from town.draw import Rates, Rng, Texts, choose, table, texts, words
from town.numbers import mishaps

DOTS = ["·", "•", "・", "．", "‧", ".", "●"]
REMARKS = ["（户主）", "(户主)", "（租户）", "（新）", "1", "（低保）", "(党员)"]
TITLES = {1: ["先生", "师傅", "大爷"], 2: ["女士", "阿姨", "大妈"]}
LOST = ["?", "□", "？", "*", "\ue123"]


def spoil_names(rng: Rng, people: pd.DataFrame, rates: Rates) -> Texts:
    """The names as written. people: name, surname, given, former_name, sex, rare, years, parent_name (None where there is none)."""
    written = people["name"].to_numpy(dtype=object).copy()
    plain = (people["surname"] != "").to_numpy()
    fate = mishaps(rng, len(people), {k: v for k, v in rates.items() if k not in ("rare_lost", "unnamed", "dots")})
    for name, slip in NAME_SLIPS.items():
        here = np.flatnonzero((fate == name) & plain)
        rows = zip(
            people["surname"].to_numpy()[here],
            people["given"].to_numpy()[here],
            people["sex"].to_numpy()[here],
            strict=True,
        )
        written[here] = texts([slip(rng, surname, given, sex) for surname, given, sex in rows])
    former = people["former_name"].to_numpy(dtype=object)
    written = np.where((fate == "former") & pd.notna(former), former, written)
    written = _lose_rare(rng, people, written, rates["rare_lost"])
    written = _dots(rng, written, ~plain, rates["dots"])
    return _unnamed(rng, people, written, rates["unnamed"])


def _lose_rare(rng: Rng, people: pd.DataFrame, written: Texts, rate: float) -> Texts:
    """A system that cannot write a character puts a mark, a private code point or its reading in its place."""
    here = np.flatnonzero(people["rare"].to_numpy() & (rng.random(len(people)) < rate))
    rare = frozenset(words("names_more.yml")["rare"].split())
    for place in here.tolist():
        lost = str(choose(rng, LOST, 1)[0]) if rng.random() < 0.7 else "PINYIN"
        written[place] = "".join(
            (readings().get(c, "X").upper() if lost == "PINYIN" else lost) if c in rare else c for c in written[place]
        )
    return written


def _dots(rng: Rng, written: Texts, dotted: np.ndarray, rate: float) -> Texts:
    """Another dot, no dot, or the first part alone in names with dots."""
    here = np.flatnonzero(dotted & (rng.random(len(written)) < rate))
    kind = rng.random(len(here))
    for place, what in zip(here.tolist(), kind.tolist(), strict=True):
        name = written[place]
        if "·" in name:
            written[place] = (
                name.split("·")[0]
                if what < 0.15
                else name.replace("·", "" if what < 0.35 else str(choose(rng, DOTS, 1)[0]))
            )
        elif " " in name:
            written[place] = name.title() if what < 0.5 else " ".join(reversed(name.split(" ")))
    return written


def _unnamed(rng: Rng, people: pd.DataFrame, written: Texts, rate: float) -> Texts:
    """Infants who have no name yet: 张伟之子."""
    parents = people["parent_name"].to_numpy(dtype=object)
    here = (people["years"].to_numpy() < 2) & pd.notna(parents) & (rng.random(len(people)) < rate)
    child = np.where(people["sex"].to_numpy() == 1, "之子", "之女")
    called = texts([f"{parent}{word}" for parent, word in zip(parents, child, strict=True)])
    return np.where(here, called, written)


def _another(rng: Rng, given: str, groups: Mapping[str, str]) -> str:
    """One character exchanged for another of its group, where it has one."""
    places = [i for i, letter in enumerate(given) if letter in groups]
    if not places:
        return given
    at = places[int(rng.integers(0, len(places)))]
    options = groups[given[at]]
    return given[:at] + options[int(rng.integers(0, len(options)))] + given[at + 1 :]


@cache
def readings() -> dict[str, str]:
    """The pinyin without tone of every character of the town's given names."""
    from pypinyin import lazy_pinyin

    letters = sorted({c for text in table("given_names.tsv")["characters"] for c in text if c != " "})
    letters += words("names_more.yml")["rare"].split()
    return {letter: lazy_pinyin(letter)[0] for letter in letters}


@cache
def homophones() -> dict[str, str]:
    """Each character's others of the same reading."""
    groups: dict[str, str] = {}
    for letter, reading in readings().items():
        groups[reading] = groups.get(reading, "") + letter
    return {letter: group.replace(letter, "") for group in groups.values() if len(group) > 1 for letter in group}


@cache
def look_alikes() -> dict[str, str]:
    """Each character's others of a similar shape."""
    groups = words("names_more.yml")["look_alike"].split()
    return {letter: group.replace(letter, "") for group in groups for letter in group}


def _title(rng: Rng, surname: str, given: str, sex: int) -> str:
    return surname + str(choose(rng, TITLES[sex], 1)[0])


NAME_SLIPS: dict[str, Callable[[Rng, str, str, int], str]] = {
    "homophone": lambda rng, surname, given, sex: surname + _another(rng, given, homophones()),
    "look_alike": lambda rng, surname, given, sex: surname + _another(rng, given, look_alikes()),
    "dropped": lambda rng, surname, given, sex: surname + (given[:1] if rng.random() < 0.5 else given[-1:]),
    "exchanged": lambda rng, surname, given, sex: surname + given[::-1],
    "remark": lambda rng, surname, given, sex: surname + given + str(choose(rng, REMARKS, 1)[0]),
    "title": _title,
    "short": lambda rng, surname, given, sex: (
        str(choose(rng, ["小", "老", "阿"], 1)[0]) + (surname if rng.random() < 0.6 else given[-1:])
    ),
    "masked": lambda rng, surname, given, sex: (
        surname + "*" * len(given) if rng.random() < 0.5 else surname + "*" + given[1:]
    ),
    "spaced": lambda rng, surname, given, sex: f"{surname} {given}" if len(given) == 1 else surname + given,
    "wide_space": lambda rng, surname, given, sex: f"{surname}　{given}",
    "display": lambda rng, surname, given, sex: str(choose(rng, words("names_more.yml")["nicknames"].split(), 1)[0]),
}
