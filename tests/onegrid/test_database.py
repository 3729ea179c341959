from onegrid.database import Actor, Database, copy_frame, read_frame
import pandas as pd, pytest
ME = Actor("tester")

@pytest.mark.parametrize("n", range(5))
def test_rows(database: Database, n: int) -> None:
    with database.session(ME) as c:
        assert len(read_frame(c, "select * from source")) == 0
