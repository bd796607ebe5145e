"""A ROS 2 robot heard over DDS, against a node in another process that writes ROS 2's types by itself."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cyclonedds", reason="pip install croody-edge[ros2]")

from croody_contract.messages import Position
from croody_edge.sources.own import from_table
from croody_edge.sources.ros2 import Ros2Source
from croody_edge.sources.ros2.names import dds_topic, dds_type, ros_topic, ros_type
from croody_edge.variables import BadSetting
from tests.contract.test_pictures import jpeg
from tests.edge_agent.sources.robots.listening import listening

LOOPBACK: dict[str, Any] = {"interface": "127.0.0.1", "peers": ["127.0.0.1"]}
Node = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def domain(worker_number: int) -> int:
    """A domain that no test beside this one is on."""
    return 20 + worker_number


@pytest.fixture
def worker_number(free_port: int) -> int:
    return free_port % 200


@pytest.fixture
def node(domain: int) -> Iterator[Node]:
    made: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        program = [sys.executable, str(Path(__file__).with_name("ros_node.py")), str(domain), *arguments]
        made.append(subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield start
    for one in made:
        one.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.communicate(timeout=5)


def topics(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"name": name, **more} for name in names]


def test_the_usual_messages_become_readings_events_and_a_picture(tmp_path: Path, domain: int, node: Node) -> None:
    (tmp_path / "view.jpg").write_bytes(jpeg(640, 480))
    wanted = topics("/battery_state", "/odom", "/fix", "/diagnostics", "/camera/image/compressed")
    node(*(one["name"] for one in wanted), "--jpeg", str(tmp_path / "view.jpg"))
    with listening(Ros2Source, tmp_path, domain=domain, topics=wanted, **LOOPBACK) as heard:
        assert heard.has(lambda it: {"battery_pct", "speed_mps", "gps_fix", "diagnostics_bad"} <= it.data().keys(), 30)
        assert heard.has(lambda it: it.pictures)
        assert heard.has(lambda it: any(event.over for event in it.events))
    data = heard.data()
    assert (data["battery_pct"], data["battery_v"], data["battery_a"], data["battery_state"]) == (50.0, 24.5, -1.25, "discharging")
    assert "battery_temp_c" not in data, "NaN says unknown"
    assert (data["y_m"], data["yaw_deg"], data["speed_mps"], data["turn_dps"]) == (2.5, 90.0, 1.0, 28.64789)
    assert (data["gps_fix"], data["gps_error_m"]) == ("fix", 5.0)
    assert Position(40.4168, -3.7038, 667.0) in [reading.position for reading in heard.readings]
    began = next(event for event in heard.events if not event.over)
    assert (began.code, began.severity) == ("ros_base_left_motor", "high")
    assert began.detail == {"status": "base: Left motor", "level": "error", "message": "too hot", "hardware": "m1", "temperature": "81.5"}
    assert [(picture.camera, picture.jpeg) for picture in heard.pictures] == [("camera_image_compressed", jpeg(640, 480))], (
        "one in ten seconds"
    )


def test_any_topic_is_read_by_fields_also_of_a_type_that_ros_does_not_ship(tmp_path: Path, domain: int, node: Node) -> None:
    (tmp_path / "acme_msgs" / "msg").mkdir(parents=True)
    definition = tmp_path / "acme_msgs" / "msg" / "Wheels.msg"
    definition.write_text("float32 left\nfloat32 right\nstring name\n")
    wanted = [
        {"name": "/joy", "fields": {"throttle": "axes[1]", "horn": "buttons[0]", "beyond": "axes[99]"}},
        {"name": "/wheels", "type": "acme_msgs/Wheels", "fields": {"left_rps": "left", "axle": "name"}},
        {"name": "/diagnostics", "fields": {"motor_temp_c": "base: Left motor/temperature"}},
    ]
    node("/joy", "/wheels", "/diagnostics")
    with listening(Ros2Source, tmp_path, domain=domain, topics=wanted, definitions=[str(definition)], **LOOPBACK) as heard:
        assert heard.has(lambda it: {"throttle", "left_rps", "motor_temp_c"} <= it.data().keys(), 30)
    data = heard.data()
    assert (data["throttle"], data["horn"], data["left_rps"], data["axle"], data["motor_temp_c"]) == (-1.0, 1, 1.5, "front", 81.5)
    assert "beyond" not in data


@pytest.mark.slow
def test_200_messages_a_second_come_without_loss_and_in_order(tmp_path: Path, domain: int, node: Node) -> None:
    with listening(Ros2Source, tmp_path, domain=domain, topics=topics("/odom"), **LOOPBACK) as heard:
        node("/odom", "--rate", "200", "--count", "2000")
        assert heard.has(lambda it: len(it.readings) == 2000, 60)
    assert [reading.data["x_m"] for reading in heard.readings] == [float(number) for number in range(1, 2001)]


def test_a_robot_that_starts_again_and_one_that_was_not_there_yet_are_heard(tmp_path: Path, domain: int, node: Node) -> None:
    with listening(Ros2Source, tmp_path, domain=domain, topics=topics("/odom"), **LOOPBACK) as heard:
        first = node("/odom")
        assert heard.has(lambda it: it.readings, 30)
        first.kill()
        first.wait(10)
        before = len(heard.readings)
        node("/odom")
        assert heard.has(lambda it: len(it.readings) > before + 5, 40)
    assert heard.failures == []


def test_a_rate_of_one_topic_is_held_here(tmp_path: Path, domain: int, node: Node) -> None:
    node("/odom", "/joy", "--rate", "50")
    wanted = [*topics("/odom", every_s=60.0), {"name": "/joy", "fields": {"throttle": "axes[1]"}}]
    with listening(Ros2Source, tmp_path, domain=domain, topics=wanted, **LOOPBACK) as heard:
        assert heard.has(lambda it: len([one for one in it.readings if "throttle" in one.data]) > 50, 30)
    assert len([one for one in heard.readings if "x_m" in one.data]) == 1


def test_a_topic_of_another_type_or_of_none_is_named_once_and_costs_no_other(
    tmp_path: Path, domain: int, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = [
        {"name": "/battery_state", "type": "nav_msgs/Odometry"},
        {"name": "/joy"},
        {"name": "/nowhere", "type": "std_msgs/Bool"},
        {"name": "/wheels", "fields": {"left": "left"}},
        {"name": "/odom"},
    ]
    node("/battery_state", "/odom", "/joy", "/wheels")
    with listening(Ros2Source, tmp_path, domain=domain, topics=wanted, **LOOPBACK) as heard:
        assert heard.has(lambda it: "x_m" in it.data(), 30)
        assert heard.has(lambda _: "/nowhere" in caplog.text, 30)
    lines = [record.message for record in caplog.records if record.name == "croody.ros2"]
    for name, told in (("/battery_state", "BatteryState"), ("/joy", "fields"), ("/nowhere", "/odom"), ("/wheels", "acme_msgs/msg/Wheels")):
        assert [told in line for line in lines if line.startswith(name) or f" {name} on " in line or f"publica {name} " in line] == [
            True
        ], name
    assert set(heard.data()) == {"x_m", "y_m", "yaw_deg", "speed_mps", "turn_dps"}


def test_a_domain_that_another_source_of_this_agent_is_on_is_shared(tmp_path: Path, domain: int, node: Node) -> None:
    node("/odom", "/fix")
    with (
        listening(Ros2Source, tmp_path, domain=domain, topics=topics("/odom"), **LOOPBACK) as one,
        listening(Ros2Source, tmp_path, domain=domain, topics=topics("/fix"), **LOOPBACK) as other,
    ):
        assert one.has(lambda it: it.readings, 30)
        assert other.has(lambda it: it.readings, 30)


@pytest.mark.slow
def test_a_robot_on_fast_dds_which_ros_takes_unless_told_otherwise_is_heard_without_any_setting(tmp_path: Path, domain: int) -> None:
    if not Path("/usr/include/fastdds").is_dir() or shutil.which("g++") is None:
        pytest.skip("no Fast DDS here: apt-get install g++ libfastrtps-dev")
    robot = tmp_path / "robot"
    source = Path(__file__).with_name("fast_dds_robot.cpp")
    subprocess.run(["g++", "-o", str(robot), str(source), "-lfastrtps", "-lfastcdr"], check=True)
    with listening(Ros2Source, tmp_path, domain=domain, topics=topics("/battery_state")) as heard:
        process = subprocess.Popen([str(robot), str(domain)])
        assert heard.has(lambda it: len(it.readings) > 20, 30)
        process.kill()
        process.wait(10)
    data = heard.data()
    assert (data["battery_v"], data["battery_pct"], data["battery_state"], data["battery_ah"]) == (24.5, 50.0, "discharging", 5.0)


def test_a_robot_whose_ros_speaks_zenoh_is_heard_at_its_router_also_when_that_starts_again(
    tmp_path: Path, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, str(Path(__file__).with_name("zenoh_node.py")), str(free_port)]
    wanted = topics("/base/odom", "/nowhere", "/torn")
    own = {"rmw": "zenoh", "router": f"tcp/127.0.0.1:{free_port}", "domain": 7}
    with listening(Ros2Source, tmp_path, topics=wanted, **own) as heard:
        assert heard.has(lambda it: it.failures, 30), "nobody is there yet"
        robot = subprocess.Popen(command)
        assert heard.has(lambda it: len(it.readings) > 100, 40)
        numbers = [reading.data["x_m"] for reading in heard.readings if "x_m" in reading.data]
        assert heard.has(lambda _: "/nowhere" in caplog.text, 30)
        assert "/base/odom" in caplog.text
        robot.kill()
        robot.wait(10)
        failures = len(heard.failures)
        assert heard.has(lambda it: len(it.failures) > failures, 30)
        before = len(heard.readings)
        robot = subprocess.Popen(command)
        assert heard.has(lambda it: len(it.readings) > before, 60)
        robot.kill()
        robot.wait(10)
    assert numbers == [numbers[0] + number for number in range(len(numbers))]
    assert len([record for record in caplog.records if "/torn" in record.message and "Odometry" in record.message]) == 1


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"topics": []}, "topics"),
        ({"topics": topics("/odom", "/odom")}, "/odom"),
        ({"topics": topics("odom")}, "topics"),
        ({"topics": topics("/odom", type="Odometry")}, "topics"),
        ({"topics": topics("/odom"), "domain": 233}, "domain"),
        ({"topics": topics("/odom", speed=1)}, "speed"),
    ],
)
def test_settings_that_cannot_work_are_refused_and_named(own: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        from_table(Ros2Source.Settings, own, "sources.toml [source.base]")


def test_a_distribution_or_a_definition_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p" / "msg").mkdir(parents=True)
    broken = tmp_path / "p" / "msg" / "Broken.msg"
    broken.write_text("this is no definition ~~~")
    for own, said in (
        ({"distro": "melodic"}, "humble"),
        ({"definitions": [str(broken)]}, "Broken"),
        ({"definitions": ["/no/such/x.msg"]}, "such"),
    ):
        with pytest.raises(BadSetting, match=said), listening(Ros2Source, tmp_path, topics=topics("/odom"), **own):
            pass


def test_names_go_both_ways_and_services_are_no_topics() -> None:
    assert (dds_topic("/fleet/battery_state"), ros_topic("rt/fleet/battery_state")) == ("rt/fleet/battery_state", "/fleet/battery_state")
    assert dds_type("sensor_msgs/msg/BatteryState") == "sensor_msgs::msg::dds_::BatteryState_"
    assert ros_type("sensor_msgs::msg::dds_::BatteryState_") == "sensor_msgs/msg/BatteryState"
    assert [ros_topic(name) for name in ("rq/add_two_intsRequest", "ros_discovery_info", "rtx")] == [None, None, None]
    assert [ros_type(name) for name in ("std_srvs::srv::dds_::Empty_Request_", "HelloWorld", "")] == [None, None, None]
