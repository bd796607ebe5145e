"""What is done with a command whatever its kind: known, in time, once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from croody_contract.messages import Answer, Outgoing
from croody_edge.commands import KINDS
from croody_edge.commands.table import Commands
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from croody_edge.settings import Settings
from croody_edge.sync import capabilities

NOW = 1_790_000_000.0
MOMENT = datetime.fromtimestamp(NOW, UTC)


class Wave:
    """A command that only counts how often it was done."""

    def __init__(self, *, expires: bool = True) -> None:
        self.expires, self.done = expires, 0

    def do(self, payload: dict[str, Any], now: float, mono_s: float) -> Answer:
        if "hand" not in payload:
            raise ValueError("payload: hand is missing")
        self.done += 1
        return Answer(state="done")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=1 << 30)
    yield made
    made.close()


def ask(commands: Commands, number: int, kind: str = "wave", *, late_s: float = -60.0, **payload: Any) -> Answer:
    outgoing = Outgoing(id=number, kind=kind, payload=payload, expires_at=MOMENT - timedelta(seconds=late_s))
    return msgspec.json.decode(commands.answer(outgoing, NOW, 0.0), type=Answer)


def test_a_kind_that_is_not_in_the_table_is_refused_and_those_that_are_get_named(outbox: Outbox) -> None:
    commands = Commands(outbox, {"wave": Wave(), "bow": Wave()})
    assert ask(commands, 1, "dance") == Answer("refused", "kind 'dance' is unknown here: this agent knows wave, bow")


def test_what_comes_too_late_is_not_done_unless_its_kind_never_expires(outbox: Outbox) -> None:
    wave, timeless = Wave(), Wave(expires=False)
    commands = Commands(outbox, {"wave": wave, "bow": timeless})
    assert ask(commands, 1, late_s=0.0, hand="left").state == "expired"
    assert ask(commands, 2, "bow", late_s=9999.0, hand="left").state == "done"
    assert (wave.done, timeless.done) == (0, 1)


def test_a_command_is_done_once_and_its_answer_outlives_a_restart(tmp_path: Path, outbox: Outbox) -> None:
    wave = Wave()
    for _ in range(2):
        assert ask(Commands(outbox, {"wave": wave}), 1, hand="left").state == "done"
    outbox.close()
    again = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=1 << 30)
    assert ask(Commands(again, {"wave": wave}), 1, hand="left").state == "done"
    again.close()
    assert wave.done == 1


def test_a_payload_that_breaks_a_rule_is_refused_with_the_rule(outbox: Outbox) -> None:
    assert ask(Commands(outbox, {"wave": Wave()}), 1) == Answer("refused", "payload: hand is missing")


def test_a_birth_names_the_kinds_of_the_table_where_commands_can_arrive(tmp_path: Path) -> None:
    settings = Settings("rover-alice", tmp_path)
    assert set(KINDS) - set(capabilities(settings)) == {"rotate"}, "its secret was pasted, and is not the board's own to change"
    assert capabilities(Settings("rover-alice", tmp_path, enrolled=True)) == tuple(KINDS)
    assert capabilities(Settings("rover-alice", tmp_path, ingest_url="http://x")) == (), "over HTTP there is no way down"
