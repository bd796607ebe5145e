"""thingsboard-gateway as a peer of the agent: started with its SQLite store and no connector, it only waits.

It forwards to a ThingsBoard server and stores nothing in a database, so it is a peer of our agent's weight alone.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tools.bench.peers import mosquitto
from tools.bench.peers.cache import CACHE, install
from tools.bench.peers.program import running
from tools.bench.plan import Plan
from tools.bench.system import scratch
from tools.stack import Process

NAME: Final = "thingsboard-gateway, idle"
_FOLDER: Final = CACHE / "thingsboard-gateway"
_PROGRAM: Final = _FOLDER / "bin" / "thingsboard-gateway"
PYTHON: Final = _FOLDER / "bin" / "python"
_LOGS: Final = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}


def install_once() -> None:
    """Put it into an environment of its own.

    Raises:
        Absent: it cannot be installed here.
    """
    make = f"{sys.executable} -m venv {_FOLDER} && {_FOLDER}/bin/pip install -q --disable-pip-version-check thingsboard-gateway"
    install("thingsboard-gateway", _PROGRAM, ["sh", "-c", make])


@contextmanager
def idle(plan: Plan) -> Iterator[Process]:
    """The gateway, connected to a Mosquitto that stands for its server.

    Raises:
        Absent: it or Mosquitto is not here, or did not start.
    """
    install_once()
    folder = scratch(plan, "thingsboard")
    with mosquitto.bare(plan) as broker:
        (folder / "tb_gateway.json").write_text(json.dumps(_settings(broker.port, str(folder))), encoding="utf-8")
        (folder / "logs.json").write_text(json.dumps(_LOGS), encoding="utf-8")
        (folder / "logs").mkdir()
        environ = {"TB_GW_CONFIG_DIR": str(folder), "HOME": str(folder)}
        with running(folder, "thingsboard-gateway", [str(_PROGRAM)], lambda: (folder / "data").exists(), environ=environ) as process:
            yield process


def _settings(port: int, folder: str) -> dict[str, object]:
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": port,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False, "statsSendPeriodInSeconds": 3600},
            "checkConnectorsConfigurationInSeconds": 60,
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
        },
        "storage": {
            "type": "sqlite",
            "data_file_path": f"{folder}/data/",
            "messages_ttl_check_in_hours": 1,
            "messages_ttl_in_days": 7,
        },
        "grpc": {"enabled": False},
        "connectors": [],
    }
