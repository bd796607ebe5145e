"""The agent and every library it needs as wheels, for this kind of board or another: others' by their pinned hashes, ours built here."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.stack import ROOT
from tools.words import Problem

REQUIREMENTS: Final = ROOT / "requirements"
PIN: Final = REQUIREMENTS / "edge.txt"
#: Debian's word for a kind of processor -> that of wheels.
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
#: Which C libraries wheels are made for; the last one is the least that is needed. TensorFlow Lite for ARM wants a newer one.
GLIBC: Final = {"amd64": ("2014", "_2_17", "_2_28"), "arm64": ("2014", "_2_17", "_2_28", "_2_34")}
_PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def extras(written: str) -> list[str]:
    """Names of libraries of kinds of source, with spaces or commas between, each once.

    Raises:
        Problem: there are none of that name.
    """
    # What the cloud may have is no kind of source.
    known = sorted(path.stem.removeprefix("extra-") for path in REQUIREMENTS.glob("extra-*.in") if "-r edge.in" in path.read_text("utf-8"))
    for name in (found := written.replace(",", " ").split()):
        if name not in known:
            raise Problem(
                f"EXTRAS tiene {name!r}: escribe, con espacios entre ellos, {', '.join(known)}",
                f"EXTRAS has {name!r}: write, with spaces between them, {', '.join(known)}",
            )
    return list(dict.fromkeys(found))


def pins(libraries: Sequence[str] = ()) -> list[Path]:
    """The files that pin what is gathered."""
    return [PIN, *(REQUIREMENTS / f"extra-{name}.txt" for name in libraries)]


def for_board(text: str, arch: str) -> str:
    """A file of pins whose lines for one kind of processor are those of the board: pip takes this machine's."""
    for name, machine in MACHINES.items():
        kind = os.uname().machine if name == arch else "another"
        text = text.replace(f"platform_machine == '{machine}'", f"platform_machine == '{kind}'")
    return text


def gather(arch: str, wheels: Path, libraries: Sequence[str] = ()) -> None:
    """Put all of them into a folder.

    Args:
        arch: Debian's word for the board's processor.
        wheels: the folder.
        libraries: extra ones, as `extras` checked them.

    Raises:
        Problem: one cannot be had.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    only = [f"--platform=manylinux{kind}_{MACHINES[arch]}" for kind in GLIBC[arch]]
    with tempfile.TemporaryDirectory() as scratch:
        wanted: list[str] = []
        for pin in pins(libraries):
            mine = Path(scratch) / pin.name
            mine.write_text(for_board(pin.read_text(encoding="utf-8"), arch), encoding="utf-8")
            wanted += ["-r", str(mine)]
        run(*_PIP, "download", "-q", "--only-binary=:all:", *only, f"--python-version={python()}", "--no-deps", "-d", str(wheels),
            "--require-hashes", *wanted)  # fmt: skip
        # Away from what lies in the checkout: a build leaves its own folder behind.
        for name in ("contract", "edge_agent"):
            shutil.copytree(ROOT / name, Path(scratch) / name, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
        sources = [str(Path(scratch) / name) for name in ("contract", "edge_agent")]
        run(*_PIP, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels), *sources)


def version() -> str:
    """Of the agent."""
    return str(tomllib.loads((ROOT / "edge_agent" / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def python() -> str:
    """Of this Python, whose packages these are."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def here() -> str:
    """The kind of this machine."""
    return next((arch for arch, machine in MACHINES.items() if machine == os.uname().machine), "amd64")


def run(*command: str) -> None:
    """Run it.

    Raises:
        Problem: it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = f"{' '.join(command[:4])} ...: {done.stderr.strip()[-2000:]}"
        raise Problem(told, told)
