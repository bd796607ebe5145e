"""`/api/v1/` held against its own description: no 5xx, no answer that the description does not know, whatever is asked."""

import contextlib
import os
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from croody.api import rates
from croody.telemetry.ingest import services as ingest
from croody_contract.messages import Telemetry

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
CASES = int(os.environ.get("CROODY_SCHEMA_CASES", "6"))
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
@pytest.mark.parametrize("who", ["alice", None], ids=["with-key", "without-key"])
def test_the_api_does_what_it_says_whatever_is_asked(team: SimpleNamespace, settings: Any, who: str | None, mode: GenerationMode):
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    ingest.ingest_one(Telemetry(data={"a": 1}), "rover-1", "http", now=timezone.now())
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 10
    for operation in operations:
        rates.buckets.clear()
        _try(operation.as_strategy(generation_mode=mode), {"X-API-Key": team.keys[who]} if who else {})


def _try(strategy: Any, headers: dict[str, str]) -> None:
    @hypothesis.settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(strategy)
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # Nothing about the operation can be wrong.
        run()
