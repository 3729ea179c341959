"""The OpenAPI description and the service agree, whatever is sent: schemathesis makes up requests, good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from district import id_number, person
from service import Service

pytestmark = pytest.mark.slow
EXAMPLES = 60
# Not asked: codes are all made up, so that a good request may find nothing (404), which is no refusal of its data.
LEFT_OUT = "positive_data_acceptance,object_level_authorization"


def test_no_request_breaks_the_service_or_its_description(service: Service, tmp_path: Path) -> None:
    token = service.token("officer", numbers=True)
    words = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", "--no-color"]
    bounds = ["--max-examples", str(EXAMPLES), "--seed", "7", "--exclude-checks", LEFT_OUT, "--continue-on-failure"]
    done = subprocess.run(
        [*words, *bounds, "-H", f"Authorization: Bearer {token}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


ASKS = """
import sys
from onegrid_client import AuthenticatedClient
from onegrid_client.api.codes import lookup
from onegrid_client.api.persons import get_person
from onegrid_client.models import Number

url, token = sys.stdin.read().split()
with AuthenticatedClient(base_url=url, token=token) as client:
    (hit,) = lookup.sync(client=client, body=Number(number=sys.argv[1])).items
    person = get_person.sync(code=hit.code, client=client)
    print({line.property_: line.value for line in person.values}["name"])
"""


def test_a_client_generated_from_the_description_works(service: Service, tmp_path: Path) -> None:
    words = ["openapi_python_client", "generate", "--url", f"{service.url}/openapi.json", "--meta", "none"]
    made = [sys.executable, "-m", *words, "--output-path", str(tmp_path / "onegrid_client")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(made, check=True, capture_output=True, env={**os.environ, "PATH": path}, cwd=tmp_path)
    asked = subprocess.run(
        [sys.executable, "-c", ASKS, id_number(4)],
        input=f"{service.url} {service.token('department')}",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert asked.stdout.strip() == person(4)["name"], asked.stderr
