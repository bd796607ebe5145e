"""A robot shows the last lines of its own log when it is asked, as a record of its stream."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from croody_edge.commands.logs import LogsCommand, fitting
from croody_edge.outbox.queue import Outbox
from croody_edge.outbox.startup import Program
from croody_edge.recent_log import KEPT, RecentLog

NOW = 1_790_000_000.0


class Sender:
    """Notes that there is something to send."""

    protected = ()

    def __init__(self) -> None:
        self.grown = 0

    def again(self, keys: Any) -> None:
        raise AssertionError("nothing is sent again")

    def grew(self) -> None:
        self.grown += 1


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "edge", "rover-alice", program=Program("test"), limit_bytes=1 << 30)
    made.open(NOW)
    yield made
    made.close()


def test_the_last_lines_become_a_record_that_waits_in_the_outbox(outbox: Outbox):
    sender = Sender()
    before = outbox.pending()
    command = LogsCommand(outbox, sender, lambda count: ["first", "second", "third"][-count:])
    answer = command.do({"lines": 2}, NOW, 0.0)
    assert (answer.state, answer.detail) == ("done", "2 lines, the last ones of this agent's log")
    assert (outbox.pending(), sender.grown) == (before + 1, 1)


@pytest.mark.parametrize("payload", [{"lines": 0}, {"lines": 201}, {"lines": "all"}])
def test_a_request_that_breaks_a_rule_is_told_which(outbox: Outbox, payload: dict[str, Any]):
    with pytest.raises(ValueError, match=r"payload: .*lines"):
        LogsCommand(outbox, Sender(), lambda count: []).do(payload, NOW, 0.0)


def test_what_does_not_fit_into_one_record_is_left_out_from_the_oldest_on():
    lines = [f"{number} " + "\u00f1" * 1000 for number in range(200)]
    found = fitting(lines)
    assert found == lines[-len(found) :]
    assert 10 < len(found) < 40


def test_the_log_in_memory_is_bounded_printable_and_says_when():
    recent = RecentLog()

    def say(text: str, *values: object) -> None:
        recent.handle(logging.LogRecord("croody.link", logging.INFO, "", 0, text, values, None))

    for number in range(KEPT + 20):
        say("line %s \x1b[31m", number)
    say("wrong %s %s", 1)
    found = recent.last(KEPT + 20)
    assert len(found) == KEPT
    assert "\x1b" not in "".join(found)
    assert found[-2].endswith(f"INFO croody.link line {KEPT + 19} \\x1b[31m")
    assert datetime.fromisoformat(found[-1].split()[0]).tzinfo == UTC
    assert all(len(line) <= 1024 for line in found)
