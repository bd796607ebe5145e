"""Answers on the board: the page, its style and `/status.json`, by GET alone. Bounded in connections, time and memory.

On loopback whoever is on the board may look. Beyond it the page needs its word (a token), as the password of any name. A name in `Host`
that is neither an address nor this board's is refused: a page of another site cannot read this one by a name of its own (DNS rebinding).
"""

import hmac
import logging
import socket
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from socketserver import TCPServer
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from croody_contract.printable import printable
from croody_edge.local.page.facts import Facts
from croody_edge.local.page.html import page
from croody_edge.local.page.language import language_of
from croody_edge.texts import text

log = logging.getLogger("croody.page")

_CSS: Final = Path(__file__).with_name("page.css")
#: Connections at a time; others are closed at once.
_AT_ONCE: Final = 4
#: Between two bytes, and for a whole connection, seconds.
_TIMEOUT_S: Final = 5.0
_WHOLE_S: Final = 10.0
_LOOK_S: Final = 1.0
#: The page renews itself, seconds.
_RENEW_S: Final = 15
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


class Server:
    """From `start` to `close`, in a thread of its own and at most four more."""

    def __init__(self, address: tuple[str, int], token: str, facts: Callable[[str], Facts], look: Callable[[], None]) -> None:
        """As the page needs it.

        Args:
            address: host and port.
            token: empty where none is needed.
            facts: made anew for each answer, for a language; called in a connection's thread.
            look: called once a second.
        """
        self._address, self._token, self._facts, self._look = address, token, facts, look
        self._server: _Bounded | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        return int(self._server.server_address[1]) if self._server is not None else 0

    def start(self) -> None:
        """Begin. A port that cannot be had is told, and costs the page alone."""
        host, port = self._address
        try:
            self._server = _Bounded(self._address, _handler(self._token, self._facts), self._look)
        except OSError as error:
            log.error("%s", text("page.no_port", host=host, port=port, error=error))
            return
        Thread(target=self._server.serve_forever, args=(_LOOK_S,), name="croody page", daemon=True).start()
        log.info("%s", text("page.listens", host=host, port=self.port))
        if not ip_address(host).is_loopback:
            log.warning("%s", text("page.open", host=host))

    def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Bounded(TCPServer):
    """Few connections, each of which ends."""

    allow_reuse_address = True
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], look: Callable[[], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._free, self._guard, self._look = BoundedSemaphore(_AT_ONCE), Lock(), look
        self._since: dict[socket.socket, float] = {}
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, while one is free."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        with self._guard:
            self._since[request] = time.monotonic()
        Thread(target=self._process, args=(request, client_address), name="croody page visitor", daemon=True).start()

    def _process(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError as error:
            log.debug("%s", error)
        finally:
            with self._guard:
                del self._since[request]
            self.shutdown_request(request)
            self._free.release()

    def service_actions(self) -> None:
        """Once a second: who stays too long is shut out."""
        self._look()
        with self._guard:
            late = [request for request, since_s in self._since.items() if time.monotonic() - since_s > _WHOLE_S]
            for request in late:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError as error:
                    log.debug("%s", error)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What a visitor does wrong is no news."""
        log.debug("visitor %s went", client_address)


def _handler(token: str, facts: Callable[[str], Facts]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request a connection."""

        timeout = _TIMEOUT_S
        server_version, sys_version = "croody-edge", ""

        def do_GET(self) -> None:
            """The page, its style, or the same for programs."""
            if not _ours(self.headers.get("Host", "")):
                self._answer(421, "text/plain", f"{text('page.host')}\n".encode())
            elif token and not _knows(token, self.headers.get("Authorization", "")):
                self._answer(401, "text/plain", f"{text('page.token')}\n".encode(), {"WWW-Authenticate": 'Basic realm="croody-edge"'})
            else:
                self._see()

        def _see(self) -> None:
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query[:200], max_num_fields=4)
            language = language_of(self.headers.get("Accept-Language", ""), asked.get("lang", [""])[0])
            if parts.path == "/page.css":
                self._answer(200, "text/css", _CSS.read_bytes())
            elif parts.path == "/status.json":
                self._answer(200, "application/json", msgspec.json.encode(facts(language)))
            elif parts.path == "/":
                still = "still" in asked
                renews = {} if still else {"Refresh": str(_RENEW_S)}
                self._answer(200, "text/html", page(facts(language), language, still=still).encode(), renews)
            else:
                self._answer(404, "text/plain", b"/ , /status.json\n")

        def _answer(self, status: int, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            told = {**_HEADERS, "Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
            for name, value in (told | (more or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Who visits is no news."""
            log.debug("%s", printable(format % args))

    return Handler


def _ours(host: str) -> bool:
    """Say whether a `Host` is an address, or a name of this board."""
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.rpartition(":")[0] if ":" in host else host
    try:
        ip_address(bare)
        return True
    except ValueError:
        name = socket.gethostname().lower()
        return bare.lower() in ("localhost", name, f"{name}.local", name.partition(".")[0])


def _knows(token: str, header: str) -> bool:
    """Say whether a request has the word, as the password of whatever name, or as a bearer's."""
    sort, _, rest = header.partition(" ")
    if sort.lower() == "bearer":
        said = rest.strip().encode()
    elif sort.lower() == "basic":
        try:
            said = b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (NotBase64, ValueError):
            return False
    else:
        return False
    return hmac.compare_digest(said, token.encode())
