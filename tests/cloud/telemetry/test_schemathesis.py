"""The API held against its own description: no 5xx, no answer that the description does not know, whatever is asked.

`CROODY_SCHEMA_CASES=100 pytest tests/cloud/telemetry/test_schemathesis.py` for a long run; a few cases an operation by default.
"""

import contextlib
import dataclasses
import os
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.cloud.telemetry.helpers import NOON, batch, reading

CASES = int(os.environ.get("CROODY_SCHEMA_CASES", "8"))
TOKEN = "shared-ingest-token"
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture
def application(telemetry: str, fleet: SimpleNamespace, settings: Any) -> WSGIHandler:
    from croody.telemetry.ingest import services

    settings.ROOT_URLCONF = "croody.serve.urls.telemetry"
    settings.MIDDLEWARE = ["croody.web.cors.CorsMiddleware", "django.middleware.security.SecurityMiddleware"]
    settings.ENV = dataclasses.replace(settings.ENV, ingest_token=TOKEN)
    services.ingest_relay(batch("rover-2", "stream-a", 1, [reading(1, NOON), b"[]"]), now=NOON)
    return WSGIHandler()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
@pytest.mark.parametrize("key", [TOKEN, None], ids=["with-key", "without-key"])
def test_the_api_does_what_it_says_whatever_is_asked(application: WSGIHandler, key: str | None, mode: GenerationMode):
    schema = schemathesis.openapi.from_wsgi("/api/telemetry/openapi.json", application)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 10
    for operation in operations:
        _try(operation.as_strategy(generation_mode=mode), {"X-API-Key": key} if key else {})


def _try(strategy: Any, headers: dict[str, str]) -> None:
    @hypothesis.settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(strategy)
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # Nothing about the operation can be wrong.
        run()
