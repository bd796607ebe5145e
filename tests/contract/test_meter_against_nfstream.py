"""Our meter beside nfstream on the same capture: packets and connections of each device.

nfstream weighs 170 MB and is no requirement: `pip install nfstream`, or this is skipped.
"""

from collections import Counter
from pathlib import Path

import pytest

from croody_contract.flows import counters
from croody_contract.flows.meter import Meter
from croody_contract.flows.packets import text
from croody_edge.sim.lab import session, store
from croody_edge.sim.lab.scenario import read

nfstream = pytest.importorskip("nfstream", reason="nfstream is not installed")
#: Less than a minute, so that a window holds all of it.
SCENARIO = """
name = "beside"
seconds = 55
robots = [4, 4]
quiet_s = [4, 4]
most_packets = 20_000

[everyday]
robot = 1.0
robot_over_ipv6 = 0.5
dashboard = 1.0
names = 1.0
firmware = 1.0

[[attack]]
kind = "connect_scan"
by = "stranger-1"
given = { ports = 60, gap_ms = 5 }

[[attack]]
kind = "mqtt_guessing"
by = "robot-2"
given = { tries = 30, gap_ms = 20 }
"""


def test_packets_and_connections_of_each_device_are_those_that_nfstream_counts(tmp_path: Path) -> None:
    made, frames = session.on_wire(read(SCENARIO, "beside"))
    path = store.write(made, frames, tmp_path)
    meter, ours, begun = Meter(), Counter[str](), Counter[str]()
    for look in [look for frame in frames for look in meter.take(frame)] + list(meter.end()):
        window = look.windows[counters.WINDOWS[-1]]
        ours[text(look.device)] = window.get(counters.Counter.PACKETS, 0)
        begun[text(look.device)] = window.get(counters.Counter.CONNECTS, 0)
    theirs, opened = Counter[str](), Counter[str]()
    stream = nfstream.NFStreamer(
        source=str(path), n_dissections=0, statistical_analysis=True, idle_timeout=600, active_timeout=600, n_meters=1
    )
    for flow in stream:
        theirs[flow.src_ip] += flow.src2dst_packets
        theirs[flow.dst_ip] += flow.dst2src_packets
        # Opened: both began with SYN, and who asked acknowledged.
        opened[flow.src_ip] += flow.protocol == 6 and flow.dst2src_syn_packets > 0 and flow.src2dst_ack_packets > 0
    # What nobody answers to, and what is no IP, is not in the way of either.
    devices = {address for address in ours if ours[address]} - {"0.0.0.0"}
    assert len(devices) >= 8
    assert {address: ours[address] for address in devices} == {address: theirs[address] for address in devices}
    assert {address: begun[address] for address in devices} == {address: opened[address] for address in devices}
