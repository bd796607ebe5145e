"""The way between robots and broker: cut, flapping, half-open, losing messages."""

import time

from tools.chaos.arena import Arena
from tools.chaos.faults.base import Fault
from tools.chaos.packets import LoseSome


def _cut(arena: Arena) -> None:
    arena.sim()
    arena.flowing()
    arena.proxy.set("cut")
    arena.sleep(3.0, 6.0)
    arena.proxy.set("open")
    arena.over()


def _flapping(arena: Arena) -> None:
    arena.sim()
    arena.flowing()
    until = time.monotonic() + 8 * arena.pace
    while time.monotonic() < until:
        arena.proxy.set("cut")
        time.sleep(0.5)
        arena.proxy.set("open")
        time.sleep(0.5)
    arena.over()


def _half_open(arena: Arena) -> None:
    arena.sim(seconds=16)
    arena.flowing()
    arena.proxy.set("dark")
    arena.sleep(6.0, 10.0)
    # What hung in the dark is dead for good; new connections get through.
    arena.proxy.reset()
    arena.proxy.set("open")
    arena.over()


def _lossy(arena: Arena) -> None:
    rng = arena.round.rng
    arena.proxy.filtered(lambda: LoseSome(rng, 0.3))
    try:
        arena.sim()
        arena.flowing()
        arena.sleep(8.0)
    finally:
        arena.proxy.filtered(None)
    arena.over()


FAULTS = (
    Fault("link-cut", _cut),
    Fault("link-flapping", _flapping),
    Fault("link-half-open", _half_open),
    Fault("batches-swallowed", _lossy),
)
