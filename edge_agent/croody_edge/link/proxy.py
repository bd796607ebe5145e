"""The way out through an HTTP proxy: which one, by the variables that every program goes by, and a connection through it with CONNECT.

Only what speaks TLS (mqtts, wss, https) and plain http may go through one. Plain MQTT never does: it stays in a network of our own.
"""

import http.client
import socket
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from croody_contract.printable import printable
from croody_edge.texts import text
from croody_edge.variables import BadSetting, variable

#: Of a proxy's address without a port.
_PORT: Final = 3128
_SHOWN: Final = 120


class ProxyTrouble(ConnectionError):
    """The proxy is away, or lets nobody through; says which and what to do, and never its password."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where one listens, and who we are there."""

    host: str
    port: int
    login: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Without credentials."""
        return f"{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What a request to the proxy carries."""
        return {"Proxy-Authorization": f"Basic {b64encode(self.login.encode()).decode()}"} if self.login else {}


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy leads whither. `bypass`: hosts, domains and networks that are reached without one."""

    http: Proxy | None = None
    https: Proxy | None = None
    bypass: tuple[str, ...] = ()

    def to(self, host: str, port: int, scheme: Literal["http", "https"]) -> Proxy | None:
        """The proxy on the way to `host`, None where there is none: this machine and names without a dot are never behind one."""
        proxy = self.https if scheme == "https" else self.http
        if proxy is None or _near(host) or any(_covers(rule, host.lower(), port) for rule in self.bypass):
            return None
        return proxy


#: No proxy on any way.
STRAIGHT: Final = Proxies()


def from_environment(environ: Mapping[str, str]) -> Proxies:
    """Read `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in small letters too, which go first; each also as `NAME_FILE`.

    Raises:
        BadSetting: an address that is no HTTP proxy's.
    """

    def of(name: str) -> str:
        return variable(environ, name.lower()) or variable(environ, name) or ""

    bypass = tuple(part.strip().lower() for part in of("NO_PROXY").split(",") if part.strip())
    return Proxies(_proxy("HTTP_PROXY", of("HTTP_PROXY")), _proxy("HTTPS_PROXY", of("HTTPS_PROXY")), bypass)


def through(proxy: Proxy, host: str, port: int, timeout_s: float) -> socket.socket:
    """A connection to `host` through the proxy.

    Raises:
        ProxyTrouble: there is none.
    """
    connection = http.client.HTTPConnection(proxy.host, proxy.port, timeout=timeout_s)
    connection.set_tunnel(host, port, proxy.headers)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        said = printable(str(error) or type(error).__name__)[:_SHOWN]
        key = "proxy.login" if "failed: 407" in said else "proxy.refused" if "Tunnel connection failed" in said else "proxy.away"
        raise ProxyTrouble(text(key, proxy=proxy, host=host, port=port, said=said)) from error
    sock = connection.sock
    if sock is None:
        raise ProxyTrouble(text("proxy.away", proxy=proxy, host=host, port=port, said="closed"))
    return sock


def _proxy(name: str, address: str) -> Proxy | None:
    if not address:
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(parts.scheme)
        login = unquote(parts.netloc.rpartition("@")[0])
        return Proxy(parts.hostname, parts.port if parts.port is not None else _PORT, login)
    except ValueError as error:
        raise BadSetting(text("setting.rule", name=name, value=text("setting.secret"), rule=text("rule.proxy"))) from error


def _near(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def _covers(rule: str, host: str, port: int) -> bool:
    """Say whether a part of `NO_PROXY` names this host: `*`, a name with all below it, an address, a network; each may name a port."""
    if rule == "*":
        return True
    try:
        return ip_address(host) in ip_network(rule, strict=False)
    except ValueError:
        name, colon, number = rule.rpartition(":")
        if colon and number.isdecimal():
            if int(number) != port:
                return False
            rule = name
        rule = rule.removeprefix("*").lstrip(".")
        return bool(rule) and (host == rule or host.endswith(f".{rule}"))
