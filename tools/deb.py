"""`make deb`: the agent as a Debian package, for this machine's kind of board or another one (ARCH=arm64). Needs dpkg-deb and the network.

The package holds the wheels that requirements/edge.txt pins by their hashes, unpacked where the agent alone finds them, for the Python that
builds it: the package of another Debian is built with its Python. EXTRAS="modbus ros2" adds libraries of those kinds of source.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.edge_wheels import GLIBC, MACHINES, extras, gather, here, python, run, version
from tools.stack import ROOT
from tools.words import Problem, fail

DEBIAN: Final = ROOT / "edge_agent" / "packaging" / "debian"
OUT: Final = ROOT / "dist"
_CONTROL: Final = """\
Package: croody-edge
Version: {version}
Section: net
Priority: optional
Architecture: {arch}
Installed-Size: {size}
Depends: python3 (>= {python}~), python3 (<< {next_python}~), libc6 (>= {glibc}), debconf (>= 0.5) | debconf-2.0
Recommends: systemd, ca-certificates, systemd-timesyncd | time-daemon
Maintainer: {maintainer}
Description: agent that sends what a robot measures to Croody
 Reads the sources of one robot, keeps every reading on the board until the
 cloud has it, screens it with a small model, and sends it over MQTT with TLS.
 Runs as a service with an account of its own, and finds its way back by
 itself after outages, full disks and power cuts.
"""


def main(arguments: list[str] | None = None) -> int:
    """Build one. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="make deb", description=__doc__)
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
    """Make the package, with extra libraries. Returns its path.

    Raises:
        Problem: a wheel cannot be had, or dpkg-deb is not here.
    """
    if shutil.which("dpkg-deb") is None:
        raise Problem("falta dpkg-deb: apt-get install dpkg", "there is no dpkg-deb: apt-get install dpkg")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        _libraries(root / "usr" / "lib" / "croody-edge", arch, Path(scratch), libraries)
        _files(root)
        _control(root, arch)
        made = out / f"croody-edge_{version()}_{arch}.deb"
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(made))
    return made


def _libraries(target: Path, arch: str, scratch: Path, libraries: Sequence[str]) -> None:
    gather(arch, scratch / "wheels", libraries)
    for wheel in sorted((scratch / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as opened:
            opened.extractall(target)
    for scripts in target.glob("*.data"):
        shutil.rmtree(scripts)
    # What nobody runs on a board.
    for folder in [*target.rglob("__pycache__"), *(target / "numpy").rglob("tests"), target / "numpy" / "f2py"]:
        shutil.rmtree(folder, ignore_errors=True)
    for library in [*target.rglob("*.so"), *target.rglob("*.so.*")]:
        library.chmod(0o644)


def _files(root: Path) -> None:
    _put(root / "lib/systemd/system/croody-edge.service", (DEBIAN / "croody-edge.service").read_bytes())
    _put(root / "etc/croody-edge/croody-edge.env", (DEBIAN / "croody-edge.env").read_bytes(), 0o600)
    launcher = (DEBIAN / "croody-edge").read_text(encoding="utf-8").replace("@PYTHON@", python())
    _put(root / "usr/bin/croody-edge", launcher.encode(), 0o755)
    documents = root / "usr/share/doc/croody-edge"
    _put(documents / "copyright", (DEBIAN / "copyright").read_bytes())
    _put(documents / "README.md", (DEBIAN / "README.md").read_bytes())
    _put(documents / "changelog.gz", gzip.compress(_changelog().encode(), 9, mtime=0))
    _put(root / "usr/share/man/man1/croody-edge.1.gz", gzip.compress((DEBIAN / "croody-edge.1").read_bytes(), 9, mtime=0))
    _put(root / "usr/share/lintian/overrides/croody-edge", (DEBIAN / "lintian-overrides").read_bytes())
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


def _control(root: Path, arch: str) -> None:
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    major, minor = sys.version_info[:2]
    control = _CONTROL.format(
        version=version(),
        arch=arch,
        size=size,
        python=python(),
        next_python=f"{major}.{minor + 1}",
        glibc=GLIBC[arch][-1].strip("_").replace("_", "."),
        maintainer=_maintainer(),
    )
    _put(root / "DEBIAN/control", control.encode())
    _put(root / "DEBIAN/conffiles", b"/etc/croody-edge/croody-edge.env\n")
    _put(root / "DEBIAN/templates", (DEBIAN / "templates").read_bytes())
    for name in ("postinst", "prerm", "postrm"):
        _put(root / "DEBIAN" / name, (DEBIAN / name).read_bytes(), 0o755)
    (root / "DEBIAN").chmod(0o755)


def _put(path: Path, data: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def _changelog() -> str:
    entry = f"croody-edge ({version()}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the repository."
    return f"{entry}\n\n -- {_maintainer()}  {_date()}\n"


def _date() -> str:
    return _git("log", "-1", "--format=%cD") or "Thu, 01 Jan 2026 00:00:00 +0000"


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _maintainer() -> str:
    """Whoever builds it, as Debian's own tools ask for."""
    address = os.environ.get("DEBEMAIL") or _git("config", "user.email") or "root@localhost"
    return f"{os.environ.get('DEBFULLNAME') or _git('config', 'user.name') or 'Croody'} <{address}>"


if __name__ == "__main__":
    sys.exit(main())
