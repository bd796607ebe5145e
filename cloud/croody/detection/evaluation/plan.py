"""What is measured: the protocol as it was fixed, and which sessions it asks for. Has those made that are missing."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

SETS: Final = ("training", "unseen_sites", "held_out", "everyday")
#: Sets of each reading: what was read is not read again for a figure.
READINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "first": SETS,
    "second": ("held_out", "everyday"),
    "third": ("everyday",),
    "present": ("held_out",),
}
_ATTACKS, _ORDINARY = 1, 2
_LONGEST_S: Final = 3_600


class NoLaboratory(Exception):
    """A session is missing and cannot be made here; says what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session that is judged, and the capture that calibrates for it."""

    path: Path
    calibration: Path


def protocol() -> dict[str, Any]:
    """As it was fixed."""
    return tomllib.loads((resources.files("croody.detection.evaluation") / "protocol.toml").read_text(encoding="utf-8"))


def sessions(which: str, folder: Path, reading: str = "first") -> Iterator[Wanted]:
    """Those of a set; what is missing is made. `reading`: one of `READINGS` that has this set.

    Raises:
        NoLaboratory: it cannot be made.
    """
    fixed = protocol()
    one, calm = (fixed if reading == "first" else fixed[reading])[which], fixed["calibration"]
    take = _ORDINARY if which == "everyday" else _ATTACKS
    for seed in one["seeds"]:
        yield Wanted(
            _made(folder, one["scenario"], seed, take, one.get("seconds")),
            _made(folder, calm["scenario"], seed, 0, calm["seconds"]),
        )


def _made(folder: Path, scenario: str, seed: int, take: int, seconds: float | None) -> Path:
    path = folder / f"{scenario}-{seed}-{take}.pcap"
    if not path.with_suffix(".json").exists():
        beside = Path(sys.executable).with_name("croody-sim")
        program = str(beside) if beside.exists() else shutil.which("croody-sim")
        if program is None:
            raise NoLaboratory(f"{path} is not there, and croody-sim, which makes it, is not installed: pip install croody-edge")
        command = [program, "attack", "--scenario", scenario, "--seed", str(seed), "--take", str(take), "--out", str(folder)]
        command += [] if seconds is None else ["--seconds", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        if done.returncode:
            raise NoLaboratory(f"{path}: {done.stderr.strip()[-300:]}")
    return path
