"""One robot's way to whichever broker of its list answers, kept up by a thread of its own.

Knows addresses and reconnecting; bytes are `connection`'s. What happens is put into a box that the agent empties in its own thread:
no code of the agent's runs inside the connection. A broken connection is logged once when lost and once when back, and in between only
what somebody has to put right.
"""

import logging
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from croody_edge.keyring import Keyring
from croody_edge.link.address import BrokerAddress
from croody_edge.link.connection import Account, Confirmed, Connection, Down, Happening, Up
from croody_edge.link.proxy import STRAIGHT, Proxies
from croody_edge.link.remedies import Reason
from croody_edge.link.self_pipe import SelfPipe
from croody_edge.texts import text
from croody_edge.variables import BadSetting

log = logging.getLogger("croody.link")

_BACKOFF_S: Final = (0.1, 10.0)
#: Each wait is this much longer: with it a broker that was away for long is found again within half of that time more.
_BACKOFF_GROWTH: Final = 1.5
#: Happenings that wait for the agent; beyond it the oldest go, as what is lost with them is asked for again.
_BOX: Final = 4096
#: A connection that lasted this long was a good one: the next wait is short again, seconds.
_GOOD_S: Final = 1.0
#: How long `close` waits for the thread, seconds.
_END_S: Final = 1.0


class Link:
    """Stays connected from `start` to `close`."""

    def __init__(
        self,
        brokers: Sequence[BrokerAddress],
        robot_id: str,
        keyring: Keyring,
        *,
        will: tuple[str, bytes],
        keepalive_s: int,
        qos: int,
        suffix: str,
        ca_file: Path | None = None,
        proxies: Proxies = STRAIGHT,
        on_news: Callable[[], None] = lambda: None,
        random: Random | None = None,
        in_order: bool = False,
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            brokers: tried again and again, in shuffled order so that many robots divide themselves between them.
            robot_id: the user name; the client id is `robot_id:suffix`.
            keyring: the passwords that may be good.
            will: topic and payload that the broker publishes when this side is lost.
            keepalive_s: a dead peer is noticed within 1.5 times this, in seconds.
            qos: 0 or 1, for everything that is published.
            suffix: tells two clients of one robot apart.
            ca_file: certificate (PEM) that signs the brokers', instead of the system's.
            proxies: on the way to brokers with TLS.
            on_news: called from the link's thread when `take` has something; must not raise.
            random: for order and jitter.
            in_order: the brokers are one, by several ways, the best way first: begin with the one that worked last, then in this order.

        Raises:
            BadSetting: the certificate file holds none, or cannot be read.
            ValueError: no brokers.
        """
        if not brokers:
            raise ValueError("brokers is empty: give one address at least")
        self._account = Account(robot_id, keyring.candidates[0], will, keepalive_s, qos, suffix, ca_file, proxies)
        self._keyring, self._in_order = keyring, in_order
        self._brokers, self._robot_id, self._on_news = list(brokers), robot_id, on_news
        self._random = random or Random()
        self._tls = _trust(ca_file) if any(broker.tls for broker in brokers) else None
        self._box: deque[Happening] = deque(maxlen=_BOX)
        self._guard = Lock()
        self._up: Connection | None = None
        self._stop = Event()
        self._wake = SelfPipe()
        self._thread: Thread | None = None
        self._said: set[str] = set()
        self._why = Reason(text("link.not_yet"))
        self._tried_s = monotonic()

    @property
    def pulse_s(self) -> float:
        """When the broker last answered, or else when a try to reach one last ended, in seconds of the monotonic clock."""
        with self._guard:
            connection = self._up
        return connection.answered_s if connection is not None else self._tried_s

    @property
    def trouble(self) -> str:
        """Why there is no connection; empty while there is one."""
        return "" if self._up is not None else self._why.text

    def start(self) -> None:
        """Connect in the background, and stay connected. Call it again whenever you like: a thread that died is replaced."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._thread is not None and not self._stop.is_set():
            log.error("link %s: its thread had ended; a new one begins", self._robot_id)
        self._thread = Thread(target=self._run, name=f"link-{self._robot_id}", daemon=True)
        self._thread.start()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Hand a message over. Returns its token, or None while there is no connection; a `Confirmed` follows."""
        with self._guard:
            connection = self._up
        return connection.publish(topic, payload) if connection is not None else None

    def take(self) -> list[Happening]:
        """Everything that happened since the last call, in order."""
        taken: list[Happening] = []
        while self._box:
            taken.append(self._box.popleft())
        return taken

    def close(self, goodbye: tuple[str, bytes] | None = None, wait_s: float = 1.0) -> None:
        """Say goodbye when connected, wait at most `wait_s` until the broker has it, and end the thread."""
        until = monotonic() + wait_s
        token = self.publish(*goodbye) if goodbye else None
        while token is not None and monotonic() < until and self._up is not None:
            if Confirmed(token) in self.take():
                break
            self._stop.wait(0.01)
        self._stop.set()
        self._wake.notify()
        if self._thread is not None:
            self._thread.join(_END_S)
            if self._thread.is_alive():
                return  # It waits for a peer that does not answer, and ends with the process.
        self._wake.close()

    # in the link's own thread

    def _run(self) -> None:
        wait_s = _BACKOFF_S[0]
        round_: list[BrokerAddress] = []
        while not self._stop.is_set():
            if not round_:
                round_ = self._brokers[::-1] if self._in_order else self._random.sample(self._brokers, len(self._brokers))
            broker = round_.pop()
            began = monotonic()
            was_up = self._with_any_secret(broker)
            if was_up and self._in_order:
                self._brokers.sort(key=lambda one: one != broker)
                round_.clear()
            if self._stop.is_set():
                return
            if was_up and monotonic() - began >= _GOOD_S:
                wait_s = _BACKOFF_S[0]
            if was_up or not round_:
                self._stop.wait(self._random.uniform(0.5, 1.0) * wait_s)
                wait_s = min(wait_s * _BACKOFF_GROWTH, _BACKOFF_S[1])

    def _with_any_secret(self, broker: BrokerAddress) -> bool:
        """One connection, with the first secret that the broker takes. Returns whether it came up."""
        tried = list[str]()
        while rest := [one for one in self._keyring.candidates if one not in tried]:
            tried.append(rest[0])
            connection = self._once(broker, rest[0], last=len(rest) == 1)
            if not connection.secret_refused or self._stop.is_set():
                return connection.was_up
        return False

    def _once(self, broker: BrokerAddress, secret: str, *, last: bool) -> Connection:
        """One connection, which has ended. `last`: no other secret will be tried if this one is refused."""
        account = replace(self._account, secret=secret)
        connection = Connection(account, broker, self._tls, self._wake, lambda happening: self._happened(connection, happening))
        try:
            self._why = connection.live(self._stop)
        finally:
            self._tried_s = monotonic()
            with self._guard:
                self._up = None
        quiet = self._stop.is_set() or (connection.secret_refused and not last)
        if not quiet and (not self._said or (self._why.by_hand and self._why.text not in self._said)):
            self._said.add(self._why.text)
            key = "link.lost" if connection.was_up else "link.unreachable"
            log.warning("%s", text(key, robot_id=self._robot_id, broker=broker, why=self._why.text))
        return connection

    def _happened(self, connection: Connection, happening: Happening) -> None:
        if isinstance(happening, Up):
            with self._guard:
                self._up = connection
            key = "link.back" if self._said else "link.connected"
            log.info("%s", text(key, robot_id=self._robot_id, broker=connection.broker))
            self._said.clear()
        elif isinstance(happening, Down):
            with self._guard:
                self._up = None
        self._box.append(happening)
        self._on_news()


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # of which SSLError is one
        raise BadSetting(text("setting.ca", file=repr(str(ca_file)), error=error)) from error
