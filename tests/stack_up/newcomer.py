"""What a newcomer has: a clone, a shell without this test run's settings, and a Python."""

import os
import subprocess
import sys
from pathlib import Path

from tools.stack import ROOT

#: A pip without the settings of this machine, and an index that nobody can reach.
NO_INDEX = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
_OURS = {
    "ALLOWED_HOSTS",
    "BRIDGE_MQTT_PASSWORD",
    "BRIDGE_TOKEN",
    "CROODY_STATE_DIR",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "PYTEST_CURRENT_TEST",
    "PYTHON",
    "PYTHONPATH",
    "SECRET_KEY",
    "TG_DB_PATH",
    "VIRTUAL_ENV",
}


def clone_to(target: Path) -> Path:
    """A clone of the commit that is checked out here, without those before it."""
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(target)], check=True)
    return target


def environ(**more: str) -> dict[str, str]:
    """The environment of a newcomer's English shell."""
    return {**{name: value for name, value in os.environ.items() if name not in _OURS}, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", **more}


def base_python() -> str:
    """The Python from which this test run's environment was made."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")


def other_python(version: str) -> str | None:
    """Path of a Python of this version ("3.13") on this machine, None when there is none."""
    places = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"), Path(f"/usr/bin/python{version}")]
    places += [Path(f"/usr/local/bin/python{version}")]
    return next((str(path) for path in places if path.exists()), None)
