"""Attacks on one's own system on the loopback interface: scan, flood, spoof, login. Never goes anywhere else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from random import Random
from typing import Final

from croody_edge.sim.credentials import Credential
from croody_edge.sim.lab.attacks import floods, inside, scans, secrets
from croody_edge.sim.lab.host import Host
from croody_edge.sim.lab.site import API, MQTT, ROBOT_TCP, Machine, Site
from croody_edge.sim.lab.sockets import SocketHost

#: No run is longer, seconds.
_MOST_S: Final = 60.0


class NotLoopback(ValueError):
    """An address that is not this machine's own."""


async def _scan(me: Host) -> None:
    """Ports of the machine, then pages and objects that are not there."""
    await scans.connect_scan(me, {"ports": 200, "gap_ms": 1})
    await scans.banner_grab(me, {"gap_ms": 10})
    await scans.page_scan(me, {"paths": 120, "gap_ms": 10})
    await scans.api_walk(me, {"paths": 60, "gap_ms": 10})


async def _flood(me: Host) -> None:
    """More connections that say nothing than one address may hold, then messages that are no MQTT."""
    await floods.idle_connections(me, {"connections": 320, "gap_ms": 1})
    await floods.malformed_mqtt(me, {"connections": 40, "gap_ms": 5})


async def _spoof(me: Host) -> None:
    """Readings of other robots, and orders for them, with one robot's secret."""
    await inside.spoofed_readings(me, {"messages": 20, "gap_ms": 50})
    await inside.forged_orders(me, {"messages": 5, "gap_ms": 50})


async def _login(me: Host) -> None:
    """Secrets of a robot at the broker, and passwords of a person on the log-in page."""
    await secrets.mqtt_guessing(me, {"tries": 40, "gap_ms": 50})
    await secrets.page_guessing(me, {"tries": 40, "gap_ms": 50})


ATTACKS: Final[Mapping[str, Callable[[Host], Awaitable[None]]]] = {"scan": _scan, "flood": _flood, "spoof": _spoof, "login": _login}


def site_at(address: str, robots: list[Credential]) -> Site:
    """Everything at one address.

    Raises:
        NotLoopback: it is not this machine's own.
    """
    try:
        own = ip_address(address).is_loopback
    except ValueError:
        own = False
    if not own:
        raise NotLoopback(address)
    offers = frozenset({MQTT, API, 80, ROBOT_TCP})
    machines = [
        Machine(role, role, b"\0" * 6, address, offers=offers) for role in ("broker", "cloud", "plc", "nas", "camera", "router", "stranger")
    ]
    machines += [Machine(f"robot-{n}", "robot", b"\0" * 6, address, robot=one.robot_id, secret=one.secret) for n, one in enumerate(robots)]
    return Site({machine.name: machine for machine in machines})


def attack(which: str, site: Site, ports: Mapping[int, int], seed: int) -> float:
    """Do it, as somebody at the site who is no robot; returns how long it took, seconds."""
    me = SocketHost(site.machines["robot-0" if which == "spoof" else "stranger"], site, Random(f"loopback:{seed}"), "", ports)

    async def run() -> float:
        began = me.now()
        with suppress(TimeoutError):
            await asyncio.wait_for(ATTACKS[which](me), _MOST_S)
        return me.now() - began

    return asyncio.run(run())
