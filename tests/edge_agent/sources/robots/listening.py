"""A source that speaks by itself, in a test: started as the agent would, and what it hands over in a list."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from croody_contract.messages import Event, Reading, Snapshot, check_record
from croody_edge.sources import Context, Said
from croody_edge.sources.own import from_table
from tests.edge_agent.doubles import wait_until


class Heard:
    """A `HandOver` that holds everything to the contract, as the outbox does."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.failures: list[str] = []

    def __call__(self, said: Said) -> bool:
        check_record(said)
        self.said.append(said)
        return True

    def failed(self, cause: str) -> None:
        self.failures.append(cause)

    @property
    def readings(self) -> list[Reading]:
        return [one for one in self.said if isinstance(one, Reading)]

    @property
    def events(self) -> list[Event]:
        return [one for one in self.said if isinstance(one, Event)]

    @property
    def pictures(self) -> list[Snapshot]:
        return [one for one in self.said if isinstance(one, Snapshot)]

    def data(self) -> dict[str, Any]:
        """Everything that readings have said, the newest of each metric."""
        return {name: value for reading in list(self.readings) for name, value in reading.data.items()}

    def has(self, true: Callable[["Heard"], object], within_s: float = 15.0) -> bool:
        return wait_until(lambda: true(self), within_s)


@contextlib.contextmanager
def listening(kind: Any, folder: Path, **own: Any) -> Iterator[Heard]:
    """A source of that kind with these settings, listening."""
    source = kind(from_table(kind.Settings, own, "sources.toml"), Context("rover-alice", folder, "test"))
    heard = Heard()
    source.start(heard)
    try:
        yield heard
    finally:
        source.close()
