"""Who is at the site: machines with their addresses, what they offer, and what robots may log in with. Pure; made by a seed."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

#: Nothing outside of these is ever sent to: the site's own, and what documentation is allowed to use for "elsewhere" (RFC 5737, 3849).
INSIDE: Final = "10.88.0."
INSIDE6: Final = "fd00:88::"
OUTSIDE: Final = ("198.51.100.", "203.0.113.")
MQTT: Final = 1883
MQTTS: Final = 8883
WS: Final = 8083
API: Final = 9000
ROBOT_TCP: Final = 9090


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine. `offers`: ports of TCP; `offers_udp`: of UDP. `robot`: its name as a robot, and `secret` what it logs in with."""

    name: str
    role: str
    mac: bytes
    address: str
    address6: str = ""
    offers: frozenset[int] = frozenset()
    offers_udp: frozenset[int] = frozenset()
    robot: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Site:
    """Machines by their names, in the order in which they were made."""

    machines: dict[str, Machine]

    def of(self, role: str) -> list[Machine]:
        """Those with a role."""
        return [machine for machine in self.machines.values() if machine.role == role]

    def one(self, role: str) -> Machine:
        """The first with a role."""
        return self.of(role)[0]

    def by_address(self, address: str) -> Machine | None:
        """Whose an address is."""
        return next((machine for machine in self.machines.values() if address in (machine.address, machine.address6)), None)

    @property
    def accounts(self) -> dict[str, str]:
        """Whom the broker lets in: name -> secret."""
        return {machine.robot: machine.secret for machine in self.machines.values() if machine.robot}


#: role -> ports of TCP, of UDP.
_OFFERS: Final = {
    "robot": (frozenset({22, ROBOT_TCP}), frozenset({7400})),
    "broker": (frozenset({22, MQTT, MQTTS, WS}), frozenset[int]()),
    "cloud": (frozenset({22, 80, 443, API, 9100}), frozenset[int]()),
    "router": (frozenset({53, 80}), frozenset({53, 67, 123})),
    "plc": (frozenset({80, 502}), frozenset({161})),
    "nas": (frozenset({22, 445, 8080}), frozenset[int]()),
    "camera": (frozenset({80, 554}), frozenset[int]()),
    "laptop": (frozenset[int](), frozenset[int]()),
    "console": (frozenset[int](), frozenset[int]()),
    "stranger": (frozenset[int](), frozenset[int]()),
    "mirror": (frozenset({80, 443}), frozenset[int]()),
    "outside": (frozenset({80, 443, 8080}), frozenset({53})),
}


def make(seed: int, robots: int, strangers: int = 2) -> Site:
    """A site of so many robots. The same seed makes the same one; another seed has other addresses and secrets."""
    rng = Random(f"site:{seed}")
    last = rng.sample(range(10, 250), robots + strangers + 12)
    roles = ["router", "broker", "cloud", "plc", "nas", "camera", "laptop", "console"] + ["robot"] * robots + ["stranger"] * strangers
    found: dict[str, Machine] = {}
    numbers: dict[str, int] = {}
    for role, number in zip(roles, last, strict=False):
        numbers[role] = numbers.get(role, 0) + 1
        name = role if role not in ("robot", "stranger") else f"{role}-{numbers[role]}"
        host = 1 if role == "router" else number
        found[name] = _machine(name, role, f"{INSIDE}{host}", f"{INSIDE6}{host:x}", rng)
    for number, role in enumerate(("mirror", "outside"), 1):
        found[role] = _machine(role, role, f"{OUTSIDE[0]}{number + rng.randrange(1, 200)}", "", rng)
    return Site(found)


def _machine(name: str, role: str, address: str, address6: str, rng: Random) -> Machine:
    mac = b"\x02" + rng.randbytes(5)
    robot, secret = (name, rng.randbytes(9).hex()) if role == "robot" else ("", "")
    tcp, udp = _OFFERS[role]
    return Machine(name, role, mac, address, address6, tcp, udp, robot, secret)
