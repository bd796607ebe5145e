"""Croody's policy as a configuration of Mosquitto 2.0, from the same files. Pure text: starts nothing.

Mosquitto has no rule that says which client id an account may use: with only a password and an acl file, robot A can
connect as client id `robot-b` and throw robot B out. `use_username_as_clientid` closes that, but it makes every client of
one account the same client, and there may be several bridges. Hence two kinds of listener: one for robots, where
the account is the client id, and one for bridges, which knows the bridge's account only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from croody_broker.settings import TLS12_CIPHERS, Settings, Tls, split_bind
from croody_broker.texts import text
from croody_contract.limits import MIB
from croody_contract.security import TOPIC

#: For one subscriber that falls behind: Mosquitto cannot slow publishers down, and drops what is above. So the bridge's queue has
#: room for 40 s at 10,000 messages a second; each costs about 370 bytes beside its payload. A hard `memory_limit` is no
#: alternative: at it Mosquitto disconnects the bridge as well, which then never empties the queue (tried with 2.0.11).
MAX_QUEUED_MESSAGES: Final = 400_000
#: A larger backlog has room for more of them, too: small messages fill the one limit long before the other.
_BACKLOG_BYTES_A_MESSAGE: Final = 336
#: What a subscriber has and has not acknowledged: the bridge does after the commit, and two relays fill the time of one. Before 2.0.14
#: Mosquitto sends more all the same; the bridge reads no further then.
MAX_INFLIGHT_MESSAGES: Final = 4_000
MAX_INFLIGHT_BYTES: Final = 8 * MIB
OWN_RULES: Final = f"topic write {TOPIC}\n"


@dataclass(frozen=True)
class MosquittoSettings:
    """`bridge_passwd` holds the bridge's account alone; `user`: whom Mosquitto becomes when it is started by root."""

    bind: str | None
    bridge_bind: str
    passwd: Path
    bridge_passwd: Path
    acl: Path
    tls: Tls | None = None
    websocket_bind: str | None = None
    max_packet_bytes: int = Settings.max_packet_bytes
    max_backlog_bytes: int = 128 * MIB
    user: str | None = None
    #: Log every packet, for who reads that and keeps the refusals: see `mosquitto_log`.
    log_packets: bool = False
    #: There are vehicles: the standard wants two of their topics retained, and Mosquitto hangs up on who asks for that in vain.
    retains: bool = False
    #: Where this machine's own process tells what that log says of who comes: a socket, beside which lie its rules.
    own_socket: Path | None = None


def render_conf(settings: MosquittoSettings) -> str:
    """A whole mosquitto.conf.

    Raises:
        ValueError: an address that is not `HOST:PORT`, one that Mosquitto would not keep to, or a path that no line can hold.
    """
    robots = _access(settings.passwd, settings.acl) + "use_username_as_clientid true\n"
    bridges = _access(settings.bridge_passwd, settings.acl)
    blocks = [_globals(settings)]
    if settings.bind is not None:
        note = "# Robots: the account is the client id, so nobody can take over another's session.\n"
        blocks.append(note + _listener(settings.bind) + robots)
    if settings.tls is not None:
        blocks.append("# Robots over TLS.\n" + _listener(settings.tls.bind) + robots + _tls(settings.tls))
    if settings.websocket_bind is not None:
        note = "# Robots over WebSocket; the gateway in front of it speaks TLS.\n"
        blocks.append(note + _everywhere(settings.websocket_bind) + robots + "protocol websockets\n")
    note = "# Bridges only, for several of them share one account. Keep this address private.\n"
    blocks.append(note + _listener(settings.bridge_bind) + bridges)
    if settings.own_socket is not None:
        note = "# The process that reads this log: it may say what it noticed, and nothing else.\n"
        rules = f"allow_anonymous true\nacl_file {_path(own_rules(settings.own_socket))}\n"
        blocks.append(f"{note}listener 0 {_path(settings.own_socket)}\n{rules}")
    return "\n".join(blocks)


def own_rules(own_socket: Path) -> Path:
    """Where the rules of `own_socket` lie: `OWN_RULES`."""
    return own_socket.with_name("acl")


def _globals(settings: MosquittoSettings) -> str:
    return (
        "# Written by croody-broker mosquitto-conf; change its arguments, not this file.\n"
        "per_listener_settings true\n"
        "\n"
        "# No broker is trusted with data: agents have an acknowledgement of their own, so nothing is kept on disk; and nothing is\n"
        "# retained, but where there are vehicles that speak VDA 5050.\n"
        "persistence false\n"
        f"retain_available {'true' if settings.retains else 'false'}\n"
        "# The session of a bridge lasts, and holds what it has not acknowledged, until it is back.\n"
        "persistent_client_expiration 7d\n"
        "\n"
        "# Without limits a slow subscriber takes all memory; with Mosquitto's own, it loses messages after the first 1,000.\n"
        "# What is dropped all the same is counted in $SYS, and the bridge tells it.\n"
        f"max_packet_size {settings.max_packet_bytes}\n"
        f"max_queued_messages {max(MAX_QUEUED_MESSAGES, settings.max_backlog_bytes // _BACKLOG_BYTES_A_MESSAGE)}\n"
        f"max_queued_bytes {settings.max_backlog_bytes}\n"
        f"max_inflight_messages {MAX_INFLIGHT_MESSAGES}\n"
        f"max_inflight_bytes {MAX_INFLIGHT_BYTES}\n"
        "sys_interval 10\n"
        "\n"
        "set_tcp_nodelay true\n"
        "connection_messages true\n"
        "log_dest stderr\n"
        "log_timestamp_format %Y-%m-%dT%H:%M:%S\n"
        "log_type error\n"
        "log_type warning\n"
        "log_type notice\n" + ("log_type debug\n" if settings.log_packets else "") + (f"user {settings.user}\n" if settings.user else "")
    )


def _listener(bind: str) -> str:
    host, port = split_bind(bind)
    return f"listener {port} {host}\n"


def _everywhere(bind: str) -> str:
    """For WebSocket, Mosquitto 2.0 takes every address of the machine whatever it is told; nobody shall believe otherwise."""
    host, _ = split_bind(bind)
    if host not in ("0.0.0.0", "::"):
        raise ValueError(text("mosquitto.everywhere", bind=repr(bind)))
    return _listener(bind)


def _access(passwd: Path, acl: Path) -> str:
    return f"allow_anonymous false\npassword_file {_path(passwd)}\nacl_file {_path(acl)}\n"


def _tls(tls: Tls) -> str:
    lines = f"certfile {_path(tls.cert)}\nkeyfile {_path(tls.key)}\ntls_version tlsv1.2\nciphers {TLS12_CIPHERS}\n"
    if tls.client_ca is not None:
        # Name and password are asked for all the same, so that removing an account from the file shuts it out.
        lines += f"cafile {_path(tls.client_ca)}\nrequire_certificate true\n"
    return lines


def _path(path: Path) -> str:
    place = str(path.absolute())
    if not place.isprintable():
        raise ValueError(text("mosquitto.path", path=repr(place)))
    return place
