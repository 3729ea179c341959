"""The keys by which rows of any table of people become candidates: two rows of one person seldom differ in all of them."""

from __future__ import annotations

import pandas as pd

from matching.blocking import Rule
from matching.sounds import soundex
from matching.table_columns import each
from matching.table_levels import DATE

WIDE = 2500  # pairs a block of two personal values may give: 50 rows against 50, namesakes of a large town
START = 3  # characters that begin a name: typing errors are rarest there

KEYS: tuple[Rule, ...] = (
    Rule(("id_number",)),
    Rule(("phone",)),
    Rule(("given_name", "surname"), limit=WIDE),
    Rule(("given_name", "surname"), ("surname", "given_name")),
    Rule(("given_name", "birth"), limit=WIDE),
    Rule(("surname", "birth"), limit=WIDE),
    Rule(("given_sound", "birth"), limit=WIDE),
    Rule(("surname_sound", "birth"), limit=WIDE),
    Rule(("given_initial", "surname_initial", "birth"), limit=WIDE),
    Rule(("given_sound", "surname_sound", "birth_year"), limit=WIDE),
    Rule(("given_sound", "surname_sound", "age")),
    Rule(("given_name", "surname_sound", "month_day"), limit=WIDE),
    Rule(("given_sound", "surname", "month_day"), limit=WIDE),
    Rule(("given_start", "surname_start", "month_day"), limit=WIDE),
    Rule(("given_start", "surname_start", "birth_year"), limit=WIDE),
    Rule(("given_name", "surname_start", "year_month"), limit=WIDE),
    Rule(("given_name", "surname_start", "year_day"), limit=WIDE),
    Rule(("given_start", "surname", "year_month"), limit=WIDE),
    Rule(("given_start", "surname", "year_day"), limit=WIDE),
    Rule(("birth", "postcode")),
    Rule(("birth", "suburb")),
    Rule(("given_name", "street")),
    Rule(("surname", "street")),
    Rule(("given_name", "postcode")),
    Rule(("surname", "postcode")),
    Rule(("given_name", "suburb")),
    Rule(("house_number", "street")),
    Rule(("house_number", "street_sound")),
    Rule(("address",)),
    Rule(("household",)),
)


def with_keys(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns KEYS are made of: sounds, beginnings and initials of names, parts of whole birth dates."""
    made = {}
    for kind, short in (("given_name", "given"), ("surname", "surname")):
        if kind in table:
            made[f"{short}_sound"] = each(table[kind], soundex)
            made[f"{short}_start"] = table[kind].str[:START]
            made[f"{short}_initial"] = table[kind].str[:1]
    if "birth" in table:
        whole = table["birth"].where(table["birth"].str.len() == DATE)
        made |= {"birth_year": table["birth"].str[:4], "year_month": whole.str[:7], "month_day": whole.str[5:]}
        made["year_day"] = whole.str[:4] + whole.str[8:]
    if "street" in table:
        made["street_sound"] = each(table["street"], soundex)
    return table.assign(**made)
