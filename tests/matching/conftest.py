"""A small street with its truth: families, four feeds, and the usual damage to names, numbers and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stdnum.iso7064 import mod_11_2

from schemas.records import Feed, Records

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国玉兰红梅志文海燕鹏飞晓东宇轩子涵欣怡浩然佳琪梓睿思"
FEEDS = (("hukou", "district"), ("police", "community"), ("grid", "grid"), ("app", "district"))


@dataclass(frozen=True)
class Street:
    """records and places as the stages hand them over; truth: `rid`, `person`, `home` (lives), `book` (registered)."""

    records: Records
    places: Any
    truth: pd.DataFrame


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.people: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def number(self, birth: str, sex: str) -> str:
        serial = int(self.random.integers(0, 500)) * 2 % 998 + (sex == "male")
        body = f"340202{birth.replace('-', '')}{serial:03d}"
        return str(body + mod_11_2.calc_check_digit(body))

    def phone(self) -> str:
        return f"13{self.random.integers(10**8, 10**9)}"

    def name(self, surname: str) -> str:
        return surname + "".join(self.random.choice(list(GIVEN), 2))

    def family(self, home: int) -> None:
        own, other = self.random.choice(list(SURNAMES), 2)
        year = int(self.random.integers(1950, 1998))
        plan = [("02", "male", own, year), ("10", "female", other, year + 2)]
        plan += [
            (r, s, own, year + 26 + 2 * n) for n, (r, s) in enumerate([("20", "male"), ("30", "female")][: home % 3])
        ]
        shared, head = self.phone(), ""
        for relation, sex, surname, born in plan:
            birth = f"{born}-{self.random.integers(1, 13):02d}-{self.random.integers(1, 29):02d}"
            number = self.number(birth, sex)
            head = head or number
            phone = shared if relation in "20 30" and born > 2008 else self.phone()
            self.people.append(
                {
                    "person": len(self.people), "book": home, "relation": relation, "sex": sex, "birth": birth,
                    "name": self.name(surname), "number": number, "head": head, "phone": phone, "home": home,
                }
            )  # fmt: skip

    def row(self, source: str, q: dict[str, Any], **values: Any) -> None:
        seen = {"hukou": "2023-01-01", "police": "2024-05-01", "grid": "2025-05-01", "app": "2025-07-01"}[source]
        self.rows.append({"source": source, "person": q["person"], "updated_at": seen, "name": q["name"], **values})

    def typed(self, name: str) -> str:
        if self.chance(0.02):
            return name[:1] + "?" + name[2:]
        return name[:1] + self.random.choice(list(GIVEN)) + name[2:] if self.chance(0.02) else name

    def feeds(self, q: dict[str, Any]) -> None:
        child = q["birth"] > "2008"
        self.row(
            "hukou", q, id_number=q["number"], sex=q["sex"], birth_date=q["birth"], relation_to_head=q["relation"],
            head_id_number=q["head"], household_number=f"{q['book']:09d}", place=q["book"],
        )  # fmt: skip
        if self.chance(0.5):
            number = q["head"] if child and self.chance(0.3) else q["number"]
            self.row("police", q, id_number=number, birth_date=q["birth"], phone=q["phone"], place=q["home"])
        if self.chance(0.6):
            whole, damage = self.chance(0.5), q["number"][:6] + "********" + q["number"][14:]
            values = (
                {"id_number": q["number"]} if whole else {"id_number.withheld": damage if self.chance(0.5) else None}
            )
            self.row(
                "grid", q | {"name": self.typed(q["name"])}, sex=q["sex"], phone=q["phone"], place=q["home"], **values
            )
        if self.chance(0.6) and not child:
            self.row("app", q, phone=q["phone"], place=q["home"] if self.chance(0.8) else None)


def make_street(homes: int, seed: int) -> Street:
    """A street of so many homes; the same seed gives the same street."""
    maker = _Maker(seed)
    for home in range(homes):
        maker.family(home)
    for q in maker.people:
        if maker.chance(0.1):
            q["home"] = int(maker.random.integers(0, homes))
        maker.feeds(q)
    frame = pd.DataFrame(maker.rows)
    frame["rid"] = np.arange(len(frame)) + 100
    place = frame["place"].astype("Int64")
    places = pd.DataFrame({"rid": frame["rid"], "dwelling": place, "building": place // 20, "estate": place // 100})
    places["community"] = place // 300
    people = pd.DataFrame(maker.people)[["person", "home", "book"]]
    truth = frame[["rid", "person"]].merge(people, on="person")
    text = frame.drop(columns=["rid", "person", "place"]).astype("str")
    records = text.assign(rid=frame["rid"], key=frame["rid"].astype("str"), role="")
    feeds = {name: Feed(name, level, "340202004", rank=rank) for rank, (name, level) in enumerate(FEEDS)}
    return Street(Records({"person": records}, feeds), SimpleNamespace(homes=places, registered=places.head(0)), truth)


@pytest.fixture(scope="session")
def street() -> Street:
    return make_street(400, 5)


def pairwise(found: pd.Series, truth: pd.Series) -> tuple[float, float]:
    """Precision and recall over pairs of rows."""
    both = pd.DataFrame({"found": found.to_numpy(), "truth": truth.to_numpy()})
    pairs = [
        float((n * (n - 1) / 2).sum())
        for n in (both.value_counts(), both["found"].value_counts(), both["truth"].value_counts())
    ]
    return pairs[0] / max(pairs[1], 1), pairs[0] / max(pairs[2], 1)


@pytest.fixture(scope="session")
def precision_recall() -> Any:
    return pairwise
