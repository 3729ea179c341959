"""What the columns of any table of people say, made ready for keys and comparisons: each kind of value folded once.

Text is compared as lower-case words without accents and marks, so that O'Neil, ONEIL and o neil are one spelling; dates as
YYYY-MM-DD whatever the column writes. Kinds that are parts of one thing (a birth date in three columns, a whole name)
are put together or taken apart here, so that comparisons see one form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

import pandas as pd

# kinds by how their text is read; a column of another kind is refused
WORDS = ("given_name", "middle_name", "surname", "street", "suburb", "state", "address")
WHOLE = ("sex", "relation", "race")
CODES = ("postcode", "house_number", "unit", "id_number", "phone", "household")
NUMBERS = ("age", "birth_year", "birth_month", "birth_day")
OTHERS = ("name", "birth_date", "source")
KINDS = (*WORDS, *WHOLE, *CODES, *NUMBERS, *OTHERS)
# kinds by the names other people give them
ALSO_CALLED = {
    "first_name": "given_name", "last_name": "surname", "family_name": "surname", "middle_initial": "middle_name",
    "full_name": "name", "date_of_birth": "birth_date", "gender": "sex", "zip": "postcode", "zipcode": "postcode",
    "street_number": "house_number", "city": "suburb", "ethnicity": "race", "race_ethnicity": "race", "ssn": "id_number",
    "household_number": "household", "relationship": "relation", "street_name": "street",
}  # fmt: skip
SEXES = {
    "m": "male",
    "f": "female",
    "1": "male",
    "2": "female",
    "male": "male",
    "female": "female",
    "男": "male",
    "女": "female",
}
YEAR_LENGTH = 4


def read_columns(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """The table by kind: a text column a kind that says anything, by name, missing where nothing is said; index 0..n-1.

    kinds: column -> kind, all known. Two columns of one kind are read as one text, in their order.
    """
    found = {kind: _folded(joined(frame, names), kind) for kind, names in columns_of(kinds).items()}
    table = pd.DataFrame(found, index=pd.RangeIndex(len(frame)))
    table = _with_birth(_with_name_parts(table)).dropna(axis="columns", how="all")
    return table[sorted(table.columns)]


def columns_of(kinds: Mapping[str, str]) -> dict[str, list[str]]:
    """kind -> its columns, in their order."""
    found: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        found.setdefault(kind, []).append(name)
    return found


def joined(frame: pd.DataFrame, names: list[str]) -> pd.Series:
    """Columns of one kind as one text, in their order; index 0..n-1."""
    texts = [_text(frame[name]) for name in names]
    if len(texts) == 1:
        return texts[0]
    whole = texts[0].fillna("")
    for text in texts[1:]:
        whole = whole + " " + text.fillna("")
    return whole.str.strip().replace("", None)


def _text(values: pd.Series) -> pd.Series:
    """As text; whole numbers that pandas holds as 3.0 for a gap beside them lose the '.0'."""
    text = values.astype("str").reset_index(drop=True)
    return text.str.removesuffix(".0") if pd.api.types.is_float_dtype(values.dtype) else text


def each(values: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    """The change over the distinct values; missing stays missing."""
    return values.map({value: change(value) for value in values.dropna().unique()}).astype("str")


def _folded(values: pd.Series, kind: str) -> pd.Series:
    if kind in ("source", "name"):
        return values
    if kind == "birth_date":
        return _dates(values)
    if kind == "sex":
        return each(values, lambda text: SEXES.get(text.strip().lower(), SEXES.get(text.strip().lower()[:1])))
    if kind in NUMBERS:
        return each(values, lambda text: (re.findall(r"\d+", text) or [None])[0])
    return each(values, _code if kind in CODES else _words)


def _words(text: str) -> str | None:
    """Lower-case words, accents and apostrophes dropped, other marks as blanks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]|_", " ", re.sub("['’`]", "", plain)).split()) or None


def _code(text: str) -> str | None:
    return re.sub(r"\W", "", unicodedata.normalize("NFKC", text).casefold()) or None


def _with_name_parts(table: pd.DataFrame) -> pd.DataFrame:
    """Whole names taken apart: 'Surname, Given' or 'Given Middle Surname'; columns that stand alone go first."""
    if "name" not in table:
        return table
    parts = table["name"].map({name: _parts(name) for name in table["name"].dropna().unique()})
    for at, kind in enumerate(("given_name", "middle_name", "surname")):
        part = parts.map(lambda triple, at=at: triple[at], na_action="ignore").astype("str")
        table[kind] = table[kind].fillna(part) if kind in table else part
    return table.drop(columns="name")


def _parts(name: str) -> tuple[str | None, str | None, str | None]:
    if "," in name:
        surname, given = name.split(",", 1)
        words = (_words(given) or "").split()
        return (words[0] if words else None, " ".join(words[1:]) or None, _words(surname))
    words = (_words(name) or "").split()
    if len(words) < 2:
        return None, None, words[0] if words else None
    return words[0], " ".join(words[1:-1]) or None, words[-1]


def _dates(values: pd.Series) -> pd.Series:
    """YYYY-MM-DD, or what is known of it. Where day and month stand in doubtful order, the column's own habit tells:

    whichever place more often holds a number that can be no month holds the day."""
    numbers = {value: _digits(value) for value in values.dropna().unique()}
    loose = [parts for parts in numbers.values() if len(parts) == 3 and len(parts[2]) == YEAR_LENGTH]
    day_first = sum(int(parts[0]) > 12 for parts in loose) > sum(int(parts[1]) > 12 for parts in loose)
    return values.map({value: _date(parts, day_first) for value, parts in numbers.items()}).astype("str")


def _digits(text: str) -> list[str]:
    parts: list[str] = re.findall(r"\d+", text.split("T", maxsplit=1)[0])
    if len(parts) == 1 and len(parts[0]) == 8:
        return [parts[0][:4], parts[0][4:6], parts[0][6:]]
    return parts[:3]


def _date(parts: list[str], day_first: bool) -> str | None:
    if not parts or (len(parts) == 1 and len(parts[0]) != YEAR_LENGTH):
        return None
    if len(parts) == 3 and len(parts[2]) == YEAR_LENGTH:
        day, month = (parts[0], parts[1]) if day_first else (parts[1], parts[0])
        parts = [parts[2], month, day]
    return "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])


def _with_birth(table: pd.DataFrame) -> pd.DataFrame:
    """One `birth`, and the parts of it that keys are made of."""
    parts = [table.get(kind) for kind in ("birth_year", "birth_month", "birth_day")]
    birth = table.get("birth_date")
    if parts[0] is not None:
        joined = parts[0]
        for part in parts[1:]:
            joined = joined if part is None else joined + "-" + part.str.zfill(2)
        joined = joined.fillna(parts[0])
        birth = joined if birth is None else birth.fillna(joined)
    kept = table.drop(
        columns=[name for name in ("birth_date", "birth_year", "birth_month", "birth_day") if name in table]
    )
    return kept if birth is None else kept.assign(birth=birth)
