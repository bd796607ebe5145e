"""Recordings, written by `mcap`, `mcap-ros2-support` and `rosbags` themselves, and played."""

import json
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rosbags", reason="pip install croody-edge[recording]")
pytest.importorskip("mcap_ros2", reason="a tool of the tests")

from mcap.writer import CompressionType
from mcap.writer import Writer as PlainWriter
from mcap_ros2.writer import Writer as Ros2Writer
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as BagWriter
from rosbags.typesys import Stores, get_typestore

from croody_contract.messages import Event, Position, Reading, check_record
from croody_edge.sources import Context, Said
from croody_edge.sources.own import from_table
from croody_edge.sources.recording import RecordingSource
from croody_edge.variables import BadSetting

NOW = 1_790_000_000.0
BEGAN_NS = 1_700_000_000_000_000_000
STORE = get_typestore(Stores.ROS2_HUMBLE)
WHEELS = "float32 left\nacme_msgs/Axle axle\n" + "=" * 80 + "\nMSG: acme_msgs/Axle\nstring name\n"
FIX = (
    "std_msgs/Header header\nsensor_msgs/NavSatStatus status\nfloat64 latitude\nfloat64 longitude\nfloat64 altitude\n"
    "float64[9] position_covariance\nuint8 position_covariance_type\n" + "=" * 80 + "\nMSG: sensor_msgs/NavSatStatus\nint8 status\n"
    "uint16 service\n"
    + "=" * 80
    + "\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
    + "=" * 80
    + "\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)


def played(path: Path, until_s: float = 60.0, step_s: float = 0.05, **own: Any) -> list[tuple[float, Said]]:
    """What a source says of the file while `until_s` seconds go by, each with the second it came at."""
    source = RecordingSource(
        from_table(RecordingSource.Settings, {"file": str(path), **own}, "sources.toml"), Context("r-1", path.parent, "t")
    )
    found: list[tuple[float, Said]] = []
    step = 0
    while step * step_s < until_s:
        for said in source.read(NOW + step * step_s) or ():
            check_record(said)
            found.append((round(step * step_s, 2), said))
        step += 1
    source.close()
    return found


def write_mcap(path: Path, count: int = 20, *, compression: CompressionType = CompressionType.ZSTD) -> None:
    with path.open("wb") as stream:
        writer = Ros2Writer(stream, chunk_size=400, compression=compression)
        wheels, fix = writer.register_msgdef("acme_msgs/msg/Wheels", WHEELS), writer.register_msgdef("sensor_msgs/msg/NavSatFix", FIX)
        for number in range(count):
            at_ns = BEGAN_NS + number * 500_000_000
            writer.write_message("/wheels", wheels, {"left": number / 2, "axle": {"name": "front"}}, at_ns)
            place = {"status": {"status": 0}, "latitude": 40.5, "longitude": -3.5 + number / 1000, "altitude": 600.0}
            writer.write_message("/fix", fix, place, at_ns)
        writer.finish()


def write_bag(path: Path, storage: StoragePlugin, count: int = 10) -> None:
    battery, header, moment = (
        STORE.types[name] for name in ("sensor_msgs/msg/BatteryState", "std_msgs/msg/Header", "builtin_interfaces/msg/Time")
    )
    nothing = np.array([], dtype=np.float32)
    with BagWriter(path, version=9, storage_plugin=storage) as writer:
        connection = writer.add_connection("/battery", "sensor_msgs/msg/BatteryState", typestore=STORE)
        for number in range(count):
            message = battery(
                header(moment(number, 0), "base"),
                24.0,
                30.0,
                -1.0,
                5.0,
                10.0,
                10.0,
                (100 - number) / 100,
                2,
                1,
                2,
                True,
                nothing,
                nothing,
                "",
                "",
            )
            raw = STORE.serialize_cdr(message, "sensor_msgs/msg/BatteryState")
            writer.write(connection, BEGAN_NS + number * 1_000_000_000, raw)


@pytest.mark.parametrize("compression", [CompressionType.NONE, CompressionType.LZ4, CompressionType.ZSTD])
def test_an_mcap_file_is_played_at_its_own_pace_with_types_of_its_own(tmp_path: Path, compression: CompressionType) -> None:
    write_mcap(tmp_path / "a.mcap", compression=compression)
    topics = [{"name": "/fix"}, {"name": "/wheels", "fields": {"left_mps": "left", "axle": "axle.name"}}]
    found = played(tmp_path / "a.mcap", topics=topics, loop=False)
    wheels = [(at, said) for at, said in found if isinstance(said, Reading) and "left_mps" in said.data]
    assert [said.data["left_mps"] for _, said in wheels] == [number / 2 for number in range(20)]
    assert [at for at, _ in wheels] == [pytest.approx(number / 2, abs=0.06) for number in range(20)]
    assert wheels[3][1].data == {"left_mps": 1.5, "axle": "front", "recorded_at": "2023-11-14T22:13:21.500+00:00"}
    places = [said.position for _, said in found if isinstance(said, Reading) and said.position]
    assert (len(places), places[-1]) == (20, Position(40.5, -3.481, 600.0))


@pytest.mark.parametrize("storage", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_a_rosbag2_folder_is_played_faster_and_again(tmp_path: Path, storage: StoragePlugin) -> None:
    write_bag(tmp_path / "bag", storage)
    found = played(tmp_path / "bag", until_s=3.0, speed=10)
    shares = [said.data["battery_pct"] for _, said in found if isinstance(said, Reading)]
    assert shares[:10] == [100.0 - number for number in range(10)]
    assert shares[10:13] == [100.0, 99.0, 98.0], "it begins again"
    assert [at for at, _ in found][:10] == [pytest.approx(number / 10, abs=0.06) for number in range(10)]


def test_without_topics_everything_that_is_known_is_read_and_the_rest_left(tmp_path: Path) -> None:
    write_mcap(tmp_path / "a.mcap")
    found = [said for _, said in played(tmp_path / "a.mcap", loop=False) if isinstance(said, Reading)]
    assert len(found) == 20
    assert all(reading.position for reading in found)


def test_json_messages_of_an_mcap_file_are_read(tmp_path: Path) -> None:
    bad = [b"{", b"[1]", b"[" * 10_000, json.dumps({"status": 5}).encode()]
    good = [json.dumps({"status": [{"name": "Lidar", "level": level, "values": []}]}).encode() for level in (2, 2, 0)]
    with (tmp_path / "j.mcap").open("wb") as stream:
        writer = PlainWriter(stream)
        writer.start()
        schema = writer.register_schema("diagnostic_msgs/msg/DiagnosticArray", "jsonschema", b"{}")
        channel = writer.register_channel("/diagnostics", "json", schema)
        other = writer.register_channel("/cloud", "protobuf", schema)
        for number, body in enumerate([*bad, *good]):
            writer.add_message(channel, BEGAN_NS + number, body, BEGAN_NS + number)
            writer.add_message(other, BEGAN_NS + number, body, BEGAN_NS + number)
        writer.finish()
    found = played(tmp_path / "j.mcap", until_s=1.0, loop=False)
    assert [(said.code, said.over) for _, said in found if isinstance(said, Event)] == [("ros_lidar", False), ("ros_lidar", True)]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_torn_recording_is_played_as_far_as_it_goes_which_is_said_once_a_round(
    tmp_path: Path, cut: float, caplog: pytest.LogCaptureFixture
) -> None:
    write_mcap(tmp_path / "a.mcap", 100)
    whole = (tmp_path / "a.mcap").read_bytes()
    (tmp_path / "torn.mcap").write_bytes(whole[: int(len(whole) * cut)])
    with caplog.at_level(logging.WARNING):
        found = played(tmp_path / "torn.mcap", loop=False, topics=[{"name": "/fix"}])
    assert 5 < len(found) <= 100
    assert len([record for record in caplog.records if "torn" in record.message or "rota" in record.message]) == 1


def test_flipped_bits_and_zeros_end_a_recording_and_never_the_agent(tmp_path: Path) -> None:
    write_mcap(tmp_path / "a.mcap", 30)
    write_bag(tmp_path / "bag", StoragePlugin.SQLITE3)
    noise = random.Random(7)
    whole = (tmp_path / "a.mcap").read_bytes()
    data = next((tmp_path / "bag").glob("*.db3"))
    stored = data.read_bytes()
    for _ in range(60):
        for path, body, played_path in ((tmp_path / "b.mcap", whole, tmp_path / "b.mcap"), (data, stored, tmp_path / "bag")):
            broken = bytearray(body)
            for _ in range(8):
                broken[noise.randrange(len(broken))] = noise.randrange(256)
            path.write_bytes(bytes(broken))
            try:
                played(played_path, until_s=3.0, step_s=0.5, speed=100, loop=False)
            except BadSetting:
                continue


@pytest.mark.parametrize("name", ["absent.mcap", "empty.mcap", "text.mcap", "absent", "folder", "text.bag"])
def test_what_is_no_recording_is_refused_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.mcap").touch()
    (tmp_path / "text.mcap").write_text("this is a text\n" * 100)
    (tmp_path / "text.bag").write_text("this is a text\n" * 100)
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadSetting, match=name):
        played(tmp_path / name)


def test_a_recording_that_does_not_loop_ends_and_one_without_messages_of_these_topics_says_nothing(tmp_path: Path) -> None:
    write_mcap(tmp_path / "a.mcap", 4)
    assert len(played(tmp_path / "a.mcap", loop=False, topics=[{"name": "/fix"}])) == 4
    assert played(tmp_path / "a.mcap", until_s=5.0, topics=[{"name": "/nowhere"}]) == []
