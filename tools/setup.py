"""Makes the environment in which everything runs, inside the clone. Standard library only: it runs before anything is installed.

    python3 -m tools.setup up|dev|check

A stamp says what is installed, so a second run costs nothing; an interrupted one is finished by the next. With
`CROODY_VENV=DIR` that environment is used as it is and nothing is installed.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.pip_progress import Failed, install
from tools.words import Problem, fail, say

ROOT = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = ("contract", "edge_agent", "broker", "cloud")
OLDEST, NEWEST = (3, 11), (3, 13)
STAMP = "croody-stamp"
#: Each holds all of the one before it.
KINDS = ("up", "dev", "check")
#: Less than this cannot be enough, in bytes.
ENOUGH_BYTES = 100 * 2**20


def venv() -> Path:
    """Where the environment is: `CROODY_VENV`, else `.venv` in the clone."""
    return Path(os.environ.get("CROODY_VENV") or ROOT / ".venv")


def main(arguments: list[str]) -> int:
    """Set up `up` (what `make up` runs), `dev` (the tests too) or `check` (every tool); returns the exit status."""
    kind = arguments[0] if arguments else "up"
    try:
        check_version(sys.version_info[:2])
        if os.environ.get("CROODY_VENV"):
            _check_given(venv())
            return 0
        with _alone():
            set_up(kind)
    except Problem as problem:
        return fail(problem)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return fail(_disk_full())
        raise
    except KeyboardInterrupt:
        say("\nInterrumpido; la próxima vez se continúa.", "\nInterrupted; the next run goes on from here.")
        return 130
    return 0


def check_version(version: tuple[int, ...]) -> None:
    """Raises Problem when this Python is too old or too new for the pinned packages."""
    if not OLDEST <= version <= NEWEST:
        is_now = ".".join(map(str, version))
        raise Problem(
            f"Croody necesita Python 3.11, 3.12 o 3.13 y este es {is_now}: instala uno (en Debian 12: apt-get install python3) "
            "y, si no está en el PATH, indícalo con PYTHON=/ruta/a/python3.",
            f"Croody needs Python 3.11, 3.12 or 3.13 and this is {is_now}: install one (on Debian 12: apt-get install python3) "
            "and, if it is not on the PATH, name it with PYTHON=/path/to/python3.",
        )


def set_up(kind: str) -> None:
    """Bring `.venv` to what `requirements/KIND.txt` says.

    Raises:
        Problem: with the remedy.
    """
    target = venv()
    wanted = _wanted(kind)
    if _stamp(target) in {_wanted(each) for each in KINDS[KINDS.index(kind) :]}:
        return
    began = time.monotonic()
    python = sys.version.split()[0]
    say(
        f"Preparando Croody en {target} con Python {python} (solo la primera vez; nada se instala fuera de esta carpeta).",
        f"Setting Croody up in {target} with Python {python} (only the first time; nothing is installed outside this folder).",
    )
    (target / STAMP).unlink(missing_ok=True)
    if not _usable(target):
        _make_venv(target)
    try:
        if kind == "check":
            install(("herramientas", "tools"), _pip(target, *_pinned("source")), total=_count("source"))
        install(("paquetes", "packages"), _pip(target, *_pinned(kind)), total=_count(kind))
        own = [part for name in DISTRIBUTIONS for part in ("-e", str(ROOT / name))]
        install(("Croody", "Croody"), _pip(target, "--no-deps", "--no-build-isolation", "--no-index", *own), total=len(DISTRIBUTIONS))
    except Failed as error:
        raise _explain(error.output) from error
    (target / STAMP).write_text(wanted + "\n", encoding="ascii")
    seconds = round(time.monotonic() - began)
    say(f"✓ preparado en {seconds} s", f"✓ set up in {seconds} s")


def _wanted(kind: str) -> str:
    """What a finished set-up would be stamped with: requirements, our metadata, this Python, this place."""
    digest = hashlib.sha256(f"{kind} {sys.version_info[:3]} {ROOT}".encode())
    for path in [ROOT / "requirements" / f"{kind}.txt", *(ROOT / name / "pyproject.toml" for name in DISTRIBUTIONS)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _stamp(target: Path) -> str | None:
    try:
        return (target / STAMP).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _usable(target: Path) -> bool:
    """Whether an environment is there that runs, has pip, and is of this very Python and place."""
    python = target / "bin" / "python"
    if not python.exists():
        return False
    asks = "import sys, pip; print(sys.version_info[:3], sys.prefix)"
    done = subprocess.run([str(python), "-c", asks], capture_output=True, text=True, check=False)
    return done.stdout.strip() == f"{tuple(sys.version_info[:3])} {target}"


def _make_venv(target: Path) -> None:
    if target.exists():
        if any(target.iterdir()) and not (target / "pyvenv.cfg").exists():
            raise Problem(
                f"{target} existe y no es un entorno de Python: muévelo o bórralo y repite.",
                f"{target} exists and is no Python environment: move or delete it and try again.",
            )
        shutil.rmtree(target)
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(target)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        # The environment's own first step hides why it failed, so ask the disk.
        if "No space left" in done.stdout or shutil.disk_usage(ROOT).free < ENOUGH_BYTES:
            raise _disk_full()
        name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if "ensurepip is not available" in done.stdout or "No module named" in done.stdout:
            raise Problem(
                f"A este Python ({sys.executable}) le falta el módulo venv: instálalo con «apt-get install {name}» (como root o con sudo).",
                f"This Python ({sys.executable}) lacks the venv module: install it with 'apt-get install {name}' (as root or with sudo).",
            )
        detail = " ".join(done.stdout.split())[-300:]
        raise Problem(f"No se pudo crear {target}: {detail}", f"{target} could not be made: {detail}")


def _check_given(target: Path) -> None:
    if not (target / "bin" / "python").exists():
        raise Problem(
            f"CROODY_VENV={target}: ahí no hay un entorno de Python; quita la variable o indica uno que tenga bin/python.",
            f"CROODY_VENV={target}: there is no Python environment; unset it or name one that has bin/python.",
        )


def _pip(target: Path, *arguments: str) -> list[str]:
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--retries", "2"]
    return [str(target / "bin" / "python"), "-m", "pip", "install", *options, *arguments]


def _pinned(kind: str) -> list[str]:
    """Wheels alone, with their hashes; sslyze has none, so it is built here by what `source.txt` pins."""
    wheels = ["--only-binary", ":all:", "--no-binary", "sslyze", "--no-build-isolation"]
    return ["--require-hashes", *wheels, "-r", str(ROOT / "requirements" / f"{kind}.txt")]


def _count(kind: str) -> int:
    """How many packages a requirements file pins, whatever their markers say: the upper end of the progress."""
    lines = (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    older = sys.version_info < (3, 12)
    skipped = (">= '3.12'" if older else "< '3.12'", "== 'win32'")
    return sum(
        1 for line in lines if "==" in line.split(";")[0] and not line.startswith(" ") and not any(s in line for s in skipped)
    ) or len(here)


def _explain(output: str) -> Problem:
    """One sentence for what pip said."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return _disk_full()
    if any(
        text in output
        for text in ("NewConnectionError", "Temporary failure in name", "ConnectTimeout", "Read timed out", "ConnectionError")
    ):
        return Problem(
            "No se llega al índice de paquetes de Python: revisa la conexión (o el proxy: HTTPS_PROXY; o el espejo: PIP_INDEX_URL) "
            "y repite; lo ya instalado se conserva.",
            "The Python package index cannot be reached: check the connection (or the proxy: HTTPS_PROXY; or the mirror: PIP_INDEX_URL) "
            "and try again; what is installed already is kept.",
        )
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in output:
        return Problem(
            "Un paquete descargado no es el que fija requirements/: no se instaló; repite y, si vuelve a pasar, "
            "desconfía del espejo o proxy.",
            "A downloaded package is not the one that requirements/ pins: it was not installed; try again and, should it recur, "
            "distrust the mirror or proxy.",
        )
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("ERROR")] or output.splitlines()[-3:]
    detail = " ".join(lines)[-500:]
    return Problem(f"pip no pudo instalar: {detail}", f"pip could not install: {detail}")


def _disk_full() -> Problem:
    free_mb = shutil.disk_usage(ROOT).free // 2**20
    return Problem(
        f"No queda espacio en disco para {ROOT} (libres: {free_mb} MB; hacen falta unos 1000): libera espacio y repite.",
        f"The disk is full for {ROOT} ({free_mb} MB free, about 1000 needed): free some space and try again.",
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time; a second one waits for the first."""
    with (ROOT / ".setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Otra preparación está en marcha; se espera a que termine.", "Another set-up is under way; waiting for it to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
