"""What grid workers need not collect again, counted on the small district."""

from __future__ import annotations

from district import ACTOR, District, person, write_grid_workers

from registry.figures import saved_collection

STRANGER = 60  # nobody else's feed holds this one


def test_homes_and_fields_that_another_office_knows_are_counted(district: District) -> None:
    write_grid_workers(district.data("grid_workers.xlsx"), [20, 21, 22, STRANGER])
    assert person(STRANGER)["address"]
    assert district.only("population", "grid_workers").run().code == 0
    with district.database() as database, database.session(ACTOR) as connection:
        saved = saved_collection(connection)
    # 20 and 21 share a home; 22 lives in the next; the stranger's home is known to the grid workers alone
    assert (saved.visits, saved.known_visits) == (3, 2)
    alone = district.query(
        """SELECT count(*) AS n FROM entity_value v JOIN record r ON r.id = v.record
        WHERE v.known_to IS NULL AND r.source = 'grid_workers' AND v.agree = 1 AND r.type = 'person'
        AND v.code LIKE 'P%'"""
    )["n"].iloc[0]
    assert saved.fields - saved.known_fields == alone > 0
    assert saved.known_fields > 0
