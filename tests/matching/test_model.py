"""The scoring model: trained on labels, the same to the byte in any order, and scored alike by Splink and by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from matching.additive import fit
from matching.model import MAX_WEIGHT, Model, Tables, predict, train

LEVELS = {"name": ("same", "near", "different"), "home": ("same", "elsewhere"), "id": ("fits", "does not fit")}
STATED = {"name": (8.0, 1.0, -6.0), "home": (5.0, -1.0), "id": (11.0, -4.0)}


def labelled(size: int = 3000) -> pd.DataFrame:
    """Pairs as blocking leaves them: of two people either the name or the home agrees, hardly ever both."""
    random = np.random.default_rng(4)
    same = random.random(size) < 0.4
    by_name = random.random(size) < 0.5
    name = np.where(same, random.choice(3, size, p=[0.9, 0.08, 0.02]), np.where(by_name, 0, 2))
    home = np.where(same, random.choice(2, size, p=[0.8, 0.2]), np.where(by_name & (random.random(size) < 0.98), 1, 0))
    unknown = random.random(size) < 0.1
    return pd.DataFrame({"name": name, "home": np.where(unknown, -1, home), "id": -1, "same": same})


@pytest.fixture(scope="module")
def model() -> Model:
    return train(labelled(), LEVELS, STATED, -8.0, Tables(names={"王伟": 30}, phones={"ab": 3}, people=9))


def test_training_repeats_to_the_byte_in_any_order(model: Model) -> None:
    shuffled = labelled().sample(frac=1, random_state=1)
    again = train(shuffled, LEVELS, STATED, -8.0, model.tables)
    assert again.to_json() == model.to_json()
    assert again.version == model.version


def test_splink_and_the_plain_sum_agree(model: Model) -> None:
    grid = pd.DataFrame(
        [(n, h, i) for n in (-1, 0, 1, 2) for h in (-1, 0, 1) for i in (-1, 0, 1)], columns=list(LEVELS)
    )
    np.testing.assert_array_equal(predict(model, grid), model.score(grid))


def test_scores_are_whole_millionths_of_a_bit(model: Model) -> None:
    """So that every engine's sum is the same number, whatever the order of summing."""
    parts = [model.base, *(level.weight for ladder in model.comparisons.values() for level in ladder)]
    assert parts == [round(part, 6) for part in parts]
    grid = pd.DataFrame({"name": [0, 1, 2, 0], "home": [0, -1, 1, 1], "id": [-1, 0, 1, 1]})
    assert model.score(grid).tolist() == [round(score, 6) for score in model.score(grid).tolist()]


def test_a_file_gives_the_model_back(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    back = Model.load(tmp_path / "model.json")
    assert back.version == model.version
    assert back.score(pd.DataFrame({"name": [0], "home": [1], "id": [-1]})) == pytest.approx(
        model.score(pd.DataFrame({"name": [0], "home": [1], "id": [-1]}))
    )


def test_anything_a_score_depends_on_changes_the_version(model: Model) -> None:
    other = Model(model.comparisons, model.base, Tables(names={"王伟": 31}, phones={"ab": 3}, people=9))
    assert other.version != model.version


def test_m_and_u_are_the_shares_among_the_labels(model: Model) -> None:
    pairs = labelled()
    same = pairs[pairs["same"]]
    assert model.comparisons["name"][0].m == pytest.approx((same["name"] == 0).mean(), abs=0.01)
    assert model.comparisons["name"][1].u < 0.01


def test_weights_know_that_blocking_selects(model: Model) -> None:
    """A namesake elsewhere and a stranger at home are unlikely each; both together are the person."""
    rows = pd.DataFrame({"name": [0, 2, 0], "home": [1, 0, 0], "id": [-1, -1, -1]})
    namesake, stranger, person = model.score(rows)
    assert namesake < 0
    assert stranger < 0
    assert person > 4


def test_what_labels_do_not_show_keeps_its_stated_weight(model: Model) -> None:
    assert [level.weight for level in model.comparisons["id"]] == pytest.approx(STATED["id"])


def test_without_labels_the_stated_weights_stand() -> None:
    bare = train(labelled().head(0), LEVELS, STATED, -8.0)
    assert [level.weight for level in bare.comparisons["name"]] == pytest.approx(STATED["name"])
    assert bare.base == pytest.approx(-8.0)


def test_no_level_decides_alone() -> None:
    pairs = pd.DataFrame(
        {"name": [0] * 5000 + [2] * 5000, "home": -1, "id": -1, "same": [True] * 5000 + [False] * 5000}
    )
    bounded = train(pairs, LEVELS, {**STATED, "name": (40.0, 1.0, -40.0)}, 0.0)
    assert max(abs(level.weight) for level in bounded.comparisons["name"]) <= MAX_WEIGHT


def test_fit_reaches_the_maximum() -> None:
    """No single weight can be moved to make the labels likelier (by more than the pull of its stated value)."""
    pairs = labelled()
    weights, base = fit(pairs, STATED, -8.0)

    def likelihood(name: float) -> float:
        table = {"name": weights["name"] + np.array([name, 0, 0]), "home": weights["home"], "id": weights["id"]}
        score = base + sum(np.append(table[c], 0.0)[pairs[c].to_numpy()] for c in table)
        chance = 1 / (1 + 2.0**-score)
        pull = 0.5 * 0.3 * ((table["name"][0] - STATED["name"][0]) * np.log(2)) ** 2
        return float(np.log(np.where(pairs["same"], chance, 1 - chance)).sum() - pull)

    assert likelihood(0.0) > max(likelihood(0.05), likelihood(-0.05))


def test_predicting_nothing() -> None:
    bare = train(labelled().head(0), LEVELS, STATED, -8.0)
    assert predict(bare, labelled().head(0)).size == 0


def test_a_model_fits_the_ladders_it_was_trained_for_alone(model: Model) -> None:
    assert model.fits(LEVELS)
    name = next(iter(LEVELS))
    assert not model.fits({**LEVELS, name: (*LEVELS[name], "more")})
    assert not model.fits({**LEVELS, "another": ("same",)})
