"""Organizations: which rows mean the same enterprise, shop, institution or association."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from matching.places import Places
from schemas.records import Matched, Records, column

LEGAL_FORM = re.compile(r"(?:有限责任公司|股份有限公司|有限公司|个体工商户|合伙企业|分公司)$")
BRACKETED = re.compile(r"\([^)]*\)")


def fold_organization(name: str) -> str:
    """The form two spellings of one name share: no brackets, blanks or legal form."""
    plain = re.sub(r"[\s·,，.。\-]+", "", BRACKETED.sub("", name.replace("（", "(").replace("）", ")")))
    return LEGAL_FORM.sub("", plain) or plain


def match_organizations(records: Records, _: Places) -> Matched:
    """Members of type organization: one by a valid code, else by the same folded name in the same division."""
    raw = records.frame("organization").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    name = column(raw, "name").map(fold_organization, na_action="ignore")
    uscc = column(raw, "uscc")
    area = records.division(raw).str[:6]
    key = (area + "|" + name).fillna("#" + raw["rid"].astype("str"))
    of_name = pd.Series(uscc.to_numpy(), index=key).dropna().groupby(level=0).nunique()
    code = uscc.fillna(key.map(pd.Series(uscc.to_numpy(), index=key).dropna().groupby(level=0).first()).where(key.map(of_name) == 1))
    final = code.fillna(key)
    cluster = raw["rid"].groupby(final).transform("min")
    how = np.where(uscc.notna(), "code", "name")
    members = {"rid": raw["rid"], "type": "organization", "kind": "", "cluster": cluster, "how": how, "weight": np.nan}
    return Matched(members=pd.DataFrame(members))
