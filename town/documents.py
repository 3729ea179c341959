"""Document numbers: resident ids (GB 11643-1999), residence permits, travel permits, passports; social credit codes (GB 32100-2015)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from town.draw import Ints, Rng, Texts, choose, joined, strings, table, texts

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECKS = np.array(list("10X98765432"), dtype=object)
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SHARES = {  # where a person was first registered, by whether the household is local
    True: {"here": 0.62, "near": 0.25, "province": 0.11, "far": 0.02},
    False: {"near": 0.30, "province": 0.40, "far": 0.30},
}


def check_digits(first17: Texts) -> Texts:
    """The 18th characters, ISO 7064 MOD 11-2."""
    digits = np.frombuffer("".join(first17).encode(), dtype=np.uint8).reshape(len(first17), 17).astype(int) - 48
    checks: Texts = CHECKS[digits @ WEIGHTS % 11]
    return checks


def draw_counties(rng: Rng, local: np.ndarray, group: Texts) -> Texts:
    """Six-digit codes of first registration; residence permits begin with 810000, 820000 or 830000."""
    lists = table("counties.tsv").groupby("where")["code"].apply(list)
    codes = np.full(len(local), "", dtype=object)
    for value, shares in SHARES.items():
        here = np.flatnonzero(local == value)
        where = rng.choice(list(shares), len(here), p=list(shares.values()))
        for name in shares:
            chosen = here[where == name]
            codes[chosen] = choose(rng, lists[name], len(chosen))
    codes = np.where(np.isin(group, ["uyghur", "tibetan"]), choose(rng, lists["minority"], len(codes)), codes)
    return np.where(group == "hmt", choose(rng, ["810000", "820000", "830000"], len(codes)), codes)


def draw_ids(rng: Rng, people: pd.DataFrame) -> Texts:
    """18-digit ids of county, birth and sex, none twice; twins have neighbouring numbers, as they are registered together."""
    stem = people["county"].to_numpy(dtype=object) + births(people["birth"])
    odd = people["sex"].to_numpy() % 2
    serial: Ints = rng.integers(0, 500, len(people)) * 2 + odd
    twins = np.flatnonzero(people["twin"])
    serial[twins] = (serial[twins - 1] // 2 * 2 + 2) % 1000 + odd[twins]
    stem[twins] = stem[twins - 1]
    for _ in range(200):
        again = np.flatnonzero(pd.Series(stem + strings(serial, 3)).duplicated())
        if not len(again):
            break
        serial[again] = rng.integers(0, 500, len(again)) * 2 + odd[again]
    first17 = stem + strings(serial, 3)
    return joined(first17, check_digits(first17))


def births(dates: pd.Series) -> Texts:
    """YYYYMMDD."""
    days: Texts = dates.dt.strftime("%Y%m%d").to_numpy(dtype=object)
    return days


def draw_documents(rng: Rng, people: pd.DataFrame, ids: Texts) -> pd.DataFrame:
    """id_type and id_number: ids for citizens; permits for residents of Hong Kong, Macau and Taiwan; cards and passports of foreigners."""
    size, group = len(people), people["people_group"].to_numpy()
    digits = strings(rng.integers(10_000_000, 99_999_999, size))
    county = people["county"].to_numpy(dtype=object)
    permit = np.select([county == "810000", county == "820000"], ["H" + digits, "M" + digits], digits)
    kind = rng.random(size)
    card = (
        texts(["934" + c for c in strings(rng.choice([840, 826, 392, 410, 643], size), 3)])
        + births(people["birth"])
        + strings(rng.integers(0, 500, size) * 2 + people["sex"].to_numpy() % 2, 3)
    )
    card += check_digits(texts([c[:17] for c in card]))
    passport = choose(rng, list("ABCKLMPRT"), size) + digits
    hmt, foreign = group == "hmt", group == "foreign"
    number = np.select([hmt & (kind < 0.5), foreign & (kind < 0.35), foreign], [permit, card, passport], ids)
    types = np.select(
        [hmt & (kind < 0.5) & (county == "830000"), hmt & (kind < 0.5), hmt, foreign & (kind < 0.35), foreign],
        [
            "taiwan_travel_permit",
            "hk_macau_travel_permit",
            "hmt_residence_permit",
            "foreign_permanent_resident_card",
            "foreign_passport",
        ],
        "resident_id",
    ).astype(object)
    return pd.DataFrame({"id_type": types, "id_number": number}, index=people.index)


def draw_usccs(rng: Rng, traders: np.ndarray) -> Texts:
    """Unified social credit codes with both check digits: 92 for sole traders, 91 for companies."""
    body = [f"{n:08}" for n in rng.choice(99_999_999, len(traders), replace=False).tolist()]
    first = [
        ("92" if trader else "91") + "340202" + _org("MA" + code[:6])
        for trader, code in zip(traders.tolist(), body, strict=True)
    ]
    return texts([code + _uscc(code) for code in first])


def _org(first8: str) -> str:
    """GB 11714: the organization code with its ninth character."""
    values = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rest = 11 - sum(values.index(c) * w for c, w in zip(first8, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return first8 + {10: "X", 11: "0"}.get(rest, str(rest))


def _uscc(first17: str) -> str:
    return LETTERS[-sum(LETTERS.index(c) * pow(3, i, 31) for i, c in enumerate(first17)) % 31]
