"""Small questions over loopback: does it listen, does it answer, who holds this port. Changes nothing."""

import http.client
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path


def listens(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def speaks_mqtt(port: int) -> bool:
    """Whether a broker answers a CONNECT (any return code: one that refuses a stranger is well)."""
    client_id = b"probe"
    body = b"\x00\x04MQTT\x04\x02\x00\x05" + struct.pack("!H", len(client_id)) + client_id
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(bytes([0x10, len(body)]) + body)
            # Some brokers close on an anonymous stranger without a CONNACK; both are an answer.
            connection.recv(4)
            return True
    except OSError:
        return False


def answers(port: int, path: str = "/healthz") -> bool:
    """Whether `GET path` on 127.0.0.1:`port` answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path, headers={"Host": "127.0.0.1"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listening(port: int) -> Callable[[], bool]:
    """`listens` as a Spec's `ready`."""
    return lambda: listens(port)


def mqtt(port: int) -> Callable[[], bool]:
    """`speaks_mqtt` as a Spec's `ready`."""
    return lambda: speaks_mqtt(port)


def healthz(port: int) -> Callable[[], bool]:
    """`answers` as a Spec's `ready`."""
    return lambda: answers(port)


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
    return True


def holder(port: int) -> tuple[int, str] | None:
    """Process id and command line of the listener on `port`, where /proc tells this user; None otherwise."""
    inodes = _sockets(port)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if _has_one_of(folder, inodes):
                command = (folder / "cmdline").read_bytes().replace(b"\x00", b" ").decode(errors="replace").strip()
                return int(folder.name), command
        except OSError:
            continue
    return None


def held_by(port: int, session: int) -> bool:
    """Whether a process of this session (what one `Process` started) listens on `port`: an answer may come from somebody else."""
    inodes = _sockets(port)
    return any(_has_one_of(folder, inodes) for folder in Path("/proc").glob("[0-9]*") if _session(folder) == session)


def _session(folder: Path) -> int | None:
    try:
        return os.getsid(int(folder.name))
    except ProcessLookupError:
        return None


def _has_one_of(folder: Path, inodes: set[str]) -> bool:
    try:
        return any(os.readlink(link) in inodes for link in (folder / "fd").iterdir())
    except OSError:
        return False


def _sockets(port: int) -> set[str]:
    """What /proc calls the sockets that listen on `port`."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            parts = line.split()
            if parts[3] == "0A" and int(parts[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{parts[9]}]")
    return inodes
