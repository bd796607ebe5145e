"""The compose files on a real engine. Collected by `make test-stack` only: it builds images and takes minutes."""

import os
from collections.abc import Iterator

import pytest

from tests.stack.system import FIGURES, System

#: `make test` runs on machines without an engine.
collect_ignore_glob = [] if os.environ.get("CROODY_STACK_TEST") else ["test_*.py"]


@pytest.fixture(scope="session")
def images() -> None:
    """Every image, built from the sources as they stand, under a tag of the test's own."""
    builder = System("croodytest-build", ["docker-compose.yml"])
    builder.compose("build", timeout_s=1500)
    System("croodytest-build", ["docker-compose.yml", "docker-compose.mosquitto.yml"]).compose("build", "broker", timeout_s=600)


@pytest.fixture(scope="module")
def development(images: None) -> Iterator[System]:
    """`docker compose up -d` at the root, with no .env."""
    with System("croodytest-dev", ["docker-compose.yml"]) as system:
        system.up()
        yield system


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures are worth reading also when all is well."""
    for line in FIGURES:
        terminalreporter.write_line(line)
