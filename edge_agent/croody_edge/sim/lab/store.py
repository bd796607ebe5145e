"""Sessions as files: NAME-SEED-TAKE.pcap, and its labels beside it as JSON. Knows the disk."""

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Final

from croody_contract.flows.capture import Frame
from croody_edge.sim.lab import pcap
from croody_edge.sim.lab.scenario import BadScenario, Scenario, read
from croody_edge.sim.lab.session import Made

_SHIPPED: Final = resources.files("croody_edge.sim.lab") / "scenarios"
_MOST_BYTES: Final = 1024 * 1024


def shipped() -> list[str]:
    """Names of the scenarios that come along."""
    return sorted(entry.name.removesuffix(".toml") for entry in _SHIPPED.iterdir() if entry.name.endswith(".toml"))


def load(which: str, **instead: float) -> Scenario:
    """A scenario by the name of one that ships, or by its file.

    Raises:
        BadScenario: it cannot be read, or is wrong.
    """
    if which in shipped():
        return read((_SHIPPED / f"{which}.toml").read_text(encoding="utf-8"), which, **instead)
    try:
        with Path(which).open("rb") as file:
            return read(file.read(_MOST_BYTES).decode(), which, **instead)
    except UnicodeDecodeError as error:
        raise BadScenario(f"{which}: no text in UTF-8") from error
    except OSError as error:
        raise BadScenario(f"{which}: {error.strerror}: give the file of a scenario, or one of {', '.join(shipped())}") from error


def place(scenario: Scenario, folder: Path) -> Path:
    """Where its capture goes."""
    return folder / f"{scenario.name}-{scenario.seed}-{scenario.take}.pcap"


def write(made: Made, frames: Iterable[Frame], folder: Path) -> Path:
    """Both files; the labels last, so that a capture with labels is whole.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = place(made.scenario, folder)
    with path.open("wb") as out:
        pcap.begin(out)
        for frame in frames:
            pcap.add(out, frame)
    write_labels(made, path)
    return path


def write_labels(made: Made, path: Path) -> None:
    """What happened in a capture, beside it."""
    path.with_suffix(".json").write_text(json.dumps(made.as_json(), indent=1) + "\n", encoding="utf-8")
