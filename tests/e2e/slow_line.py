"""A line that stalls in the middle of a page: what came first is there to be painted before the rest."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

STALL_S = 0.6


@contextmanager
def stalling(home: str, mark: bytes) -> Iterator[str]:
    """An address that answers as `home` does, but every page stops for `STALL_S` before `mark`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = httpx.get(home + self.path, headers={"Accept-Encoding": "identity"}, follow_redirects=False)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in {"connection", "transfer-encoding", "server", "date"}:
                    self.send_header(name, value)
            self.end_headers()
            first, found, rest = answer.content.partition(mark)
            self.wfile.write(first)
            if found and "html" in answer.headers["Content-Type"]:
                self.wfile.flush()
                time.sleep(STALL_S)
            self.wfile.write(found + rest)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
