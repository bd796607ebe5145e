"""`make balena`: lays out `build/balena/`, one folder that `balena push` takes whole, and the same as an archive for the deploy button.

Reproducible: the same commit gives the same bytes. DEVICES=/dev/ttyUSB0,/dev/i2c-1 hands devices of the board to the agent;
EXTRAS="serial ros2" adds libraries of those kinds of source; SIMULATOR=0 leaves the simulator out.
"""

import gzip
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from tools.balena.lint import BALENA, complaints
from tools.edge_wheels import extras
from tools.stack import ROOT
from tools.words import Problem, fail, say

#: What the image of a board is built from, beside the files of `balena/`; a folder stands for what git knows of it.
SOURCES: Final = (
    "LICENSE",
    "requirements/build.txt",
    "requirements/edge.txt",
    "requirements/extra-*.txt",
    "contract/pyproject.toml",
    "contract/croody_contract",
    "edge_agent/pyproject.toml",
    "edge_agent/croody_edge",
)
_OWN: Final = ("balena.yml", "contract.yml", "README.md")
_DEVICE: Final = re.compile(r"/dev/[\w.-]+(/[\w.-]+)*")
#: The line of the compose file behind which its devices go.
_AGENT: Final = "    command: [python, -m, croody_edge.balena, agent]\n"
#: The group that serial ports belong to, on the board and in the image.
_DIALOUT: Final = "20"


def main() -> int:
    """Lay it out and say where it is and what to do with it; the exit status is 0 when that could be done."""
    try:
        simulator = os.environ.get("SIMULATOR", "1") != "0"
        given = devices(os.environ.get("DEVICES", "")), extras(os.environ.get("EXTRAS", ""))
        folder = lay_out(ROOT / "build" / "balena", *given, simulator=simulator)
        archive = pack(folder, ROOT / "build" / f"croody-balena-{version()}.tar.gz", moment())
    except Problem as problem:
        return fail(problem)
    size, files = archive.stat().st_size / 1000, sum(path.is_file() for path in folder.rglob("*"))
    say(
        f"{_short(folder)}: {files} archivos. `balena push FLOTA --source {_short(folder)}` los envía. {_short(archive)}: {size:.0f} kB",
        f"{_short(folder)}: {files} files. `balena push FLEET --source {_short(folder)}` sends them. {_short(archive)}: {size:.0f} kB",
    )
    return 0


def devices(written: str) -> list[str]:
    """Paths of devices, with commas between.

    Raises:
        Problem: one is no path of a device.
    """
    paths = [part.strip() for part in written.split(",") if part.strip()]
    for path in paths:
        if not _DEVICE.fullmatch(path) or ".." in path:
            raise Problem(
                f"DEVICES tiene {path!r}: escribe rutas como /dev/ttyUSB0, con comas entre ellas",
                f"DEVICES has {path!r}: write paths such as /dev/ttyUSB0, with commas between them",
            )
    return paths


def lay_out(folder: Path, paths: Sequence[str] = (), libraries: Sequence[str] = (), *, simulator: bool = True) -> Path:
    """Fill the folder anew.

    Args:
        folder: what is in it goes.
        paths: devices that the agent gets.
        libraries: extra ones.
        simulator: whether its service is there.

    Raises:
        Problem: the linter finds something.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in _known(SOURCES):
        _put(folder / name, (ROOT / name).read_bytes())
    for name in _OWN:
        _put(folder / name, (BALENA / name).read_bytes())
    _put(folder / "Dockerfile", dockerfile((ROOT / "edge_agent" / "Dockerfile").read_text(encoding="utf-8"), libraries).encode())
    compose = (BALENA / "docker-compose.yml").read_text(encoding="utf-8")
    compose = with_devices(compose, paths) if paths else compose
    _put(folder / "docker-compose.yml", (compose if simulator else without_simulator(compose)).encode())
    if found := complaints(folder):
        raise Problem("\n".join(found), "\n".join(found))
    return folder


def dockerfile(text: str, libraries: Sequence[str] = ()) -> str:
    """The agent's own Dockerfile, its base image written out: balena's builder reads FROM lines as they stand to learn which platforms
    the base has, and where a variable stands it builds for the machine it runs on.
    """
    base = re.search(r"^ARG PYTHON_IMAGE=(\S+)\n", text, re.MULTILINE)
    if base is None:
        raise Problem(
            "edge_agent/Dockerfile ya no empieza por ARG PYTHON_IMAGE=IMAGEN: enséñale a tools/balena/layout.py cómo nombra su base",
            "edge_agent/Dockerfile no longer begins with ARG PYTHON_IMAGE=IMAGE: teach tools/balena/layout.py how it names its base",
        )
    body = text[base.end() :].replace("${PYTHON_IMAGE}", base[1]).replace("ARG EXTRAS=\n", f'ARG EXTRAS="{" ".join(libraries)}"\n')
    return f"# Laid out by `make balena` from edge_agent/Dockerfile: change that one.\n{body.lstrip()}"


def with_devices(text: str, paths: Sequence[str]) -> str:
    """The compose file with devices for the agent, each under the same path, and the group that serial ports belong to."""
    lines = f"    devices: [{', '.join(f'{path}:{path}' for path in paths)}]\n    group_add: ['{_DIALOUT}']\n"
    return text.replace(_AGENT, _AGENT + lines, 1)


def without_simulator(text: str) -> str:
    """The compose file without that service and its volume."""
    return re.sub(r"\n  # Virtual robots\..*?(?=\nvolumes:)", "", text, flags=re.DOTALL).replace("  simulator:\n", "")


def pack(folder: Path, archive: Path, mtime: int) -> Path:
    """One archive with one folder in it, as release archives of code hosts have it: the deploy button takes the outermost folder off.

    Args:
        folder: what goes in, in the order of names.
        archive: to write.
        mtime: of everything, unix seconds.
    """
    root = archive.name.removesuffix(".tar.gz")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with archive.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"{root}/{path.relative_to(folder)}")
            entry.size, entry.mtime, entry.mode = len(content), mtime, 0o644
            tar.addfile(entry, io.BytesIO(content))
    return archive


def version() -> str:
    """As `balena.yml` has it."""
    return str(yaml.safe_load((BALENA / "balena.yml").read_text(encoding="utf-8"))["version"])


def moment() -> int:
    """Of the commit that is laid out, or as SOURCE_DATE_EPOCH has it; unix seconds."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or _git("log", "-1", "--format=%ct").strip() or 0)


def _known(names: tuple[str, ...]) -> list[str]:
    listed = _git("ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *names).splitlines()
    return sorted(name for name in listed if (ROOT / name).is_file())


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
