"""Impact: too much for whoever is asked, in packets, connections, messages or bytes."""

from typing import Final

from croody_contract.flows.packets import ICMP, SYN
from croody_edge.sim.lab import frames, words
from croody_edge.sim.lab.attacks.attack import Attack, Given
from croody_edge.sim.lab.attacks.scans import send, targets
from croody_edge.sim.lab.host import Connection, Host
from croody_edge.sim.lab.site import API, MQTT, OUTSIDE

_FAMILY: Final = "impact"


async def _log_in(me: Host) -> Connection | None:
    """As a robot whose secret is known: its own, or a stolen one."""
    robot = me.machine if me.machine.robot else me.rng.choice(me.site.of("robot"))
    connection = await me.connect(me.site.one("broker").address, MQTT)
    if connection is not None:
        await connection.send(words.connect(f"{robot.robot}:{me.rng.randrange(10**6)}", robot.robot, robot.secret))
        await connection.receive(1.0)
    return connection


def _own_topic(me: Host) -> str:
    return f"croody/v1/{me.machine.robot or me.site.of('robot')[0].robot}/up/telemetry"


async def syn_flood(me: Host, given: Given) -> None:
    """Connections that are begun and left, from its own address."""
    broker = me.site.one("broker")
    for number in range(int(given["packets"])):
        packet = frames.tcp(me.machine.address, 1_024 + number % 60_000, broker.address, MQTT, SYN, me.rng.randrange(2**32))
        await send(me, broker, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def spoofed_syn_flood(me: Host, given: Given) -> None:
    """The same from invented addresses."""
    broker = me.site.one("broker")
    for _ in range(int(given["packets"])):
        source = f"{me.rng.choice(OUTSIDE)}{me.rng.randrange(1, 255)}"
        packet = frames.tcp(source, me.rng.randrange(1_024, 65_000), broker.address, MQTT, SYN, me.rng.randrange(2**32))
        await send(me, broker, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def udp_flood(me: Host, given: Given) -> None:
    """Datagrams to ports where nobody listens, or somebody does."""
    target = me.rng.choice(targets(me, "broker", "robot", "plc"))
    for _ in range(int(given["packets"])):
        packet = frames.udp(me.machine.address, me.rng.randrange(1_024, 65_000), target.address, me.rng.randrange(1, 65_000), bytes(400))
        await send(me, target, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def ping_flood(me: Host, given: Given) -> None:
    """Echo requests without a pause."""
    target = me.rng.choice(targets(me, "broker", "robot", "plc"))
    for number in range(int(given["packets"])):
        await send(me, target, frames.ping(me.machine.address, target.address, number, bytes(900)))
        await me.sleep(given["gap_ms"] / 1000)


async def fragment_flood(me: Host, given: Given) -> None:
    """First pieces of packets that never become whole."""
    target = me.rng.choice(targets(me, "broker", "robot"))
    for number in range(int(given["packets"])):
        piece = frames.ip(
            me.machine.address, target.address, ICMP, b"\x08\x00" + bytes(1_000), ident=number, offset=0x2000 | 125 * (number % 3)
        )
        await send(me, target, piece)
        await me.sleep(given["gap_ms"] / 1000)


async def connect_flood(me: Host, given: Given) -> None:
    """Connections that are opened and closed, one after the other."""
    broker = me.site.one("broker").address
    for _ in range(int(given["connections"])):
        connection = await me.connect(broker, MQTT, within_s=0.5)
        if connection is not None:
            await connection.close(abruptly=True)
        await me.sleep(given["gap_ms"] / 1000)


async def idle_connections(me: Host, given: Given) -> None:
    """Connections that say nothing, or a piece of a CONNECT (SlowITe)."""
    broker, held = me.site.one("broker").address, []
    for _ in range(int(given["connections"])):
        connection = await me.connect(broker, MQTT, within_s=0.5)
        if connection is not None:
            held.append(connection)
        await me.sleep(given["gap_ms"] / 1000)
    await me.sleep(15)
    for connection in held:
        await connection.close()


async def slow_requests(me: Host, given: Given) -> None:
    """Requests whose head never ends (Slowloris)."""
    cloud, held = me.site.one("cloud").address, []
    for _ in range(int(given["connections"])):
        connection = await me.connect(cloud, 80, within_s=0.5)
        if connection is not None:
            await connection.send(b"GET / HTTP/1.1\r\nHost: cloud.site\r\nX-a: ")
            held.append(connection)
        await me.sleep(given["gap_ms"] / 1000)
    for _ in range(3):
        await me.sleep(6)
        for connection in held:
            await connection.send(b"b\r\nX-b: ")
    for connection in held:
        await connection.close()


async def message_flood(me: Host, given: Given) -> None:
    """Messages without a pause, with a secret that is right."""
    connection = await _log_in(me)
    for number in range(int(given["messages"])):
        if connection is None:
            return
        await connection.send(words.publish(_own_topic(me), b'{"battery_pct": 1}', 0))
        await me.sleep(given["gap_ms"] / 1000 if number % 10 == 0 else 0)


async def big_messages(me: Host, given: Given) -> None:
    """Messages as large as they may be, one after the other."""
    connection = await _log_in(me)
    for number in range(int(given["messages"])):
        if connection is None:
            return
        await connection.send(words.publish(_own_topic(me), me.rng.randbytes(60_000) * 4, number + 1))
        await connection.receive(1.0)
        await me.sleep(given["gap_ms"] / 1000)


async def request_flood(me: Host, given: Given) -> None:
    """The dearest page of an API, again and again, on several connections."""
    held = [await me.connect(me.site.one("cloud").address, API, within_s=0.5) for _ in range(5)]
    for number in range(int(given["requests"])):
        connection = held[number % 5]
        if connection is None:
            return
        await connection.send(
            words.http("GET", f"/api/telemetry/readings?limit=10000&x={number}", "cloud.site", Authorization="Bearer good")
        )
        await connection.receive(1.0)
        await me.sleep(given["gap_ms"] / 1000)


async def malformed_mqtt(me: Host, given: Given) -> None:
    """To the broker: what is no MQTT, or against its rules."""
    broker = me.site.one("broker").address
    for _ in range(int(given["connections"])):
        connection = await me.connect(broker, MQTT, within_s=0.5)
        if connection is None:
            continue
        await connection.send(
            me.rng.choice([b"\xff" * 20, b"\x10\xff\xff\xff\xff\x7f", b"\x00" * 12, me.rng.randbytes(40), b"\x30\x05\x00\x03abc"])
        )
        await connection.receive(0.3)
        await connection.close()
        await me.sleep(given["gap_ms"] / 1000)


async def reconnect_flood(me: Host, given: Given) -> None:
    """Logs in and leaves, again and again, with a secret that is right: its session is taken over each time."""
    for _ in range(int(given["connections"])):
        connection = await _log_in(me)
        if connection is not None:
            await connection.close(abruptly=True)
        await me.sleep(given["gap_ms"] / 1000)


async def reflection(me: Host, given: Given) -> None:
    """Asks the site's resolver for much, in the name of the victim."""
    victim, router = me.rng.choice(targets(me, "robot", "broker")), me.site.one("router")
    for _ in range(int(given["packets"])):
        question = words.dns_question(me.rng.randrange(65_536), "big.tunnel.example", 255)
        packet = frames.udp(victim.address, me.rng.randrange(1_024, 65_000), router.address, 53, question)
        await send(me, router, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def lease_starvation(me: Host, given: Given) -> None:
    """DHCP: asks for all addresses, each time as another machine."""
    for _ in range(int(given["packets"])):
        mac = b"\x06" + me.rng.randbytes(5)
        packet = frames.udp("0.0.0.0", 68, "255.255.255.255", 67, words.lease(me.rng, mac))
        await me.frame(frames.ethernet(frames.BROADCAST, mac, frames.IPV4, packet))
        await me.sleep(given["gap_ms"] / 1000)


_PACKETS: Final = {"packets": (1_500, 8_000), "gap_ms": (0.1, 2)}
ATTACKS: Final = (
    Attack("syn_flood", _FAMILY, "T0814", syn_flood, _PACKETS, raw=True),
    Attack("spoofed_syn_flood", _FAMILY, "T0814", spoofed_syn_flood, _PACKETS, raw=True),
    Attack("udp_flood", _FAMILY, "T0814", udp_flood, _PACKETS, raw=True),
    Attack("ping_flood", _FAMILY, "T0814", ping_flood, _PACKETS, raw=True),
    Attack("fragment_flood", _FAMILY, "T0814", fragment_flood, _PACKETS, raw=True),
    Attack("connect_flood", _FAMILY, "T0814", connect_flood, {"connections": (300, 1_500), "gap_ms": (1, 10)}),
    Attack("idle_connections", _FAMILY, "T0814", idle_connections, {"connections": (40, 300), "gap_ms": (2, 100)}),
    Attack("slow_requests", _FAMILY, "T0814", slow_requests, {"connections": (40, 200), "gap_ms": (2, 100)}),
    Attack("message_flood", _FAMILY, "T0814", message_flood, {"messages": (4_000, 15_000), "gap_ms": (1, 8)}),
    Attack("big_messages", _FAMILY, "T0814", big_messages, {"messages": (20, 80), "gap_ms": (10, 200)}),
    Attack("request_flood", _FAMILY, "T0814", request_flood, {"requests": (800, 3_000), "gap_ms": (1, 10)}),
    Attack("malformed_mqtt", _FAMILY, "T0819", malformed_mqtt, {"connections": (30, 200), "gap_ms": (10, 200)}),
    Attack("reconnect_flood", _FAMILY, "T0814", reconnect_flood, {"connections": (60, 400), "gap_ms": (5, 100)}),
    Attack("reflection", _FAMILY, "T1498.002", reflection, {"packets": (500, 3_000), "gap_ms": (1, 10)}, raw=True),
    Attack("lease_starvation", _FAMILY, "T0814", lease_starvation, {"packets": (100, 800), "gap_ms": (5, 50)}, raw=True),
)
