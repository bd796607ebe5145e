"""Debian packages that tests and bench need: which are missing here, and how they come. Installs nothing without saying so first."""

import ctypes.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.stack.postgres import installed as postgres_installed
from tools.words import Problem, say

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
_POLICY = Path("/usr/sbin/policy-rc.d")


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name, path=_PATH) for name in names)


def _faketime() -> bool:
    return any(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


#: What the tests need. Package -> is it, or something as good, here.
NEEDED: dict[str, Callable[[], bool]] = {
    "mosquitto": _program("mosquitto"),
    "mosquitto-clients": _program("mosquitto_pub"),
    "postgresql": postgres_installed,
    "libgomp1": lambda: ctypes.util.find_library("gomp") is not None,
    "chromium": _program("chromium", "chromium-browser", "google-chrome"),
    "libfaketime": _faketime,
    "util-linux": _program("setpriv"),
}
#: What the bench runs Croody on, and what its peers run on.
BENCH = {name: NEEDED[name] for name in ("mosquitto", "postgresql", "util-linux")}
PEERS: dict[str, Callable[[], bool]] = {"nodejs": _program("node"), "npm": _program("npm")}


def missing(needed: dict[str, Callable[[], bool]] | None = None) -> list[str]:
    """Names of the packages that are not here."""
    return [name for name, here in (NEEDED if needed is None else needed).items() if not here()]


def bring(names: list[str]) -> None:
    """Install packages with apt, after saying which; their services are not started.

    Raises:
        Problem: there is no apt, no right to use it, or it failed; names what is missing and the command that brings it.
    """
    if not names:
        return
    wanted = " ".join(names)
    command = f"apt-get install --no-install-recommends {wanted}"
    if shutil.which("apt-get", path=_PATH) is None:
        raise Problem(
            f"Hace falta {wanted} (nombres de Debian) y aquí no hay apt-get: instálalo con tu gestor de paquetes y repite.",
            f"This needs {wanted} (Debian's names) and there is no apt-get here: install them with your package manager and try again.",
        )
    prefix = _root_prefix()
    if prefix is None:
        raise Problem(
            f"Faltan paquetes de Debian y esta cuenta no puede instalarlos: sudo {command}",
            f"Debian packages are missing, and this account may not install them: sudo {command}",
        )
    say(f"Se instalan con apt (sus servicios no se arrancan): {wanted}", f"Installing with apt (their services are not started): {wanted}")
    with _NoServices(prefix):
        if _apt(prefix, "install", *names).returncode:
            # Package lists that are missing or old are the usual reason.
            _apt(prefix, "update")
            done = _apt(prefix, "install", *names)
            if done.returncode:
                detail = " ".join(done.stdout.split())[-400:]
                raise Problem(f"apt no pudo instalar {wanted}: {detail}", f"apt could not install {wanted}: {detail}")
    left = [name for name in missing({**NEEDED, **PEERS}) if name in names]
    if left:
        raise Problem(f"apt terminó y aún falta: {' '.join(left)}", f"apt has ended and this is still missing: {' '.join(left)}")


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo", path=_PATH)
    if sudo and subprocess.run([sudo, "-n", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def _apt(prefix: list[str], verb: str, *names: str) -> "subprocess.CompletedProcess[str]":
    options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=120"]
    if verb == "install":
        options.append("--no-install-recommends")
    return subprocess.run(
        [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", verb, *options, *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


class _NoServices:
    """While it lasts, Debian starts no service that it installs: a broker on port 1883 would be in our way."""

    def __init__(self, prefix: list[str]) -> None:
        self._prefix = prefix
        self._ours = False

    def __enter__(self) -> None:
        if _POLICY.exists():
            return
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 101\n")
            file.flush()
            done = subprocess.run([*self._prefix, "install", "-m", "755", file.name, str(_POLICY)], check=False)
        self._ours = done.returncode == 0

    def __exit__(self, *_: object) -> None:
        if self._ours:
            subprocess.run([*self._prefix, "rm", "-f", str(_POLICY)], check=False)
