"""The table of processes: command, environment and readiness of each. Decides nothing else and starts nothing."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from croody.env import SECRETS, Role
from tools.stack.health import healthz, listening, mqtt
from tools.stack.options import FIRST_ROBOT, REPLAY_ROBOT, Options, script, source_path, steady_port
from tools.stack.postgres import Server
from tools.stack.process import Spec

Environ = dict[str, str]
#: What a system on this machine makes for itself: it has no token that several share.
MADE = ("SECRET_KEY", "BRIDGE_TOKEN", "BRIDGE_MQTT_PASSWORD", "ADMIN_PASSWORD", "POSTGRES_PASSWORD")


class Layout:
    """Where everything of one stack lies, below its state directory."""

    def __init__(self, options: Options) -> None:
        self.root = options.state.resolve()
        self.secrets = self.root / "secrets"
        self.cloud = self.root / "state"
        self.passwd = self.cloud / "broker" / "passwd"
        self.acl = self.cloud / "broker" / "acl"
        self.database = self.cloud / "croody.db"
        self.telemetry_database = self.cloud / "telemetry.db"
        # Robots and their secrets belong to the database that knows them.
        self.credentials = self.secrets / f"robots-{options.database}"
        self.sim_credentials = self.secrets / "robots-sim"
        self.robots = self.root / f"robots-{options.database}"

    def make(self) -> None:
        """Create the directories, and close everything to others: logs tell of people, databases and outboxes hold readings."""
        for folder in (self.root, self.secrets, self.cloud, self.cloud / "broker", self.robots):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close(self.root)


def _close(folder: Path) -> None:
    """Take a folder, and all in it that is ours, away from everybody else; what is there may be older than this rule."""
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
        return
    folder.chmod(stat.S_IMODE(found.st_mode) & ~0o077)
    if stat.S_ISDIR(found.st_mode):
        for inside in folder.iterdir():
            _close(inside)


def common_environ(options: Options) -> Environ:
    """What every process gets."""
    ports = options.ports
    return {
        "PYTHONPATH": source_path(),
        "PYTHONUNBUFFERED": "1",
        "WEB_PORT": str(ports.web),
        "TELEMETRY_PORT": str(ports.telemetry),
        "IDS_PORT": str(ports.ids),
        "MQTT_PORT": str(ports.mqtt),
        "ROBOT_PORT": str(ports.robot),
        **options.environ,
    }


def cloud_environ(options: Options, layout: Layout, role: Role, server: Server | None) -> Environ:
    """What a Django role gets."""
    environ = {
        "CROODY_ROLE": role,
        "CROODY_DEMO": "1",
        "CROODY_STATE_DIR": str(layout.cloud),
        "CROODY_RETENTION_DAYS": str(options.retention_days),
        "CROODY_PUBLIC_URL": f"http://127.0.0.1:{options.ports.web}",
        "DJANGO_SETTINGS_MODULE": "croody.settings",
    }
    for name in set(SECRETS[role]) & set(MADE):
        environ[f"{name}_FILE"] = str(layout.secrets / name)
    if server is not None:
        environ["DATABASE_URL"] = server.url()
    else:
        environ["DATABASE_URL"] = f"sqlite:///{layout.database}"
        environ["TG_DB_PATH"] = str(layout.telemetry_database)
    # A role must not learn its database from the terminal that started the stack.
    return {"TG_DB_URL": "", **common_environ(options), **environ, **options.environ}


def edge_environ(options: Options, layout: Layout, robot_id: str, source: str) -> Environ:
    """What an agent gets."""
    return {
        **common_environ(options),
        "CROODY_BROKER_URL": f"mqtt://127.0.0.1:{options.ports.mqtt}",
        "ROBOT_ID": robot_id,
        "ROBOT_SECRET_FILE": str(layout.secrets / f"robot-{robot_id}"),
        "CROODY_SOURCE": source,
        "CROODY_EDGE_DIR": str(layout.robots / robot_id),
        **options.environ,
    }


def table(options: Options, layout: Layout, server: Server | None) -> dict[str, Spec]:
    """Every process by name, in starting order."""
    ports = options.ports
    bridge_port = ports.mqtt
    if options.broker == "mosquitto":
        # Bridges share one account, so they have an address of their own; robots are bound to their names on theirs.
        bridge_port = ports.bridge or steady_port(layout.root / "bridge.port")
    specs: list[Spec] = []
    if server is not None:
        specs.append(server.spec())
    specs.append(_broker(options, layout, bridge_port))
    specs.append(_gunicorn(options, layout, "telemetry", ports.telemetry, server, workers=2))
    specs.append(_gunicorn(options, layout, "ids", ports.ids, server, workers=1))
    web = [script("python"), "-m", "croody.serve", "--bind", f"127.0.0.1:{ports.web}"]
    specs.append(Spec("web", web, cloud_environ(options, layout, "web", server), healthz(ports.web), port=ports.web))
    worker = [script("croody"), "worker"]
    beats = layout.cloud / "worker.heartbeat"
    specs.append(Spec("worker", worker, cloud_environ(options, layout, "worker", server), _says(beats), before=_forget(beats)))
    specs += [_bridge(options, layout, name, bridge_port) for name in options.bridge_names]
    if options.robots:
        command = [
            "--broker",
            f"mqtt://127.0.0.1:{ports.mqtt}",
            "--credentials",
            str(layout.sim_credentials),
            "--state",
            str(layout.robots / "sim"),
        ]
        command += ["--robots", str(options.robots)]
        environ = {**common_environ(options), "ROBOT_ID": FIRST_ROBOT}
        if "ADMIN_PASSWORD" not in os.environ:
            environ["ADMIN_PASSWORD_FILE"] = str(layout.secrets / "ADMIN_PASSWORD")
        specs.append(
            Spec("sim", [script("croody-sim"), *command], environ | dict(options.environ), listening(ports.robot), port=ports.robot)
        )
    agent = [script("croody-edge"), "run"]
    if options.host:
        specs.append(Spec("edge-host", agent, edge_environ(options, layout, options.host_id, "host")))
    if options.replay:
        specs.append(Spec("edge-replay", agent, edge_environ(options, layout, REPLAY_ROBOT, "replay")))
    return {spec.name: replace(spec, cwd=spec.cwd or layout.root) for spec in specs}


def _broker(options: Options, layout: Layout, bridge_port: int) -> Spec:
    port = options.ports.mqtt
    command = ["--bind", f"127.0.0.1:{port}", "--passwd", str(layout.passwd), "--acl", str(layout.acl)]
    if options.broker == "mosquitto":
        command = ["mosquitto", *command, "--bridge-bind", f"127.0.0.1:{bridge_port}"]
    return Spec("broker", [script("croody-broker"), *command], common_environ(options), mqtt(port), port=port)


def _gunicorn(options: Options, layout: Layout, role: Role, port: int, server: Server | None, *, workers: int) -> Spec:
    # As the image does: all is loaded before the port opens. Where each worker loads for itself, the first answers while the second may
    # still fail, and gunicorn ends with it.
    command = [script("gunicorn"), "croody.serve.wsgi:application", "--config", "python:croody.serve.gunicorn_settings"]
    command += ["-k", "croody.serve.whole_requests.Worker", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(workers), "--threads", "4", "--timeout", "60", "--graceful-timeout", "2", "--no-control-socket"]
    return Spec(role, command, cloud_environ(options, layout, role, server), healthz(port), port=port)


def _bridge(options: Options, layout: Layout, name: str, port: int) -> Spec:
    environ = common_environ(options)
    environ["CROODY_BROKER_URL"] = f"mqtt://127.0.0.1:{port}"
    environ["CROODY_TELEMETRY_URL"] = f"http://127.0.0.1:{options.ports.telemetry}"
    for variable in ("BRIDGE_TOKEN", "BRIDGE_MQTT_PASSWORD"):
        environ[f"{variable}_FILE"] = str(layout.secrets / variable)
    if options.bridges > 1:
        environ["BRIDGE_NAME"] = name.removeprefix("bridge-") if name != "bridge" else "1"
        if options.broker == "mosquitto":
            environ["BRIDGE_SHARE"] = "1"
    beats = layout.root / f"{name}.heartbeat"
    environ["BRIDGE_HEARTBEAT"] = str(beats)
    return Spec(name, [script("croody-bridge")], environ | dict(options.environ), _says(beats, "listening"), before=_forget(beats))


def _says(heartbeat: Path, word: str = "") -> Callable[[], bool]:
    """Whether a heartbeat file is there and begins with `word`."""
    return lambda: heartbeat.exists() and heartbeat.read_text(encoding="utf-8").startswith(word)


def _forget(heartbeat: Path) -> Callable[[], None]:
    """An old heartbeat proves nothing."""
    return lambda: heartbeat.unlink(missing_ok=True)
