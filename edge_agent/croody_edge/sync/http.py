"""Readings by HTTP POST, one by one, out of the same outbox. Knows the ingest contract; used instead of MQTT, never beside it.

At least once: a reading goes from the queue when our own server's answer names it as stored (see `answers`). What the server refuses
for its content is set apart and never blocks the next; anything else is an outage and is tried again with jittered backoff. Only
readings can go this way: the other records of a stream (births, events, windows, tombstones) are written to the log and leave the queue.
"""

import http.client
import logging
import ssl
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from time import monotonic, time
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from croody_contract import ranges
from croody_contract.limits import MAX_RECORD_BYTES
from croody_contract.messages import encode
from croody_contract.printable import printable
from croody_contract.ranges import Ranges
from croody_edge.link import https
from croody_edge.link.proxy import STRAIGHT, Proxies
from croody_edge.outbox.keys import TOP_SEQ, key_of
from croody_edge.outbox.queue import Batch, Outbox
from croody_edge.sync.answers import Meaning, Outage, Refused, Stored, meaning
from croody_edge.texts import text

log = logging.getLogger("croody.ingest")

_PATH: Final = "/api/telemetry/ingest"
_TIMEOUT_S: Final = 10.0
#: How long `close` waits for an answer that is on its way, seconds.
_END_S: Final = 1.0
#: Between two looks whether the thread lives, seconds.
_IDLE_S: Final = 60.0
_BACKOFF_S: Final = (0.1, 30.0)
#: An answer repeats the reading, which is smaller.
_MOST_ANSWER_BYTES: Final = 4 * MAX_RECORD_BYTES
_ROWS: Final = 100
_EVERYTHING: Final = key_of(1 << 22, TOP_SEQ)


_NULL: Final = msgspec.Raw(b"null")


class _Telemetry(Struct, frozen=True):
    """The contract's `Telemetry` with the bytes of its values as they were kept."""

    data: msgspec.Raw
    robot_id: str
    ts: msgspec.Raw
    position: msgspec.Raw
    environment: msgspec.Raw
    status: msgspec.Raw


class _Outline(Struct, frozen=True):
    """A kept record, of which only its kind is read."""

    kind: str
    data: msgspec.Raw = _NULL
    ts: msgspec.Raw = _NULL
    position: msgspec.Raw = _NULL
    environment: msgspec.Raw = _NULL
    status: msgspec.Raw = _NULL

    def telemetry(self, robot_id: str) -> bytes:
        """The body that ingest takes."""
        return encode(_Telemetry(self.data, robot_id, self.ts, self.position, self.environment, self.status))


_outline: Final = msgspec.json.Decoder(_Outline)


class HttpTransport:
    """A `Transport`: a thread that empties one robot's outbox over HTTP."""

    def __init__(
        self,
        url: str,
        token: str,
        robot_id: str,
        outbox: Outbox,
        *,
        ca_file: Path | None = None,
        proxies: Proxies = STRAIGHT,
        random: Random | None = None,
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            url: http or https; without a path the contract's own is used.
            token: goes as `X-API-Key`; empty leaves the header out.
            robot_id: named in every reading.
            outbox: where readings come from.
            ca_file: certificate (PEM) that signs the server's, instead of the system's.
            proxies: on the way to it.
            random: for jitter.
        """
        parts = urlsplit(url)
        self._host, self._port, self._https = parts.hostname or "", parts.port, parts.scheme == "https"
        self._path = (parts.path if parts.path not in ("", "/") else _PATH) + (f"?{parts.query}" if parts.query else "")
        port = self._port or (443 if self._https else 80)
        self._proxy = proxies.to(self._host, port, "https" if self._https else "http")
        self._netloc = parts.netloc.rpartition("@")[2]
        self._token, self._robot_id, self._outbox = token, robot_id, outbox
        self._tls = ssl.create_default_context(cafile=ca_file) if self._https else None
        self._random = random or Random()
        self._server: http.client.HTTPConnection | None = None
        self._news, self._stop = Flag(), Flag()
        self._thread: Thread | None = None
        self._said: set[str] = set()
        self._why = ""
        self._wait_s = 0.0
        self._pulse_s, self._proven_s = monotonic(), 0.0

    @property
    def pulse_s(self) -> float:
        """See `Transport.pulse_s`; with nothing to send there is nobody to answer, and the thread itself counts."""
        return self._pulse_s

    @property
    def proven_s(self) -> float:
        """See `Transport.proven_s`."""
        return self._proven_s

    @property
    def trouble(self) -> str:
        """Why the server takes nothing; empty while it does, and before the first try."""
        return self._why

    def start(self) -> None:
        """Begin in the background. Call it again whenever you like: a thread that died is replaced."""
        if self._thread is None or not (self._thread.is_alive() or self._stop.is_set()):
            self._thread = Thread(target=self._run, name=f"ingest-{self._robot_id}", daemon=True)
            self._thread.start()

    @property
    def online(self) -> bool:
        """Say whether the server took the last reading, or none was tried yet."""
        return not self._why

    @property
    def protected(self) -> Ranges:
        """See `Transport.protected`."""
        return ranges.EMPTY

    def grew(self) -> None:
        """There is something new in the outbox."""
        self._news.set()

    def turn(self, now: float, mono_s: float) -> float:
        """See `Transport.turn`: all the work is the thread's."""
        self.start()
        return _IDLE_S

    def close(self, now: float) -> None:
        """End after an answer that is on its way."""
        self._stop.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._pulse_s = monotonic()
            try:
                batch = self._outbox.read(0, _EVERYTHING, _ROWS, 1 << 20, time())
                if batch is None:
                    self._news.wait(1.0)
                    self._news.clear()
                    continue
                self._send(batch)
            except OSError as error:
                self._trouble(Outage(type(error).__name__, str(error)))
            if self._wait_s:
                self._stop.wait(self._wait_s * self._random.uniform(0.5, 1.0))
        self._hang_up()

    def _send(self, batch: Batch) -> None:
        """Send a run of records until one has to wait.

        Raises:
            OSError: the outbox says no.
        """
        for offset, body in enumerate(batch.bodies):
            key = batch.first_key + offset
            if self._stop.is_set():
                return
            try:
                record = _outline.decode(body)
            except msgspec.MsgspecError as error:
                self._outbox.bury(key, str(error)[:200], body, time())
                continue
            if record.kind != "reading":
                log.log(
                    logging.WARNING if record.kind == "event" else logging.INFO,
                    "not sent, HTTP carries readings only: %s",
                    body[:1000].decode(),
                )
                self._outbox.remove(((key, key),), time())
            elif not self._deliver(key, body, record):
                return

    def _deliver(self, key: int, body: bytes, record: "_Outline") -> bool:
        try:
            answer = self._post(record.telemetry(self._robot_id))
        except (OSError, http.client.HTTPException) as error:
            self._pulse_s = monotonic()
            self._hang_up()
            self._trouble(Outage(type(error).__name__, printable(str(error)) or type(error).__name__))
            return False
        self._pulse_s = monotonic()
        match answer:
            case Outage():
                self._trouble(answer)
                return False
            case Refused(why):
                log.warning("%s", text("http.refused", answer=why, body=printable(body[:300].decode("utf-8", "replace"))))
                self._outbox.bury(key, why, body, time())
            case Stored():
                self._proven_s = time()
                self._outbox.remove(((key, key),), time())
        if self._said:
            self._said.clear()
            log.info("%s", text("http.back", host=self._host))
        self._why, self._wait_s = "", 0.0
        return True

    def _post(self, body: bytes) -> Meaning:
        if self._server is None:
            self._server = self._connect()
        headers = {"Content-Type": "application/json", **({"X-API-Key": self._token} if self._token else {})}
        path = self._path
        if self._proxy is not None and not self._https:
            headers |= self._proxy.headers
            path = f"http://{self._netloc}{path}"
        self._server.request("POST", path, body, headers)
        answer = self._server.getresponse()
        came = answer.read(_MOST_ANSWER_BYTES)
        if answer.will_close or not answer.isclosed():
            self._hang_up()
        location, after = answer.headers.get("Location", ""), answer.headers.get("Retry-After", "")
        return meaning(answer.status, came, self._robot_id, location=location, retry_after=after)

    def _connect(self) -> http.client.HTTPConnection:
        """A way to the server; what it costs to open it is paid here or with the first request."""
        if self._tls is None:
            near = self._proxy
            host, port = (near.host, near.port) if near is not None else (self._host, self._port)
            return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        return https.connect(self._host, self._port or 443, self._tls, self._proxy, _TIMEOUT_S)

    def _trouble(self, outage: Outage) -> None:
        """Remember why, and log each kind of trouble once an outage."""
        self._why = outage.why
        if outage.kind not in self._said:
            self._said.add(outage.kind)
            log.warning("%s", text("http.lost", host=self._host, why=outage.why))
        self._wait_s = max(outage.wait_s, min(max(self._wait_s * 2, _BACKOFF_S[0]), _BACKOFF_S[1]))

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
