"""One whole Croody on this machine, for `make up`, the fault matrix and the end-to-end tests.

    from tools.stack import Options, Ports, Stack

    options = Options(state=tmp_path, ports=Ports.free(), database="postgres", broker="mosquitto", bridges=2,
                      robots=0, host=False, replay=False)
    with Stack(options) as stack:                # whatever happens, nothing outlives the block
        stack.prepare()                          # secrets, database server, tables, demo site, robots: idempotent
        stack.start()                            # everything, and wait until it serves; or start("broker", "telemetry", ...)
        secret = stack.add_robot("robot-x")      # `croody robot add`; at the broker within a second
        stack.kill("bridge"); stack.start("bridge")
        stack.stop("postgres"); stack.start("postgres")
        stack.restart("telemetry")
        stack.pid("broker"), stack.processes["broker"].alive, stack.processes["broker"].log_tail()
        stack.manage("dead", "list")             # any management command
        stack.database_urls                      # (main, telemetry), for an audit by SQL
        stack.broker_url, stack.telemetry_url, stack.web_url, stack.ids_url, stack.secret("BRIDGE_TOKEN")
        stack.add(Spec("sim-2", [script("croody-sim"), ...], env)); stack.start("sim-2")

Names: `postgres broker telemetry ids web worker bridge [bridge-2 ...] sim edge-host edge-replay`; each has `STATE/NAME.pid`
and `STATE/NAME.log`. Nothing is supervised here: what dies stays dead until `start` (`tools.up` supervises).
`Options.environ` adds variables to every process; `Spec.env` to one: `dataclasses.replace(stack.processes["worker"].spec, ...)`.
"""

from tools.stack.core import PLAN, Stack
from tools.stack.options import FIRST_ROBOT, REPLAY_ROBOT, ROOT, Options, Ports, script, source_path
from tools.stack.process import MARK, Process, Spec

__all__ = [
    "FIRST_ROBOT",
    "MARK",
    "PLAN",
    "REPLAY_ROBOT",
    "ROOT",
    "Options",
    "Ports",
    "Process",
    "Spec",
    "Stack",
    "script",
    "source_path",
]
