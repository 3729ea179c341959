"""What a pair's levels need to know of all the data, counted once and kept with the model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.model import Tables, digest

Integers = npt.NDArray[np.int64]


def tables_of(evidence: pd.DataFrame, node: Integers) -> Tables:
    """Name frequencies and phone spreads over distinct persons, as far as the exact pass knows them.

    A name is counted over persons with numbers where these are the most: a row without one is usually theirs too.
    """
    owners = evidence["own"].to_numpy()
    counted = owners if 2 * owners.sum() > len(owners) else np.ones(len(evidence), dtype=bool)
    persons = pd.DataFrame({"name": evidence["name"], "phone": evidence["phone"], "node": node})
    names = persons[counted].drop_duplicates(["name", "node"])["name"].value_counts()
    phones = persons.dropna(subset=["phone"]).drop_duplicates(["phone", "name"])["phone"].value_counts()
    owned = evidence.assign(node=node)[owners]
    repeats = owned.duplicated(["feed", "node"]).groupby(owned["feed"]).mean()
    return Tables(
        shared_ids=tuple(sorted(digest(number) for number in evidence["shared_id"].dropna().unique())),
        nicknames=tuple(sorted(evidence.loc[evidence["nickname"], "name"].unique())),
        repeats={str(feed): float(share) for feed, share in repeats.items()},
        names={str(name): int(number) for name, number in names[names > 1].items()},
        phones={digest(str(phone)): int(number) for phone, number in phones[phones > 1].items()},
        people=len(np.unique(node)),
    )
