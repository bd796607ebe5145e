"""What happens at a site on ordinary days. Each is a small function of a machine and its parameters; the table at the end has them all."""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from croody_edge.sim.lab import frames, words
from croody_edge.sim.lab.host import Connection, Host
from croody_edge.sim.lab.site import API, MQTT, MQTTS, ROBOT_TCP, WS

Given = Mapping[str, float]
Range = tuple[float, float]
#: A robot that lost its broker tries again after so long, doubled each time, at most the second.
_AGAIN_S: Final = (1.0, 30.0)
_MULTICAST_DDS: Final = "239.255.0.1"
_MULTICAST_MDNS: Final = "224.0.0.251"


@dataclass(frozen=True, slots=True)
class Activity:
    """One. `who`: the role of those who do it. `given`: parameter -> from, to. `wire_only`: no real stack does it here."""

    code: str
    run: Callable[[Host, Given], Coroutine[Any, Any, None]]
    who: str
    given: Mapping[str, Range] = field(default_factory=dict)
    wire_only: bool = False


def _reading(me: Host, seq: int) -> bytes:
    rng = me.rng
    reading = {
        "seq": seq,
        "at": round(me.now(), 3),
        "battery_pct": round(rng.uniform(20, 100), 1),
        "motor_temp_c": round(rng.uniform(30, 60), 1),
        "speed_mps": round(rng.uniform(0, 1.6), 2),
        "x_m": round(rng.uniform(0, 40), 2),
        "y_m": round(rng.uniform(0, 25), 2),
    }
    return json.dumps(reading).encode()


async def _enter(me: Host, address: str, *, port: int = MQTT) -> Connection | None:
    """Log in as a robot's agent does: name, broker, words, and its own topics. None: not now."""
    machine = me.machine
    await me.ask(me.site.one("router").address, 53, words.dns_question(me.rng.randrange(65_536), "broker.site"))
    connection = await me.connect(address, port)
    if connection is None:
        return None
    own = f"croody/v1/{machine.robot}"
    await connection.send(words.connect(machine.robot, machine.robot, machine.secret, will=(f"{own}/up/presence", b"offline")))
    if not (await connection.receive(3.0)).startswith(b"\x20\x02\x00\x00"):
        await connection.close()
        return None
    await connection.send(words.subscribe(1, f"{own}/down/#"))
    await connection.receive(1.0)
    await connection.send(words.publish(f"{own}/up/presence", b"online", 2))
    await connection.receive(1.0)
    return connection


async def _robot(me: Host, given: Given, address: str) -> None:
    seq, pause_s = 0, _AGAIN_S[0]
    await me.sleep(me.rng.uniform(0, 5))
    while True:
        connection = await _enter(me, address)
        if connection is None:
            await me.sleep(pause_s * me.rng.uniform(0.8, 1.3))
            pause_s = min(pause_s * 2, _AGAIN_S[1])
            continue
        pause_s = _AGAIN_S[0]
        lasts = me.now() + me.rng.expovariate(1 / given["session_s"])
        while me.now() < lasts:
            seq += 1
            topic = f"croody/v1/{me.machine.robot}/up/telemetry"
            await connection.send(words.publish(topic, _reading(me, seq), seq % 65_535 + 1))
            if not await connection.receive(2.0):
                break
            await me.sleep(me.rng.gauss(1, 0.05) / given["rate_hz"])
        await connection.close(abruptly=me.rng.random() < 0.3)


async def robot(me: Host, given: Given) -> None:
    """Publishes readings at QoS 1, reconnects now and then."""
    await _robot(me, given, me.site.one("broker").address)


async def robot_over_ipv6(me: Host, given: Given) -> None:
    """The same, over IPv6."""
    await _robot(me, given, me.site.one("broker").address6)


async def robot_behind_tls(me: Host, given: Given) -> None:
    """The same, as far as one sees through TLS."""
    while True:
        connection = await me.connect(me.site.one("broker").address, MQTTS)
        if connection is None:
            await me.sleep(5)
            continue
        await connection.send(words.tls_hello(me.rng, "broker.site"))
        await connection.receive(2.0)
        lasts = me.now() + me.rng.expovariate(1 / given["session_s"])
        while me.now() < lasts:
            await connection.send(words.tls_data(me.rng, me.rng.randrange(90, 220)))
            await connection.receive(2.0)
            await me.sleep(1 / given["rate_hz"])
        await connection.close()


async def robot_over_websocket(me: Host, given: Given) -> None:
    """The same through a WebSocket."""
    while True:
        connection = await me.connect(me.site.one("broker").address, WS)
        if connection is None:
            await me.sleep(5)
            continue
        request = words.http("GET", "/mqtt", "broker.site", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Protocol="mqtt")
        await connection.send(request)
        await connection.receive(2.0)
        lasts = me.now() + me.rng.expovariate(1 / given["session_s"])
        while me.now() < lasts:
            await connection.send(b"\x82\xfe\x00\x96" + me.rng.randbytes(154))
            await me.sleep(1 / given["rate_hz"])
        await connection.close()


async def backlog(me: Host, given: Given) -> None:
    """After an outage everything that waited goes at once: thousands of readings of this robot."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        connection = await _enter(me, me.site.one("broker").address)
        if connection is None:
            continue
        topic = f"croody/v1/{me.machine.robot}/up/batch/a1b2c3d4"
        for first in range(1, int(given["readings"]), 50):
            body = b"".join(_reading(me, seq) for seq in range(first, first + 50))
            await connection.send(words.publish(f"{topic}/{first}-{first + 49}", body, first % 65_535 + 1))
            await me.sleep(0.02)
        await connection.receive(1.0)
        await connection.close()


async def plain_backlog(me: Host, given: Given) -> None:
    """The same by a plain client: a message a reading, as fast as they are acknowledged."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        connection = await _enter(me, me.site.one("broker").address)
        if connection is None:
            continue
        for seq in range(1, int(given["readings"])):
            await connection.send(words.publish(f"croody/v1/{me.machine.robot}/up/telemetry", _reading(me, seq), seq % 65_535 + 1))
            if seq % 10 == 0:
                await connection.receive(1.0)
        await connection.close()


async def broker_restart(me: Host, given: Given) -> None:
    """The broker is updated: away for a while, then everybody comes back at once."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        await me.set_down(me.machine.name, MQTT, down=True)
        await me.sleep(me.rng.uniform(2, given["away_s"]))
        await me.set_down(me.machine.name, MQTT, down=False)


async def old_secret(me: Host, given: Given) -> None:
    """A robot whose secret was changed and that nobody told: the same wrong one for ever."""
    while True:
        await me.sleep(me.rng.uniform(0.8, 1.2) * given["every_s"])
        connection = await me.connect(me.site.one("broker").address, MQTT)
        if connection is None:
            continue
        await connection.send(words.connect("old-" + me.machine.robot, "old-" + me.machine.robot, "secret-of-last-year"))
        await connection.receive(2.0)
        await connection.close()


async def firmware(me: Host, given: Given) -> None:
    """A download of some megabytes, in pieces."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        connection = await me.connect(me.site.one("cloud").address, 80)
        if connection is None:
            continue
        for piece in range(int(given["pieces"])):
            await connection.send(words.http("GET", f"/big/128?piece={piece}", "cloud.site"))
            await connection.receive(5.0)
        await connection.close()


async def packages(me: Host, given: Given) -> None:
    """An update of the system: many names, many small files from a mirror outside."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        await me.ask(me.site.one("router").address, 53, words.dns_question(me.rng.randrange(65_536), "mirror.packages.example"))
        connection = await me.connect(me.site.one("mirror").address, 80)
        if connection is None:
            continue
        for number in range(int(given["files"])):
            await connection.send(words.http("GET", f"/packages/{me.rng.randrange(10**6)}-{number}.deb", "mirror.packages.example"))
            await connection.receive(3.0)
            await me.sleep(me.rng.expovariate(8))
        await connection.close()


async def names(me: Host, given: Given) -> None:
    """Ordinary questions for names, some long, some of things that are not there (any more)."""
    router = me.site.one("router").address
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        roll, rng = me.rng.random(), me.rng
        if roll < 0.6:
            text = rng.choice(["broker.site", "cloud.site", "time.example", "mirror.packages.example", "nas.site"])
        elif roll < 0.8:
            text = f"e{rng.randrange(10_000)}.dscb.{rng.choice('abcd')}.edge-cache-{rng.randrange(40)}.images.cdn-provider.example"
        elif roll < 0.9:
            text = rng.choice(["wpad.site", "printer.site", "old-server.site", "isatap.site"])
        else:
            text = rng.choice(["news.example", "maps.example", "mail.example"])
        await me.ask(router, 53, words.dns_question(rng.randrange(65_536), text, rng.choice((1, 1, 1, 28))))


async def time_service(me: Host, given: Given) -> None:
    """Asks for the time; now and then a clock is stepped, and asks more often."""
    router = me.site.one("router").address
    while True:
        for _ in range(8 if me.rng.random() < 0.1 else 1):
            await me.ask(router, 123, words.ntp(), source_port=123)
            await me.sleep(2)
        await me.sleep(given["every_s"])


async def lease(me: Host, given: Given) -> None:
    """Looks for an address as after a start: DHCP, who else has it, and tells the others."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        machine = me.machine
        for kind in (1, 3):
            packet = frames.udp("0.0.0.0", 68, "255.255.255.255", 67, words.lease(me.rng, machine.mac, kind))
            await me.frame(frames.ethernet(frames.BROADCAST, machine.mac, frames.IPV4, packet))
            await me.sleep(0.1)
        for source in ("0.0.0.0", machine.address):
            await me.frame(frames.ethernet(frames.BROADCAST, machine.mac, frames.ARP, frames.arp(1, machine.mac, source, machine.address)))
            await me.sleep(1)


async def discovery(me: Host, given: Given) -> None:
    """ROS 2: announces itself to all, and looks at whom it finds, at ports that may not be there."""
    robots = [one.address for one in me.site.of("robot") if one is not me.machine]
    while True:
        await me.ask(_MULTICAST_DDS, 7400, words.participant(me.rng), source_port=7410)
        for address in me.rng.sample(robots, min(len(robots), int(given["peers"]))):
            await me.ask(address, 7400 + 10 + 2 * me.rng.randrange(2), words.participant(me.rng), source_port=7411)
        await me.sleep(given["every_s"] * me.rng.uniform(0.9, 1.1))


async def service_names(me: Host, given: Given) -> None:
    """Multicast DNS: who offers printing, casting, files?"""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        for service in ("_http._tcp.local", "_ipp._tcp.local", "_ssh._tcp.local"):
            await me.ask(_MULTICAST_MDNS, 5353, words.dns_question(0, service, 12), source_port=5353)


async def modbus_poll(me: Host, given: Given) -> None:
    """Reads registers of the PLC, on one connection."""
    number = 0
    while True:
        connection = await me.connect(me.site.one("plc").address, 502)
        for _ in range(600):
            if connection is None:
                break
            number += 1
            await connection.send(words.modbus(number, 1, 3, 0, 20))
            if not await connection.receive(2.0):
                break
            await me.sleep(given["every_s"])
        await me.sleep(5)


async def monitoring(me: Host, given: Given) -> None:
    """Asks every machine whether it is there: ping, SNMP, and a connection that says nothing."""
    while True:
        for machine in me.site.machines.values():
            if machine is me.machine or machine.role in ("stranger", "outside", "mirror", "laptop", "console"):
                continue
            await me.frame(
                frames.ethernet(
                    machine.mac, me.machine.mac, frames.IPV4, frames.ping(me.machine.address, machine.address, me.rng.randrange(65_536))
                )
            )
            await me.sleep(0.3)
        await me.ask(me.site.one("plc").address, 161, words.snmp("public", me.rng.randrange(2**31)))
        for role, port in (("broker", MQTT), ("cloud", API)):
            connection = await me.connect(me.site.one(role).address, port)
            if connection is not None:
                await connection.close()
        await me.sleep(given["every_s"])


async def dashboard(me: Host, given: Given) -> None:
    """An operator's page: its files, then the API again and again."""
    cloud = me.site.one("cloud").address
    while True:
        page = await me.connect(cloud, 80)
        if page is not None:
            for path in ("/", "/robots", "/page/app.css", "/page/app.js", "/page/logo.svg", "/favicon.ico"):
                await page.send(words.http("GET", path, "cloud.site"))
                await page.receive(2.0)
            await page.close()
        api = await me.connect(cloud, API)
        for _ in range(me.rng.randrange(10, 60)):
            if api is None:
                break
            path = f"/api/telemetry/readings?robot=robot-{me.rng.randrange(1, 5)}&after={me.rng.randrange(10**6)}"
            await api.send(words.http("GET", path, "cloud.site", Authorization="Bearer good"))
            if not await api.receive(2.0):
                break
            await me.sleep(given["every_s"])
        if api is not None:
            await api.close()
        await me.sleep(me.rng.expovariate(1 / 20))


async def watcher(me: Host, given: Given) -> None:
    """A technician's MQTT client that watches some robots: not everything."""
    robot = me.site.of("robot")[0]
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        connection = await me.connect(me.site.one("broker").address, MQTT)
        if connection is None:
            continue
        await connection.send(words.connect(f"{robot.robot}:{me.rng.randrange(10**6)}", robot.robot, robot.secret))
        await connection.receive(1.0)
        await connection.send(words.subscribe(1, f"croody/v1/{robot.robot}/up/#"))
        for _ in range(30):
            await connection.receive(2.0)
        await connection.close()


async def technician(me: Host, given: Given) -> None:
    """A laptop: pings, logs in to robots by SSH (a password wrong once in a while), looks at their TCP protocol and at pages."""
    robots = me.site.of("robot")
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        robot = me.rng.choice(robots)
        for number in range(3):
            await me.frame(frames.ethernet(robot.mac, me.machine.mac, frames.IPV4, frames.ping(me.machine.address, robot.address, number)))
            await me.sleep(1)
        for _ in range(1 + (me.rng.random() < 0.3) + (me.rng.random() < 0.1)):
            await _ssh(me, robot.address, wrong=True) if me.rng.random() < 0.3 else await _ssh(me, robot.address, wrong=False)
        for address, port in (
            (robot.address, ROBOT_TCP),
            (me.site.one("plc").address, 80),
            (robot.address, me.rng.choice((80, 8080, 5000))),
        ):
            connection = await me.connect(address, port)
            if connection is not None:
                await connection.send(b'{"cmd": "status"}\n' if port == ROBOT_TCP else words.http("GET", "/", "robot.site"))
                await connection.receive(2.0)
                await connection.close()


async def _ssh(me: Host, address: str, *, wrong: bool) -> None:
    connection = await me.connect(address, 22)
    if connection is None:
        return
    await connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    await connection.receive(1.0)
    await connection.send(me.rng.randbytes(1400))
    await connection.receive(1.0)
    for _ in range(6 if wrong else 120):
        await connection.send(me.rng.randbytes(64))
        await connection.receive(1.0)
        await me.sleep(0.4 if wrong else me.rng.expovariate(3))
    await connection.close()


async def camera(me: Host, given: Given) -> None:
    """Pictures go one way, by UDP."""
    number = 0
    nas = me.site.one("nas").address
    while True:
        for _ in range(int(given["packets"])):
            number += 1
            packet = frames.udp(me.machine.address, 5004, nas, 6000, b"\x80\x60" + number.to_bytes(6, "big") + me.rng.randbytes(1000))
            await me.frame(frames.ethernet(me.mac_of(nas), me.machine.mac, frames.IPV4, packet))
        await me.sleep(1)


async def copies(me: Host, given: Given) -> None:
    """The server's backup goes to the NAS."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        connection = await me.connect(me.site.one("nas").address, 445)
        if connection is not None:
            for _ in range(int(given["blocks"])):
                await connection.send(me.rng.randbytes(60_000))
                await me.sleep(0.01)
            await connection.close()


async def moved_server(me: Host, given: Given) -> None:
    """A service moved: its old place is asked a few times, then the new one."""
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        for _ in range(int(given["tries"])):
            await me.connect(me.site.one("nas").address, API, within_s=1.0)
            await me.sleep(5)
        connection = await me.connect(me.site.one("cloud").address, API)
        if connection is not None:
            await connection.send(words.http("GET", "/api/telemetry/health", "cloud.site", Authorization="Bearer good"))
            await connection.receive(2.0)
            await connection.close()


async def browsing(me: Host, given: Given) -> None:
    """Somebody reads pages outside: names, and some connections at once."""
    router, outside = me.site.one("router").address, me.site.one("outside").address
    while True:
        await me.sleep(me.rng.expovariate(1 / given["every_s"]))
        for number in range(me.rng.randrange(2, 9)):
            await me.ask(router, 53, words.dns_question(me.rng.randrange(65_536), f"static{number}.news.example"))
            connection = await me.connect(outside, 443)
            if connection is None:
                continue
            await connection.send(words.tls_hello(me.rng, f"static{number}.news.example"))
            await connection.receive(2.0)
            for _ in range(me.rng.randrange(1, 6)):
                await connection.send(words.tls_data(me.rng, me.rng.randrange(200, 2_000)))
                await connection.receive(1.0)
            await connection.close()


async def cloud_service(me: Host, given: Given) -> None:
    """A robot's maker watches it: some bytes to a server outside, behind TLS, at times that vary."""
    while True:
        await me.sleep(me.rng.uniform(0.3, 1.7) * given["every_s"])
        connection = await me.connect(me.site.one("mirror").address, 443)
        if connection is not None:
            await connection.send(words.tls_hello(me.rng, "fleet.maker.example"))
            await connection.receive(2.0)
            await connection.send(words.tls_data(me.rng, me.rng.randrange(300, 3_000)))
            await connection.receive(2.0)
            await connection.close()


_RATE: Final = {"rate_hz": (0.5, 2.0), "session_s": (200, 2_000)}
ALL: Final = (
    Activity("robot", robot, "robot", _RATE),
    Activity("robot_over_ipv6", robot_over_ipv6, "robot", _RATE),
    Activity("robot_behind_tls", robot_behind_tls, "robot", _RATE),
    Activity("robot_over_websocket", robot_over_websocket, "robot", _RATE),
    Activity("backlog", backlog, "robot", {"every_s": (200, 900), "readings": (1_500, 6_000)}),
    Activity("plain_backlog", plain_backlog, "robot", {"every_s": (300, 900), "readings": (500, 1_500)}),
    Activity("broker_restart", broker_restart, "broker", {"every_s": (200, 900), "away_s": (5, 40)}, wire_only=True),
    Activity("old_secret", old_secret, "robot", {"every_s": (5, 60)}),
    Activity("firmware", firmware, "robot", {"every_s": (300, 1_200), "pieces": (8, 32)}),
    Activity("packages", packages, "robot", {"every_s": (300, 1_200), "files": (10, 80)}),
    Activity("names", names, "*", {"every_s": (2, 40)}),
    Activity("time_service", time_service, "*", {"every_s": (30, 300)}),
    Activity("lease", lease, "*", {"every_s": (300, 1_800)}),
    Activity("discovery", discovery, "robot", {"every_s": (3, 10), "peers": (1, 4)}),
    Activity("service_names", service_names, "laptop", {"every_s": (20, 120)}),
    Activity("modbus_poll", modbus_poll, "cloud", {"every_s": (0.5, 2)}),
    Activity("monitoring", monitoring, "cloud", {"every_s": (30, 120)}),
    Activity("dashboard", dashboard, "console", {"every_s": (1, 5)}),
    Activity("watcher", watcher, "laptop", {"every_s": (60, 300)}),
    Activity("technician", technician, "laptop", {"every_s": (60, 300)}),
    Activity("camera", camera, "camera", {"packets": (20, 80)}),
    Activity("copies", copies, "cloud", {"every_s": (300, 1_200), "blocks": (10, 60)}),
    Activity("moved_server", moved_server, "console", {"every_s": (200, 900), "tries": (1, 4)}),
    Activity("browsing", browsing, "laptop", {"every_s": (5, 40)}),
    Activity("cloud_service", cloud_service, "robot", {"every_s": (30, 90)}),
)
BY_CODE: Final[Mapping[str, Activity]] = {activity.code: activity for activity in ALL}
