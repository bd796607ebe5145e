"""One whole Croody on this machine: prepares, starts, stops, kills and restarts its processes. Supervises nothing."""

import os
import subprocess
import time
from types import TracebackType
from typing import Self

from croody.operations import secrets
from tools.stack import leftovers
from tools.stack.options import REPLAY_ROBOT, ROOT, Options, script, steady_port
from tools.stack.postgres import Server
from tools.stack.process import Process, Spec, inherited
from tools.stack.specs import MADE, Layout, cloud_environ, table
from tools.words import Problem

PLAN = ROOT / "edge_agent" / "croody_edge" / "sim" / "bodega.json"
#: Who ends when: sources first, so that they can still hand over; what everybody leans on last.
_STOP_ORDER = (("sim", "edge-"), ("web", "bridge", "ids"), ("telemetry", "worker"), ("broker",), ("postgres",))


class Stack:
    """The processes of one state directory. Use it as a context manager, so that nothing outlives it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.layout = Layout(options)
        self.server: Server | None = None
        self.processes: dict[str, Process] = {}
        #: A one-time address that logs the demo operator in; new at every `prepare`.
        self.login_link = ""

    # -- addresses -----------------------------------------------------------------------------------------------
    @property
    def broker_url(self) -> str:
        """`mqtt://127.0.0.1:PORT`."""
        return f"mqtt://127.0.0.1:{self.options.ports.mqtt}"

    @property
    def web_url(self) -> str:
        """Where a browser goes."""
        return f"http://127.0.0.1:{self.options.ports.web}"

    @property
    def telemetry_url(self) -> str:
        """Root of the telemetry API."""
        return f"http://127.0.0.1:{self.options.ports.telemetry}"

    @property
    def ids_url(self) -> str:
        """Root of the detection API."""
        return f"http://127.0.0.1:{self.options.ports.ids}"

    @property
    def database_urls(self) -> tuple[str, str]:
        """(DATABASE_URL, URL of the database with the telemetry tables); equal on PostgreSQL."""
        if self.server is not None:
            return self.server.url(), self.server.url()
        return f"sqlite:///{self.layout.database}", f"sqlite:///{self.layout.telemetry_database}"

    def secret(self, name: str) -> str:
        """One of `MADE`."""
        return secrets.read(self.layout.secrets, name)

    # -- life ----------------------------------------------------------------------------------------------------
    def prepare(self, timeout_s: float = 120) -> None:
        """Directories, secrets, database server, tables, demo site, robots and their credentials. Idempotent.

        Raises:
            Problem: a part is not installed, or a preparing step failed; the text holds what it said.
        """
        self.layout.make()
        secrets.make(self.layout.secrets, MADE)
        leftovers.end(self.layout.root)
        if self.options.database == "postgres":
            port = self.options.ports.postgres or steady_port(self.layout.root / "postgres.port")
            self.server = Server(self.layout.root / "postgres", port, self.secret("POSTGRES_PASSWORD"))
        self.processes = {name: Process(spec, self.layout.root) for name, spec in table(self.options, self.layout, self.server).items()}
        if self.server is not None:
            self.start("postgres", timeout_s=timeout_s)
        self._seed(timeout_s)
        # `croody` in the clone takes it, so that a person can type `croody robot add ID` beside `make up`.
        environ = cloud_environ(self.options, self.layout, "manage", self.server)
        secrets.write(self.layout.root / "env", "".join(f"{name}={value}\n" for name, value in environ.items() if name != "PYTHONPATH"))

    def start(self, *names: str, timeout_s: float = 60) -> None:
        """Start these processes (all of them without names) and wait until each serves.

        Raises:
            Problem: one ended or did not serve in time; the text holds the end of its log.
        """
        chosen = [self.processes[name] for name in names or self.processes]
        for process in chosen:
            self.launch(process.spec.name)
        self.wait_ready(*(process.spec.name for process in chosen), timeout_s=timeout_s)

    def launch(self, name: str) -> None:
        """Start one process and do not wait.

        Raises:
            OSError: its program is not there.
        """
        self.processes[name].start()

    def wait_ready(self, *names: str, timeout_s: float = 60) -> None:
        """Wait until these serve (all without names).

        Raises:
            Problem: as in `start`.
        """
        deadline = time.monotonic() + timeout_s
        for name in names or self.processes:
            process = self.processes[name]
            if not process.wait_ready(deadline):
                how = "está en marcha pero no responde" if process.alive else f"terminó con {process.returncode}"
                how_en = "runs but does not answer" if process.alive else f"ended with {process.returncode}"
                raise Problem(
                    f"{name} {how}; final de {process.log_file}:\n{process.log_tail()}",
                    f"{name} {how_en}; end of {process.log_file}:\n{process.log_tail()}",
                )

    def losses(self) -> str:
        """Which processes were started and are not there, how each ended and the end of its log; empty when none."""
        dead = [process for process in self.processes.values() if process.returncode is not None]
        return "\n".join(f"{each.spec.name} ended with {each.returncode}; end of its log:\n{each.log_tail(30)}" for each in dead)

    def stop(self, *names: str, timeout_s: float = 5) -> None:
        """End these in good order (all without names), by force after `timeout_s` seconds each."""
        if not names:
            self.close(timeout_s)
            return
        for name in names:
            self.processes[name].stop(timeout_s)

    def kill(self, *names: str) -> None:
        """SIGKILL at once, to the process and its children."""
        for name in names:
            self.processes[name].kill()

    def restart(self, *names: str, timeout_s: float = 60) -> None:
        """End in good order if alive, start again, wait until each serves."""
        for name in names:
            if self.processes[name].alive:
                self.processes[name].stop()
        self.start(*names, timeout_s=timeout_s)

    def add(self, spec: Spec) -> Process:
        """Take one more process (a second simulator, a proxy) into the stack; start it with `start(spec.name)`."""
        process = Process(spec, self.layout.root)
        self.processes[spec.name] = process
        return process

    def pid(self, name: str) -> int | None:
        """Process id, None when it does not run."""
        return self.processes[name].pid

    def close(self, timeout_s: float = 4.5) -> None:
        """End everything within `timeout_s` seconds, sources first; what does not listen is killed."""
        deadline = time.monotonic() + timeout_s
        for place, prefixes in enumerate(_STOP_ORDER):
            group = [process for name, process in self.processes.items() if name.startswith(prefixes)]
            if place == 1:  # whatever `add` brought
                group += [process for name, process in self.processes.items() if not name.startswith(sum(_STOP_ORDER, ()))]
            for process in group:
                process.ask_to_stop()
            stages_left = len(_STOP_ORDER) - place
            until = time.monotonic() + max(0.0, deadline - time.monotonic()) / stages_left * 1.5
            for process in group:
                process.wait(max(0.0, min(until, deadline) - time.monotonic()))
        for process in self.processes.values():
            process.kill()
            process.wait(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- the cloud's commands ------------------------------------------------------------------------------------
    def manage(self, *arguments: str, timeout_s: float = 60) -> str:
        """Standard output of `croody ARGUMENTS...` in this stack.

        Raises:
            subprocess.CalledProcessError: it failed; `stderr` says why.
        """
        return self._run([script("croody"), *arguments], timeout_s).stdout

    def add_robot(self, robot_id: str, *options: str) -> str:
        """The secret of a new robot (`croody robot add`)."""
        return self.manage("robot", "add", robot_id, *options).split()[-1]

    def _seed(self, timeout_s: float) -> None:
        robots = [*(f"{robot_id}:rover" for robot_id in self.options.robot_ids)]
        robots += [f"{self.options.host_id}:host"] if self.options.host else []
        robots += [f"{REPLAY_ROBOT}:arm"] if self.options.replay else []
        command = [script("python"), "-m", "croody.operations.seed", str(PLAN), str(self.layout.credentials), *robots]
        try:
            printed = self._run(command, timeout_s).stdout
        except subprocess.CalledProcessError as error:
            detail = "\n".join(error.stderr.splitlines()[-12:])
            raise Problem(f"No se pudo preparar la base de datos:\n{detail}", f"The database could not be prepared:\n{detail}") from error
        credentials = dict(line.split() for line in printed.splitlines())
        self.login_link = credentials.pop("login-link")
        secrets.write_credentials(self.layout.credentials, credentials)
        secrets.write_credentials(self.layout.sim_credentials, {name: credentials[name] for name in self.options.robot_ids})
        for robot_id, secret in credentials.items():
            if robot_id not in self.options.robot_ids:
                secrets.write(self.layout.secrets / f"robot-{robot_id}", secret + "\n")

    def _run(self, command: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
        own = cloud_environ(self.options, self.layout, "manage", self.server)
        environ = {**inherited(os.environ, own), **own}
        return subprocess.run(
            command,
            env=environ,
            cwd=self.layout.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=timeout_s,
        )
