"""The command `croody-edge`: `run` and `status`. Knows the environment and the terminal, nothing else does."""

import argparse
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from croody_edge.agent import Agent
from croody_edge.checkout import with_ports
from croody_edge.daemon import heard, run
from croody_edge.outbox.lock import Locked
from croody_edge.outbox.rescue import FILE
from croody_edge.outbox.store import Damaged, connect, read_streams
from croody_edge.screen import Screen
from croody_edge.screen.on_demand import ScreenOnDemand
from croody_edge.settings import from_environment
from croody_edge.sources import open_source
from croody_edge.texts import text
from croody_edge.variables import BadSetting

log = logging.getLogger("croody.agent")

#: Exit statuses as sysexits.h has them: configuration, temporary failure.
_BAD_CONFIG: Final = 78
_TRY_LATER: Final = 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    chosen = parser(os.environ).parse_args(arguments)
    if chosen.command == "status":
        return status(Path(chosen.dir or os.environ.get("CROODY_EDGE_DIR") or "croody-edge"), os.environ, as_json=chosen.json)
    try:
        settings = from_environment(with_ports(os.environ))
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
        settings.edge_dir.mkdir(parents=True, exist_ok=True)
        screen = ScreenOnDemand(lambda: load_screen(os.environ)) if settings.screen else None
        agent = Agent(settings, open_source(settings, os.environ), screen)
        run(agent, heartbeat=settings.heartbeat)
    except BadSetting as error:
        print(f"croody-edge: {error}", file=sys.stderr)
        return _BAD_CONFIG
    except Locked as error:
        print(f"croody-edge: {error.strerror}", file=sys.stderr)
        return _TRY_LATER
    except OSError as error:
        print(f"croody-edge: {error}", file=sys.stderr)
        return _TRY_LATER
    return 0


def load_screen(environ: Mapping[str, str]) -> Screen | None:
    """The screen of the robot's own sensors; None when this machine cannot run one, which is said."""
    try:
        from croody_edge.screen.sensors import SensorScreen
    except ImportError as error:
        log.error(text("screen_off", environ, error=error))
        return None
    return SensorScreen()


def parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line, in the user's language."""

    class Formatter(argparse.HelpFormatter):
        def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
            super().add_usage(usage, actions, groups, prefix or text("usage", environ))

    def add_help(of: argparse.ArgumentParser) -> argparse._ArgumentGroup:
        group = of.add_argument_group(text("options", environ))
        group.add_argument("-h", "--help", action="help", help=text("help", environ))
        return group

    top = argparse.ArgumentParser(
        "croody-edge", description=text("about", environ), epilog=text("more", environ), add_help=False, formatter_class=Formatter
    )
    add_help(top)
    commands = top.add_subparsers(dest="command", required=True, title=text("commands", environ), metavar="run|status")
    running = commands.add_parser(
        "run",
        help=text("run", environ),
        description=text("run", environ),
        epilog=text("more", environ),
        add_help=False,
        formatter_class=Formatter,
    )
    add_help(running)
    asking = commands.add_parser(
        "status", help=text("status", environ), description=text("status", environ), add_help=False, formatter_class=Formatter
    )
    options = add_help(asking)
    options.add_argument("--dir", metavar="DIR", help=text("dir", environ))
    options.add_argument("--json", action="store_true", help=text("json", environ))
    return top


def status(folder: Path, environ: Mapping[str, str], *, as_json: bool) -> int:
    """Print what waits in the outbox, whether or not an agent runs on it."""
    path = folder / FILE
    if not path.exists():
        print(text("none", environ, path=path), file=sys.stderr)
        return 1
    try:
        found = look(path)
    except (sqlite3.Error, Damaged, OSError) as error:
        print(text("unreadable", environ, path=path, error=error), file=sys.stderr)
        return 1
    if environ.get("CROODY_HEARTBEAT"):
        found["link"], found["why"] = heard(Path(environ["CROODY_HEARTBEAT"]), time.time())
    if as_json:
        print(json.dumps(found))
        return 0
    print(f"{text('robot', environ)}: {found['robot_id']}")
    if "link" in found:
        print(f"{text('link', environ)}: {text(found['link'], environ)}{': ' if found['why'] else ''}{found['why']}")
    print(f"{text('waiting', environ)}: {found['pending']}")
    print(f"{text('size', environ)}: {found['size_bytes']} B")
    print(f"{text('dead', environ)}: {found['dead']}")
    print(f"{text('aside', environ)}: {len(found['set_aside'])}")
    for row in found["streams"]:
        last, waiting = text("last", environ), text("waiting", environ)
        print(f"  {text('stream', environ)} {row['stream']}: {last} {row['last']}, {waiting} {row['pending']}")
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
