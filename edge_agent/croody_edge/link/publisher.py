"""Keeps saying things at some broker of the site: a greeting, then what is new, and a last will. Knows no topic of Croody's."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from croody_edge.link.address import BrokerAddress

_CONNECT_S: Final = 4
_LOOP_S: Final = 0.5
#: A broker that does not confirm one message for so long is as good as gone, seconds.
_SILENT_S: Final = 30.0
#: How long a goodbye may take, seconds.
_GOODBYE_S: Final = 1.0
_KEEPALIVE_S: Final = 20


@dataclass(frozen=True, slots=True)
class Saying:
    """One message to be published at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """How a broker is entered."""

    broker: BrokerAddress
    client_id: str
    username: str = ""
    password: str = ""
    ca_file: Path | None = None


def publish(
    access: Access,
    *,
    will: Saying,
    greeting: Callable[[], Sequence[Saying]],
    news: Callable[[], Sequence[Saying]],
    goodbye: Sequence[Saying],
    again_on: str,
    closed: Event,
    monotonic: Callable[[], float],
) -> None:
    """Connect, greet, and publish what is new, until `closed` is set. Messages wait for each other: nothing piles up.

    Args:
        access: to the broker.
        will: published by the broker when we are gone.
        greeting: said after the connection, and whenever something comes on the topic `again_on`.
        news: asked about twice a second, when all that was said before is confirmed.
        goodbye: said at the end.
        again_on: see `greeting`.
        closed: set when it has to end.
        monotonic: seconds of a clock that never jumps.

    Raises:
        OSError: the broker is away, refuses us, or the connection is lost.
    """
    client = _client(access, will)
    refused: list[str] = []
    asked = Event()
    client.on_connect = lambda connected, _data, _flags, reason, _more: _entered(connected, reason, again_on, refused, asked)
    client.on_message = lambda *_: asked.set()
    waiting: list[mqtt.MQTTMessageInfo] = []
    said_s = monotonic()
    try:
        client.connect(access.broker.host, access.broker.port, _KEEPALIVE_S)
        while not closed.is_set():
            _turn(client, access.broker, refused)
            waiting = [info for info in waiting if not info.is_published()]
            if waiting and monotonic() - said_s > _SILENT_S:
                raise OSError(f"{access.broker}: it has not confirmed for {_SILENT_S:.0f} s")
            if waiting or not client.is_connected():
                continue
            sayings = greeting() if asked.is_set() else news()
            asked.clear()
            waiting, said_s = [client.publish(one.topic, one.payload, 1, one.retain) for one in sayings], monotonic()
        _leave(client, goodbye, monotonic)
    except ValueError as error:  # What paho says of a host that is none.
        raise OSError(f"{access.broker}: {error}") from error
    finally:
        client.disconnect()


def _client(access: Access, will: Saying) -> mqtt.Client:
    broker = access.broker
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, access.client_id, clean_session=True, transport="websockets" if broker.path else "tcp"
    )
    if access.username:
        client.username_pw_set(access.username, access.password or None)
    if broker.path:
        client.ws_set_options(path=broker.path)
    if broker.tls:
        client.tls_set_context(ssl.create_default_context(cafile=access.ca_file))
    client.will_set(will.topic, will.payload, 1, will.retain)
    client.connect_timeout = _CONNECT_S
    return client


def _entered(client: mqtt.Client, reason: Any, again_on: str, refused: list[str], asked: Event) -> None:
    if reason.is_failure:
        refused.append(str(reason))
        return
    client.subscribe(again_on, 0)
    asked.set()


def _turn(client: mqtt.Client, broker: BrokerAddress, refused: Sequence[str]) -> None:
    code = client.loop(_LOOP_S)
    if refused:
        raise OSError(f"{broker}: {'; '.join(refused[:3])}")
    if code is not mqtt.MQTT_ERR_SUCCESS:
        raise OSError(f"{broker}: {mqtt.error_string(code)}")


def _leave(client: mqtt.Client, goodbye: Sequence[Saying], monotonic: Callable[[], float]) -> None:
    waiting = [client.publish(one.topic, one.payload, 1, one.retain) for one in goodbye]
    until_s = monotonic() + _GOODBYE_S
    while any(not info.is_published() for info in waiting) and monotonic() < until_s and client.loop(0.05) is mqtt.MQTT_ERR_SUCCESS:
        continue
