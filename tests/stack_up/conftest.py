"""Clones of this checkout for the tests of its handles; and when a test fails, what its systems' processes said last."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.stack_up.newcomer import clone_to
from tests.stack_up.system import System
from tools.stack import Stack

_SYSTEMS: pytest.StashKey[list[Stack | System]] = pytest.StashKey()


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clone for all the tests that leave it as it is."""
    return clone_to(tmp_path_factory.mktemp("clone") / "croody")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Generator[None, Any, Any]:
    """Remember a system that a fixture starts, until it is taken down."""
    made = yield
    if isinstance(made, Stack | System):
        systems = request.config.stash.setdefault(_SYSTEMS, [])
        systems.append(made)
        request.addfinalizer(lambda: systems.remove(made))
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what died to the report of a failure: a test that hears nothing cannot say why."""
    report = yield
    if report.failed:
        for system in item.config.stash.get(_SYSTEMS, []):
            if losses := system.losses():
                report.sections.append(("processes that are gone", losses))
    return report
