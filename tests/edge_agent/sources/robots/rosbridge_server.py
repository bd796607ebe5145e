"""A small server that speaks rosbridge's published protocol (version 2), as rosbridge_suite cannot be had without ROS.

It knows `subscribe`, `call_service` for /rosapi/topic_type, `publish` and `status`, and does whatever nonsense it is told to do.
"""

import json
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


class RosbridgeServer:
    """Serves on a loopback port until it is closed."""

    def __init__(self, port: int, types: dict[str, str]) -> None:
        self.port, self.types = port, types
        self.asked: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self._clients: list[ServerConnection] = []
        self._server: Any = None
        self.start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def subscribed(self) -> set[str]:
        return {one["topic"] for one in self.asked if one["op"] == "subscribe"}

    def start(self) -> None:
        self._server = serve(self._serve, "127.0.0.1", self.port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.asked.clear()
        self._server.shutdown()
        for client in self._clients:
            client.close_socket()
        self._clients.clear()

    def publish(self, topic: str, message: Any) -> None:
        self.send(json.dumps({"op": "publish", "topic": topic, "msg": message}))

    def send(self, text: str | bytes) -> None:
        for client in list(self._clients):
            try:
                client.send(text)
            except ConnectionClosed:
                self._clients.remove(client)

    def _serve(self, client: ServerConnection) -> None:
        self.headers.append(client.request.headers.get("Authorization", "") if client.request else "")
        self._clients.append(client)
        try:
            for text in client:
                asked = json.loads(text)
                self.asked.append(asked)
                if asked["op"] == "call_service":
                    kind = self.types.get(asked["args"]["topic"], "")
                    answer = {
                        "op": "service_response",
                        "service": asked["service"],
                        "id": asked["id"],
                        "values": {"type": kind},
                        "result": True,
                    }
                    client.send(json.dumps(answer))
        except ConnectionClosed:
            pass
