"""`make lint`: every static check, each run to its end, so that one run shows everything there is to mend."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.stack import ROOT, script, source_path
from tools.words import words


def _files(*patterns: str) -> list[str]:
    """Paths of the clone, new ones too, that match one of git's patterns."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in listed if (ROOT / path).is_file()]


def _shell_scripts() -> list[str]:
    """Whatever begins with `#!` and names a shell."""
    found = []
    for path in _files():
        with (ROOT / path).open("rb") as file:
            first = file.readline(60)
        if first.startswith(b"#!") and first.split()[-1].rpartition(b"/")[2] in {b"sh", b"bash"}:
            found.append(path)
    return found


def _program(name: str) -> str:
    """The pinned one; the system's where there is no build of that for this machine."""
    pinned = script(name)
    return pinned if Path(pinned).exists() else shutil.which(name) or pinned


def checks() -> dict[str, list[str]]:
    """Name -> command. New files count before they are committed."""
    return {
        "ruff check": [script("ruff"), "check", "."],
        "ruff format": [script("ruff"), "format", "--check", "."],
        "mypy --strict": [script("mypy")],
        "import-linter": [script("lint-imports")],
        "shellcheck": [_program("shellcheck"), "--external-sources", *_shell_scripts()],
        "hadolint": [_program("hadolint"), "--config", ".hadolint.yaml", *_files("Dockerfile", "*/Dockerfile")],
        "oxlint": [_program("oxlint"), "--config", ".oxlintrc.json", "--deny-warnings", "cloud/croody"],
        # Actions are named by tags, which a person can read and GitHub's own can be trusted with.
        "jactionlint": [_program("jactionlint"), "--no-hints", "--ignore", "unpinned-uses", "--shellcheck", _program("shellcheck")],
        "docker compose config": [script("python"), "-m", "tools.compose_check"],
        "balena": [script("python"), "-m", "tools.balena.lint"],
        "migrations": [script("croody"), "makemigrations", "--check", "--dry-run"],
        "deploy check": [script("croody"), "check", "--deploy", "--fail-level", "WARNING"],
    }


def main() -> int:
    """Run the checks; returns how many found something."""
    commands = checks()
    names = sys.argv[1:] or list(commands)
    # Most of the time is mypy's: the others run beside it.
    with ThreadPoolExecutor(2) as lanes:
        passed = list(lanes.map(lambda name: _passes(name, commands[name]), names))
    failed = [name for name, well in zip(names, passed, strict=True) if not well]
    print(words(f"lint: {len(failed)} de {len(names)} con hallazgos", f"lint: {len(failed)} of {len(names)} found something"), *failed)
    return len(failed)


def _passes(name: str, command: list[str]) -> bool:
    if not Path(command[0]).exists():
        program = Path(command[0]).name
        print(
            f"✗ {name}  "
            + words(f"falta {program}: instálalo con el gestor de paquetes", f"{program} is missing: install it with the package manager")
        )
        return False
    began = time.monotonic()
    environ = {**os.environ, "PYTHONPATH": source_path(), **_production()}
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    mark = "✓" if done.returncode == 0 else "✗"
    said = f"\n{done.stdout.rstrip()}" if done.returncode else ""
    # One write, so that none stands within another's.
    sys.stdout.write(f"{mark} {name}  {time.monotonic() - began:.0f} s{said}\n")
    sys.stdout.flush()
    return done.returncode == 0


def _production() -> dict[str, str]:
    """The environment of a well-kept production, for the checks that import the settings. Opens no database."""
    return {
        "SECRET_KEY": "only-for-static-checks-0123456789-abcdefghijklmnopqrstuvwxyz",
        "BRIDGE_TOKEN": "only-for-static-checks-0123456789abcdef",
        "BRIDGE_MQTT_PASSWORD": "only-for-static-checks-0123456789abcdef",
        "CROODY_ROLE": "web",
        "CROODY_DEMO": "0",
        "DEBUG": "false",
        "ALLOWED_HOSTS": "croody.example",
        "CROODY_STATE_DIR": str(Path(ROOT) / ".run" / "lint"),
        "DATABASE_URL": "sqlite:////nonexistent/lint.db",
        "DJANGO_SETTINGS_MODULE": "croody.settings",
    }


if __name__ == "__main__":
    sys.exit(main())
