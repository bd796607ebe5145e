"""A local server that speaks as much of Stripe's API as we use, and signs notices as Stripe does. Written from its public reference."""

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

KEY = "sk_test_alices"
SECRET = "whsec_alices"


class FakeStripe:
    """Sessions of Checkout and refunds, by idempotency key. `away`: answers so many requests with 503 first."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.asked: list[dict[str, list[str]]] = []
        self.away = 0
        self._by_key: dict[str, tuple[dict[str, list[str]], dict[str, Any]]] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(*fake.post(self.path, parse_qs(body), self.headers))

            def do_GET(self) -> None:
                found = fake.sessions.get(self.path.rsplit("/", 1)[-1])
                self._answer(200 if found else 404, found or {"error": {"type": "invalid_request_error", "message": "No such session"}})

            def _answer(self, status: int, said: dict[str, Any]) -> None:
                data = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def post(self, path: str, said: dict[str, list[str]], headers: Any) -> tuple[int, dict[str, Any]]:
        """What Stripe would answer."""
        if self.away:
            self.away -= 1
            return 503, {"error": {"type": "api_error", "message": "away"}}
        if headers["Authorization"] != f"Bearer {KEY}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}
        key = headers["Idempotency-Key"]
        if key in self._by_key:
            before, made = self._by_key[key]
            wrong = {"error": {"type": "idempotency_error", "message": "Keys can only be used with the same parameters"}}
            return (200, made) if said == before else (400, wrong)
        self.asked.append(said)
        if path == "/v1/checkout/sessions":
            number = len(self.sessions) + 1
            made = {
                "id": f"cs_test_{number}",
                "object": "checkout.session",
                "url": f"https://checkout.stripe.com/c/pay/cs_test_{number}",
                "client_reference_id": said["client_reference_id"][0],
                "amount_total": int(said["line_items[0][price_data][unit_amount]"][0]) * int(said["line_items[0][quantity]"][0]),
                "currency": said["line_items[0][price_data][currency]"][0],
                "payment_status": "unpaid",
                "payment_intent": f"pi_{number}",
            }
            self.sessions[str(made["id"])] = made
        else:
            made = {
                "id": f"re_{len(self.refunds) + 1}",
                "object": "refund",
                "payment_intent": said["payment_intent"][0],
                "status": "succeeded",
            }
            self.refunds.append(made)
        self._by_key[key] = (said, made)
        return 200, made

    def end(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()


def event(kind: str, session: dict[str, Any], number: int = 1) -> bytes:
    """A notice's body."""
    return json.dumps({"id": f"evt_{number}", "object": "event", "type": kind, "data": {"object": session}}).encode()


def signed(body: bytes, secret: str = SECRET, *, ago_s: int = 0) -> dict[str, str]:
    """The header that proves it, made so many seconds ago."""
    at = int(time.time()) - ago_s
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"HTTP_STRIPE_SIGNATURE": f"t={at},v1={mac}"}
