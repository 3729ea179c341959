"""Official numbers as aliases of codes: each with its scheme, plain where it may be, as a keyed digest where not."""

from __future__ import annotations

import re

import pandas as pd

from onegrid.sealing import Keyring
from schemas.dates import today
from schemas.identifiers import recognise, recognise_one
from schemas.kinds import KINDS

PURPOSE = "alias"  # of the blind index
DOCUMENT = "document"  # scheme of a document whose kind is not known
_RESIDENT = r"(?!8[123])[1-8][0-9]{16}[0-9X]"
PLAIN: dict[tuple[str, str | None, str], str] = {  # (type, kind or any, property) -> scheme
    ("organization", None, "uscc"): "uscc",
    ("thing", None, "number"): "component",
    ("place", "grid", "grid_code"): "grid",
    ("place", None, "division_code"): "division",
    ("household", "registered", "household_number"): "household_number",
    **{(kind, None, "registry_code"): "code" for kind in ("person", "place", "thing", "organization", "event")},
}
DIVISIONS = ("community", "street", "district", "village")  # kinds of places that a division code names


def aliases_of(values: pd.DataFrame, numbers: pd.DataFrame, keyring: Keyring) -> pd.DataFrame:
    """`scheme`, `value` (plain, or `\\x...` of the blind index), `blind` (bool), `group`: a line each.

    values: golden values with `group`, `type`, `kind`, `property`, `value`. numbers: every document number that records
    say of a person, `group` and `value`: one that lost to another still leads here.
    """
    plain = [_plain(values, *key, scheme) for key, scheme in PLAIN.items()]
    schemes = document_schemes(numbers["value"])
    blind = pd.DataFrame(
        {
            "scheme": schemes["scheme"],
            "value": keyring.blind_many(schemes["normal"], PURPOSE),
            "blind": True,
            "group": numbers["group"],
        }
    )
    return pd.concat([*plain, blind], ignore_index=True).drop_duplicates(ignore_index=True)


def document_scheme(number: str) -> tuple[str, str] | None:
    """`document_schemes` of one raw number, without a frame; None where nothing of a number is left."""
    cleaned = KINDS["id_number"].clean.one(number)
    if cleaned is None:
        return None
    if re.fullmatch(_RESIDENT, cleaned):
        return "resident_id", cleaned
    kind, normal, *_ = recognise_one(cleaned, today())
    return (str(kind) if kind != "unknown" else DOCUMENT), str(normal)


def document_schemes(numbers: pd.Series) -> pd.DataFrame:
    """`scheme` and `normal` form of each document number."""
    plain = numbers.str.fullmatch(_RESIDENT).fillna(False).astype(bool)  # nearly all: not worth a closer look
    found = pd.DataFrame({"scheme": "resident_id", "normal": numbers}, index=numbers.index).astype("str")
    rest = recognise(numbers[~plain])
    found.loc[~plain, "scheme"] = rest["kind"].where(rest["kind"] != "unknown", DOCUMENT)
    found.loc[~plain, "normal"] = rest["normal"]
    return found


def _plain(values: pd.DataFrame, kind_of: str, kind: str | None, name: str, scheme: str) -> pd.DataFrame:
    chosen = (values["property"] == name) & (values["type"] == kind_of)
    if kind is not None:
        chosen &= values["kind"] == kind
    if scheme == "division":
        chosen &= values["kind"].isin(DIVISIONS)
    lines = values.loc[chosen, ["value", "group"]]
    return lines.assign(scheme=scheme, blind=False)[["scheme", "value", "blind", "group"]]
