"""Server-sent events as bytes. Pure."""

import json
from typing import Any, Final

#: Keeps proxies and browsers from giving the connection up. A comment: no listener ever sees it.
HEARTBEAT: Final = b": beat\n\n"


def event(name: str, data: Any, *, event_id: str = "") -> bytes:
    """One event. `data` becomes one line of JSON, so no line break can part it."""
    head = f"id: {event_id}\n" if event_id else ""
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"{head}event: {name}\ndata: {body}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """Tells the browser how long to wait before it connects again."""
    return f"retry: {milliseconds}\n\n".encode()
