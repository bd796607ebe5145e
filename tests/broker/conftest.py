"""Fixtures of the broker's tests; what they hand out is in `house`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.house import ENGINES, House, free_ports, running


@pytest.fixture(scope="session")
def _amqtt_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running("amqtt", tmp_path_factory.mktemp("amqtt"), free_ports(1)) as made:
        yield made


@pytest.fixture(scope="session")
def _mosquitto_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running("mosquitto", tmp_path_factory.mktemp("mosquitto"), free_ports(2)) as made:
        yield made


@pytest.fixture(scope="session", params=ENGINES)
def shared_house(request: pytest.FixtureRequest) -> House:
    made: House = request.getfixturevalue(f"_{request.param}_house")
    return made


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """Amqtt with the guard, then Mosquitto, with the files as they should be and nobody connected."""
    yield shared_house
    shared_house.sweep()


@pytest.fixture
def guard(_amqtt_house: House) -> Iterator[House]:
    """The guarded amqtt alone, shared: for tests that change no file, give no argument and read no log."""
    yield _amqtt_house
    _amqtt_house.sweep()


@pytest.fixture(params=ENGINES)
def changing_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house of one's own, on either engine, for tests that rewrite its files."""
    with running(request.param, tmp_path, free_ports(2)) as made:
        yield made


@pytest.fixture
def guard_house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """A guarded amqtt of one's own; `@pytest.mark.parametrize("guard_house", [[...]], indirect=True)` adds arguments."""
    with running("amqtt", tmp_path, free_ports(1), *getattr(request, "param", [])) as made:
        yield made
