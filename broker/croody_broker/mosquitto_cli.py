"""`croody-broker mosquitto-conf` prints a configuration; `croody-broker mosquitto` runs Mosquitto with it.

Running it here rather than by hand adds two things: Mosquitto reads its files again only when it is told to, so somebody
has to notice that they changed; and it answers a publish that it refuses as if all were well, so somebody has to say it.
"""

import getpass
import logging
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from croody_broker import openssl
from croody_broker.complaints import Complaints
from croody_broker.mosquitto import OWN_RULES, MosquittoSettings, own_rules, render_conf
from croody_broker.mosquitto_log import Attention, MosquittoLog
from croody_broker.mosquitto_teller import Teller
from croody_broker.settings import Tls
from croody_broker.texts import text
from croody_broker.watch import Watched
from croody_contract.arguments import Parser
from croody_contract.mosquitto import BRIDGE_PASSWD_NAME, keeps_vehicles
from croody_contract.printable import log_lines
from croody_contract.topics import ROOT

log = logging.getLogger("croody.broker")

_LOOK_S: Final = 0.2
_START_S: Final = 2.0
#: Of Mosquitto's log at once, bytes: as much as a pipe holds.
_PIECE_BYTES: Final = 64 * 1024


def main(arguments: Sequence[str]) -> int:
    """Run one of the two commands; returns the exit status."""
    command = arguments[0]
    parser = _parser(command)
    options = parser.parse_args(arguments[1:])
    if options.bind is None and options.tls_bind is None:
        parser.error(text("wrong.no_robots_bind"))
    if options.tls_bind is not None and (options.cert is None or options.key is None):
        parser.error(text("wrong.no_cert"))
    settings = MosquittoSettings(
        bind=options.bind,
        bridge_bind=options.bridge_bind,
        passwd=options.passwd,
        bridge_passwd=options.bridge_passwd or options.passwd.with_name(BRIDGE_PASSWD_NAME),
        acl=options.acl,
        tls=Tls(options.tls_bind, options.cert, options.key, options.client_ca) if options.tls_bind else None,
        websocket_bind=options.websocket_bind,
        max_packet_bytes=options.max_packet,
        max_backlog_bytes=options.max_backlog,
        user=options.user if command == "mosquitto-conf" else getpass.getuser(),
        log_packets=command == "mosquitto",
        own_socket=_own_socket() if command == "mosquitto" else None,
        retains=keeps_vehicles(_text_of(options.acl)),
    )
    try:
        conf = render_conf(settings)
    except ValueError as error:
        parser.error(str(error))
    if command == "mosquitto-conf":
        sys.stdout.write(conf)
        return 0
    log_lines(logging.INFO, "%(asctime)s %(levelname)s %(message)s")
    return _run(conf, settings)


def _parser(command: str) -> Parser:
    runs = command == "mosquitto"
    parser = Parser(f"croody-broker {command}", description=text("mosquitto.runs") if runs else text("mosquitto.prints"))
    add = parser.options.add_argument
    add("--bind", metavar="HOST:PORT", help=text("mosquitto.bind"))
    add("--bridge-bind", required=True, metavar="HOST:PORT", help=text("mosquitto.bridge_bind"))
    add("--tls-bind", metavar="HOST:PORT", help=text("mosquitto.tls_bind"))
    add("--cert", type=Path, metavar="FILE", help=text("mosquitto.cert"))
    add("--key", type=Path, metavar="FILE", help=text("option.key"))
    add("--client-ca", type=Path, metavar="FILE", help=text("mosquitto.client_ca"))
    add("--websocket-bind", metavar="HOST:PORT", help=text("mosquitto.websocket_bind"))
    add("--passwd", type=Path, required=True, metavar="FILE", help=text("option.passwd"))
    add("--bridge-passwd", type=Path, metavar="FILE", help=text("mosquitto.bridge_passwd", name=BRIDGE_PASSWD_NAME))
    add("--acl", type=Path, required=True, metavar="FILE", help=text("mosquitto.acl"))
    add("--max-packet", type=int, default=MosquittoSettings.max_packet_bytes, metavar="BYTES", help=text("option.max_packet"))
    add("--max-backlog", type=int, default=MosquittoSettings.max_backlog_bytes, metavar="BYTES", help=text("mosquitto.max_backlog"))
    if not runs:
        add("--user", metavar="NAME", help=text("mosquitto.user"))
    return parser


def _run(conf: str, settings: MosquittoSettings) -> int:
    """Become Mosquitto; returns only when that is impossible. A child stays behind and tells it about changed files."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        log.error("%s", text("mosquitto.absent"))
        return 1
    paths = [settings.passwd, settings.bridge_passwd, settings.acl]
    for path in paths:
        _ensure(path)
    if settings.tls is not None:
        paths += [settings.tls.cert, settings.tls.key]
    try:
        files = [Watched(path) for path in paths]
        for each in files:
            each.read()
        # Mosquitto reads its configuration again together with the files, so it has to stay.
        place = settings.passwd.with_name("mosquitto.conf")
        place.write_text(conf, encoding="utf-8")
    except OSError as error:
        log.error("%s", text("mosquitto.unreadable", file=error.filename, error=error.strerror))
        return 1
    # Until Mosquitto has a handler of its own, this signal would end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    mosquitto = os.getpid()
    reads, writes = os.pipe()
    if os.fork() == 0:
        os.close(writes)
        _stand_by(mosquitto, files, reads, settings, place)
        os._exit(0)
    os.close(reads)
    os.dup2(writes, sys.stderr.fileno())
    os.close(writes)
    openssl.configure()
    os.execv(program, [program, "-c", str(place)])


def _own_socket() -> Path:
    """A place that nobody else on this machine can reach, with the rules beside it."""
    socket = Path(tempfile.mkdtemp(prefix="croody-broker-")) / "socket"
    own_rules(socket).write_text(OWN_RULES, encoding="utf-8")
    return socket


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _ensure(path: Path) -> None:
    """Mosquitto does not start without its files; an empty one lets nobody in, as a missing one should."""
    if not path.exists():
        log.warning("%s: missing: nobody is let in by it until it is written", path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _stand_by(mosquitto: int, files: Sequence[Watched], reads: int, settings: MosquittoSettings, place: Path) -> None:
    """Until Mosquitto ends: hand its log on, and send SIGHUP when a file changed, and once after a while for what changed at the start."""
    started = look_at_s = time.monotonic()
    told_once = ended = False
    written, complaints, attention, teller = MosquittoLog(), Complaints(), Attention(), Teller(settings.own_socket)
    written.adopt(_text_of(settings.acl))
    while os.getppid() == mosquitto and not ended:
        ready, _, _ = select.select([reads], [], [], max(0.0, look_at_s - time.monotonic()))
        if ready:
            data = os.read(reads, _PIECE_BYTES)
            attention.heard(len(data))
            ended = not _hand_on(data, written, complaints, teller)
        if time.monotonic() < look_at_s:
            continue
        look_at_s = time.monotonic() + _LOOK_S
        teller.tell(time.monotonic())
        changed = [each for each in files if each.changed()]
        for each in changed:
            with suppress(OSError):
                each.read()
        other = attention.look(time.monotonic())
        if other or changed:
            acl = _text_of(settings.acl)
            written.adopt(acl)
            if keeps_vehicles(acl) and not settings.retains:
                log.warning("%s", "the first vehicle: restart the broker once; Mosquitto hangs up on what it wants retained until then")
            settings = replace(settings, log_packets=attention.on, retains=settings.retains or keeps_vehicles(acl))
            with suppress(OSError):
                place.write_text(render_conf(settings), encoding="utf-8")
        late = not told_once and time.monotonic() - started > _START_S
        if (changed or late or other) and os.getppid() == mosquitto:
            told_once = told_once or late
            os.kill(mosquitto, signal.SIGHUP)


def _hand_on(data: bytes, written: MosquittoLog, complaints: Complaints, teller: Teller) -> bool:
    """Write what of Mosquitto's log is for a person, and count what is for detection. False at its end."""
    lines, refusals, visits = written.feed(data)
    with suppress(OSError):  # whoever read our log is gone; Mosquitto goes on all the same
        sys.stderr.write(lines)
        sys.stderr.flush()
    for refusal in refusals:
        rule = f"publish below {ROOT}/{refusal.client.partition(':')[0]}/up/"
        complaints.say("publish", refusal.client, f"may not publish to {refusal.topic[:200]!r}, it was dropped: {rule}", time.monotonic())
    for visit in visits:
        teller.take(visit, time.monotonic())
    return bool(data)
