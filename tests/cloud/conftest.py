"""What tests of the cloud share: a process, which remembers what robots used of their quotas, and the language of the last page."""

import sys
from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _spanish() -> None:
    """No test leaves its language to the next one."""
    translation.activate("es")


@pytest.fixture(autouse=True)
def no_robot_owes_anything() -> Iterator[None]:
    """A robot of one test has the name of another's."""
    yield
    if rates := sys.modules.get("croody.api.rates"):
        rates.buckets.clear()
    if services := sys.modules.get("croody.telemetry.ingest.services"):
        services.account_of.cache_clear()
