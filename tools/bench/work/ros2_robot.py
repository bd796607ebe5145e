"""A ROS 2 robot on DDS that publishes numbered odometry at a pace, in cyclonedds' own words.

Argument: `domain`, `rate`, `count`. Prints `ready` when somebody has subscribed, publishes, and stays until standard input closes.
"""

import json
import sys
import time

from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.topic import Topic
from rosbags.typesys import Stores, get_typestore

from croody_edge.sources.ros2.dds import configuration
from croody_edge.sources.ros2.idl import IdlTypes
from croody_edge.sources.ros2.names import dds_topic

_KIND = "nav_msgs/msg/Odometry"


def main() -> None:
    """Publish, and say how late the slowest message went."""
    wanted = json.loads(sys.stdin.readline())
    held = Domain(wanted["domain"], configuration("127.0.0.1", ("127.0.0.1",)))
    participant = DomainParticipant(wanted["domain"])
    types = IdlTypes(get_typestore(Stores.ROS2_JAZZY).fielddefs)
    offered = Qos(Policy.Reliability.Reliable(1_000_000_000), Policy.History.KeepLast(50))
    writer = DataWriter(participant, Topic(participant, dds_topic("/odom"), types.of(_KIND)), offered)
    message = types.blank(_KIND)
    while not writer.get_matched_subscriptions():
        time.sleep(0.05)
    print("ready", flush=True)
    due_s, late_s = time.monotonic(), 0.0
    for number in range(1, wanted["count"] + 1):
        message.pose_.pose_.position_.x_ = float(number)
        writer.write(message)
        due_s += 1 / wanted["rate"]
        late_s = max(late_s, time.monotonic() - due_s)
        time.sleep(max(0.0, due_s - time.monotonic()))
    sys.stdin.read()
    del held
    print(json.dumps({"late_s": late_s}))


if __name__ == "__main__":
    main()
