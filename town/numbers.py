"""How document numbers and phone numbers go wrong on their way into a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from town.draw import Mask, Rates, Rng, Texts, choose, either, texts

FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
PLACEHOLDERS = [
    "111111111111111111",
    "000000000000000000",
    "340202000000000000",
    "123456789012345678",
    "999999999999999999",
]
PLACEHOLDER_PHONES = ["13800138000", "11111111111", "12345678901", "0"]


def mishaps(rng: Rng, size: int, rates: Mapping[str, float]) -> Texts:
    """Which of the named mishaps each row suffers, at most one; "" for none."""
    steps = np.cumsum(list(rates.values()))
    names = texts([*rates, ""])
    return names[np.searchsorted(steps, rng.random(size), side="right")]


def spoil_ids(rng: Rng, people: pd.DataFrame, context: pd.DataFrame, rates: Rates) -> Texts:
    """The ids as written. people: id_number, id_type, birth; context: parent_id, other_id (None where there is none). None: left blank."""
    written = people["id_number"].to_numpy(dtype=object).copy()
    citizen = (people["id_type"] == "resident_id").to_numpy()
    young = context["parent_id"].notna().to_numpy()
    fate = mishaps(rng, len(people), {k: v for k, v in rates.items() if k != "parents"})
    fate[young & (rng.random(len(people)) < rates["parents"])] = "parents"
    for name, slip in ID_SLIPS.items():
        here = np.flatnonzero((fate == name) & citizen)
        written[here] = texts([slip(rng, number) for number in written[here]])
    replaced = {
        "parents": context["parent_id"],
        "others": context["other_id"],
        "placeholder": pd.Series(choose(rng, PLACEHOLDERS, len(people))),
    }
    for name, source in replaced.items():
        values = source.to_numpy(dtype=object)
        written = np.where((fate == name) & pd.notna(values), values, written)
    return either(fate == "missing", None, written)


def _wrong_digit(rng: Rng, number: str) -> str:
    at = int(rng.integers(0, 17))
    return number[:at] + str((int(number[at]) + int(rng.integers(1, 10))) % 10) + number[at + 1 :]


def _transposed(rng: Rng, number: str) -> str:
    at = int(rng.integers(5, 16))
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def _dropped(rng: Rng, number: str) -> str:
    at = int(rng.integers(2, 17))
    return number[:at] + number[at + 1 :]


def _masked(rng: Rng, number: str) -> str:
    """The three usual masks: middle eight, all but six and four, all but the first three and last two."""
    kind = int(rng.integers(0, 3))
    head, tail = ((10, 4), (6, 4), (3, 2))[kind]
    if kind == 0:
        return number[:6] + "********" + number[14:]
    return number[:head] + "*" * (18 - head - tail) + number[-tail:]


def _old15(rng: Rng, number: str) -> str:
    return number[:6] + number[8:17] if number[6:8] == "19" else number


ID_SLIPS: dict[str, Callable[[Rng, str], str]] = {
    "wrong_digit": _wrong_digit,
    "transposed": _transposed,
    "dropped": _dropped,
    "masked": _masked,
    "old15": _old15,
    "scientific": lambda rng, number: f"{float(number[:17] + '0'):.5E}",
    "rounded": lambda rng, number: number[:15] + "000",
    "lower_x": lambda rng, number: number.lower(),
    "full_width": lambda rng, number: number.translate(FULL_WIDTH),
    "spaced": lambda rng, number: f"{number[:6]} {number[6:14]} {number[14:]}",
    "apostrophe": lambda rng, number: f"'{number}",
}


def spoil_phones(rng: Rng, people: pd.DataFrame, shared: pd.DataFrame, rates: Rates) -> Texts:
    """The phones as written. people: phone, old_phone, landline; shared: worker, head, landlord (None where there is none)."""
    fate = mishaps(rng, len(people), rates)
    sources = {
        "old": people["old_phone"], "landline": people["landline"], "worker": shared["worker"], "head": shared["head"],
        "landlord": shared["landlord"], "placeholder": pd.Series(choose(rng, PLACEHOLDER_PHONES, len(people))),
    }  # fmt: skip
    written = people["phone"].to_numpy(dtype=object).copy()
    for name, source in sources.items():
        values = source.to_numpy(dtype=object)
        written = np.where((fate == name) & pd.notna(values), values, written)
    for name, slip in PHONE_SLIPS.items():
        here = np.flatnonzero(fate == name)
        written[here] = texts([slip(rng, str(number)) for number in written[here]])
    return either(fate == "missing", None, written)


def _phone_digit(rng: Rng, number: str) -> str:
    at = int(rng.integers(3, len(number)))
    return number[:at] + str(int(rng.integers(0, 10))) + number[at + 1 :]


PHONE_SLIPS: dict[str, Callable[[Rng, str], str]] = {
    "wrong_digit": _phone_digit,
    "short": lambda rng, number: number[:-1],
    "grouped": lambda rng, number: f"{number[:3]} {number[3:7]} {number[7:]}",
    "dashed": lambda rng, number: f"{number[:3]}-{number[3:7]}-{number[7:]}",
    "country": lambda rng, number: f"+86{number}",
    "masked": lambda rng, number: f"{number[:3]}****{number[7:]}",
    "two": lambda rng, number: f"{number}/0553-{int(rng.integers(2_000_000, 8_999_999))}",
}


def spoil_births(rng: Rng, people: pd.DataFrame, rates: Rates) -> Texts:
    """Birth dates as ISO texts: missing, the default 1900-01-01, the 1st of January, a day or year off, month and day exchanged."""
    written = people["birth"].dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
    fate = mishaps(rng, len(people), rates)
    off = people["birth"].to_numpy() + rng.choice([-10, -1, 1, 10, 30, 365], len(people)).astype("timedelta64[D]")
    written = np.where(fate == "off", pd.Series(off).dt.strftime("%Y-%m-%d").to_numpy(dtype=object), written)
    written = np.where(fate == "default", "1900-01-01", written)
    here = np.flatnonzero(fate == "year_only")
    written[here] = texts([day[:4] + "-01-01" for day in written[here]])
    here = np.flatnonzero(fate == "exchanged")
    written[here] = texts([day[:5] + day[8:] + day[4:7] if int(day[8:]) <= 12 else day for day in written[here]])
    return either(fate == "missing", None, written)


def dates_as(rng: Rng, iso: Texts, styles: Mapping[str, float]) -> Texts:
    """ISO dates as the feed writes them: iso, compact (19900101), dotted (1990.1.1), slashed (1990/1/1), chinese (1990年1月1日)."""
    fate = mishaps(rng, len(iso), styles)
    return texts(
        [
            None if not isinstance(day, str) else DATE_STYLES[style or "iso"](day)
            for day, style in zip(iso, fate, strict=True)
        ]
    )


DATE_STYLES: dict[str, Callable[[str], str]] = {
    "iso": lambda day: day,
    "compact": lambda day: day.replace("-", ""),
    "dotted": lambda day: f"{day[:4]}.{int(day[5:7])}.{int(day[8:10])}",
    "slashed": lambda day: f"{day[:4]}/{int(day[5:7])}/{int(day[8:10])}",
    "chinese": lambda day: f"{day[:4]}年{int(day[5:7])}月{int(day[8:10])}日",
}


def flip(rng: Rng, sex: np.ndarray, rate: float) -> Mask:
    """1 male, 2 female, with the other one written at the rate."""
    flipped: Mask = np.where(rng.random(len(sex)) < rate, 3 - sex, sex)
    return flipped
