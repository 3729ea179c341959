"""The service as such: alive, ready, measured, and in good order when its database is away."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from district import ROOT, District, copy_district, id_number, person
from service import Service, free_port, served

from api.problems import BODY_MOST
from onegrid.cluster import Cluster
from onegrid.postgres import SETUP_ROLE, read_secrets


def test_alive_and_ready(service: Service) -> None:
    with httpx.Client(base_url=service.url) as caller:
        assert caller.get("/healthz").status_code == 200
        assert caller.get("/readyz").json() == {"status": "ready"}


def test_metrics_count_by_route_and_hold_no_code(service: Service) -> None:
    code = service.district.registry().code("population", "r003")
    with service.caller() as caller, service.caller("monitor") as monitor:
        caller.get(f"/v1/persons/{code}")
        text = monitor.get("/metrics").text
    assert 'route="/v1/persons/{code}",status="200"' in text
    assert 'onegrid_entities{type="person"}' in text
    assert 'onegrid_source_age_seconds{source="police"}' in text
    assert code not in text


def test_the_description_names_every_path_with_its_problems(service: Service) -> None:
    with httpx.Client(base_url=service.url) as caller:
        found = caller.get("/openapi.json").json()
    asked = {path: methods for path, methods in found["paths"].items() if path.startswith("/v1/")}
    assert len([path for path in asked if path.endswith("/{code}")]) == 8
    for path, methods in asked.items():
        for said in methods.values():
            assert said["summary"], path
            assert path == "/v1/properties" or {"401", "403", "422"} <= set(said["responses"]), path
            in_address = path.startswith("/v1/reconcile/")  # whose clients cannot send a header
            assert in_address or path == "/v1/properties" or said["security"] == [{"HTTPBearer": []}], path


def test_an_unforeseen_error_is_told_by_where_not_by_what(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(f"could not read {id_number(3)}")

    monkeypatch.setattr("api.entities.shown_values", broken)
    code = service.district.registry().code("population", "r003")
    with caplog.at_level(logging.DEBUG), service.caller() as caller:
        answer = caller.get(f"/v1/persons/{code}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ValueError" in caplog.text
    assert "test_service.py" in caplog.text
    assert id_number(3) not in caplog.text + answer.text


def test_a_body_beyond_the_bound_is_refused(service: Service) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_MOST // 1024 + 1):
            yield b" " * 1024

    with service.caller() as caller:
        for content in (b" " * (BODY_MOST + 1), pieces()):
            answer = caller.post("/v1/lookup", content=content, headers={"content-type": "application/json"})
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
        assert caller.get("/healthz").status_code == 200


def test_without_its_database_it_says_so_and_recovers(make_folder: Callable[[], Path], prepared_home: Path) -> None:
    district = copy_district(make_folder(), prepared_home)
    with district.database():
        assert district.run().code == 0
        code = district.registry().code("population", "r003")
        with served(district) as service, service.caller() as caller:
            assert caller.get(f"/v1/persons/{code}").status_code == 200
            cluster = Cluster.below(district.home)
            cluster.stop()
            try:
                answer = caller.get(f"/v1/persons/{code}")
                assert answer.status_code == 503
                assert answer.headers["Retry-After"]
                assert caller.get("/readyz").status_code == 503
                assert caller.get("/healthz").status_code == 200
            finally:
                passwords = read_secrets(district.home / "database" / "secrets")
                assert passwords is not None
                cluster.ensure_running(passwords[SETUP_ROLE])
            deadline = time.monotonic() + 30
            while caller.get(f"/v1/persons/{code}").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_the_program_logs_nothing_of_what_is_asked_and_ends_on_sigterm(district: District) -> None:
    assert district.run().code == 0
    port = free_port()
    environ = {**os.environ, "ONEGRID_HOME": str(district.home), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "api", "--port", str(port)]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        service = Service(district, f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{service.url}/readyz")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        with service.caller(numbers=True) as caller:
            for place in range(5):
                (hit,) = caller.post("/v1/lookup", json={"number": id_number(place)}).json()["items"]
                assert id_number(place) in caller.get(f"/v1/persons/{hit['code']}").text
            caller.get("/v1/persons/" + id_number(1))
        program.send_signal(signal.SIGTERM)
        said, _ = program.communicate(timeout=30)
    assert program.returncode in (0, -signal.SIGTERM)
    for place in range(5):
        assert id_number(place) not in said
        assert person(place)["phone"] not in said
        assert person(place)["name"] not in said
