"""Words of one channel that go with words of another are found without a dictionary."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.wording import Association, values_of, words_of

PATROL, CALLS = ("占道经营", "路灯不亮"), ("有人摆摊", "晚上一片漆黑")


def reports() -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    """Texts of 400 patrol reports and 400 calls; pairs of one matter; pairs that met by chance."""
    sort = np.arange(400) % 2
    texts = pd.Series([PATROL[n] for n in sort] + [CALLS[n] for n in sort], dtype="str")
    pairs = pd.DataFrame({"a": np.arange(400), "b": np.arange(400, 800)})
    met = np.arange(400)[:, None], 400 + (np.arange(400)[:, None] + np.arange(5)) % 400
    chance = pd.DataFrame({"a": np.broadcast_to(met[0], met[1].shape).ravel(), "b": met[1].ravel()})
    return texts, pairs, chance


def test_words_that_mean_one_thing_fit_and_others_do_not() -> None:
    texts, pairs, chance = reports()
    for said in (words_of(texts), values_of(texts)):
        table = Association(said, pairs, np.ones(len(pairs)), chance)
        asked = pd.DataFrame({"a": [0, 1, 0, 1], "b": [400, 401, 401, 400]})
        fit = table.fit(asked)
        assert (fit[:2] > 0.5).all()
        assert (fit[2:] < -1).all()


def test_what_pairs_share_by_chance_says_nothing() -> None:
    texts, pairs, chance = reports()
    said = words_of("和平里" + texts)
    place = Association(said, pairs, np.ones(len(pairs)), chance).table
    number = int(said.terms[said.text[0], 0])  # 和平, in every text
    assert abs(place[number, number]) < 0.1


def test_a_side_without_words_fits_nothing() -> None:
    texts, pairs, chance = reports()
    silent = texts.mask(texts.index == 0)
    table = Association(words_of(silent), pairs, np.ones(len(pairs)), chance)
    assert np.isnan(table.fit(pairs.head(1))).all()


@settings(max_examples=30)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), min_size=2, max_size=20))
def test_any_texts_have_words(texts: list[str | None]) -> None:
    column = pd.Series(
        [None if text is None else text.encode("utf-8", "replace").decode() for text in texts], dtype="str"
    )
    said = words_of(column)
    assert len(said.text) == len(texts)
    assert said.terms.min() >= 0
