"""The OpenAPI description and the service agree, whatever is sent: schemathesis makes up requests, good and bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from service import Service, served  # noqa: F401

pytestmark = pytest.mark.slow
EXAMPLES = 60


@pytest.fixture
def described(service: Service) -> schemathesis.BaseSchema:
    """The description as the service publishes it, every request with a token that may all."""
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_service_or_its_description(
    case: schemathesis.Case, service: Service, officer: str
) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {officer}"})


@pytest.fixture(scope="module")
def officer(service: Service) -> str:
    return service.token("officer", numbers=True)
