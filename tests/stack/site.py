"""A running system as the outside sees it, with the keys that its owner would hand out. Knows addresses, nothing of Croody's code."""

import json
from dataclasses import dataclass

from tests.stack.system import Answer, System

#: Has sent two readings by HTTP, TEMP 1.0 and 2.0, and sends nothing by itself.
ROBOT = "contrato-01"


@dataclass(frozen=True)
class Site:
    """A system, the keys of its APIs, and what makes an admin of its robot."""

    system: System
    ingest_token: str
    ids_token: str
    admin_password: str
    #: See `robot.listening`.
    heard: list[tuple[float, str]]

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> Answer:
        """One request; `body` as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        return self.system.request(method, path, data, **headers, **({"X-API-Key": key} if key else {}))

    def ingest(self, body: object) -> Answer:
        """A reading, with the shared token."""
        return self.ask("POST", "/api/telemetry/ingest", body, self.ingest_token)
