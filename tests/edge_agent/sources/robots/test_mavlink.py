"""A vehicle that speaks MAVLink, against pymavlink's own other end: UDP, and a serial line on a pty."""

import os
import random
import socket
import struct
import threading
import time
import tty
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

os.environ["MAVLINK20"] = "1"  # pymavlink's own end speaks version 1 otherwise, which knows no signatures.
pytest.importorskip("pymavlink", reason="pip install croody-edge[mavlink]")

from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as dialect

from croody_contract.limits import MAX_TEXT_CHARS
from croody_contract.messages import Event, Position, check_record
from croody_edge.sources.mavlink import MavlinkSource, wire
from croody_edge.sources.mavlink.decode import flight_mode, said
from croody_edge.sources.mavlink.frames import Frames, entry
from croody_edge.sources.mavlink.texts import MOST, Texts
from croody_edge.sources.mavlink.vehicle import SILENT_S, Vehicle
from croody_edge.sources.own import from_table
from croody_edge.variables import BadSetting
from tests.edge_agent.sources.robots.listening import listening

NOW = 1_790_000_000.0
ALL_WELL = 0x3F


class Drone:
    """pymavlink's own end of a link: a quadrotor with ArduPilot."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._fly, daemon=True)
        self.health = ALL_WELL

    def start(self) -> "Drone":
        self._thread.start()
        return self

    def _fly(self) -> None:
        while not self._end.wait(0.1):
            self.once()

    def once(self) -> None:
        send = self.connection.mav
        with_guided = dialect.MAV_MODE_FLAG_SAFETY_ARMED | dialect.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
        send.heartbeat_send(dialect.MAV_TYPE_QUADROTOR, dialect.MAV_AUTOPILOT_ARDUPILOTMEGA, with_guided, 4, dialect.MAV_STATE_ACTIVE)
        send.sys_status_send(ALL_WELL, ALL_WELL, self.health, 213, 15230, 1240, 71, 250, 0, 0, 0, 0, 0)
        send.battery_status_send(1, 0, 0, 3127, [4100, 4090, *([65535] * 8)], 310, 512, -1, 64)
        send.global_position_int_send(1000, 404168000, -37038000, 700_000, 32_500, 300, 400, -150, 9000)
        send.gps_raw_int_send(0, 3, 404160000, -37030000, 690_000, 121, 65535, 500, 9000, 14)
        send.attitude_send(1000, 0.1, -0.2, 1.5, 0, 0, 0)

    def stop(self) -> None:
        self._end.set()
        self._thread.join(5)
        self.connection.close()


@pytest.fixture
def drone() -> Iterator[Callable[..., Drone]]:
    made: list[Drone] = []

    def make(url: str, system: int = 7, **more: Any) -> Drone:
        made.append(Drone(mavutil.mavlink_connection(url, source_system=system, dialect="ardupilotmega", **more)).start())
        return made[-1]

    yield make
    for one in made:
        one.stop()


def message(made: Any, system: int = 7) -> Any:
    """As it comes out of a parser."""
    (parsed,) = Frames().take(bytes(made.pack(dialect.MAVLink(None, srcSystem=system, srcComponent=1))))
    return parsed


def beat(system: int = 7, autopilot: int = dialect.MAV_AUTOPILOT_ARDUPILOTMEGA) -> Any:
    return message(dialect.MAVLink_heartbeat_message(dialect.MAV_TYPE_QUADROTOR, autopilot, 1, 4, 4, 3), system)


# against the real other end


def test_a_drone_over_udp_is_read_with_position_batteries_and_mode(tmp_path: Path, free_port: int, drone: Callable[..., Drone]) -> None:
    with listening(MavlinkSource, tmp_path, url=f"udp://127.0.0.1:{free_port}", interval_s=0.2) as heard:
        drone(f"udpout:127.0.0.1:{free_port}")
        assert heard.has(lambda it: {"armed", "battery_pct", "battery2_temp_c", "roll_deg", "height_m"} <= it.data().keys())
        assert heard.has(lambda it: any(reading.position and reading.status for reading in it.readings))
    data = heard.data()
    assert (data["armed"], data["flight_mode"], data["battery_pct"], data["battery_v"]) == (True, "guided", 71, 15.23)
    assert (data["battery2_v"], data["battery2_cell_min_v"], data["battery2_temp_c"], data["battery2_pct"]) == (8.19, 4.09, 31.27, 64)
    assert (data["speed_mps"], data["climb_mps"], data["heading_deg"], data["height_m"]) == (5.0, 1.5, 90.0, 32.5)
    assert (data["gps_fix"], data["gps_satellites"], data["gps_hdop"], data["autopilot_load_pct"]) == ("3d", 14, 1.21, 21.3)
    last = [reading for reading in heard.readings if reading.position][-1]
    assert last.position == Position(40.4168, -3.7038, 700.0)
    assert last.status == "active"
    assert "battery2_left_s" not in data, "0 says unknown"


def test_what_an_autopilot_says_and_a_sensor_that_fails_become_events_that_end(
    tmp_path: Path, free_port: int, drone: Callable[..., Drone]
) -> None:
    with listening(MavlinkSource, tmp_path, url=f"udp://127.0.0.1:{free_port}", interval_s=0.1) as heard:
        flying = drone(f"udpout:127.0.0.1:{free_port}")
        assert heard.has(lambda it: it.readings)
        for _ in range(5):
            flying.connection.mav.statustext_send(dialect.MAV_SEVERITY_CRITICAL, b"EKF variance: compass")
        flying.health = ALL_WELL & ~dialect.MAV_SYS_STATUS_SENSOR_3D_MAG
        assert heard.has(lambda it: any(event.code == "mavlink_unhealthy" for event in it.events))
        flying.health = ALL_WELL
        assert heard.has(lambda it: any(event.over for event in it.events))
    told = [(event.code, event.severity, event.detail, event.over) for event in heard.events]
    assert told.count(("mavlink_critical", "critical", {"text": "EKF variance: compass"}, False)) == 1, "said five times, told once"
    assert ("mavlink_unhealthy", "high", {"sensors": "3d_mag"}, False) in told
    assert ("mavlink_unhealthy", "low", {}, True) in told


def test_a_flight_controller_on_a_serial_line_vanishes_and_returns_under_another_name(tmp_path: Path, drone: Callable[..., Drone]) -> None:
    def plug(name: str) -> tuple[int, str]:
        ours, theirs = os.openpty()
        tty.setraw(ours)
        tty.setraw(theirs)
        link = tmp_path / name
        link.symlink_to(os.ttyname(theirs))
        os.close(theirs)
        return ours, str(link)

    def fly(handle: int, until: Callable[[], bool]) -> bool:
        pilot = Drone(type("Pty", (), {"mav": dialect.MAVLink(Written(handle), srcSystem=7, srcComponent=1)})())
        end = time.monotonic() + 20
        while time.monotonic() < end and not until():
            pilot.once()
            time.sleep(0.05)
        return until()

    class Written:
        def __init__(self, handle: int) -> None:
            self.handle = handle

        def write(self, data: bytes) -> None:
            os.write(self.handle, data)

    # A pty lies below /dev/pts; the source is told of a pattern of names, as of /dev/serial/by-id/*.
    handle, link = plug("usb-one")
    source_url = f"serial://{os.path.realpath('/dev')}/..{tmp_path}/usb-*?baud=115200"
    with listening(MavlinkSource, tmp_path, url=source_url, interval_s=0.1) as heard:
        assert fly(handle, lambda: "battery_pct" in heard.data())
        os.close(handle)
        os.unlink(link)
        assert heard.has(lambda it: it.failures)
        before = len(heard.readings)
        handle, _ = plug("usb-two")
        assert fly(handle, lambda: len(heard.readings) > before)
        assert fly(handle, lambda: any(event.code == "mavlink_silent" and event.over for event in heard.events) or not silent(heard.events))
    os.close(handle)


def silent(events: list[Event]) -> bool:
    return any(event.code == "mavlink_silent" for event in events)


def test_noise_torn_frames_and_other_vehicles_cost_nothing_of_this_one(
    tmp_path: Path, free_port: int, drone: Callable[..., Drone], caplog: pytest.LogCaptureFixture
) -> None:
    noise = random.Random(5)
    with listening(MavlinkSource, tmp_path, url=f"udp://127.0.0.1:{free_port}", interval_s=0.1, system=7) as heard:
        drone(f"udpout:127.0.0.1:{free_port}", system=9)
        drone(f"udpout:127.0.0.1:{free_port}", system=7)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            whole = bytes(beat().get_msgbuf())
            for _ in range(300):
                stranger.sendto(noise.randbytes(noise.randrange(1, 600)), ("127.0.0.1", free_port))
                stranger.sendto(whole[: noise.randrange(1, len(whole))], ("127.0.0.1", free_port))
                time.sleep(0.002)
        before = len(heard.readings)
        assert heard.has(lambda it: len(it.readings) > before + 5)
        assert heard.has(lambda _: any("(9)" in record.message for record in caplog.records)), "says once that another one is there"
    assert heard.failures == []
    assert len([record for record in caplog.records if record.name == "croody.mavlink"]) <= 2


def test_with_a_pass_phrase_only_what_is_signed_by_it_is_read(tmp_path: Path, free_port: int, drone: Callable[..., Drone]) -> None:
    with listening(MavlinkSource, tmp_path, url=f"udp://127.0.0.1:{free_port}", interval_s=0.1, secret="colibri") as heard:
        forger = drone(f"udpout:127.0.0.1:{free_port}", system=9)
        assert not heard.has(lambda it: it.readings, 1.0)
        forger.stop()
        owner = Drone(mavutil.mavlink_connection(f"udpout:127.0.0.1:{free_port}", source_system=7, dialect="ardupilotmega"))
        owner.connection.setup_signing(sha256(b"colibri").digest(), sign_outgoing=True)
        owner.start()
        assert heard.has(lambda it: "battery_pct" in it.data())
        owner.stop()


def test_an_autopilot_is_asked_for_its_messages_by_a_companion_and_never_by_a_ground_station(tmp_path: Path, free_port: int) -> None:
    with listening(MavlinkSource, tmp_path, url=f"udp://127.0.0.1:{free_port}", ask_hz=4.0):
        drone = mavutil.mavlink_connection(f"udpout:127.0.0.1:{free_port}", source_system=7, dialect="ardupilotmega")
        asked: dict[int, float] = {}
        beats: set[tuple[int, int, int]] = set()
        end = time.monotonic() + 15
        while time.monotonic() < end and (len(asked) < 9 or not beats):
            drone.mav.heartbeat_send(dialect.MAV_TYPE_QUADROTOR, dialect.MAV_AUTOPILOT_PX4, 0, 0, dialect.MAV_STATE_ACTIVE)
            found = drone.recv_match(timeout=0.2, blocking=True)
            if found is not None and found.get_type() == "COMMAND_LONG":
                assert found.command == dialect.MAV_CMD_SET_MESSAGE_INTERVAL
                asked[int(found.param1)] = found.param2
            if found is not None and found.get_type() == "HEARTBEAT":
                beats.add((found.type, found.get_srcSystem(), found.get_srcComponent()))
        drone.close()
    assert asked[dialect.MAVLINK_MSG_ID_BATTERY_STATUS] == 250_000
    assert len(asked) == 9
    assert (dialect.MAV_TYPE_ONBOARD_CONTROLLER, 7, dialect.MAV_COMP_ID_ONBOARD_COMPUTER) in beats
    assert all(kind != dialect.MAV_TYPE_GCS and system != 255 for kind, system, _ in beats)


# pure


@pytest.mark.parametrize(
    ("vehicle", "autopilot", "custom", "name"),
    [
        (dialect.MAV_TYPE_QUADROTOR, 3, 6, "rtl"),
        (dialect.MAV_TYPE_FIXED_WING, 3, 10, "auto"),
        (dialect.MAV_TYPE_GROUND_ROVER, 3, 4, "hold"),
        (dialect.MAV_TYPE_QUADROTOR, 12, 4 << 16 | 5 << 24, "auto rtl"),
        (dialect.MAV_TYPE_QUADROTOR, 12, 6 << 16, "offboard"),
        (dialect.MAV_TYPE_QUADROTOR, 12, 200 << 16, str(200 << 16)),
        (dialect.MAV_TYPE_QUADROTOR, 3, 9999, "9999"),
        (dialect.MAV_TYPE_GENERIC, 0, 5, "5"),
    ],
)
def test_a_flight_mode_has_its_name_or_else_its_number(vehicle: int, autopilot: int, custom: int, name: str) -> None:
    assert flight_mode(vehicle, autopilot, custom, entry) == name


def test_what_a_sender_marks_as_unknown_is_left_out() -> None:
    vehicle = Vehicle(entry, system=7, interval_s=1.0)
    vehicle.take(message(dialect.MAVLink_sys_status_message(0, 0, 0, 0, 65535, -1, -1, 0, 0, 0, 0, 0, 0)), NOW, 0.0)
    vehicle.take(message(dialect.MAVLink_battery_status_message(0, 0, 0, 32767, [65535] * 10, -1, -1, -1, -1)), NOW, 0.0)
    vehicle.take(message(dialect.MAVLink_gps_raw_int_message(0, 0, 0, 0, 0, 65535, 65535, 65535, 65535, 255)), NOW, 0.0)
    vehicle.take(message(dialect.MAVLink_vfr_hud_message(float("nan"), float("inf"), 0, 0, 0, 0.5)), NOW, 0.0)
    reading = vehicle.due(NOW, 0.0)
    assert reading is not None
    assert reading.data == {"autopilot_load_pct": 0.0, "link_drop_pct": 0.0, "gps_fix": "no gps", "throttle_pct": 0, "climb_mps": 0.5}
    assert reading.position is None


def test_the_raw_receiver_gives_the_position_while_the_estimator_is_quiet() -> None:
    vehicle = Vehicle(entry, system=7, interval_s=1.0)
    raw = message(dialect.MAVLink_gps_raw_int_message(0, 3, 410000000, 20000000, 0, 100, 0, 0, 0, 9))
    estimated = message(dialect.MAVLink_global_position_int_message(0, 420000000, 20000000, 0, 0, 0, 0, 0, 0))
    for mono_s, heard, lat in ((0.0, raw, 41.0), (1.0, estimated, 42.0), (2.0, raw, None), (5.0, raw, 41.0)):
        vehicle.take(heard, NOW, mono_s)
        reading = vehicle.due(NOW, mono_s)
        assert reading is not None
        assert (reading.position.lat if reading.position else None) == lat


def test_a_vehicle_without_heartbeat_is_silent_once_and_back_once() -> None:
    vehicle = Vehicle(entry, system=0, interval_s=1.0)
    assert vehicle.look(NOW, 100.0) == [], "nobody was there yet"
    vehicle.take(beat(), NOW, 100.0)
    assert vehicle.look(NOW, 100.0 + SILENT_S) == []
    assert [(event.code, event.severity) for event in vehicle.look(NOW, 101.0 + SILENT_S)] == [("mavlink_silent", "high")]
    assert vehicle.look(NOW, 200.0) == []
    assert [(event.code, event.over) for event in vehicle.take(beat(), NOW, 201.0)] == [("mavlink_silent", True)]
    assert vehicle.take(beat(), NOW, 202.0) == []


def test_a_vehicle_that_is_silent_or_unhealthy_for_days_is_told_every_six_hours() -> None:
    vehicle = Vehicle(entry, system=7, interval_s=1.0)
    compass = dialect.MAV_SYS_STATUS_SENSOR_3D_MAG
    ill = message(dialect.MAVLink_sys_status_message(compass, compass, 0, 0, 65535, -1, -1, 0, 0, 0, 0, 0, 0))
    assert [event.code for minute in range(25 * 60) for event in vehicle.take(ill, NOW, 60.0 * minute)] == ["mavlink_unhealthy"] * 5
    vehicle.take(beat(7), NOW, 0.0)
    assert [event.code for minute in range(1, 25 * 60) for event in vehicle.look(NOW, 60.0 * minute)] == ["mavlink_silent"] * 5
    assert [event.over for event in vehicle.take(beat(7), NOW, 90_000.0)] == [True]


def test_a_ground_station_or_another_drone_is_never_taken_for_the_vehicle() -> None:
    vehicle = Vehicle(entry, system=0, interval_s=1.0)
    vehicle.take(beat(255, dialect.MAV_AUTOPILOT_INVALID), NOW, 0.0)
    assert vehicle.system == 0
    vehicle.take(beat(7), NOW, 0.0)
    vehicle.take(beat(8), NOW, 0.0)
    vehicle.take(message(dialect.MAVLink_vfr_hud_message(99.0, 99.0, 0, 0, 0, 0), 8), NOW, 0.0)
    reading = vehicle.due(NOW, 0.0)
    assert (vehicle.system, vehicle.others) == (7, {8})
    assert reading is not None
    assert "airspeed_mps" not in reading.data


def test_a_long_text_comes_in_pieces_in_any_order_and_what_never_ends_is_told_as_far_as_it_came() -> None:
    texts = Texts()
    first, second = "a" * 50, "b" * 50
    assert texts.take(2, first, 3, 0, NOW, 0.0) == []
    assert texts.take(2, second, 3, 1, NOW, 0.0) == []
    (whole,) = texts.take(2, "end", 3, 2, NOW, 0.1)
    assert whole.detail == {"text": first + second + "end"}
    texts.take(4, second, 4, 1, NOW, 1.0)
    texts.take(4, first, 4, 0, NOW, 1.0)
    assert texts.due(NOW, 1.5) == []
    assert [event.detail["text"] for event in texts.due(NOW, 2.5)] == [first + second]


def test_a_chatterbox_is_bounded_in_texts_pieces_and_characters() -> None:
    texts = Texts()
    told = [event for number in range(1000) for event in texts.take(6, f"text {number}", 0, 0, NOW, number / 100)]
    assert len(told) == MOST
    assert texts.take(6, "later", 0, 0, NOW, 100.0)
    for number in range(1, 1000):
        for piece in range(255):
            texts.take(0, "x" * 50, number, piece, NOW, 200.0)
    for event in texts.due(NOW, 300.0):
        check_record(event)
        assert len(str(event.detail["text"])) <= MAX_TEXT_CHARS
    assert texts.take(3, "\x1b[2J\x00 rest", 0, 0, NOW, 400.0)[0].detail["text"] == r"\x1b[2J"
    assert texts.take(99, "no such level", 0, 0, NOW, 400.0) == []
    assert texts.take(3, b"\xff\xfe", 0, 0, NOW, 400.0)


def test_every_message_of_the_set_full_of_the_wildest_values_breaks_nothing() -> None:
    wild = random.Random(1)
    vehicle = Vehicle(entry, system=7, interval_s=0.0)
    frames = Frames()
    sender = dialect.MAVLink(None, srcSystem=7, srcComponent=1)
    for kind in dialect.mavlink_map.values():
        for fill in (b"\x00", b"\xff", b"\x7f", None):
            size = struct.calcsize(kind.unpacker.format)
            body = wild.randbytes(size) if fill is None else fill * size
            made = kind.__new__(kind)
            dialect.MAVLink_message.__init__(made, kind.id, kind.msgname)
            made.crc_extra = kind.crc_extra
            raw = bytes(made._pack(sender, kind.crc_extra, body))
            for one in frames.take(raw):
                said(one, entry)
                for event in vehicle.take(one, NOW, 0.0):
                    check_record(event)
                reading = vehicle.due(NOW, 0.0)
                if reading is not None:
                    check_record(reading)


def test_a_noisy_line_does_not_grow_the_parser() -> None:
    frames, noise = Frames(), random.Random(3)
    for _ in range(3000):
        frames.take(noise.randbytes(500) + b"\xfd")
    assert len(frames._parser.buf) < 100_000
    assert frames.noise
    assert frames.take(bytes(300) + bytes(beat().get_msgbuf()))[-1].get_type() == "HEARTBEAT"


@pytest.mark.parametrize(
    "url", ["", "udp://", "udp://host", "http://host:1", "serial://ttyACM0", "serial:///dev/x?baud=fast", "tcp://h:99999"]
)
def test_an_address_that_is_none_is_refused_with_the_rule(url: str) -> None:
    with pytest.raises(BadSetting, match="14550"):
        from_table(MavlinkSource.Settings, {"url": url}, "sources.toml")
    with pytest.raises(ValueError, match="serial"):
        wire.check(url)
