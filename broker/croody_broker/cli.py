"""`croody-broker`: reads its command line, sets up logging, runs. Decides nothing."""

import asyncio
import errno
import logging
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from amqtt.errors import BrokerError

from croody_broker import openssl
from croody_broker.seams import check_version
from croody_broker.service import serve
from croody_broker.settings import Settings, Tls, split_bind
from croody_broker.texts import text
from croody_contract.arguments import Parser
from croody_contract.limits import MAX_PUBLISH_BYTES
from croody_contract.printable import log_lines
from croody_contract.texts import speak


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point. Exits 0 after SIGTERM, 1 when it cannot start, 2 for a wrong command line."""
    speak(os.environ)
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["mosquitto"], ["mosquitto-conf"]):
        from croody_broker import mosquitto_cli

        sys.exit(mosquitto_cli.main(arguments))
    settings = _settings(arguments)
    if settings.tls is not None and argv is None and not openssl.configured():
        openssl.configure()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    log_lines(logging.INFO, "%(asctime)s %(levelname)s %(message)s")
    for name in ("amqtt", "amqtt.broker", "transitions", "websockets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if (complaint := check_version()) is not None:
        sys.exit(f"croody-broker: {complaint}")
    _allow_many_connections()
    try:
        asyncio.run(serve(settings))
    except (BrokerError, OSError) as error:
        sys.exit(f"croody-broker: {text('start.failed', why=_remedy(error, settings))}")


def _remedy(error: Exception, settings: Settings) -> str:
    """Say in one sentence what is in the way and what helps. amqtt wraps what the system said."""
    cause = error if isinstance(error, OSError) else error.__cause__
    addresses = text("start.or").join(filter(None, (settings.bind, settings.tls.bind if settings.tls else None, settings.websocket_bind)))
    match getattr(cause, "errno", None):
        case errno.EADDRINUSE:
            return text("start.taken", addresses=addresses)
        case errno.EACCES | errno.EPERM:
            return text("start.forbidden", addresses=addresses)
        case errno.EADDRNOTAVAIL:
            return text("start.elsewhere", addresses=addresses)
    return str(cause or error)


def _settings(arguments: list[str]) -> Settings:
    parser = Parser("croody-broker", description=text("broker.about"), epilog=text("broker.more"))
    add = parser.options.add_argument
    add("--bind", metavar="HOST:PORT", help=text("broker.bind"))
    add("--tls-bind", metavar="HOST:PORT", help=text("broker.tls_bind"))
    add("--websocket-bind", metavar="HOST:PORT", help=text("broker.websocket_bind"))
    add("--cert", type=Path, metavar="FILE", help=text("broker.cert"))
    add("--key", type=Path, metavar="FILE", help=text("option.key"))
    add("--client-ca", type=Path, metavar="FILE", help=text("broker.client_ca"))
    add("--passwd", type=Path, required=True, metavar="FILE", help=text("option.passwd"))
    add("--acl", type=Path, required=True, metavar="FILE", help=text("broker.acl"))
    add("--max-packet", type=int, default=Settings.max_packet_bytes, metavar="BYTES", help=text("option.max_packet"))
    add("--max-backlog", type=int, default=Settings.max_backlog_bytes, metavar="BYTES", help=text("broker.max_backlog"))
    add("--max-rate", type=int, default=Settings.max_rate_bytes_s, metavar="BYTES/S", help=text("broker.max_rate"))
    add("--connect-timeout", type=float, default=Settings.connect_timeout_s, metavar="S", help=text("broker.connect_timeout"))
    options = parser.parse_args(arguments)
    if options.bind is None and options.tls_bind is None and options.websocket_bind is None:
        parser.error(text("wrong.no_bind"))
    if options.tls_bind is not None and (options.cert is None or options.key is None):
        parser.error(text("wrong.no_cert"))
    if options.max_packet < MAX_PUBLISH_BYTES:
        parser.error(text("wrong.max_packet", value=options.max_packet, most=MAX_PUBLISH_BYTES))
    if options.max_rate <= 0 or options.max_backlog < options.max_packet:
        parser.error(text("wrong.max_rate"))
    for each in (options.bind, options.tls_bind, options.websocket_bind):
        try:
            split_bind(each or "unused:0")
        except ValueError as error:
            parser.error(str(error))
    tls = Tls(options.tls_bind, options.cert, options.key, options.client_ca) if options.tls_bind else None
    return Settings(
        bind=options.bind,
        passwd=options.passwd,
        acl=options.acl,
        tls=tls,
        websocket_bind=options.websocket_bind,
        max_packet_bytes=options.max_packet,
        max_backlog_bytes=options.max_backlog,
        max_rate_bytes_s=options.max_rate,
        connect_timeout_s=options.connect_timeout,
    )


def _allow_many_connections() -> None:
    """Many systems give a process 1,024 files until it asks for what it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
