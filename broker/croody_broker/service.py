"""Runs the broker and keeps it in step with its files until it is told to stop. The only place that reads them."""

import asyncio
import logging
import signal
from typing import Final

from croody_broker.broker import WEBSOCKET, GuardedBroker
from croody_broker.credentials import Accounts, parse_passwd
from croody_broker.policy import Policy
from croody_broker.rules import Rules, parse_acl
from croody_broker.settings import Settings
from croody_broker.watch import Watched

log = logging.getLogger("croody.broker")

#: How often files are looked at, in seconds. A change counts at the second look.
LOOK_S: Final = 0.2
#: Shutting down may take this long, in seconds; then the process ends anyway.
_STOP_S: Final = 1.5


class Service:
    """A guarded broker, its password file, its acl file and its certificate."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.broker = GuardedBroker(settings)
        self._passwd = Watched(settings.passwd)
        self._acl = Watched(settings.acl)
        self._certificate = [Watched(path) for path in (settings.tls.cert, settings.tls.key)] if settings.tls else []
        self._missing: set[Watched] = set()

    async def start(self) -> None:
        """Read the files and listen.

        Raises:
            amqtt.errors.BrokerError: an address cannot be bound, or certificate and key are no pair.
            OSError: a certificate or key cannot be read.
        """
        await self.reload()
        for each in self._certificate:
            each.read()
        await self.broker.start()
        for name, address in self.broker.addresses():
            log.info("listening on %s%s", address, {"tls": " (TLS)", WEBSOCKET: " (WebSocket)"}.get(name, ""))

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the files until `stop` is set, then close everything within two seconds."""
        try:
            while not stop.is_set():
                try:
                    await asyncio.wait_for(stop.wait(), LOOK_S)
                except TimeoutError:
                    await self._look()
        finally:
            try:
                await asyncio.wait_for(self.broker.shutdown(), _STOP_S)
            except TimeoutError:
                log.warning("not every connection could be closed in %s s: left to the system", _STOP_S)

    async def _look(self) -> None:
        if self._passwd.changed() or self._acl.changed():
            await self.reload()
        changed = [each for each in self._certificate if each.changed()]
        if changed:
            self._reload_certificate()

    async def reload(self) -> None:
        """Read both files now and judge everybody by them, also those who are connected."""
        accounts, rules = Accounts({}), Rules()
        if (text := self._text(self._passwd, "every connect is refused")) is not None:
            accounts, problems = parse_passwd(text)
            self._report(self._passwd, f"{len(accounts)} accounts", problems)
        if (text := self._text(self._acl, "every topic is denied")) is not None:
            rules, problems = parse_acl(text)
            self._report(self._acl, f"{len(rules)} rules", problems)
        await self.broker.adopt(Policy(accounts, rules))

    def _text(self, file: Watched, consequence: str) -> str | None:
        try:
            text = file.read()
        except OSError as error:
            if file not in self._missing:
                self._missing.add(file)
                log.warning("%s: %s: %s until it can be read", file.path, error.strerror, consequence)
            return None
        self._missing.discard(file)
        return text

    def _report(self, file: Watched, content: str, problems: list[str]) -> None:
        log.info("%s: %s", file.path, content)
        for problem in problems:
            log.error("%s: %s (line left out)", file.path, problem)

    def _reload_certificate(self) -> None:
        try:
            for each in self._certificate:
                each.read()
            self.broker.reload_certificate()
        except OSError as error:
            log.error("certificate: %s: the old one stays in use; put a matching pair in place", error)
        else:
            log.info("certificate: reloaded")


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reads the files at once.

    Raises:
        amqtt.errors.BrokerError: an address cannot be bound, or certificate and key are no pair.
        OSError: a certificate or key cannot be read.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    service = Service(settings)
    running: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(service.reload())
        running.add(task)
        task.add_done_callback(running.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    await service.start()
    await service.run(stop)
