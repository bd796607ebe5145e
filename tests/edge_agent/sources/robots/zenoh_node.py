"""A router and a publisher on Zenoh with the keys of rmw_zenoh, in a process of its own, and nothing of ours.

python zenoh_node.py PORT      publishes odometry on domain 7 and a token of it, until its standard input closes
"""

import json
import sys
import time

import zenoh
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
KIND = "nav_msgs/msg/Odometry"


def odometry(number: int) -> bytes:
    import numpy

    make = {name.rpartition("/")[2]: made for name, made in STORE.types.items() if name.startswith(("geometry", "nav", "std", "builtin"))}
    pose = make["Pose"](make["Point"](float(number), 2.5, 0.0), make["Quaternion"](0.0, 0.0, 0.0, 1.0))
    twist = make["Twist"](make["Vector3"](0.6, 0.8, 0.0), make["Vector3"](0.0, 0.0, 0.0))
    covariance = numpy.zeros(36)
    message = make["Odometry"](
        make["Header"](make["Time"](1, 2), "odom"),
        "base",
        make["PoseWithCovariance"](pose, covariance),
        make["TwistWithCovariance"](twist, covariance),
    )
    return bytes(STORE.serialize_cdr(message, KIND))


def main() -> None:
    config = zenoh.Config()
    values = {"mode": "router", "listen/endpoints": [f"tcp/127.0.0.1:{sys.argv[1]}"], "scouting/multicast/enabled": False}
    for name, value in values.items():
        config.insert_json5(name, json.dumps(value))
    session = zenoh.open(config)
    digest = STORE.hash_rihs01(KIND)
    spelled = "nav_msgs::msg::dds_::Odometry_"
    token = f"@ros2_lv/7/{session.info.zid()}/0/10/MP/%/%base/base/%base%odom/{spelled}/{digest}/1:1:1,10:,:,:,,"
    held = session.liveliness().declare_token(token)
    publisher = session.declare_publisher(f"7/base/odom/{spelled}/{digest}")
    torn = session.declare_publisher(f"7/torn/{spelled}/{digest}")
    for number in range(1, 100_000):
        publisher.put(odometry(number), attachment=bytes(33))
        torn.put(odometry(number)[: number % 700])
        time.sleep(0.02)
    del held


main()
