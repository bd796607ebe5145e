"""One running Croody for the short form of the fault matrix, and one whose acknowledgements can be meddled with."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.chaos.arena import Arena
from tools.chaos.meddler import Meddler, Mutation
from tools.stack import Options, Ports


@pytest.fixture(scope="session")
def arena(scratch: Path) -> Iterator[Arena]:
    options = Options(state=scratch / "chaos", ports=Ports.free(), robots=0, host=False, replay=False)
    with Arena(options, pace=0.4) as arena:
        yield arena


@pytest.fixture
def meddle(arena: Arena) -> Iterator[Callable[[Mutation], Meddler]]:
    usual = arena.stack.processes["bridge"].spec
    meddlers: list[Meddler] = []

    def begin(mutation: Mutation) -> Meddler:
        meddler = Meddler(arena.stack.options.ports.telemetry, mutation)
        meddlers.append(meddler)
        arena.stack.stop("bridge")
        through = {**usual.env, "CROODY_TELEMETRY_URL": f"http://127.0.0.1:{meddler.port}"}
        arena.stack.processes["bridge"].spec = dataclasses.replace(usual, env=through)
        arena.stack.start("bridge")
        return meddler

    yield begin
    arena.stack.stop("bridge")
    arena.stack.processes["bridge"].spec = usual
    arena.stack.start("bridge")
    for meddler in meddlers:
        meddler.close()
