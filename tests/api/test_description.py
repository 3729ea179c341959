"""The OpenAPI description and the service agree, whatever is sent: schemathesis makes up requests, good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
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
