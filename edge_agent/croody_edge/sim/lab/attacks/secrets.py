"""Credential access: guesses, at a broker, a log-in, a page, an API."""

from typing import Final

from croody_edge.sim.lab import words
from croody_edge.sim.lab.attacks.attack import Attack, Given
from croody_edge.sim.lab.attacks.scans import targets
from croody_edge.sim.lab.host import Host
from croody_edge.sim.lab.site import API, MQTT

_FAMILY: Final = "credential access"
_USUAL: Final = ("123456", "password", "admin", "robot", "letmein", "qwerty", "croody", "1234", "root", "toor", "changeme", "raspberry")


def _secret(me: Host, number: int) -> str:
    return f"{me.rng.choice(_USUAL)}{number if number >= len(_USUAL) else ''}"


async def _try_mqtt(me: Host, user: str, secret: str) -> bool:
    connection = await me.connect(me.site.one("broker").address, MQTT)
    if connection is None:
        return False
    await connection.send(words.connect(user, user, secret))
    answer = await connection.receive(1.0)
    await connection.close()
    return answer[:4] == b"\x20\x02\x00\x00"


async def mqtt_guessing(me: Host, given: Given) -> None:
    """Secrets of one robot at the broker."""
    robot = me.rng.choice(targets(me, "robot"))
    for number in range(int(given["tries"])):
        await _try_mqtt(me, robot.robot, _secret(me, number))
        await me.sleep(given["gap_ms"] / 1000)


async def mqtt_spraying(me: Host, given: Given) -> None:
    """One secret for many robots."""
    secret = me.rng.choice(_USUAL)
    for number in range(int(given["tries"])):
        await _try_mqtt(me, f"robot-{number + 1}", secret)
        await me.sleep(given["gap_ms"] / 1000)


async def ssh_guessing(me: Host, given: Given) -> None:
    """Passwords of a log-in by SSH: a connection for every few."""
    target = me.rng.choice(targets(me, "robot", "broker", "cloud", "nas"))
    for _ in range(int(given["tries"])):
        connection = await me.connect(target.address, 22)
        if connection is not None:
            await connection.send(b"SSH-2.0-libssh2_1.10\r\n")
            await connection.receive(1.0)
            for size in (1_000, 120, 90, 150):
                await connection.send(me.rng.randbytes(size))
                await connection.receive(0.5)
            await me.sleep(me.rng.uniform(0.2, 1.5))
            await connection.close()
        await me.sleep(given["gap_ms"] / 1000)


async def telnet_worm(me: Host, given: Given) -> None:
    """The usual names and passwords of cameras and routers, on every machine, as worms try them."""
    everybody = targets(me, "robot", "broker", "cloud", "plc", "nas", "camera", "router")
    for number in range(int(given["tries"])):
        target = everybody[number % len(everybody)]
        connection = await me.connect(target.address, me.rng.choice((23, 2323)), within_s=0.3)
        if connection is not None:
            await connection.send(b"root\r\nxc3511\r\n")
            await connection.close()
        await me.sleep(given["gap_ms"] / 1000)


async def page_guessing(me: Host, given: Given) -> None:
    """Passwords of a person on the log-in page."""
    cloud = me.site.one("cloud").address
    connection = await me.connect(cloud, 80)
    for number in range(int(given["tries"])):
        if connection is None:
            return
        await connection.send(words.http("POST", "/login", "cloud.site", f"user=admin&password={_secret(me, number)}".encode()))
        await connection.receive(1.0)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


async def key_guessing(me: Host, given: Given) -> None:
    """Keys of an API."""
    connection = await me.connect(me.site.one("cloud").address, API)
    for _ in range(int(given["tries"])):
        if connection is None:
            return
        key = me.rng.randbytes(16).hex()
        await connection.send(words.http("GET", "/api/telemetry/robots", "cloud.site", Authorization=f"Bearer {key}"))
        await connection.receive(1.0)
        await me.sleep(given["gap_ms"] / 1000)
    if connection is not None:
        await connection.close()


_TRIES: Final = {"tries": (25, 300), "gap_ms": (5, 400)}
ATTACKS: Final = (
    Attack("mqtt_guessing", _FAMILY, "T1110.001", mqtt_guessing, _TRIES),
    Attack("slow_mqtt_guessing", _FAMILY, "T1110.001", mqtt_guessing, {"tries": (15, 40), "gap_ms": (2_000, 6_000)}),
    Attack("mqtt_spraying", _FAMILY, "T1110.003", mqtt_spraying, {"tries": (15, 100), "gap_ms": (5, 400)}),
    Attack("ssh_guessing", _FAMILY, "T1110.001", ssh_guessing, {"tries": (15, 60), "gap_ms": (5, 300)}),
    Attack("telnet_worm", _FAMILY, "T1110.001", telnet_worm, {"tries": (30, 200), "gap_ms": (5, 200)}),
    Attack("page_guessing", _FAMILY, "T1110.001", page_guessing, {"tries": (60, 300), "gap_ms": (5, 200)}),
    Attack("key_guessing", _FAMILY, "T1110.001", key_guessing, {"tries": (60, 300), "gap_ms": (5, 200)}),
)
