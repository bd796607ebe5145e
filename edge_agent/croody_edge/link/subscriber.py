"""What comes on topics of some broker, for who listens there. The only other use of paho; knows no topic of Croody's."""

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from croody_edge.link.address import BrokerAddress

#: How long a connection may take to come up, seconds.
_CONNECT_S: Final = 4
_LOOP_S: Final = 0.5
#: Messages that wait inside paho.
_MOST_WAITING: Final = 1000


def subscribe(
    broker: BrokerAddress,
    client_id: str,
    filters: Sequence[str],
    on_message: Callable[[str, bytes, bool], None],
    closed: Event,
    *,
    username: str = "",
    password: str = "",
    ca_file: Path | None = None,
    keepalive_s: int = 20,
) -> None:
    """Connect, and call `on_message(topic, payload, retained)` in this thread until `closed` is set.

    Raises:
        OSError: the broker is away, refuses us or one of the filters, or the connection is lost.
    """
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True, transport="websockets" if broker.path else "tcp")
    refused: list[str] = []
    client.on_message = lambda _client, _data, message: on_message(message.topic, bytes(message.payload), message.retain)
    client.on_connect = lambda connected, _data, _flags, reason, _more: _connected(connected, reason, filters, refused)
    client.on_subscribe = lambda _client, _data, _mid, reasons, _more: refused.extend(
        f"{name}: {reason}" for name, reason in zip(filters, reasons, strict=False) if reason.is_failure
    )
    if username:
        client.username_pw_set(username, password or None)
    if broker.path:
        client.ws_set_options(path=broker.path)
    if broker.tls:
        client.tls_set_context(ssl.create_default_context(cafile=ca_file))
    client.max_queued_messages_set(_MOST_WAITING)
    client.connect_timeout = _CONNECT_S
    try:
        client.connect(broker.host, broker.port, keepalive_s)
        while not closed.is_set():
            code = client.loop(_LOOP_S)
            if refused:
                raise OSError(f"{broker}: {'; '.join(refused[:3])}")
            if code is not mqtt.MQTT_ERR_SUCCESS:
                raise OSError(f"{broker}: {mqtt.error_string(code)}")
    except ValueError as error:  # What paho says of a host or a filter that is none.
        raise OSError(f"{broker}: {error}") from error
    finally:
        client.disconnect()


def _connected(client: mqtt.Client, reason: Any, filters: Sequence[str], refused: list[str]) -> None:
    if reason.is_failure:
        refused.append(str(reason))
    else:
        client.subscribe([(name, 1) for name in filters])
