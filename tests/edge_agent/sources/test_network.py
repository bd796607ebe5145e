"""The source that watches a network: a real packet socket on the loopback, and what it says of a scan there."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from croody_contract.messages import Conversation, Event, Evidence, Reading, decode_record, encode
from croody_edge.sources import Context
from croody_edge.sources.network import CODE, Network, NetworkSettings, Watch
from tests.contract.frames import SECOND, START, Wire, arp, mac_of, udp
from tests.patience import PATIENCE_S

ROBOT, BROKER, THIEF = "10.0.0.1", "10.0.0.2", "10.0.0.9"
CONTEXT = Context("rover-1", Path("/nowhere"), "it")


class Heard:
    def __init__(self) -> None:
        self.said: list[object] = []
        self.why: list[str] = []
        self.something = threading.Event()

    def __call__(self, said: object) -> bool:
        self.said.append(said)
        self.something.set()
        return True

    def failed(self, cause: str, *, ended: bool = False) -> None:
        self.why.append(cause)
        self.something.set()

    @property
    def events(self) -> list[Event]:
        return [said for said in self.said if isinstance(said, Event)]


def test_a_scan_is_told_once_and_again_when_it_gets_worse() -> None:
    heard, wire = Heard(), Wire([])
    for port in range(1, 12):
        wire.refused(THIEF, 50_000, BROKER, port)
    wire.wait(3)
    for port in range(12, 41):
        wire.refused(THIEF, 50_000, BROKER, port)
    watch = Watch(None, heard)
    for frame in wire.frames:
        watch.take(frame)
    watch.pass_time(START + int((wire.at + 3) * SECOND))
    assert [event.code for event in heard.events] == [CODE, CODE]
    first, worse = (event.detail for event in heard.events)
    assert (first["offender"], first["kind"], first["value"], first["limit"]) == (THIEF, "port_scan", 11, 10)
    assert worse["kinds"] == "port_scan slow_port_scan spread"


def test_what_goes_on_is_told_once_a_minute() -> None:
    heard, wire = Heard(), Wire([])
    watch = Watch(None, heard)
    for _second in range(150):
        for port in range(1, 21):
            wire.refused(THIEF, 50_000, BROKER, port)
        wire.wait(0.96)
    for frame in wire.frames:
        watch.take(frame)
    assert len(heard.events) == 3


def test_seconds_pass_without_packets() -> None:
    heard, wire = Heard(), Wire([])
    for number in range(100):
        wire.put(arp(mac_of(THIEF), THIEF, f"10.0.0.{number + 10}"))
    watch = Watch(None, heard)
    for frame in wire.frames:
        watch.take(frame)
    assert heard.events == []
    watch.pass_time(START + 5 * SECOND)
    assert [event.detail["kind"] for event in heard.events] == ["address_sweep"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a packet socket needs CAP_NET_RAW")
def test_a_scan_of_this_machine_is_seen_on_its_loopback() -> None:
    heard = Heard()
    source = Network(NetworkSettings(interface="lo", interval_s=1.0), CONTEXT)
    source.start(heard)
    try:
        end = time.monotonic() + PATIENCE_S
        while not heard.events and time.monotonic() < end:
            for port in range(1, 60):
                with socket.socket() as knocking:
                    knocking.settimeout(1)
                    knocking.connect_ex(("127.0.0.1", port))
            time.sleep(0.2)
    finally:
        source.close()
    assert heard.why == []
    assert heard.events[0].detail["offender"] == "127.0.0.1"
    assert any(isinstance(said, Reading) and said.data["net_packets_s"] > 0 for said in heard.said) or heard.events


def test_an_interface_that_is_not_there_is_told_with_the_remedy() -> None:
    heard = Heard()
    source = Network(NetworkSettings(interface="nothing0"), CONTEXT)
    source.start(heard)
    try:
        assert heard.something.wait(PATIENCE_S)
    finally:
        source.close()
    assert "nothing0" in heard.why[0]


def test_a_damaged_calibration_is_told(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text("{")
    heard = Heard()
    source = Network(NetworkSettings(interface="lo", calibration=tmp_path / "site.json"), CONTEXT)
    source.start(heard)
    try:
        assert heard.something.wait(PATIENCE_S)
    finally:
        source.close()
    assert "croody ids calibrate" in heard.why[0]


def test_what_is_suspected_goes_up_with_its_counters_and_flows_and_of_the_cleared_a_sample() -> None:
    heard, wire = Heard(), Wire([])
    watch = Watch(None, heard, 1.0)
    for _second in range(40):
        wire.put(udp(ROBOT, 5_000, BROKER, 9_999, b"x"))
        wire.put(udp(BROKER, 9_999, ROBOT, 5_000, b"y"))
        wire.wait(0.9)
    for port in range(1, 31):
        wire.refused(THIEF, 50_000 + port, BROKER, port)
    wire.wait(12)
    for frame in wire.frames:
        watch.take(frame)
    watch.pass_time(START + int((wire.at + 10) * SECOND))
    evidence = [said for said in heard.said if isinstance(said, Evidence)]
    flows = [said for said in heard.said if isinstance(said, Conversation)]
    (suspect,) = [one for one in evidence if one.suspect]
    assert (suspect.device, suspect.windows["10"]["failed_ports"]) == (THIEF, 30)
    assert suspect.kinds == ["port_scan", "slow_port_scan", "spread"]
    assert {(flow.source, flow.state, flow.flow_class) for flow in flows} == {(THIEF, "refused", "port_scan")}
    assert len(flows) == 20, "some of them"
    cleared = [one for one in evidence if one.sampled]
    assert {one.device for one in cleared} >= {ROBOT, BROKER}
    assert sum(one.cleared for one in evidence) == len(cleared), "each of those that were cleared"
    for one in heard.said:
        if isinstance(one, Evidence | Conversation):
            decode_record(encode(one))


def test_without_a_sample_nothing_that_was_cleared_goes_up() -> None:
    heard, wire = Heard(), Wire([])
    watch = Watch(None, heard, 0.0)
    for _second in range(40):
        wire.put(udp(ROBOT, 5_000, BROKER, 9_999, b"x"))
        wire.put(udp(BROKER, 9_999, ROBOT, 5_000, b"y"))
        wire.wait(0.9)
    for frame in wire.frames:
        watch.take(frame)
    assert heard.said == []
