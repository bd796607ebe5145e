"""Discovery: who is there, and what do they offer?"""

from typing import Final

from croody_contract.flows.packets import ACK, FIN, SYN
from croody_edge.sim.lab import frames, words
from croody_edge.sim.lab.attacks.attack import Attack, Given
from croody_edge.sim.lab.host import Host
from croody_edge.sim.lab.site import API, INSIDE, MQTT, Machine

_FAMILY: Final = "discovery"
_SERVICES: Final = (
    21,
    22,
    23,
    25,
    53,
    80,
    110,
    111,
    135,
    139,
    143,
    443,
    445,
    502,
    554,
    993,
    1433,
    1723,
    1883,
    3306,
    3389,
    5432,
    5900,
    8080,
    8443,
    8883,
    9000,
)


def targets(me: Host, *roles: str) -> list[Machine]:
    """Machines of these roles that it might attack."""
    return [machine for role in roles for machine in me.site.of(role) if machine is not me.machine]


def ports(me: Host, many: float) -> list[int]:
    """So many ports, the usual ones first, in some order."""
    found = list(_SERVICES) + me.rng.sample(range(1, 10_000), 2_000)
    found = found[: int(many)]
    me.rng.shuffle(found)
    return found


async def send(me: Host, target: Machine, packet: bytes) -> None:
    """An IPv4 packet to a machine of the site."""
    await me.frame(frames.ethernet(me.mac_of(target.address), me.machine.mac, frames.IPV4, packet))


async def _probe(me: Host, given: Given, flags: int) -> None:
    target = me.rng.choice(targets(me, "broker", "robot", "plc", "nas"))
    for port in ports(me, given["ports"]):
        packet = frames.tcp(me.machine.address, me.rng.randrange(33_000, 60_000), target.address, port, flags, me.rng.randrange(2**32))
        await send(me, target, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def syn_scan(me: Host, given: Given) -> None:
    """Ports of one machine, without finishing a connection."""
    await _probe(me, given, SYN)


async def fin_scan(me: Host, given: Given) -> None:
    """The same with packets that belong to no connection."""
    await _probe(me, given, FIN)


async def xmas_scan(me: Host, given: Given) -> None:
    """The same with FIN, PSH and URG."""
    await _probe(me, given, FIN | frames.PSH | frames.URG)


async def null_scan(me: Host, given: Given) -> None:
    """The same with no flag at all."""
    await _probe(me, given, 0)


async def ack_scan(me: Host, given: Given) -> None:
    """What does the firewall let through?"""
    await _probe(me, given, ACK)


async def connect_scan(me: Host, given: Given) -> None:
    """Ports of one machine, by whole connections."""
    target = me.rng.choice(targets(me, "broker", "robot", "plc"))
    for port in ports(me, given["ports"]):
        connection = await me.connect(target.address, port, within_s=0.3)
        if connection is not None:
            await connection.close(abruptly=True)
        await me.sleep(given["gap_ms"] / 1000)


async def udp_scan(me: Host, given: Given) -> None:
    """Ports of UDP of one machine."""
    target = me.rng.choice(targets(me, "broker", "robot", "plc"))
    for port in ports(me, given["ports"]):
        packet = frames.udp(me.machine.address, 44_000, target.address, port, b"\0" * 8)
        await send(me, target, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def banner_grab(me: Host, given: Given) -> None:
    """What runs behind open ports: connects to each, and says something that each understands differently."""
    for target in targets(me, "broker", "cloud", "plc", "nas", "robot"):
        for port in sorted(target.offers):
            for words_of in (b"\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"HELP\r\n"):
                connection = await me.connect(target.address, port, within_s=0.5)
                if connection is None:
                    continue
                await connection.send(words_of)
                await connection.receive(0.3)
                await connection.close()
                await me.sleep(given["gap_ms"] / 1000)


async def ping_sweep(me: Host, given: Given) -> None:
    """Every address of the site, by ping."""
    for last in me.rng.sample(range(1, 255), int(given["hosts"])):
        address = f"{INSIDE}{last}"
        await me.frame(frames.ethernet(me.mac_of(address), me.machine.mac, frames.IPV4, frames.ping(me.machine.address, address, last)))
        await me.sleep(given["gap_ms"] / 1000)


async def arp_sweep(me: Host, given: Given) -> None:
    """Every address of the site, on the link."""
    for last in me.rng.sample(range(1, 255), int(given["hosts"])):
        asked = frames.arp(1, me.machine.mac, me.machine.address, f"{INSIDE}{last}")
        await me.frame(frames.ethernet(frames.BROADCAST, me.machine.mac, frames.ARP, asked))
        await me.sleep(given["gap_ms"] / 1000)


async def service_sweep(me: Host, given: Given) -> None:
    """One service on every machine that is there: who has SSH, MQTT, Modbus?"""
    port = me.rng.choice((22, 23, 502, MQTT, 445))
    everybody = targets(me, "robot", "broker", "cloud", "plc", "nas", "camera", "router", "console", "laptop")
    for target in everybody:
        connection = await me.connect(target.address, port, within_s=0.4)
        if connection is not None:
            await connection.close()
        await me.sleep(given["gap_ms"] / 1000)


async def page_scan(me: Host, given: Given) -> None:
    """Addresses of a web server that might be there."""
    cloud = me.site.one("cloud").address
    stems = ("admin", "backup", ".git", "old", "test", "config", "db", "phpmyadmin", "wp-login", "shell", "debug", "env", "server-status")
    connection = await me.connect(cloud, 80)
    for number in range(int(given["paths"])):
        if connection is None:
            break
        await connection.send(
            words.http("GET", f"/{me.rng.choice(stems)}{number}.{me.rng.choice(('php', 'bak', 'zip', 'txt'))}", "cloud.site")
        )
        if not await connection.receive(1.0):
            connection = await me.connect(cloud, 80)
        await me.sleep(given["gap_ms"] / 1000)


async def snmp_sweep(me: Host, given: Given) -> None:
    """Who answers to a community that everybody knows?"""
    for target in targets(me, "robot", "plc", "nas", "router", "camera"):
        for community in ("public", "private", "manager", "cisco")[: int(given["communities"])]:
            await me.ask(target.address, 161, words.snmp(community, me.rng.randrange(2**31)), within_s=0.1)
            await me.sleep(given["gap_ms"] / 1000)


async def modbus_scan(me: Host, given: Given) -> None:
    """Which units are there behind a PLC?"""
    connection = await me.connect(me.site.one("plc").address, 502)
    for unit in range(1, int(given["units"])):
        if connection is None:
            return
        await connection.send(words.modbus(unit, unit, 3, 0, 1))
        await connection.receive(0.5)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def dds_scan(me: Host, given: Given) -> None:
    """ROS 2: every participant of every domain of every machine."""
    for target in targets(me, "robot"):
        for domain in range(int(given["domains"])):
            await me.ask(target.address, 7400 + 250 * domain + 10, words.participant(me.rng), source_port=7500, within_s=0.05)
            await me.sleep(given["gap_ms"] / 1000)


async def api_walk(me: Host, given: Given) -> None:
    """Objects of an API by their numbers, with a key that is nobody's."""
    connection = await me.connect(me.site.one("cloud").address, API)
    for number in range(int(given["paths"])):
        if connection is None:
            return
        await connection.send(
            words.http("GET", f"/api/telemetry/robots/{number}", "cloud.site", Authorization=f"Bearer {me.rng.randrange(10**9)}")
        )
        await connection.receive(1.0)
        await me.sleep(given["gap_ms"] / 1000)


_PORTS: Final = {"ports": (40, 600), "gap_ms": (1, 60)}
ATTACKS: Final = (
    Attack("syn_scan", _FAMILY, "T0846", syn_scan, _PORTS, raw=True),
    Attack("fin_scan", _FAMILY, "T0846", fin_scan, _PORTS, raw=True),
    Attack("xmas_scan", _FAMILY, "T0846", xmas_scan, _PORTS, raw=True),
    Attack("null_scan", _FAMILY, "T0846", null_scan, _PORTS, raw=True),
    Attack("ack_scan", _FAMILY, "T0846", ack_scan, _PORTS, raw=True),
    Attack("connect_scan", _FAMILY, "T0846", connect_scan, _PORTS),
    Attack("slow_scan", _FAMILY, "T0846", syn_scan, {"ports": (30, 120), "gap_ms": (800, 3_000)}, raw=True),
    Attack("udp_scan", _FAMILY, "T0846", udp_scan, {"ports": (40, 300), "gap_ms": (5, 300)}, raw=True),
    Attack("banner_grab", _FAMILY, "T0888", banner_grab, {"gap_ms": (20, 400)}),
    Attack("ping_sweep", _FAMILY, "T0846", ping_sweep, {"hosts": (30, 250), "gap_ms": (1, 100)}, raw=True),
    Attack("arp_sweep", _FAMILY, "T0846", arp_sweep, {"hosts": (40, 250), "gap_ms": (1, 100)}, raw=True),
    Attack("service_sweep", _FAMILY, "T0846", service_sweep, {"gap_ms": (5, 400)}),
    Attack("page_scan", _FAMILY, "T1595.003", page_scan, {"paths": (60, 600), "gap_ms": (2, 100)}),
    Attack("snmp_sweep", _FAMILY, "T0888", snmp_sweep, {"communities": (1, 4), "gap_ms": (5, 200)}),
    Attack("modbus_scan", _FAMILY, "T0888", modbus_scan, {"units": (20, 247), "gap_ms": (5, 150)}),
    Attack("dds_scan", _FAMILY, "T0846", dds_scan, {"domains": (3, 12), "gap_ms": (2, 80)}),
    Attack("api_walk", _FAMILY, "T1595.003", api_walk, {"paths": (60, 400), "gap_ms": (5, 150)}),
)
