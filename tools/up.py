"""`make up`: prepares, starts and looks after a whole Croody on this machine, until it is told to end.

    python -m tools.up [--reload]

State lives under `.run/` of the clone: one `NAME.pid` and `NAME.log` a process, `secrets/`, databases. What it is made of
comes from the environment: DB, BROKER, ROBOTS, BRIDGES and the ports (see `make help`).
"""

import argparse
import os
import shutil
import signal
import sys
import time
from datetime import datetime
from types import FrameType

from tools.claims import announce, check_ports, claim_state
from tools.reload import Watcher
from tools.stack import ROOT, Options, Stack, leftovers, postgres
from tools.supervisor import Supervisor
from tools.words import Problem, fail, say, words

STATE = ROOT / ".run"
_ROBOTS = ("sim", "edge-")
LOOK_EVERY_S = 0.1
TRIM_EVERY_S = 60.0
#: Everything has to be gone five seconds after the wish; the interpreter's own end takes the rest.
CLOSE_WITHIN_S = 4.2


class Ended(Exception):
    """Somebody asked for the end."""


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.up", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--reload", action="store_true", help="restart what runs code that has changed")
    arguments = parser.parse_args()
    # What lies in `.run` is this user's alone, whatever the terminal's own mask is.
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        return _up(reload=arguments.reload)
    except Problem as problem:
        return fail(problem)
    except Ended:
        return 0


def _up(*, reload: bool) -> int:
    began = time.monotonic()
    options = Options.from_environ(STATE, os.environ)
    if options.broker == "mosquitto":
        _need_mosquitto()
    if options.database == "postgres":
        postgres.binary("initdb")
    lock = claim_state(STATE)
    with lock:
        announce(lock, f"http://127.0.0.1:{options.ports.web}/robots/monitor/")
        ended = leftovers.end(STATE)
        if ended:
            say(
                f"Se pararon {ended} procesos que dejó una ejecución anterior.",
                f"Ended {ended} processes that an earlier run left behind.",
            )
        check_ports(options.ports)
        stack = Stack(options)
        try:
            _start(stack, began)
            _look_after(stack, reload=reload)
        except Ended:
            say("\nParando…", "\nEnding…")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            asked = time.monotonic()
            stack.close(CLOSE_WITHIN_S)
            leftovers.end(STATE, patience_s=0)
        took_s = time.monotonic() - asked
        say(f"Todo parado en {took_s:.1f} s.", f"All ended in {took_s:.1f} s.")
    return 0


def _start(stack: Stack, began: float) -> None:
    def tell(es: str, en: str) -> None:
        print(f"  {time.monotonic() - began:4.1f} s  {words(es, en)}", flush=True)

    tell("preparando la base de datos y los robots…", "preparing the database and the robots…")
    stack.prepare()
    tell("arrancando: " + " ".join(stack.processes), "starting: " + " ".join(stack.processes))
    for process in stack.processes.values():
        stack.launch(process.spec.name)
    for name in stack.processes:
        try:
            stack.wait_ready(name)
        except Problem as problem:
            if not name.startswith(_ROBOTS):
                raise
            # A robot that does not start must not hide the rest; it is tried again like anything that dies.
            print(problem, file=sys.stderr, flush=True)
        else:
            tell(f"✓ {name}", f"✓ {name}")
    ports = stack.options.ports
    # A browser may well ask for another language than this terminal.
    pages = stack.web_url + words("/es", "/en")
    login_link = stack.login_link.replace(stack.web_url, pages, 1)
    say(
        f"""
Croody está en marcha (en {time.monotonic() - began:.0f} s):

  {pages}/robots/monitor/   los robots, ahora
  {login_link}   entrada de operador a la consola, de un solo uso

  telemetría {stack.telemetry_url}/api/telemetry/docs · detección {stack.ids_url}/healthz
  MQTT 127.0.0.1:{ports.mqtt} · robot 127.0.0.1:{ports.robot} · registros en .run/NOMBRE.log
  Ctrl-C lo para todo.
""",
        f"""
Croody is up (in {time.monotonic() - began:.0f} s):

  {pages}/robots/monitor/   the robots, now
  {login_link}   operator login to the console, works once

  telemetry {stack.telemetry_url}/api/telemetry/docs · detection {stack.ids_url}/healthz
  MQTT 127.0.0.1:{ports.mqtt} · robot 127.0.0.1:{ports.robot} · logs in .run/NAME.log
  Ctrl-C ends it all.
""",
    )


def _look_after(stack: Stack, *, reload: bool) -> None:
    """Until `Ended` is raised."""
    now = time.monotonic()
    supervisor = Supervisor(list(stack.processes.values()), _note, now)
    watcher = Watcher() if reload else None
    trim_at = now + TRIM_EVERY_S
    watch_at = now
    while True:
        now = time.monotonic()
        supervisor.look(now)
        if now >= trim_at:
            trim_at = now + TRIM_EVERY_S
            supervisor.trim_logs()
        if watcher is not None and now >= watch_at:
            watch_at = now + 1.0
            for name in watcher.changed():
                _note(f"cambió el código de {name}", f"the code of {name} has changed")
                supervisor.restart(name, now)
        time.sleep(LOOK_EVERY_S)


def _need_mosquitto() -> None:
    """Raises Problem when it is not installed: better said now than by a broker that does not come up."""
    if shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is None:
        raise Problem(
            "BROKER=mosquitto necesita Mosquitto y aquí no está: instálalo con «apt-get install mosquitto» (como root o con sudo).",
            "BROKER=mosquitto needs Mosquitto, which is not here: install it with 'apt-get install mosquitto' (as root or with sudo).",
        )


def _note(es: str, en: str) -> None:
    """A line for the terminal and for `.run/up.log`."""
    line = f"{datetime.now():%H:%M:%S} {words(es, en)}"
    print(line, flush=True)
    with (STATE / "up.log").open("a", encoding="utf-8") as log:
        log.write(line + "\n")


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended


if __name__ == "__main__":
    sys.exit(main())
