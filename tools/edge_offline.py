"""`make edge-offline`: the agent, its libraries and a script that installs them, for a board without a network (ARCH=arm64).

EXTRAS="modbus ros2" adds libraries of those kinds of source.
"""

import argparse
import ensurepip
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tools.deb import OUT
from tools.edge_wheels import MACHINES, extras, gather, here, pins, python, version
from tools.stack import ROOT
from tools.words import Problem, fail


def main(arguments: list[str] | None = None) -> int:
    """Make one. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="make edge-offline", description=__doc__)
    parser.add_argument("--arch", default=os.environ.get("ARCH") or here(), choices=sorted(MACHINES))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--extras", default=os.environ.get("EXTRAS", ""))
    chosen = parser.parse_args(arguments)
    try:
        print(build(chosen.arch, chosen.out, extras(chosen.extras)))
    except Problem as error:
        return fail(error)
    return 0


def build(arch: str, out: Path, libraries: Sequence[str] = ()) -> Path:
    """Make the archive, with extra libraries. Returns its path.

    Raises:
        Problem: a wheel cannot be had.
    """
    out.mkdir(parents=True, exist_ok=True)
    name = f"croody-edge-offline-{version()}-py{python()}-{arch}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        gather(arch, folder / "wheels", libraries)
        (folder / "requirements").mkdir()
        for pin in pins(libraries):
            shutil.copy(pin, folder / "requirements")
        packaging = ROOT / "edge_agent" / "packaging"
        for file in ("offline/install.sh", "debian/croody-edge.service"):
            shutil.copy(packaging / file, folder)
        (folder / "python-version").write_text(f"{python()}\n", encoding="utf-8")
        # Python brings one along, so that the board needs none.
        [pip] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
        shutil.copy(pip, folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sums = [f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
        (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
        made = out / f"{name}.tar.gz"
        with tarfile.open(made, "w:gz") as tar:
            tar.add(folder, name)
    return made


if __name__ == "__main__":
    sys.exit(main())
