"""Free labels: pairs that trusted ids decide, with one side's id hidden as if it had never been delivered.

Hidden on that side: the number, and birth date and sex where only the number gave them. The sample has the same mixture
of feeds as the records the model will have to place, and some of its names are masked or taken away, since numbers come
with full names and what comes without number often does not. Some hidden rows lose all other rows of their person: who
has no number may be in no other feed, and then only namesakes and neighbours are left to be compared with.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.blocking import candidates
from matching.levels import BASE, LEVELS, STATED, levels_of
from matching.model import Model, train
from matching.tables import tables_of
from schemas.names import MANY

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
SAMPLE = 20_000  # hidden rows: some hundred thousand labelled pairs, enough for three digits of every common level
SHARE = 3  # at most one own row in this many of a feed is hidden: the others are what it is compared with
HIDDEN = ("id", "own_id", "id_head", "id_tail", "id_key", "id_mask")
MASKED_NAMES = 0.08  # share of hidden rows whose given name is masked
UNSEEN = 0.15  # share of hidden rows whose person is taken out of all other feeds
NO_NAMES = 0.03  # share of hidden rows without any name


class Labelled(NamedTuple):
    """Candidate pairs (positions in `evidence`) of rows whose number was hidden, and which of them are one person's.

    recall: share of all pairs of a hidden row with another row of its person that blocking found without the numbers.
    """

    evidence: pd.DataFrame
    a: Integers
    b: Integers
    same: Flags
    recall: float


def train_people(evidence: pd.DataFrame, node: Integers) -> tuple[Model, float]:
    """A model for people from the data at hand, and the blocking recall seen on the way (missing without labels).

    node: the exact pass's group of each evidence row.
    """
    tables = tables_of(evidence, node)
    labelled = label(evidence, node, hidden_sample(evidence))
    levels = levels_of(labelled.evidence, tables, labelled.a, labelled.b) if len(labelled.a) else _no_levels()
    levels["same"] = labelled.same
    return train(levels, LEVELS, STATED, BASE, tables), labelled.recall


def hidden_sample(evidence: pd.DataFrame) -> Integers:
    """Positions of the rows to hide: owners of their numbers, feeds in proportion to the rows without."""
    order = pd.util.hash_pandas_object(evidence[["id", "source", "name"]].astype("str"), index=False).to_numpy()
    own, loose = evidence["own"], evidence.loc[~evidence["own"], "source"].value_counts()
    if loose.empty:
        loose = evidence["source"].value_counts()
    picked = []
    for source, number in sorted(loose.items()):
        rows = np.flatnonzero(own & (evidence["source"] == source))
        most = min(int(SAMPLE * number / loose.sum()) + 1, len(rows) // SHARE + 1)
        picked.append(rows[np.argsort(order[rows], kind="stable")][:most])
    return np.sort(np.concatenate(picked)) if picked else np.empty(0, np.int64)


def label(evidence: pd.DataFrame, node: Integers, sample: Integers) -> Labelled:
    """Hide the sample's numbers and label the candidate pairs that result.

    Pairs that the ids leave open (a number that may not be the row's own) are left out.
    """
    masked = hide(evidence, sample)
    loose = np.zeros(len(evidence), dtype=bool)
    loose[sample] = True
    unseen = masked["unseen"].to_numpy() == 1
    keep = np.flatnonzero(evidence["own"] & ~(np.isin(node, node[unseen]) & ~loose))
    found = candidates(masked.iloc[keep].reset_index(drop=True), loose[keep], by_id=False)
    a, b = keep[found.a], keep[found.b]
    same = node[a] == node[b]
    trusted = evidence["trusted"].to_numpy()
    told = (same | (trusted[a] & trusted[b])) & ~(loose[a] & loose[b])
    shown = np.bincount(node[keep[~loose[keep]]], minlength=len(node))
    possible = shown[node[sample]].sum()
    recall = float((same & told).sum() / possible) if possible else float("nan")
    return Labelled(masked, a[told], b[told], same[told], recall)


def hide(evidence: pd.DataFrame, sample: Integers) -> pd.DataFrame:
    """The evidence as if the sample's rows had come without number, some with a masked name or none."""
    masked = evidence.copy()
    rows = masked.index[sample]
    masked.loc[rows, list(HIDDEN)] = pd.NA
    masked.loc[rows, "own"] = False
    masked.loc[rows, "birth"] = evidence.loc[rows, "birth_column"]
    masked.loc[rows, "sex"] = evidence.loc[rows, "sex_said"]
    masked.loc[rows, "decade"] = masked.loc[rows, "birth"].str[:3]
    masked["unseen"] = 0
    chance = np.random.default_rng(len(sample)).random(len(sample))
    masked.loc[rows[(chance > MASKED_NAMES) & (chance < MASKED_NAMES + UNSEEN)], "unseen"] = 1
    veiled = rows[chance < MASKED_NAMES]
    masked.loc[veiled, "name"] = masked.loc[veiled, "surname"] + MANY
    masked.loc[veiled, "open_surname"] = masked.loc[veiled, "surname"]
    masked.loc[veiled, ["full", "given", "sound"]] = pd.NA
    masked.loc[rows[chance > 1 - NO_NAMES], ["name", "full", "given", "sound", "surname", "open_surname"]] = pd.NA
    return masked


def _no_levels() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="int64") for name in LEVELS})
