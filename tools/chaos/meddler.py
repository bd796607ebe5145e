"""Stands between bridge and telemetry API and acknowledges wrongly, so that a test can show that the audit notices."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import msgspec

from croody_contract import messages, relay

Mutation = Literal["before-the-commit", "up-to-last"]


class Meddler:
    """Listens on `port`.

    `before-the-commit` answers at once and passes the relay on afterwards, whether it is taken or not; `up-to-last` makes
    each acknowledged range begin at 1.
    """

    def __init__(self, target_port: int, mutation: Mutation) -> None:
        meddler = self
        self._target_port = target_port
        self._mutation = mutation
        self.meddled = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Answer a request of the bridge's."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = meddler.answer(self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body that the bridge gets."""
        if not path.endswith("/relay"):
            return self._pass_on(path, headers, body)
        sent = relay.decode_relay(body)
        if self._mutation == "before-the-commit":
            threading.Thread(target=self._pass_on, args=(path, headers, body), daemon=True).start()
            acks = [
                relay.RobotAck(item.robot_id, messages.Ack(item.stream, [(item.first, item.first + len(item.records) - 1)]))
                for item in sent.batches
            ]
        else:
            status, answer = self._pass_on(path, headers, body)
            if status != 200:
                return status, answer
            acks = [
                relay.RobotAck(said.robot_id, messages.Ack(said.ack.stream, [(1, last) for _, last in said.ack.stored], said.ack.dead))
                for said in relay.decode_relayed(answer).acks
            ]
        self.meddled += len(acks)
        return 200, msgspec.json.encode(relay.Relayed(acks))

    def _pass_on(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._target_port, timeout=10)
        try:
            connection.request("POST", path, body, {name: headers[name] for name in ("Content-Type", "X-API-Key") if name in headers})
            reply = connection.getresponse()
            return reply.status, reply.read()
        except OSError as error:
            return 503, str(error).encode()
        finally:
            connection.close()
