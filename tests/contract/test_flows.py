"""Captures -> packets -> counters: every form of file and frame, and whatever is damaged, cut short or made to be slow."""

import io
import random
import struct

import pytest

from croody_contract.flows import capture, packets
from croody_contract.flows.capture import Frame, NoCapture
from croody_contract.flows.connections import MOST, Connections
from croody_contract.flows.counters import MOST_DEVICES, Counter
from croody_contract.flows.meter import Look, Meter
from croody_contract.flows.packets import ACK, ICMP, RST, SYN, TCP, UDP
from tests.contract.frames import START, Wire, arp, ethernet, ip, mac_of, mqtt_connect, packet, pcap, pcapng, tcp, udp

ROBOT, BROKER, THIEF = "10.0.0.1", "10.0.0.2", "10.0.0.9"


def address(text: str) -> bytes:
    return packets.ip_address(text).packed


def most_of(frames: list[Frame], device: str, seconds: int = 10) -> dict[Counter, int]:
    """The highest that each counter of a device stood."""
    most: dict[Counter, int] = {}
    for look in looks(frames):
        if look.device == address(device):
            for counter, value in look.windows[seconds].items():
                most[counter] = max(value, most.get(counter, 0))
    return most


def looks(frames: list[Frame]) -> list[Look]:
    meter = Meter()
    return [look for frame in frames for look in meter.take(frame)] + list(meter.end())


# Files

FRAMES = [Frame(START + number * 1_500_000_000, 1, 60 + number, bytes([number]) * (20 + number)) for number in range(5)]


@pytest.mark.parametrize(
    "data",
    [
        pcap(FRAMES),
        pcap(FRAMES, ">"),
        pcap(FRAMES, nanoseconds=True),
        pcap(FRAMES, ">", nanoseconds=True),
        pcapng(FRAMES),
        pcapng(FRAMES, ">"),
        pcapng(FRAMES, resolution=9),
        pcapng(FRAMES, ">", resolution=3),
    ],
)
def test_a_capture_of_every_form_has_the_same_frames(data: bytes) -> None:
    assert list(capture.read(io.BytesIO(data))) == FRAMES


@pytest.mark.parametrize("data", [b"", b"GIF8", b"\0" * 100, b"PK\3\4"])
def test_what_is_no_capture_is_refused_with_what_was_found(data: bytes) -> None:
    with pytest.raises(NoCapture, match="expected a pcap or pcapng"):
        list(capture.read(io.BytesIO(data)))


@pytest.mark.parametrize("data", [pcap(FRAMES), pcapng(FRAMES)])
def test_a_file_that_is_cut_anywhere_gives_what_is_whole(data: bytes) -> None:
    for size in range(4, len(data)):
        found = list(capture.read(io.BytesIO(data[:size])))
        assert found == FRAMES[: len(found)]


@pytest.mark.parametrize("data", [pcap(FRAMES), pcapng(FRAMES)])
def test_a_damaged_file_never_crashes_or_hangs(data: bytes) -> None:
    dice = random.Random(1)
    for _ in range(2_000):
        spoilt = bytearray(data)
        for _ in range(dice.randint(1, 8)):
            spoilt[dice.randrange(4, len(spoilt))] = dice.randrange(256)
        for frame in capture.read(io.BytesIO(bytes(spoilt))):
            packets.parse(frame.link, frame.data)


# Frames


def test_vlan_cooked_raw_and_loopback_lead_to_the_same_packet() -> None:
    inner = ip(ROBOT, BROKER, TCP, struct.pack("!HHIIBBHHH", 4000, 1883, 1, 1, 0x50, SYN, 0, 0, 0))
    mac = mac_of(ROBOT)
    vlan = b"\xff" * 6 + mac + b"\x81\x00\x00\x05\x88\xa8\x00\x07\x08\x00" + inner
    cooked = b"\0\0\0\1\0\6" + mac + b"\0\0\x08\0" + inner
    cooked2 = b"\x08\0\0\0\0\0\0\1\0\1\0\6" + mac + b"\0\0" + inner
    found = [
        packets.parse(link, data)
        for link, data in (
            (1, ethernet(mac, 0x0800, inner)),
            (1, vlan),
            (113, cooked),
            (276, cooked2),
            (101, inner),
            (0, b"\2\0\0\0" + inner),
        )
    ]
    assert {(one.source, one.target, one.source_port, one.target_port, one.flags) for one in found if one} == {
        (address(ROBOT), address(BROKER), 4000, 1883, SYN)
    }
    assert [one.mac for one in found if one] == [mac] * 4 + [b"", b""]


def test_extension_headers_of_ipv6_are_passed_over_and_fragments_are_known() -> None:
    segment = struct.pack("!HHIIBBHHH", 4000, 22, 1, 1, 0x50, SYN, 0, 0, 0)
    hops = bytes([44, 0]) + bytes(6) + bytes([TCP, 0, 0, 1]) + bytes(4) + segment
    one = packets.parse(1, packet("fd00::1", "fd00::2", 0, hops))
    assert one is not None
    assert (one.protocol, one.target_port, one.fragment) == (TCP, 22, True)
    later = packets.parse(1, packet(ROBOT, BROKER, TCP, b"x" * 40, offset=100))
    assert later is not None
    assert (later.fragment, later.target_port, later.payload) == (True, 0, b"")


def test_padding_behind_a_packet_is_not_its_payload() -> None:
    one = packets.parse(1, tcp(ROBOT, 4000, BROKER, 1883, ACK) + bytes(20))
    assert one is not None
    assert one.payload == b""


def test_frames_of_any_bytes_and_any_link_never_raise() -> None:
    dice = random.Random(2)
    good = [
        tcp(ROBOT, 1, BROKER, 2, SYN, b"x"),
        udp(ROBOT, 1, BROKER, 53, b"y" * 40),
        arp(b"\2" * 6, ROBOT, BROKER),
        packet("fd00::1", "fd00::2", 0, bytes(30)),
    ]
    meter = Meter()
    for number in range(20_000):
        frame = bytearray(dice.choice(good))
        for _ in range(dice.randint(0, 6)):
            frame[dice.randrange(len(frame))] = dice.randrange(256)
        data = bytes(frame[: dice.randint(0, len(frame))])
        link = dice.choice([1, 1, 1, 113, 276, 101, 0, 105, 127, 189, 9999])
        list(meter.take(Frame(START + number * 1_000_000, link, len(data), data)))


# What is counted


def test_refused_and_unanswered_ports_are_counted_once_each_and_an_open_one_is_not() -> None:
    wire = Wire([])
    for port in range(1, 11):
        wire.refused(THIEF, 40_000 + port, BROKER, port)
        wire.refused(THIEF, 50_000 + port, BROKER, port)
    for port in range(11, 16):
        wire.put(tcp(THIEF, 40_000, BROKER, port, SYN))
    wire.opened(THIEF, 45_000, BROKER, 1883)
    wire.wait(5)
    wire.put(arp(mac_of(ROBOT), ROBOT, BROKER))
    most = most_of(wire.frames, THIEF)
    assert (most[Counter.FAILED_PORTS], most[Counter.FAILED_HOSTS], most[Counter.HALF_OPEN], most[Counter.CONNECTS]) == (15, 1, 5, 1)


def test_a_capture_that_begins_in_the_middle_of_connections_has_no_failed_ones() -> None:
    wire = Wire([])
    for port in range(40_000, 40_100):
        wire.said(ROBOT, port, BROKER, 1883, b"\x30\x05going")
        wire.said(BROKER, 1883, ROBOT, port, b"\x40\x02\x00\x01")
    for port in range(50_000, 50_100):
        wire.said(BROKER, 1883, ROBOT, port, b"\x30\x05first")
        wire.put(tcp(ROBOT, port, BROKER, 1883, ACK))
    wire.wait(70)
    wire.put(arp(mac_of(ROBOT), ROBOT, BROKER))
    for device in (ROBOT, BROKER):
        most = most_of(wire.frames, device)
        assert not {Counter.FAILED_PORTS, Counter.HALF_OPEN, Counter.MQTT_MALFORMED, Counter.IDLE} & most.keys()


def test_a_flood_under_invented_addresses_is_of_the_machine_that_sent_it() -> None:
    wire = Wire([])
    wire.opened(THIEF, 30_000, BROKER, 1883)
    for number in range(500):
        wire.put(tcp(f"198.51.{number // 250}.{number % 250}", 1000 + number, BROKER, 1883, SYN, mac=mac_of(THIEF)))
    wire.wait(4)
    wire.put(arp(mac_of(ROBOT), ROBOT, BROKER))
    assert most_of(wire.frames, THIEF)[Counter.HALF_OPEN] > 450
    assert most_of(wire.frames, BROKER)[Counter.VICTIM_HALF_OPEN] == 500


def test_many_strangers_behind_a_router_keep_their_own_addresses() -> None:
    wire = Wire([])
    router = mac_of("10.0.0.254")
    for number in range(10):
        wire.put(tcp(f"203.0.113.{number}", 1000, BROKER, 8080, SYN, mac=router))
        wire.put(tcp(BROKER, 8080, f"203.0.113.{number}", 1000, RST | ACK))
    for number in range(10):
        assert most_of(wire.frames, f"203.0.113.{number}")[Counter.FAILED_PORTS] == 1


def test_refused_log_ins_count_their_different_secrets() -> None:
    wire = Wire([])
    for number in range(12):
        port = 40_000 + number
        wire.opened(THIEF, port, BROKER, 1883)
        wire.said(THIEF, port, BROKER, 1883, mqtt_connect("robot-1", f"guess-{number % 4}"))
        wire.said(BROKER, 1883, THIEF, port, b"\x20\x02\x00\x05")
        wire.closed(BROKER, 1883, THIEF, port)
    most = most_of(wire.frames, THIEF)
    assert (most[Counter.MQTT_REFUSED], most[Counter.MQTT_SECRETS]) == (12, 4)


def test_a_board_of_many_robots_with_old_secrets_guesses_nothing() -> None:
    wire = Wire([])
    for number in range(40):
        port = 40_000 + number
        wire.opened(ROBOT, port, BROKER, 1883)
        wire.said(ROBOT, port, BROKER, 1883, mqtt_connect(f"robot-{number % 20}", f"old-{number % 20}"))
        wire.said(BROKER, 1883, ROBOT, port, b"\x20\x02\x00\x05")
    most = most_of(wire.frames, ROBOT)
    assert most[Counter.MQTT_REFUSED] == 40
    assert Counter.MQTT_SECRETS not in most


def test_what_is_said_where_mqtt_is_spoken_is_mqtt_tls_or_nonsense() -> None:
    wire = Wire([])
    for number, words in enumerate((b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff", mqtt_connect("a", "b"), b"\x16\x03\x01\x00\x05hello")):
        wire.opened(THIEF, 40_000 + number, BROKER, 1883)
        wire.said(THIEF, 40_000 + number, BROKER, 1883, words)
    assert most_of(wire.frames, THIEF)[Counter.MQTT_MALFORMED] == 2


def test_connections_that_say_nothing_are_idle_and_a_quiet_mqtt_session_is_not() -> None:
    wire = Wire([])
    for number in range(5):
        wire.opened(THIEF, 40_000 + number, BROKER, 1883)
        wire.opened(ROBOT, 40_000 + number, BROKER, 1883)
        wire.said(ROBOT, 40_000 + number, BROKER, 1883, mqtt_connect("robot-1", "right"))
    for _ in range(15):
        wire.put(arp(mac_of(ROBOT), ROBOT, BROKER), after_s=1)
    assert most_of(wire.frames, THIEF)[Counter.IDLE] == 5
    assert Counter.IDLE not in most_of(wire.frames, ROBOT)


def test_who_claims_another_machines_address_is_counted_and_a_renewed_own_one_is_not() -> None:
    wire = Wire([])
    for _ in range(5):
        wire.put(arp(mac_of(ROBOT), ROBOT, BROKER, 2))
        wire.put(arp(mac_of(THIEF), THIEF, BROKER, 2))
    for _ in range(4):
        wire.put(arp(mac_of(THIEF), ROBOT, BROKER, 2))
    assert most_of(wire.frames, THIEF)[Counter.ARP_CLAIMS] == 4
    assert Counter.ARP_CLAIMS not in most_of(wire.frames, ROBOT)


def test_sweeps_pings_names_and_unreachable_ports_are_counted() -> None:
    wire = Wire([])
    for number in range(1, 31):
        host = f"10.0.0.{number + 20}"
        wire.put(arp(mac_of(THIEF), THIEF, host))
        wire.put(packet(THIEF, host, ICMP, b"\x08\x00" + bytes(6)))
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0" + bytes([63]) + str(number).encode().rjust(63, b"a") + b"\0"
        wire.put(udp(THIEF, 5000, BROKER, 53, question))
        wire.put(udp(BROKER, 53, THIEF, 5000, b"\0\1\x81\x83" + question[4:]))
        asked = ip(THIEF, BROKER, 17, struct.pack("!HHHH", 6000, 7000 + number, 8, 0))
        wire.put(packet(BROKER, THIEF, ICMP, b"\x03\x03" + bytes(6) + asked))
    most = most_of(wire.frames, THIEF)
    expected = {Counter.ARP_HOSTS, Counter.PINGED_HOSTS, Counter.PINGS, Counter.DNS_LONG, Counter.DNS_FAILED, Counter.UDP_REFUSED}
    assert {most[counter] for counter in expected} == {30}


def test_who_asks_machines_that_are_there_whether_they_are_sweeps_nothing_also_when_they_fall_silent() -> None:
    wire = Wire([])
    for turn in range(3):
        for number in range(1, 21):
            host = f"10.0.0.{number + 20}"
            wire.put(packet(THIEF, host, ICMP, b"\x08\x00" + bytes(6)))
            if turn < 2:
                wire.put(packet(host, THIEF, ICMP, b"\x00\x00" + bytes(6)))
        wire.wait(70)
    most = most_of(wire.frames, THIEF, 60)
    assert most[Counter.PINGS] == 20
    assert most.get(Counter.PINGED_HOSTS, 0) == 0


# What grows


def test_a_flood_of_new_devices_and_connections_is_bounded_and_said() -> None:
    meter = Meter()
    for number in range(MOST + 2_000):
        source = f"{11 + number % 80}.{number // 250 % 250}.{number // 62_500}.{number % 250}"
        data = tcp(source, number % 60_000 + 1, BROKER, 1883, SYN)
        list(meter.take(Frame(START + number * 10_000, 1, len(data), data)))
    assert len(meter.connections) <= MOST
    assert meter.connections.forgotten > 0
    assert meter.counters.left_out > 0
    assert len(list(meter.counters.devices())) <= MOST_DEVICES


def test_a_gap_of_a_year_is_not_walked_through_second_by_second() -> None:
    data = tcp(ROBOT, 1, BROKER, 1883, SYN)
    meter = Meter()
    list(meter.take(Frame(START, 1, len(data), data)))
    found = list(meter.take(Frame(START + 365 * 86_400 * 1_000_000_000, 1, len(data), data)))
    assert len(found) < 1_000


def test_a_connection_that_is_over_is_forgotten() -> None:
    connections = Connections()
    wire = Wire([])
    for port in range(1_000):
        wire.opened(ROBOT, 40_000 + port, BROKER, 1883)
        wire.closed(ROBOT, 40_000 + port, BROKER, 1883)
    for frame in wire.frames:
        one = packets.parse(1, frame.data)
        assert one is not None
        connections.take(one, frame.at_ns)
    list(connections.idle(wire.frames[-1].at_ns + 10 * 1_000_000_000))
    assert len(connections) == 0


def test_messages_are_followed_across_segments_whatever_was_captured_of_them() -> None:
    wire = Wire([])
    wire.opened(ROBOT, 40_000, BROKER, 1883)
    wire.said(ROBOT, 40_000, BROKER, 1883, mqtt_connect("robot-1", "right"))
    wire.said(BROKER, 1883, ROBOT, 40_000, b"\x20\x02\x00\x00")
    big = b"\x31\xd2\x0f\x00\x01t" + b"\x31\x05\x00\x01fff" * 285 + b"xxxx"  # what looks like retained messages lies within one
    for at in range(0, len(big), 700):
        wire.said(ROBOT, 40_000, BROKER, 1883, big[at : at + 700])
    other = b"croody/v1/robot-2/up/telemetry"
    three = b"".join(b"\x30" + bytes([len(topic) + 2, 0, len(topic)]) + topic for topic in (other, other.replace(b"2", b"1"), b"home"))
    wire.said(ROBOT, 40_000, BROKER, 1883, three)
    counted = most_of(wire.frames, ROBOT)
    assert (counted[Counter.MQTT_PUBLISHES], counted[Counter.MQTT_RETAINED], counted[Counter.MQTT_FOREIGN]) == (4, 1, 1)


def test_what_a_robot_delivers_to_its_own_topics_and_has_acknowledged_is_no_flood() -> None:
    wire = Wire([])
    wire.opened(ROBOT, 40_000, BROKER, 1883)
    wire.said(ROBOT, 40_000, BROKER, 1883, mqtt_connect("robot-1", "right"))
    wire.said(BROKER, 1883, ROBOT, 40_000, b"\x20\x02\x00\x00")
    for first, robot in ((0x32, b"1"), (0x30, b"1"), (0x32, b"2")):
        topic = b"croody/v1/robot-" + robot + b"/up/telemetry"
        for _ in range(20):
            wire.said(ROBOT, 40_000, BROKER, 1883, bytes([first, len(topic) + 4, 0, len(topic)]) + topic + b"\0\1")
    counted = most_of(wire.frames, ROBOT)
    assert counted[Counter.MQTT_PUBLISHES] == 40, "without acknowledgement, and to another's topics"
    assert counted[Counter.MQTT_BYTES] > 60 * 30


def test_packets_under_the_address_of_who_still_speaks_are_of_who_sent_them() -> None:
    wire = Wire([])
    for _ in range(3):
        wire.put(udp(ROBOT, 5000, BROKER, 5001, b"mine"))
        wire.put(udp(THIEF, 5000, BROKER, 5001, b"mine too"))
        wire.put(packet(ROBOT, BROKER, UDP, struct.pack("!HHHH", 5000, 5001, 8, 0), mac=mac_of(THIEF)))
    assert most_of(wire.frames, THIEF)[Counter.BORROWED] == 2, "from when its owner is known to speak"
    assert Counter.BORROWED not in most_of(wire.frames, ROBOT)


def test_answers_for_names_that_nobody_asked_for_or_that_come_twice_are_counted() -> None:
    def answer(number: int, address: bytes, ttl: int = 5) -> bytes:
        record = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", ttl, 4) + address
        return struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0) + b"\x04news\x07example\0\0\1\0\1" + record

    wire = Wire([])
    public, private = b"\x08\x08\x08\x08", b"\x0a\0\0\x09"
    wire.put(udp(ROBOT, 40_000, BROKER, 53, struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x04news\x07example\0\0\1\0\1"))
    for data in (answer(7, public), answer(7, public), answer(7, private), answer(8, public)):
        wire.put(udp(BROKER, 53, ROBOT, 40_000, data))
    wire.put(udp(BROKER, 53, ROBOT, 40_001, answer(7, public)))
    wire.put(udp(BROKER, 53, THIEF, 40_001, answer(7, public)))
    counted = most_of(wire.frames, BROKER)
    assert (counted[Counter.DNS_AGAIN], counted[Counter.DNS_UNASKED], counted[Counter.DNS_PRIVATE]) == (1, 2, 1)


def test_regular_connections_to_the_outside_are_beats_and_irregular_ones_are_not() -> None:
    wire = Wire([])
    for number in range(6):
        wire.opened(ROBOT, 40_000 + number, "9.9.9.9", 443)
        wire.opened(THIEF, 40_000 + number, "9.9.9.9", 443)
        wire.wait(5)
        if number % 2:
            wire.opened(THIEF, 50_000 + number, "9.9.9.9", 443)
        wire.wait(3)
    assert most_of(wire.frames, ROBOT, 60)[Counter.BEATS] >= 4
    assert most_of(wire.frames, THIEF, 60).get(Counter.BEATS, 0) <= 1


def test_who_claims_an_ipv6_address_of_another_is_named_by_what_it_has_itself() -> None:
    wire, theirs = Wire([]), "fd00::2"
    wire.put(udp(theirs, 5000, "fd00::1", 5001, b"mine"))
    wire.put(udp(THIEF, 5000, BROKER, 5001, b"hello"))
    lie = b"\x88\0\0\0\x60\0\0\0" + address(theirs) + b"\x02\x01" + mac_of(THIEF)
    wire.put(packet(theirs, "fd00::1", packets.ICMP6, lie, mac=mac_of(THIEF)))
    assert most_of(wire.frames, THIEF)[Counter.ARP_CLAIMS] == 1


def test_answers_of_a_resolver_to_many_ports_are_no_search_for_ports() -> None:
    wire = Wire([])
    for port in range(2_000, 2_100):
        wire.put(udp(BROKER, 53, ROBOT, port, b"answer"))
        wire.put(udp(THIEF, 44_000, ROBOT, port, b"?"))
    assert Counter.UDP_PORTS not in most_of(wire.frames, BROKER)
    assert most_of(wire.frames, THIEF)[Counter.UDP_PORTS] == 100


def announce(wire: Wire, *robots: str) -> None:
    for robot in robots:
        wire.put(udp(robot, 7410, "239.255.0.1", 7400, b"RTPS"))


def ask_participants(wire: Wire, source: str, targets: list[str], ports: range) -> None:
    for target in targets:
        for port in ports:
            question = udp(source, 7411, target, port, b"RTPS")
            wire.put(question, 0.001)
            wire.put(packet(target, source, ICMP, bytes([3, 3, 0, 0, 0, 0, 0, 0]) + question[14:]), 0.001)


def test_robots_that_announce_themselves_and_ask_each_others_participants_search_for_no_ports() -> None:
    wire, robots = Wire([]), [f"10.0.0.{number}" for number in range(1, 13)]
    announce(wire, *robots)
    ask_participants(wire, robots[0], robots[1:], range(7410, 7414, 2))
    most = most_of(wire.frames, robots[0])
    assert (most[Counter.DISCOVERY], most.get(Counter.UDP_REFUSED), most.get(Counter.UDP_PORTS)) == (22, None, None)


def test_a_scanner_that_pretends_to_announce_itself_is_seen_at_all_other_ports_hosts_and_domains() -> None:
    quiet, loud = ["10.0.0.30", "10.0.0.31"], ["10.0.0.1", "10.0.0.2"]
    for targets, ports in ((quiet, range(7410, 7422, 2)), (loud, range(7_000, 7_020)), (loud, range(7_660, 7_680))):
        wire = Wire([])
        announce(wire, *loud, THIEF)
        for domain in range(10):
            wire.put(udp(THIEF, 7410, "239.255.0.1", 7_400 + 250 * domain, b"RTPS"))
        ask_participants(wire, THIEF, targets, ports)
        assert most_of(wire.frames, THIEF)[Counter.UDP_REFUSED] >= 10
    wire = Wire([])
    announce(wire, THIEF, *[f"10.0.0.{number}" for number in range(1, 9)])
    ask_participants(wire, THIEF, [f"10.0.0.{number}" for number in range(1, 9)], range(7410, 7430))
    assert most_of(wire.frames, THIEF)[Counter.DISCOVERY] == 160, "at theirs it has a limit of its own"


def test_questions_one_after_the_other_count_though_nobody_can_read_them() -> None:
    wire = Wire([])
    wire.opened(THIEF, 50_000, BROKER, 9000)
    for _ in range(30):
        wire.put(tcp(THIEF, 50_000, BROKER, 9000, ACK, b"\x17\3\3\0\x20" + bytes(32)))
        wire.put(tcp(BROKER, 9000, THIEF, 50_000, ACK, b"\x17\3\3\1\0" + bytes(256)))
    most = most_of(wire.frames, THIEF)
    assert (most[Counter.TURNS], most[Counter.BYTES_UP]) == (29, 30 * 37)


def test_sessions_that_end_at_once_count_also_where_nobody_can_read_why() -> None:
    wire = Wire([])
    for number in range(15):
        wire.opened(THIEF, 50_000 + number, BROKER, 8883)
        wire.put(tcp(THIEF, 50_000 + number, BROKER, 8883, ACK, b"\x16\3\1" + bytes(200)))
        wire.put(tcp(BROKER, 8883, THIEF, 50_000 + number, RST | ACK))
    most = most_of(wire.frames, THIEF)
    assert (most[Counter.SHORT_SESSIONS], most.get(Counter.SHORT_LOGINS)) == (15, None)
