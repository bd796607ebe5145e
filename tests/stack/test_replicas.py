"""One and two of croody and telemetry-gateway under load: killed, slow, restarted, updated. Two must be better."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.load import Load, load, written_down
from tests.stack.system import FIGURES, System, eventually

pytestmark = pytest.mark.stack
SERVICES = ("croody", "telemetry-gateway")
#: From when all are well again to when nobody is refused: the gateway learns of an address within two seconds.
BACK_S = 3


def scale(system: System, replicas: int) -> None:
    """As many of both as this, healthy and met."""
    system.croody("up", *(word for service in SERVICES for word in ("--scale", f"{service}={replicas}")))


def ids(system: System, service: str) -> list[str]:
    return system.compose("ps", "-q", service).split()


@pytest.fixture(params=[1, 2], ids=["one", "two"], scope="module")
def replicas(production: System, request: pytest.FixtureRequest) -> Iterator[int]:
    """How many there are; the next tests want one again."""
    scale(production, request.param)
    yield request.param
    if request.param > 1:
        scale(production, 1)


def outage_s(asked: Load) -> float:
    """Seconds from the first request that failed to the last."""
    at = [outcome.began for outcome in asked.failed]
    return max(at) - min(at) if at else 0.0


def well_since(system: System, containers: dict[str, list[str]]) -> tuple[float, float]:
    """When there was one of each service that is well, and when all of them were; by the monotonic clock."""
    since: dict[str, float] = {}
    every = [container for those in containers.values() for container in those]

    def look() -> bool:
        states = system.run("docker", "inspect", "-f", "{{.State.Health.Status}}", *every).split()
        now = time.monotonic()
        since.update(
            (container, now) for container, state in zip(every, states, strict=True) if state == "healthy" and container not in since
        )
        return len(since) == len(every)

    eventually("all of them well", look, 120, every_s=0.2)
    return max(min(since[container] for container in those) for those in containers.values()), max(since.values())


def kill(system: System, containers: list[str]) -> None:
    """Gone at once, and back a second later, as the engine brings back what ends by itself."""
    system.run("docker", "kill", "-s", "KILL", *containers)
    time.sleep(1)
    system.run("docker", "start", *containers)


@pytest.mark.parametrize("whom", ["one", "all"])
def test_killed_under_load(production: System, folder: Path, replicas: int, whom: str) -> None:
    containers = {service: ids(production, service)[: 1 if whom == "one" else None] for service in SERVICES}

    with written_down(production, folder, f"{whom} of {replicas} killed") as asked:
        time.sleep(2)
        began = time.monotonic()
        kill(production, [container for those in containers.values() for container in those])
        first, last = well_since(production, containers)
        time.sleep(6)

    FIGURES.append(
        f"{whom} of {replicas} killed: away for {outage_s(asked):.1f} s in all; the first were well after {first - began:.1f} s, "
        f"all after {last - began:.1f} s"
    )
    if whom == "one" and replicas == 2:
        # What the killed one had in its hands, and nothing else: a POST that was sent is not sent again.
        assert all(outcome.number for outcome in asked.failed), asked.failed[:5]
        assert len(asked.failed) <= len(asked.threads), asked.failed[:12]
    # Whoever is first ends the outage, however many others are still on their way: two never make it longer than one does.
    late = [outcome for outcome in asked.failed if outcome.began > first + BACK_S]
    assert not late, f"refused {outage_s(asked):.1f} s, {late[-1].began - first:.1f} s after one of each was well: {late[:5]}"


def test_one_that_answers_late_is_asked_again_at_once(production: System, folder: Path, replicas: int) -> None:
    containers = [found for service in SERVICES for found in ids(production, service)]

    with load(production, folder, f"all of {replicas} late by five seconds"):
        time.sleep(1)
        production.run("docker", "pause", *containers)
        try:
            # As the wrapper asks, and with less patience: whoever waits in vain here has met nobody who is gone.
            asking = [threading.Thread(target=ask, args=(production, service)) for service in SERVICES * 3]
            for one in asking:
                one.start()
            time.sleep(5)
        finally:
            production.run("docker", "unpause", *containers)
        for one in asking:
            one.join()


def ask(system: System, service: str) -> None:
    system.inside("gateway", "curl", "-s", "-o", "/dev/null", "-m", "4", f"http://127.0.0.1:8082/{service}", check=False)


def test_restarted_under_load(production: System, folder: Path, replicas: int) -> None:
    before = {service: set(ids(production, service)) for service in SERVICES}

    with load(production, folder, f"{replicas} of each restarted", rate=80, threads=16):
        production.croody("restart", *SERVICES)

    for service in SERVICES:
        assert len(ids(production, service)) == replicas
        assert not before[service] & set(ids(production, service))


def test_updated_under_load(production: System, folder: Path, replicas: int) -> None:
    before = {service: set(ids(production, service)) for service in SERVICES}

    with load(production, folder, f"{replicas} of each updated"):
        production.environ["CROODY_RETENTION_DAYS"] = str(40 + replicas)
        production.croody("update", timeout_s=900)

    for service in SERVICES:
        assert len(ids(production, service)) == replicas
        assert not before[service] & set(ids(production, service))
