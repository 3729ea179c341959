"""The whole program on small feeds: what comes in comes out, once, and nothing moves that need not."""

from __future__ import annotations

from district import PERSONS, SOURCES, District, whole


def test_every_clean_row_is_a_member_and_the_counts_add_up(district: District) -> None:
    done = district.run()
    assert done.code == 0, done.err
    found = done.summary
    assert set(found["sources"]) == set(SOURCES)
    for source in found["sources"].values():
        assert source["read"] == source["clean"] + source["quarantined"] + source["repeated"]
    registry = district.registry()
    whole(registry)
    for name, source in found["sources"].items():
        assert len(registry.keys(name)) == source["clean"]
    assert found["entities"]["person"] == PERSONS
    print(found)
