"""What a source told and has not ended is known at the next start, so that its end is told, whoever was killed when."""

import json
from pathlib import Path

from croody_contract.messages import Event
from croody_edge.sources import Context
from croody_edge.sources.ros import Topic, diagnostics
from croody_edge.sources.ros.messages import Reader
from croody_edge.sources.unended import Unended
from croody_edge.sources.vda5050 import Vda5050Source
from tests.edge_agent.sources.robots.listening import Heard
from tests.edge_agent.sources.robots.test_vda5050 import V21

NOW = 1_790_000_000.0


def said(reader: Reader, level: int, mono_s: float) -> list[tuple[str, bool]]:
    status = {"status": [{"name": "Lidar", "level": level, "message": "", "values": []}]}
    return [(one.code, one.over) for one in reader.take(status, NOW, mono_s) if isinstance(one, Event)]


def test_a_status_that_is_well_again_after_a_start_ends_and_one_that_is_not_is_told_again(tmp_path: Path) -> None:
    def begin() -> Reader:
        return Reader(Topic(name="/diagnostics"), diagnostics.TYPE, Unended(Context("rover-1", tmp_path, "base")))

    assert said(begin(), 2, 10.0) == [("ros_lidar", False)]
    again = begin()
    assert [said(again, 2, at) for at in (1.0, 2.0)] == [[("ros_lidar", False)], []]
    ended = begin()
    assert [said(ended, 0, at) for at in (1.0, 2.0)] == [[("ros_lidar", True)], []]
    killed = begin()
    assert said(killed, 0, 1.0) == [("ros_lidar", True)], "its end may not have been in the outbox"
    assert said(killed, 0, 62.0) == []
    assert said(begin(), 0, 1.0) == []


def test_an_error_of_a_vehicle_that_ended_while_the_agent_was_off_ends(tmp_path: Path, monkeypatch) -> None:
    heard = Heard()

    def hears(errors: list[dict[str, str]]) -> None:
        """A source that starts, hears one message, and is gone."""

        def one(_broker, _id, _filters, came, *_more, **_named) -> None:
            came("uagv/v2/Acme/AGV-1/state", json.dumps(V21 | {"errors": errors}).encode(), False)

        monkeypatch.setattr("croody_edge.sources.vda5050.subscribe", one)
        own = Vda5050Source.Settings(broker="mqtt://127.0.0.1", manufacturer="Acme", serial="AGV-1")
        Vda5050Source(own, Context("rover-1", tmp_path, "agv")).listen(heard)

    wrong = [{"errorType": "orderError", "errorLevel": "FATAL"}]
    for errors in (wrong, wrong, []):
        hears(errors)
    assert [(one.code, one.over) for one in heard.events] == [("vda_order_error", over) for over in (False, False, True)]


def test_a_file_that_is_damaged_or_cannot_be_written_costs_no_message(tmp_path: Path) -> None:
    (tmp_path / "base.wrong.json").write_bytes(b"{")
    assert Unended(Context("rover-1", tmp_path, "base")).all() == {}
    (tmp_path / "file").write_bytes(b"")
    Unended(Context("rover-1", tmp_path / "file", "base")).keep("state", {"a": "high"}, 0.0)


def test_what_flickers_is_written_once_and_what_is_many_is_bounded(tmp_path: Path) -> None:
    held = Unended(Context("rover-1", tmp_path, "base"))
    held.keep("state", {"a": "high"}, 0.0)
    path = tmp_path / "base.wrong.json"
    first = path.stat().st_ino
    for at in range(1, 1000):
        held.keep("state", {"a": "high"} if at % 50 == 0 else {}, float(at))
    assert path.stat().st_ino == first
    for at in range(1000):
        held.keep("state", {f"w{at}": "high", "x" * 1000: "high"}, 1000.0 + at / 100)
    assert len(Unended(Context("rover-1", tmp_path, "base")).all()["state"]) == 512
