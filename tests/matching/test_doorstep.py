"""Questions at the door: weighed as Splink weighs, read one by one as in a list, and led to whom they mean."""

from __future__ import annotations

import numpy as np
import orjson
import pandas as pd
import pytest

from matching.asked import COLUMNS, Heads, asked_list, asked_rows, columns_of
from matching.doorstep import CERTAIN, KEYS, KNOWN, POSSIBLE, STORED, Evaluator, Stacked, kept_of, tokens, verdicts
from matching.evidence import gather
from matching.levels import BASE, LEVELS, STATED, Comparer, digest
from matching.model import Level, Model, Tables, predict
from matching.places import match_places
from schemas.identifiers import id_check
from schemas.records import Feed, Records

SECRET = "0123456789abcdef"
NUMBERS = [f"3402021980{month:02}0{day}46{sex}" for month in (3, 4, 11) for day in (1, 2) for sex in (2, 3)]
WHOLE = [number + id_check(number) for number in NUMBERS]
HEADS = Heads({("340202", "幸福"): "340202|幸福", ("340202", "幸福路|18"): "340202|幸福"})


@pytest.fixture(scope="module")
def model() -> Model:
    """The stated weights, made uneven so that no two sums meet by chance."""
    comparisons = {
        name: tuple(Level(label, 0.5, 0.5, weight + 0.01 * at) for at, (label, weight) in enumerate(zip(LEVELS[name], STATED[name], strict=True)))
        for name in LEVELS
    }  # fmt: skip
    return Model(comparisons, BASE, Tables(names={"王伟": 60, "李娜": 7}, phones={digest("13900000001"): 40}))


def random_rows(size: int, seed: int) -> dict[str, np.ndarray]:
    """Rows of few values, so that every level is met often."""
    random = np.random.default_rng(seed)
    pools = {
        "name": ["王伟", "王玮", "李娜", "李*", "欧阳娜娜", "王小伟", None],
        "birth": ["1980-03-01", "1980-03-02", "1980", "1991-12-30", None],
        "sex": ["male", "female", None],
        "phone": ["13900000001", "13900000002", "13800000003", None],
        "phone_mask": ["139****0001", None, None, None],
        "dwelling": [1, 2, None],
        "building": [11, 12, None],
        "estate": [21, 22, None],
        "community": ["a", "b", None],
        "unit": ["1", "2", None],
        "room": ["101", "102", None],
        "registered": [1, 2, 3, None],
        "id": [*WHOLE[:4], None, None],
        "id_mask": [WHOLE[0][:6] + "?" * 8 + WHOLE[0][14:], WHOLE[1][:17] + "0", None, None, None],
        "household_number": ["1", "2", None],
        "head_id": [*WHOLE[:2], None],
        "relation": ["02", "10", "20", None],
        "ethnicity": ["01", "05", None],
        "former": ["王伟", None, None, None],
        "nick": ["伟", None, None, None, None],
        "pointer": ["王伟", None, None, None, None, None],
    }
    rows = {name: np.array(pool, dtype=object)[random.integers(len(pool), size=size)] for name, pool in pools.items()}
    rows["full"] = np.array([name if name and "*" not in name else None for name in rows["name"]], dtype=object)
    for name, share in (("display", 0.1), ("own", 0.5), ("lent", 0.1)):
        rows[name] = (random.random(size) < share).astype(object)
    return rows


def test_ten_thousand_pairs_weigh_as_splink_predicts(model: Model) -> None:
    asked, stored = random_rows(300, 1), random_rows(900, 2)
    asked |= dict.fromkeys(("surname", "sound", "tail"), asked["name"])
    rows = Stacked(asked, [list(row) for row in zip(*(stored[name].tolist() for name in STORED), strict=True)])
    random = np.random.default_rng(3)
    a, b = random.integers(300, size=10_000), 300 + random.integers(900, size=10_000)
    evaluator = Evaluator(model)
    levels = Comparer(rows, model.tables).levels(a, b)
    np.testing.assert_allclose(evaluator.score(rows, a, b), predict(model, levels), atol=1e-6)
    assert all(levels[name].nunique() > len(LEVELS[name]) / 2 for name in LEVELS if name not in ("feed", "beside"))


def test_one_person_of_one_record_weighs_as_the_pair(model: Model) -> None:
    asked, stored = random_rows(1, 5), random_rows(400, 6)
    asked |= {"id": np.array([None], dtype=object), "id_mask": np.array([None], dtype=object)}
    rows = Stacked(asked, [list(row) for row in zip(*(stored[name].tolist() for name in STORED), strict=True)])
    a, b = np.zeros(400, dtype=np.int64), np.arange(1, 401)
    found = Evaluator(model).weigh(rows, a, b, np.arange(400))
    pairs = Evaluator(model).score(rows, a, b)
    np.testing.assert_allclose(found.weight, np.where(found.weight < POSSIBLE, found.weight, pairs))
    assert (found.weight <= pairs + 1e-9).all()


def district() -> tuple[Records, pd.DataFrame]:
    """Four persons in two homes; what the first is known by stands in two records."""
    rows = [
        {
            "key": "1",
            "name": "张建国",
            "id_number": WHOLE[0],
            "address": "幸福小区3栋1单元502",
            "birth_date": "1980-03-01",
        },
        {"key": "2", "name": "张建国", "id_number": WHOLE[0], "phone": "13800000117"},
        {
            "key": "3",
            "name": "李秀英",
            "id_number": WHOLE[4],
            "address": "幸福小区3栋1单元502",
            "former_name": "李小英",
        },
        {"key": "4", "name": "王浩然", "address": "幸福小区3栋2单元301"},
        {"key": "5", "name": "赵敏", "id_number": WHOLE[6], "phone": "13800000118", "address": "幸福小区5栋1单元101"},
    ]
    frame = pd.DataFrame(rows).astype("str").assign(rid=range(len(rows)), source="police", role="")
    records = Records({"person": frame}, {"police": Feed("police", "district", "340202")})
    places = match_places(records)
    return records, kept_of(gather(records, places), places, SECRET)


def met(said: dict[str, str]) -> set[int]:
    """The records that the tokens of a question lead to."""
    _, kept = district()
    found = tokens(columns_of(asked_rows(said, HEADS, "340202")), SECRET)
    wanted = {int(token) for _, many in found for token in many}
    return set(kept.tokens.loc[kept.tokens["token"].isin(wanted), "rid"])


@pytest.mark.parametrize(
    ("said", "records"),
    [
        ({"id_number": WHOLE[0]}, {0, 1}),
        ({"id_number": WHOLE[0][-6:]}, {0, 1}),
        ({"id_number": WHOLE[0][:6] + "********" + WHOLE[0][-4:], "name": "张建国"}, {0, 1}),
        ({"phone": "138 0000 0117"}, {1}),
        ({"name": "张建国"}, {0, 1}),
        ({"name": "章建国"}, {0, 1}),
        ({"name": "李小英"}, {2}),
        ({"address": "幸福小区三栋1单元502室"}, {0, 2}),
        ({"address": "幸福路18号3幢1-502"}, {0, 2}),
        ({"address": "幸福小区3栋502"}, {0, 2}),
        ({"name": "王先生", "address": "幸福小区3栋"}, {3}),
        ({"name": "司马相如"}, set()),
    ],
)  # fmt: skip
def test_a_question_leads_to_whom_it_may_mean(said: dict[str, str], records: set[int]) -> None:
    assert met(said) >= records if records else met(said) == set()
    assert 4 not in met(said)


def test_tokens_of_another_key_never_meet() -> None:
    _, kept = district()
    found = tokens(
        columns_of(asked_rows({"id_number": WHOLE[0], "name": "张建国"}, HEADS, "340202")), "fedcba9876543210"
    )
    assert not set(kept.tokens["token"]) & {int(token) for _, many in found for token in many}


def test_one_by_one_is_read_as_in_a_list() -> None:
    said = [
        {"name": "张建国", "phone": "13800000117", "address": "幸福路18号3栋1单元502"},
        {"name": "王先生", "address": "幸福小区3-501", "sex": "male"},
        {"name": "李四之子", "id_number": WHOLE[2], "birth_date": "1980-03-02"},
        {"name": "老王", "address": "幸福小区"},
        {"name": "夏天的风儿", "phone": "13800000118"},
    ]
    frame = pd.DataFrame(said, columns=["name", "phone", "address", "sex", "id_number", "birth_date"]).astype("str")
    frame = frame.assign(rid=range(len(said)), source="list", key=frame.index.astype("str"), role="")
    records = Records({"person": frame}, {"list": Feed("list", "district", "340202")})
    listed, of = asked_list(frame, records, HEADS, "340202")
    many = {(int(row), tuple(listed[name][at] for name in COLUMNS)) for at, row in enumerate(of)}
    one = {
        (at, tuple(row[name] for name in COLUMNS))
        for at, asked in enumerate(said)
        for row in asked_rows({**asked}, HEADS, "340202")
    }
    assert many == one


def test_a_whole_number_decides_and_another_forbids(model: Model) -> None:
    records, kept = district()
    bodies = [orjson.loads(body) for body in kept.bodies.loc[[0, 2]]]
    evaluator = Evaluator(model)

    def weights(said: dict[str, str]) -> list[float]:
        asked = columns_of(asked_rows(said, HEADS, "340202"))
        return evaluator.weigh(
            Stacked(asked, bodies), np.array([0, 0]), np.array([1, 2]), np.array([0, 1])
        ).weight.tolist()

    first, second = weights({"id_number": WHOLE[0]})
    assert first == CERTAIN
    assert second < POSSIBLE
    same_name = weights({"name": "张建国", "id_number": WHOLE[2], "address": "幸福小区3栋1单元502"})
    assert max(same_name) < POSSIBLE, "another whole number is another person, whoever's name it is"
    other_name = weights({"name": "钱七", "id_number": WHOLE[0]})
    assert other_name[0] < CERTAIN, "a borrowed number does not decide"
    assert len(records.frame("person")) == 5


def test_of_a_persons_records_each_tells_what_it_knows(model: Model) -> None:
    _, kept = district()
    bodies = [orjson.loads(body) for body in kept.bodies.loc[[0, 1]]]
    asked = columns_of(
        asked_rows({"name": "张建国", "phone": "13800000117", "address": "幸福小区3栋1单元502"}, HEADS, "340202")
    )
    evaluator, a, b = Evaluator(model), np.array([0, 0]), np.array([1, 2])
    apart = evaluator.weigh(Stacked(asked, bodies), a, b, np.array([0, 1])).weight
    (together,) = evaluator.weigh(Stacked(asked, bodies), a, b, np.array([0, 0])).weight
    assert together > apart.max()


@pytest.mark.parametrize(
    ("weights", "records", "order", "found"),
    [
        ([KNOWN, -9.0], [1, 1], [0], ["known"]),
        ([KNOWN - 0.1], [1], [0], ["possible"]),
        ([KNOWN, KNOWN + 9], [1, 1], [1, 0], ["known", "possible"]),
        ([KNOWN, KNOWN + 1], [1, 1], [1, 0], ["possible", "possible"]),
        ([KNOWN, KNOWN], [1, 5], [1, 0], ["possible", "possible"]),
        ([POSSIBLE - 0.1], [1], [], []),
        ([], [], [], []),
    ],
)  # fmt: skip
def test_verdicts(weights: list[float], records: list[int], order: list[int], found: list[str]) -> None:
    places, verdict = verdicts(np.array(weights), records)
    assert (places.tolist(), verdict) == (order, found)


def test_every_key_is_used_and_rarer_ones_tell_more() -> None:
    bits = {(key.columns, key.place): key.bits for key in KEYS}
    assert len(bits) == len(KEYS)
    assert bits[("full",), "building"] > bits[("full",), "estate"] > bits[("full",), None]
