"""What a machine of the lab can do on the network, whatever carries it. What machines do is written against this."""

from random import Random
from typing import Protocol

from croody_edge.sim.lab.site import Machine, Site


class Connection(Protocol):
    """An open TCP connection."""

    async def send(self, data: bytes) -> None:
        """Say something."""

    async def receive(self, within_s: float = 2.0) -> bytes:
        """What came, as soon as anything came; empty when nothing did, or it was closed."""

    async def close(self, *, abruptly: bool = False) -> None:
        """End it: with FIN, or with RST."""


class Host(Protocol):
    """A machine that acts. `rng`: its own, by the seed."""

    machine: Machine
    site: Site
    rng: Random

    def now(self) -> float:
        """Seconds since 1970, of the capture."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def connect(self, address: str, port: int, *, within_s: float = 1.0, source: str = "") -> Connection | None:
        """Open a connection; None when it was refused or nobody answered. `source`: one of its own addresses."""

    async def ask(self, address: str, port: int, payload: bytes, *, source_port: int = 0, within_s: float = 1.0) -> bytes:
        """One UDP datagram, and its answer; empty when none came."""

    async def frame(self, data: bytes) -> None:
        """A frame as it is, whoever it pretends to be from. Other machines answer it as theirs would."""

    def mac_of(self, address: str) -> bytes:
        """Where frames for this address go."""

    def other(self, name: str) -> "Host":
        """Another machine of the site: a victim that is made to do something."""

    async def set_down(self, name: str, port: int, *, down: bool) -> None:
        """Take a service away, or bring it back."""
