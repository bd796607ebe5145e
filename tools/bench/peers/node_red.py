"""Node-RED as a peer: an MQTT node and a function node with `pg`, an insert a message or batched by hand every 20 ms."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from croody_contract.topics import UP_FILTER
from tools.bench.offer import Target
from tools.bench.peers import mosquitto, table
from tools.bench.peers.absent import Absent
from tools.bench.peers.cache import CACHE, install
from tools.bench.peers.program import running
from tools.bench.plan import Plan
from tools.bench.system import System, scratch
from tools.stack import Ports

How = Literal["batched", "one by one"]
_FOLDER: Final = CACHE / "node-red"
#: With a version: npm takes a bare name for the folder of that name where it stands. Node-RED 5 wants a newer Node.js than Debian has.
_PACKAGES: Final = ("node-red@4", "pg@latest")
_SETTINGS: Final = """
const { Pool } = require(process.env.BENCH_MODULES + "/pg");
module.exports = {
    uiPort: PORT, uiHost: "127.0.0.1", flowFile: "flows.json", credentialSecret: false, httpAdminRoot: false,
    userDir: __dirname, diagnostics: { enabled: false }, telemetry: { enabled: false, updateNotification: false },
    functionGlobalContext: { pool: new Pool({ connectionString: process.env.BENCH_POSTGRES, max: 4 }) },
};
"""
#: The message as the MQTT node parsed it; the robot is a level of the topic.
_ONE: Final = """
const pool = global.get("pool");
pool.query("INSERT INTO TABLE (robot_id, data) VALUES ($1, $2)", [msg.topic.split("/")[2], msg.payload.data])
    .catch(error => node.error(error.message));
return null;
"""
_BATCHED: Final = """
const waiting = context.get("waiting");
waiting.push([msg.topic.split("/")[2], JSON.stringify(msg.payload.data)]);
return null;
"""
_BEGIN: Final = """
const pool = global.get("pool");
const waiting = [];
context.set("waiting", waiting);
context.set("timer", setInterval(() => {
    if (!waiting.length) return;
    const rows = waiting.splice(0, 5000);
    pool.query("INSERT INTO TABLE (robot_id, data) SELECT * FROM unnest($1::text[], $2::jsonb[])",
        [rows.map(row => row[0]), rows.map(row => row[1])]).catch(error => node.error(error.message));
}, 20));
"""


def name(how: How) -> str:
    """As the table shows it."""
    return "Node-RED batched" if how == "batched" else "Node-RED, an insert a message"


@contextmanager
def node_red(plan: Plan, own: System, how: How) -> Iterator[Target]:
    """A Node-RED, a Mosquitto and a table of its own, on our PostgreSQL server.

    Raises:
        Absent: Node.js, npm or Mosquitto are not here, or it could not be installed or started.
    """
    node = _installed()
    folder = scratch(plan, "node-red")
    rows = table.make(own, f"bench_node_red_{how.replace(' ', '_')}")
    with mosquitto.bare(plan) as broker:
        (folder / "settings.js").write_text(_SETTINGS.replace("PORT", str(Ports.free().web)), encoding="utf-8")
        (folder / "flows.json").write_text(json.dumps(_flows(how, broker.port, rows.table)), encoding="utf-8")
        program = _FOLDER / "node_modules" / "node-red" / "red.js"
        environ = {"BENCH_MODULES": str(_FOLDER / "node_modules"), "BENCH_POSTGRES": rows.postgres, "NODE_ENV": "production"}
        log = folder / "node-red.log"
        with running(
            folder,
            "node-red",
            [node, str(program), "--settings", str(folder / "settings.js")],
            lambda: log.exists() and "Connected to broker" in log.read_text(encoding="utf-8"),
            environ=environ,
            within_s=60,
        ) as process:
            yield Target.peer(own, broker.port, rows, broker=broker.pid, bridge=process.pid or 0)


def _installed() -> str:
    path = os.environ.get("PATH", "") + ":/usr/bin:/usr/local/bin"
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        raise Absent("Node-RED is left out: Node.js and npm are not here (apt-get install nodejs npm).")
    command = [npm, "install", "--no-audit", "--no-fund", "--omit=dev", "--prefix", str(_FOLDER), *_PACKAGES]
    install("Node-RED", _FOLDER / "node_modules" / "node-red" / "red.js", command)
    return node


def version() -> str:
    """Of the installed Node-RED; empty before it is."""
    package: Path = _FOLDER / "node_modules" / "node-red" / "package.json"
    return str(json.loads(package.read_text(encoding="utf-8"))["version"]) if package.exists() else ""


def _flows(how: How, port: int, into: str) -> list[dict[str, object]]:
    body, begin = (_BATCHED, _BEGIN) if how == "batched" else (_ONE, "")
    end = 'clearInterval(context.get("timer"));' if how == "batched" else ""
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": "127.0.0.1",
            "port": str(port),
            "clientid": "node-red",
            "autoConnect": True,
            "usetls": False,
            "protocolVersion": "4",
            "keepalive": "60",
            "cleansession": True,
        },
        {
            "id": "in",
            "type": "mqtt in",
            "z": "tab",
            "topic": UP_FILTER,
            "qos": "1",
            "datatype": "json",
            "broker": "broker",
            "inputs": 0,
            "wires": [["write"]],
        },
        {
            "id": "write",
            "type": "function",
            "z": "tab",
            "func": body.replace("TABLE", into),
            "initialize": begin.replace("TABLE", into),
            "finalize": end,
            "outputs": 0,
            "libs": [],
            "wires": [],
        },
    ]
