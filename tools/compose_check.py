"""Reads every system that the compose files make together, as Compose reads them. Needs Compose and no engine.

python -m tools.compose_check [docker-compose PROGRAM]
"""

import os
import subprocess
import sys
from typing import Final

from tools.stack import ROOT, script

_BASE, _PROD, _ACME, _MOSQUITTO, _IPV6 = (f"docker-compose{part}.yml" for part in ("", ".prod", ".acme", ".mosquitto", ".ipv6"))
#: Every system that the documentation names.
SYSTEMS: Final = (
    (_BASE,),
    (_BASE, "docker-compose.dev.yml"),
    (_BASE, _MOSQUITTO),
    (_BASE, _PROD),
    (_BASE, _PROD, _MOSQUITTO),
    (_BASE, _PROD, _ACME),
    (_BASE, _PROD, _ACME, _MOSQUITTO),
    (_BASE, _PROD, _ACME, _IPV6),
    ("docker-compose.cloud.yml",),
    ("docker-compose.cloud.yml", _ACME),
    ("docker-compose.edge.yml",),
)
#: What has no default, because it has none that is right for somebody else.
ENVIRONMENT: Final = {"CROODY_DOMAIN": "croody.example", "ROBOT_ID": "amr-01", "CROODY_BROKER_URL": "mqtts://croody.example:8883"}


def main() -> int:
    """Print what Compose has to say; the exit status is 0 when that is nothing."""
    found = [line for files in SYSTEMS for line in complaints(files)]
    named = {file for files in SYSTEMS for file in files}
    found += [f"{path.name}: in no system of tools/compose_check.py" for path in ROOT.glob("docker-compose*.yml") if path.name not in named]
    print(*found, sep="\n", end="")
    return int(bool(found))


def complaints(files: tuple[str, ...]) -> list[str]:
    """Errors and warnings of one system. Nothing of this machine's settings or `.env` counts."""
    command = [script("docker-compose"), *(part for file in files for part in ("-f", file)), "--profile", "*", "config", "--quiet"]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "COMPOSE_DISABLE_ENV_FILE": "1", **ENVIRONMENT}
    done = subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip() or (f"exit status {done.returncode}" if done.returncode else "")
    return [f"{' + '.join(files)}: {line}" for line in said.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
