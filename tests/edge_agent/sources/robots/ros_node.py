"""A ROS 2 node on DDS, in a process of its own, with types written down here as ROS 2's generator writes them, and nothing of ours.

python ros_node.py DOMAIN TOPIC... [--rate HZ] [--count N]   publishes until it is stopped, or N of each
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import array, float32, float64, int8, int32, sequence, uint8, uint16, uint32
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.topic import Topic
from cyclonedds.util import duration

LOOPBACK = (
    "<CycloneDDS><Domain><General><Interfaces><NetworkInterface address='127.0.0.1'/></Interfaces>"
    "<AllowMulticast>false</AllowMulticast></General><Discovery><ParticipantIndex>auto</ParticipantIndex>"
    "<Peers><Peer address='127.0.0.1'/></Peers></Discovery></Domain></CycloneDDS>"
)


@dataclass
class Time(IdlStruct, typename="builtin_interfaces.msg.dds_.Time_"):
    sec_: int32 = 0
    nanosec_: uint32 = 0


@dataclass
class Header(IdlStruct, typename="std_msgs.msg.dds_.Header_"):
    stamp_: Time
    frame_id_: str


def header() -> Header:
    return Header(Time(int(time.time()), 0), "base_link")


@dataclass
class BatteryState(IdlStruct, typename="sensor_msgs.msg.dds_.BatteryState_"):
    header_: Header
    voltage_: float32
    temperature_: float32
    current_: float32
    charge_: float32
    capacity_: float32
    design_capacity_: float32
    percentage_: float32
    power_supply_status_: uint8
    power_supply_health_: uint8
    power_supply_technology_: uint8
    present_: bool
    cell_voltage_: sequence[float32]
    cell_temperature_: sequence[float32]
    location_: str
    serial_number_: str


@dataclass
class Vector3(IdlStruct, typename="geometry_msgs.msg.dds_.Vector3_"):
    x_: float64
    y_: float64
    z_: float64


@dataclass
class Point(IdlStruct, typename="geometry_msgs.msg.dds_.Point_"):
    x_: float64
    y_: float64
    z_: float64


@dataclass
class Quaternion(IdlStruct, typename="geometry_msgs.msg.dds_.Quaternion_"):
    x_: float64
    y_: float64
    z_: float64
    w_: float64


@dataclass
class Pose(IdlStruct, typename="geometry_msgs.msg.dds_.Pose_"):
    position_: Point
    orientation_: Quaternion


@dataclass
class PoseWithCovariance(IdlStruct, typename="geometry_msgs.msg.dds_.PoseWithCovariance_"):
    pose_: Pose
    covariance_: array[float64, 36]


@dataclass
class Twist(IdlStruct, typename="geometry_msgs.msg.dds_.Twist_"):
    linear_: Vector3
    angular_: Vector3


@dataclass
class TwistWithCovariance(IdlStruct, typename="geometry_msgs.msg.dds_.TwistWithCovariance_"):
    twist_: Twist
    covariance_: array[float64, 36]


@dataclass
class Odometry(IdlStruct, typename="nav_msgs.msg.dds_.Odometry_"):
    header_: Header
    child_frame_id_: str
    pose_: PoseWithCovariance
    twist_: TwistWithCovariance


@dataclass
class NavSatStatus(IdlStruct, typename="sensor_msgs.msg.dds_.NavSatStatus_"):
    status_: int8
    service_: uint16


@dataclass
class NavSatFix(IdlStruct, typename="sensor_msgs.msg.dds_.NavSatFix_"):
    header_: Header
    status_: NavSatStatus
    latitude_: float64
    longitude_: float64
    altitude_: float64
    position_covariance_: array[float64, 9]
    position_covariance_type_: uint8


@dataclass
class KeyValue(IdlStruct, typename="diagnostic_msgs.msg.dds_.KeyValue_"):
    key_: str
    value_: str


@dataclass
class DiagnosticStatus(IdlStruct, typename="diagnostic_msgs.msg.dds_.DiagnosticStatus_"):
    level_: uint8
    name_: str
    message_: str
    hardware_id_: str
    values_: sequence[KeyValue]


@dataclass
class DiagnosticArray(IdlStruct, typename="diagnostic_msgs.msg.dds_.DiagnosticArray_"):
    header_: Header
    status_: sequence[DiagnosticStatus]


@dataclass
class CompressedImage(IdlStruct, typename="sensor_msgs.msg.dds_.CompressedImage_"):
    header_: Header
    format_: str
    data_: sequence[uint8]


@dataclass
class Joy(IdlStruct, typename="sensor_msgs.msg.dds_.Joy_"):
    header_: Header
    axes_: sequence[float32]
    buttons_: sequence[int32]


@dataclass
class Wheels(IdlStruct, typename="acme_msgs.msg.dds_.Wheels_"):
    left_: float32
    right_: float32
    name_: str


def battery(number: int) -> BatteryState:
    unknown = float("nan")
    return BatteryState(header(), 24.5, unknown, -1.25, unknown, unknown, unknown, 0.5, 2, 1, 2, True, [4.08], [], "", "")


def odometry(number: int) -> Odometry:
    turned = Pose(Point(float(number), 2.5, 0.0), Quaternion(0.0, 0.0, 0.7071067811865476, 0.7071067811865476))
    moving = Twist(Vector3(0.6, 0.8, 0.0), Vector3(0.0, 0.0, 0.5))
    return Odometry(header(), "base", PoseWithCovariance(turned, [0.0] * 36), TwistWithCovariance(moving, [0.0] * 36))


def fix(number: int) -> NavSatFix:
    return NavSatFix(header(), NavSatStatus(0, 1), 40.4168, -3.7038, 667.0, [9.0, 0, 0, 0, 16.0, 0, 0, 0, 1.0], 2)


def diagnostics(number: int) -> DiagnosticArray:
    bad = number // 5 % 2
    motor = DiagnosticStatus(2 * bad, "base: Left motor", "too hot" if bad else "OK", "m1", [KeyValue("temperature", "81.5")])
    return DiagnosticArray(header(), [motor, DiagnosticStatus(0, "base: Lidar", "OK", "l1", [])])


def image(number: int) -> CompressedImage:
    body = Path(sys.argv[sys.argv.index("--jpeg") + 1]).read_bytes()
    return CompressedImage(header(), "jpeg", list(body))


def joy(number: int) -> Joy:
    return Joy(header(), [0.25, -1.0], [1, 0])


def wheels(number: int) -> Wheels:
    return Wheels(1.5, 2.5, "front")


RELIABLE = Qos(Policy.Reliability.Reliable(duration(seconds=1)), Policy.History.KeepLast(50))
BEST_EFFORT = Qos(Policy.Reliability.BestEffort, Policy.History.KeepLast(5))
TOPICS = {
    "/battery_state": (BatteryState, battery, BEST_EFFORT),
    "/odom": (Odometry, odometry, RELIABLE),
    "/fix": (NavSatFix, fix, BEST_EFFORT),
    "/diagnostics": (DiagnosticArray, diagnostics, RELIABLE),
    "/camera/image/compressed": (CompressedImage, image, BEST_EFFORT),
    "/joy": (Joy, joy, RELIABLE),
    "/wheels": (Wheels, wheels, RELIABLE),
}


def main() -> None:
    domain = int(sys.argv[1])
    names = [argument for argument in sys.argv[2:] if argument in TOPICS]
    rate = float(sys.argv[sys.argv.index("--rate") + 1]) if "--rate" in sys.argv else 10.0
    count = int(sys.argv[sys.argv.index("--count") + 1]) if "--count" in sys.argv else 10**9
    held = Domain(domain, LOOPBACK)
    participant = DomainParticipant(domain)
    writers = [
        (DataWriter(participant, Topic(participant, f"rt{name}", TOPICS[name][0]), TOPICS[name][2]), TOPICS[name][1]) for name in names
    ]
    while count < 10**9 and any(not writer.get_matched_subscriptions() for writer, _ in writers):
        time.sleep(0.05)
    due_s = time.monotonic()
    for number in range(1, count + 1):
        for writer, make in writers:
            writer.write(make(number))
        due_s += 1 / rate
        time.sleep(max(0.0, due_s - time.monotonic()))
    print("published", flush=True)
    sys.stdin.read()  # What is reliable may still have to be sent again.
    del held


main()
