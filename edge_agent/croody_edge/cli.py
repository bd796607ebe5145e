"""The command `croody-edge` and its verbs. Knows the environment and the terminal, nothing else does."""

import json
import logging
import os
import sqlite3
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from math import inf
from pathlib import Path
from typing import Any, Final

from croody_contract.printable import log_lines, printable
from croody_contract.texts import speak
from croody_edge import identity
from croody_edge.agent import Agent
from croody_edge.arguments import Parser
from croody_edge.bundle import archive
from croody_edge.captures import calibrate, screen_captures
from croody_edge.checkout import with_ports
from croody_edge.daemon import Beside, heard, run
from croody_edge.doctor import conformance
from croody_edge.doctor.examine import examine
from croody_edge.doctor.finding import Finding
from croody_edge.enrol import NotEnrolled, claim_of, enrol_in_time, read_claim, serial_of
from croody_edge.installed import with_settings
from croody_edge.link.proxy import from_environment as proxies_from
from croody_edge.local.life import Life, life_of
from croody_edge.local.rules.check import check_rules
from croody_edge.local.rules.config import FILE as RULES
from croody_edge.local.socket import ask
from croody_edge.outbox.lock import Locked
from croody_edge.outbox.rescue import FILE
from croody_edge.outbox.store import Damaged, connect, read_streams
from croody_edge.recent_log import remember
from croody_edge.screen import Screen
from croody_edge.screen.on_demand import ScreenOnDemand
from croody_edge.service import PriorityFilter, Service, writes_to_journal
from croody_edge.settings import OF_A_ROBOT, Settings, from_environment
from croody_edge.sources.config import choose
from croody_edge.sources.rack import Configured, metric_infos
from croody_edge.texts import spoken, text
from croody_edge.update_lock import clear_left_over
from croody_edge.variables import BadSetting, Variables, switch, variable

log = logging.getLogger("croody.agent")

#: Exit statuses as sysexits.h has them: configuration, temporary failure.
_BAD_CONFIG: Final = 78
_TRY_LATER: Final = 75
_LOG: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
_JOURNAL: Final = "<%(priority)d>%(name)s %(message)s"
#: For so long a claim that somebody typed is tried while nobody answers, seconds.
_TYPED_S: Final = 60.0
#: What a heartbeat says of the link -> its text.
_LINK: Final = {"connected": "status.connected", "offline": "status.offline", "silent": "status.silent"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    told = with_settings(os.environ)
    speak(told)
    try:
        chosen = parser().parse_args(arguments)
        if chosen.command == "status":
            return status(Path(chosen.dir or told.get("CROODY_EDGE_DIR") or "croody-edge"), told, as_json=chosen.json)
        if chosen.command == "doctor":
            return doctor(examine(with_ports(told), time.time(), log_in=chosen.log_in), as_json=chosen.json)
        if chosen.command == "check-source":
            log_lines("WARNING", "%(message)s")
            return doctor(conformance.check(told, chosen.name, seconds=chosen.seconds, away=chosen.away), as_json=chosen.json)
        if chosen.command == "check-rules":
            return check_rules(chosen.file or rules_file(told), chosen.recording, hooks=hooks(told), as_json=chosen.json)
        if chosen.command == "screen":
            return screen_captures(chosen.pcap, chosen.calibration, as_json=chosen.json)
        if chosen.command == "profile":
            from croody_edge import profile

            return profile.show(Path(chosen.dir or told.get("CROODY_EDGE_DIR") or "croody-edge"), time.time(), chosen)
        if chosen.command == "calibrate":
            return calibrate(chosen.pcap or [], chosen.live, chosen.interface, chosen.out, merge=chosen.merge)
        if chosen.command == "bundle":
            return bundle(with_ports(told), chosen.out, time.time())
        # Before any setting is judged: the update that waits may be what mends the setting.
        if said := clear_left_over(told.get("CROODY_UPDATE_LOCK", "")):
            print(f"croody-edge: {printable(said)}", file=sys.stderr)
        if chosen.command == "enrol":
            speak_up(told)
            environ = come_in(chosen, told)
            if chosen.only:
                return 0
        else:
            environ = with_ports(told)
            come_in_at_first_start(environ)
        settings = from_environment(environ)
        service = Service(environ)
        if service.watchdog_s:
            settings = replace(settings, keepalive_s=within(settings.keepalive_s, service.watchdog_s))
        begin_log(settings.log_level, environ)
        settings.edge_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        chosen_sources = choose(settings, environ)
        screen = ScreenOnDemand(load_screen, learned(settings, chosen_sources.sources)) if settings.screen else None
        for problem in chosen_sources.problems:
            log.error("%s", printable(text("sources.left", why=problem)))
        life = life_of(settings, time.monotonic)
        agent = Agent(settings, chosen_sources.sources, screen, life=life)
        run(agent, heartbeat=settings.heartbeat, service=service, beside=list(beside(settings, agent, life, environ)))
    except BadSetting as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
        return _BAD_CONFIG
    except NotEnrolled as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
        return _TRY_LATER if error.late else _BAD_CONFIG
    except Locked as error:
        print(f"croody-edge: {printable(str(error.strerror))}", file=sys.stderr)
        return _TRY_LATER
    except OSError as error:
        print(f"croody-edge: {printable(str(error))}", file=sys.stderr)
        return _TRY_LATER
    return 0


def beside(settings: Settings, agent: Agent, life: Life, environ: Mapping[str, str]) -> Iterator[Beside]:
    """What an agent is to have beside it; of what it is not to have nothing is loaded."""
    if settings.status_page is not None:
        from croody_edge.local.page.checkup import Checkup
        from croody_edge.local.page.of_agent import StatusPage

        yield StatusPage(settings.status_page, settings.status_token, agent.state, life, agent.infos, Checkup(environ), settings.drain_rate)
    if settings.home_assistant is not None:
        from croody_edge.local.home_assistant.of_agent import at_home

        yield at_home(settings.home_assistant, agent, life, spoken())


def come_in(chosen: Namespace, environ: Mapping[str, str]) -> dict[str, str]:
    """Come in by the claim that was typed, and say so. Returns the environment of the agent that this board is from then on.

    Raises:
        NotEnrolled: why not.
        BadSetting: it is no claim, or a setting breaks a rule.
    """
    claim = read_claim(chosen.claim)
    # Who the board was before says nothing of who it is now.
    rest = {name: value for name, value in environ.items() if name.removesuffix("_FILE") not in OF_A_ROBOT}
    folder = Path(chosen.dir or environ.get("CROODY_EDGE_DIR") or "croody-edge")
    mine = enrol_in_time(claim, folder, proxies_from(environ), serial_of(environ, chosen.serial), for_s=_TYPED_S)
    print(text("enrol.done", robot_id=mine.robot_id, folder=folder.absolute()), file=sys.stderr)
    return rest | {"CROODY_EDGE_DIR": str(folder)}


def come_in_at_first_start(environ: Mapping[str, str]) -> None:
    """Come in by `CROODY_CLAIM`, while this board has no secret: the variable may stay where it is.

    Raises:
        NotEnrolled: the server says no.
        BadSetting: it is no claim.
    """
    line = claim_of(environ)
    folder = Path(environ.get("CROODY_EDGE_DIR") or "croody-edge")
    if line is None or variable(environ, "ROBOT_SECRET") is not None or identity.read(folder) is not None:
        return
    speak_up(environ)
    mine = enrol_in_time(read_claim(line), folder, proxies_from(environ), serial_of(environ), for_s=inf)
    log.info("%s", text("enrol.done", robot_id=mine.robot_id, folder=folder.absolute()))


def speak_up(environ: Mapping[str, str]) -> None:
    """Log before there are settings."""
    begin_log(environ.get("CROODY_LOG_LEVEL", "INFO").upper() or "INFO", environ)


def begin_log(level: str, environ: Mapping[str, str]) -> None:
    """To standard error, as whoever reads it there wants it."""
    journal = writes_to_journal(environ)
    log_lines(level, _JOURNAL if journal else _LOG)
    for handler in logging.getLogger().handlers if journal else ():
        handler.addFilter(PriorityFilter())
    remember()


def within(keepalive_s: int, watchdog_s: float) -> int:
    """A keepalive, seconds, with which the broker is heard of three times while systemd waits for a sign of life."""
    return max(2, min(keepalive_s, int(watchdog_s / 3)))


def load_screen() -> Screen | None:
    """The screen of the robot's own sensors; None when this machine cannot run one, which is said."""
    try:
        from croody_edge.screen.sensors import SensorScreen
    except ImportError as error:
        log.error("%s", text("edge.screen_off", error=error))
        return None
    return SensorScreen()


def learned(settings: Settings, sources: Sequence[Configured]) -> Callable[[bool], Screen | None]:
    """What makes the screen of what this robot learned."""
    numbers = [info.name for info in metric_infos(sources) if info.type == "number"]

    def load(joint: bool) -> Screen | None:
        try:
            from croody_edge.screen.learned.screen import LearnedScreen
        except ImportError as error:
            log.error("%s", text("edge.screen_off", error=error))
            return None
        return LearnedScreen(settings.edge_dir, declared=numbers, learn_s=settings.learn_s, joint=joint)

    return load


def parser() -> Parser:
    """The command line, in the language that is spoken."""
    top = Parser("croody-edge", description=text("edge.about"), epilog=text("edge.more"))
    commands = top.add_subparsers(
        dest="command",
        required=True,
        title=text("edge.commands"),
        metavar="enrol|run|status|doctor|check-source|check-rules|screen|calibrate|profile|bundle",
    )
    coming = commands.add_parser("enrol", help=text("edge.enrol"), description=text("edge.enrol"), epilog=text("edge.more"))
    coming.add_argument("claim", metavar="CLAIM", help=text("edge.claim"))
    coming.options.add_argument("--serial", metavar="SERIAL", help=text("edge.serial"))
    coming.options.add_argument("--only", action="store_true", help=text("edge.enrol_only"))
    coming.options.add_argument("--dir", metavar="DIR", help=text("edge.dir"))
    commands.add_parser("run", help=text("edge.run"), description=text("edge.run"), epilog=text("edge.more"))
    asking = commands.add_parser("status", help=text("edge.status"), description=text("edge.status"))
    asking.options.add_argument("--dir", metavar="DIR", help=text("edge.dir"))
    asking.options.add_argument("--json", action="store_true", help=text("edge.json"))
    looking = commands.add_parser("doctor", help=text("edge.doctor"), description=text("edge.doctor"), epilog=text("edge.more"))
    looking.options.add_argument("--log-in", action="store_true", help=text("edge.log_in"))
    looking.options.add_argument("--json", action="store_true", help=text("edge.json"))
    checking = commands.add_parser("check-source", help=text("edge.check_source"), description=text("edge.check_source"))
    checking.add_argument("name", metavar="NAME", help=text("edge.source_name"))
    checking.options.add_argument("--seconds", metavar="N", type=float, default=10.0, help=text("edge.seconds"))
    checking.options.add_argument("--away", action="store_true", help=text("edge.away"))
    checking.options.add_argument("--json", action="store_true", help=text("edge.json"))
    ruling = commands.add_parser("check-rules", help=text("edge.check_rules"), description=text("edge.check_rules"))
    ruling.add_argument("file", metavar="FILE", type=Path, nargs="?", help=text("edge.rules_file"))
    ruling.options.add_argument("--recording", metavar="FILE", type=Path, help=text("edge.recording"))
    ruling.options.add_argument("--json", action="store_true", help=text("edge.json"))
    screening = commands.add_parser("screen", help=text("edge.screen"), description=text("edge.screen"))
    screening.options.add_argument("--pcap", metavar="FILE", type=Path, required=True, action="append", help=text("edge.pcap"))
    screening.options.add_argument("--calibration", metavar="FILE", type=Path, help=text("edge.calibration"))
    screening.options.add_argument("--json", action="store_true", help=text("edge.json"))
    measuring = commands.add_parser("calibrate", help=text("edge.calibrate"), description=text("edge.calibrate"))
    either = measuring.add_mutually_exclusive_group(required=True)
    either.add_argument("--pcap", metavar="FILE", type=Path, action="append", help=text("edge.pcap"))
    either.add_argument("--live", metavar="TIME", help=text("edge.live"))
    measuring.options.add_argument("--interface", metavar="NAME", default="eth0", help=text("edge.interface"))
    measuring.options.add_argument("--out", metavar="FILE", type=Path, required=True, help=text("edge.calibrate_out"))
    measuring.options.add_argument("--merge", action="store_true", help=text("edge.merge"))
    learning = commands.add_parser("profile", help=text("edge.profile"), description=text("edge.profile"))
    learning.options.add_argument("--relearn", action="store_true", help=text("edge.relearn"))
    learning.options.add_argument("--dir", metavar="DIR", help=text("edge.dir"))
    learning.options.add_argument("--json", action="store_true", help=text("edge.json"))
    packing = commands.add_parser("bundle", help=text("edge.bundle"), description=text("edge.bundle"), epilog=text("edge.more"))
    packing.options.add_argument("--out", metavar="FILE", help=text("edge.out"))
    return top


def rules_file(environ: Mapping[str, str]) -> Path:
    """Where the rules of this board are written."""
    return Path(environ.get("CROODY_RULES") or Path(environ.get("CROODY_EDGE_DIR") or "croody-edge") / RULES)


def hooks(environ: Mapping[str, str]) -> bool:
    """Whether rules may start programs.

    Raises:
        BadSetting: the variable is neither on nor off.
    """
    return Variables(environ).of("CROODY_LOCAL_HOOKS", switch, "0")


def bundle(environ: Mapping[str, str], out: str | None, now: float) -> int:
    """Write a bundle. Returns 1 when it must not leave."""
    try:
        data = archive.make(environ, now)
    except archive.Leak as error:
        print(f"croody-edge: {error}", file=sys.stderr)
        return 1
    if out == "-":
        sys.stdout.buffer.write(data)
        return 0
    path = Path(out or archive.name_of(environ, now))
    archive.write(data, path)
    print(text("bundle.made", path=printable(str(path)), size=len(data) // 1024 + 1))
    return 0


def doctor(findings: Iterable[Finding], *, as_json: bool) -> int:
    """Print what was found, each line when it is known. Returns 1 when something is wrong."""
    found = []
    for finding in findings:
        found.append(finding)
        if not as_json:
            print(finding.line(), flush=True)
    bad = sum(finding.state == "wrong" for finding in found)
    if as_json:
        print(json.dumps({"ok": not bad, "findings": [asdict(finding) for finding in found]}))
    else:
        print(text("doctor.all_well") if not bad else text("doctor.one_wrong") if bad == 1 else text("doctor.some_wrong", count=bad))
    return 1 if bad else 0


def status(folder: Path, environ: Mapping[str, str], *, as_json: bool) -> int:
    """Print what waits in the outbox, whether or not an agent runs on it."""
    path = folder / FILE
    if not path.exists():
        print(text("status.none", path=path), file=sys.stderr)
        return 1
    try:
        found = look(path)
    except (sqlite3.Error, Damaged, OSError) as error:
        print(text("status.unreadable", path=path, error=error), file=sys.stderr)
        return 1
    if environ.get("CROODY_HEARTBEAT"):
        found["link"], found["why"] = heard(Path(environ["CROODY_HEARTBEAT"]), time.time())
    elif (agent := ask(folder)) is not None:
        found["link"], found["why"] = ("offline" if agent.trouble else "connected"), agent.trouble
    if as_json:
        print(json.dumps(found))
        return 0
    print(f"{text('status.robot')}: {printable(found['robot_id'])}")
    if "link" in found:
        print(f"{text('status.link')}: {text(_LINK[found['link']])}{': ' if found['why'] else ''}{printable(found['why'])}")
    print(f"{text('status.waiting')}: {found['pending']}")
    print(f"{text('status.size')}: {found['size_bytes']} B")
    print(f"{text('status.dead')}: {found['dead']}")
    print(f"{text('status.aside')}: {len(found['set_aside'])}")
    for row in found["streams"]:
        last, waiting = text("status.last"), text("status.waiting")
        print(f"  {text('status.stream')} {row['stream']}: {last} {row['last']}, {waiting} {row['pending']}")
    return 0


def look(path: Path) -> dict[str, Any]:
    """What an outbox file holds, read beside a running agent.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    db = connect(path, read_only=True)
    try:
        robot_id = db.execute("SELECT value FROM meta WHERE name='robot_id'").fetchone()[0]
        dead = db.execute("SELECT count(*) FROM dead").fetchone()[0]
        streams = [{"stream": row.id, "last": row.last, "pending": row.pending} for row in read_streams(db)]
    finally:
        db.close()
    return {
        "robot_id": robot_id,
        "pending": sum(row["pending"] for row in streams),
        "size_bytes": sum(file.stat().st_size for file in path.parent.glob(f"{FILE}*") if file.name in (FILE, f"{FILE}-wal")),
        "dead": dead,
        "set_aside": sorted(file.name for file in path.parent.glob(f"{FILE}.*") if not file.name.endswith(("-wal", "-shm"))),
        "streams": streams,
    }
