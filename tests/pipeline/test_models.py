"""The model that scores: kept from run to run, and trained anew where this version compares otherwise."""

from __future__ import annotations

from district import ACTOR, District, write_police

from matching.model import Model
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from registry.models import current_model, keep_model


def model(district: District) -> Model:
    with district.database() as database, database.session(ACTOR) as connection:
        kept = current_model(connection, Keyring.open(Settings(district.home).master_key))
    assert kept is not None
    return Model.from_json(kept)


def test_a_model_of_other_ladders_gives_way_to_a_new_one(district: District) -> None:
    assert district.run().code == 0
    first = model(district)
    ladders = {name: ladder for name, ladder in first.comparisons.items() if name != "beside"}
    old = Model({**ladders, "phone": first.comparisons["phone"][:-1]}, first.base, first.tables)
    with district.database() as database, database.session(ACTOR) as connection:
        keep_model(connection, Keyring.open(Settings(district.home).master_key), old.version, old.to_json())
    before = district.registry().partition
    write_police(district.data("police.csv"), range(31))
    done = district.run()
    assert done.code == 0, done.err
    assert "a new one is trained" in done.err
    assert set(model(district).comparisons) == set(first.comparisons)
    other = before - district.registry().partition  # the person whom the police now hold too, home and households
    assert {line[:2] for group in other for line in group} >= {("population", "r030")}
    assert all(any(line[:2] == ("population", "r030") for line in group) for group in other)


def test_a_trained_model_is_kept_and_scores_only_when_it_is_taken_into_use(district: District) -> None:
    assert district.run().code == 0
    first = model(district)
    write_police(district.data("police.csv"), range(20))
    assert district.run().code == 0
    trained = district.command("train", "--sources", str(district.sources))
    assert trained.code == 0, trained.err
    version = trained.out.split()[1].rstrip(",")
    assert version != first.version
    assert model(district).version == first.version
    assert district.run().summary["changes"]["untouched"] > 0
    runs = len(district.query("SELECT id FROM run"))

    used = district.command("models", "use", version[:8])
    assert used.code == 0, used.err
    assert model(district).version == version
    assert district.run().code == 0
    scored = district.query("SELECT model FROM run ORDER BY id")["model"]
    assert len(scored) == runs + 1
    assert scored.iloc[-1] == version
    district.run()
    assert len(district.query("SELECT id FROM run")) == runs + 1

    listed = district.command("models", "list").out
    assert first.version in listed
    assert version in listed
    compared = district.command("models", "compare", first.version, version).out
    assert "comparison" in compared
    assert "phone" in compared


def test_a_version_that_is_none_is_refused_with_a_sentence(district: District) -> None:
    assert district.run().code == 0
    version = model(district).version
    refused = {("use", "zz"): 1, ("use",): 2, ("compare", version): 2, ("compare", version, version[:4]): 2}
    for words, code in refused.items():
        done = district.command("models", *words)
        assert done.code == code, done.err
        assert len(done.sentences) == 1
