"""A service on a board under balenaOS: `python -m croody_edge.balena agent|simulator`. What differs there from any other container.

With `status`, `doctor` or `bundle` in that place, and their options, it is the agent's command of that name: whoever enters a container
comes as root, who may not read what belongs to the agent.

Variables of the board or its fleet take the place of files and profiles, and the supervisor's folder for update locks is root's. So
this begins as root without capabilities but those to change user, opens that folder, steps down, and becomes the command.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from croody_contract.printable import printable
from croody_contract.texts import speak
from croody_edge.texts import text
from croody_edge.update_lock import clear_left_over
from croody_edge.variables import BadSetting

#: Whom the image is made for; who owns its /data.
USER: Final = 10001
#: As the supervisor itself makes the folder when it first takes a lock: everybody may put a file there, and remove only their own.
_LOCK_FOLDER_MODE: Final = 0o1777
_MEMORY: Final = "/tmp"
_CA: Final = f"{_MEMORY}/ca.pem"
_ROBOTS: Final = f"{_MEMORY}/robots"
_SOURCES: Final = f"{_MEMORY}/sources.toml"
#: Half a megabyte that does nothing and ends when it is told to, which a bare `sleep` as a container's first process does not.
_IDLE: Final = ("sh", "-c", "trap exit TERM; sleep infinity & wait")
#: Of the 62 letters of a board's id: enough to tell a fleet's boards apart, few enough to read out.
_SERIAL_CHARS: Final = 12
#: Exit status as sysexits.h has it: configuration.
_BAD_CONFIG: Final = 78


@dataclass(frozen=True, slots=True)
class Plan:
    """What to become, and what has to be there before."""

    command: Sequence[str]
    environ: Mapping[str, str]
    #: Path -> what it has to hold, readable by the user alone.
    files: Mapping[str, str] = field(default_factory=dict)


def plan(service: str, environ: Mapping[str, str], options: Sequence[str] = ()) -> Plan:
    """What a service of this name does with these variables. Pure.

    Args:
        service: or a command for whoever entered its container.
        environ: variables of the board.
        options: of that command.

    Raises:
        BadSetting: no such service, or a variable that breaks a rule.
    """
    if service in _ASKED:
        ready, files = _laid(environ)
        return Plan(("croody-edge", service, *options), ready, files)
    make = _SERVICES.get(service)
    if make is None:
        raise BadSetting(text("balena.service", name=repr(service), names=", ".join(_SERVICES)))
    return make(environ)


def _agent(environ: Mapping[str, str]) -> Plan:
    ready, files = _laid(environ)
    uuid = environ.get("BALENA_DEVICE_UUID", "")
    if uuid:
        # With a claim of a group the board makes a robot of itself, named by this; it begins as the dashboard's short id of the board.
        ready.setdefault("CROODY_SERIAL", uuid[:_SERIAL_CHARS])
    return Plan(("croody-edge", "run"), ready, files)


def _simulator(environ: Mapping[str, str]) -> Plan:
    """Robots as `ID SECRET`, with commas or new lines between; nothing but sleep when there are none."""
    robots = [line.strip() for line in environ.get("CROODY_SIMULATOR", "").replace(",", "\n").splitlines() if line.strip()]
    if not robots:
        return Plan(_IDLE, environ)
    if any(len(robot.split()) != 2 for robot in robots):
        raise BadSetting(text("setting.rule", name="CROODY_SIMULATOR", value=text("setting.secret"), rule=text("rule.robots")))
    ready, files = _laid(environ)
    return Plan(("croody-sim", "--credentials", _ROBOTS, "--state", "/data"), ready, {**files, _ROBOTS: "\n".join(robots) + "\n"})


def _laid(environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The environment and the files in it: nobody can lay files here, so variables hold the site's authority and the sources."""
    ready = {name: value for name, value in environ.items() if name not in ("CROODY_CA_PEM", "CROODY_SOURCES_TOML", "CROODY_SIMULATOR")}
    files = {}
    if pem := environ.get("CROODY_CA_PEM", "").replace("\\n", "\n").strip():
        if not pem.startswith("-----BEGIN CERTIFICATE-----") or not pem.endswith("-----END CERTIFICATE-----"):
            raise BadSetting(text("setting.rule", name="CROODY_CA_PEM", value=repr(pem[:40]), rule=text("rule.pem")))
        ready["CROODY_CA_FILE"], files[_CA] = _CA, f"{pem}\n"
    if sources := environ.get("CROODY_SOURCES_TOML", "").strip():
        ready["CROODY_SOURCES"], files[_SOURCES] = _SOURCES, f"{sources}\n"
    return ready, files


#: What a person asks of a running agent.
_ASKED: Final = ("status", "doctor", "bundle")
_SERVICES: Final[dict[str, Callable[[Mapping[str, str]], Plan]]] = {"agent": _agent, "simulator": _simulator}


def open_lock_folder(lock: str) -> None:
    """Let any user put an update lock where the supervisor looks for it; the engine makes that folder for root alone."""
    folder = Path(lock).parent
    # What cannot be opened costs the lock and not the readings: the agent says that it has none.
    with suppress(OSError):
        if lock and folder.stat().st_uid == os.geteuid():
            folder.chmod(_LOCK_FOLDER_MODE)


def step_down() -> None:
    """Become the image's user for good, and keep the groups of devices that the service was given."""
    if os.geteuid() != 0:
        return
    os.setgroups([group for group in os.getgroups() if group != 0])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def write(files: Mapping[str, str]) -> None:
    """Lay the files, for this user's eyes alone, each at once: a running agent may be reading it."""
    for name, content in files.items():
        fresh = f"{name}.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        os.replace(fresh, name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the service's command. Returns an exit status only when it cannot."""
    speak(os.environ)
    names = sys.argv[1:] if arguments is None else arguments
    try:
        lock = os.environ.get("CROODY_UPDATE_LOCK", "")
        open_lock_folder(lock)
        step_down()
        # Here and not only in the agent: a variable that keeps the agent from starting must not keep out the update that mends it.
        if said := clear_left_over(lock):
            print(f"croody-edge: {printable(said)}", file=sys.stderr)
        ready = plan(names[0] if names else "", os.environ, names[1:])
        write(ready.files)
        os.execvpe(ready.command[0], list(ready.command), dict(ready.environ))
    except (BadSetting, OSError) as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
    return _BAD_CONFIG


if __name__ == "__main__":
    sys.exit(main())
