"""`make lint`: every static check, each run to its end, so that one run shows everything there is to mend."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tools.stack import ROOT, script, source_path
from tools.words import words

CHECKS: dict[str, list[str]] = {
    "ruff check": [script("ruff"), "check", "."],
    "ruff format": [script("ruff"), "format", "--check", "."],
    "mypy --strict": [script("mypy")],
    "import-linter": [script("lint-imports")],
    "migrations": [script("croody"), "makemigrations", "--check", "--dry-run"],
    "deploy check": [script("croody"), "check", "--deploy", "--fail-level", "WARNING"],
}


def main() -> int:
    """Run the checks; returns how many found something."""
    names = sys.argv[1:] or list(CHECKS)
    failed = [name for name in names if not _passes(name)]
    print(words(f"lint: {len(failed)} de {len(names)} con hallazgos", f"lint: {len(failed)} of {len(names)} found something"), *failed)
    return len(failed)


def _passes(name: str) -> bool:
    began = time.monotonic()
    environ = {**os.environ, "PYTHONPATH": source_path(), **_production()}
    done = subprocess.run(CHECKS[name], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    mark = "✓" if done.returncode == 0 else "✗"
    print(f"{mark} {name}  {time.monotonic() - began:.0f} s", flush=True)
    if done.returncode:
        print(done.stdout.rstrip(), flush=True)
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
