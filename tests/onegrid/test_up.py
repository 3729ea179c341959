"""One hub a home, and nothing is started where it cannot be."""

from __future__ import annotations

from district import District
from service import free_port

from onegrid.up import _only_hub


def test_a_second_hub_on_one_home_is_refused_before_it_starts_anything(district: District) -> None:
    ports = ["--api-port", str(free_port()), "--airflow-port", str(free_port())]
    with _only_hub(district.home):
        done = district.command("up", "--sources", str(district.sources), *ports)
    assert done.code == 5
    assert "Another hub is up" in done.sentences[0]
    assert not (district.home / "airflow").exists()
    with _only_hub(district.home):
        pass
