"""The guard leans on private names of amqtt: this fails when one of them moves, and says which to read again."""

import inspect
from importlib import import_module

import pytest

from croody_broker import seams
from croody_broker.broker import GuardedBroker
from croody_broker.handler import GuardedHandler, GuardedWriter


def test_amqtt_is_the_version_that_the_guard_was_written_against() -> None:
    assert seams.check_version() is None


def test_no_name_that_the_guard_leans_on_has_moved() -> None:
    assert seams.moved() == []


@pytest.mark.parametrize("guarded", [GuardedBroker, GuardedHandler, GuardedWriter])
def test_every_name_of_amqtt_that_the_guard_replaces_is_in_the_list(guarded: type) -> None:
    for name, member in vars(guarded).items():
        if inspect.isfunction(member):
            origin = next((base for base in guarded.__mro__[1:] if name in vars(base)), None)
            if origin is not None and origin.__module__.startswith("amqtt."):
                whole = f"{origin.__module__}:{origin.__name__}"
                assert whole in seams.SEAMS or f"{whole}.{name}" in seams.SEAMS, f"{whole}.{name}"


def test_a_changed_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = next(iter(seams.SEAMS))
    monkeypatch.setitem(seams.SEAMS, known, "0" * 16)
    monkeypatch.setitem(seams.SEAMS, "amqtt.broker:Broker.no_such_name", "0" * 16)
    assert [line.split(":")[1] for line in seams.moved()] == [known.split(":")[1], "Broker.no_such_name"]


def test_amqtt_still_makes_the_handler_from_a_name_that_the_guard_never_uses() -> None:
    # The guard calls `GuardedHandler.init_from_connect` itself; nothing of amqtt may make an unguarded handler on the way.
    source = inspect.getsource(import_module("amqtt.broker"))
    assert source.count("BrokerProtocolHandler(") == 2  # create_offline_session and _init_handler, neither of which is called
    assert source.count("BrokerProtocolHandler.init_from_connect(") == 1  # _initialize_client_session, which is not called
