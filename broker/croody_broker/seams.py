"""The names of amqtt that the guard replaces or leans on, and a digest of their source as it was when it was written.

amqtt promises none of them. When its version moves, `moved()` names what has to be read again before the pin may move.
"""

import hashlib
import inspect
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from croody_broker.texts import text

AMQTT_VERSION: Final = "0.12.1"

SEAMS: Final[dict[str, str]] = {
    "amqtt.broker:Broker.__init__": "5158ff3ca6493baf",
    "amqtt.broker:Broker.start": "bd1c165101f6fcbb",
    "amqtt.broker:Broker.shutdown": "800adcdd80ded223",
    "amqtt.broker:Broker._start_listeners": "5ac2d716d33babb4",
    "amqtt.broker:Broker._create_server_instance": "3925f48239680074",
    "amqtt.broker:Broker._create_ssl_context": "a08eef5bbc53bf9a",
    "amqtt.broker:Broker._session_monitor": "5091fa20cdfdc203",
    "amqtt.broker:Broker._cleanup_session": "530ae891d9f536cc",
    "amqtt.broker:Broker.stream_connected": "d1c68240cb49f94a",
    "amqtt.broker:Broker._client_connected": "432b724bc4fb7946",
    "amqtt.broker:Broker._initialize_client_session": "5dd89158bbe46266",
    "amqtt.broker:Broker._handle_client_session": "8b1b52a03df9daf5",
    "amqtt.broker:Broker._client_message_loop": "916c4647c3389918",
    "amqtt.broker:Broker._handle_disconnect": "8c3b8702f3567055",
    "amqtt.broker:Broker._stop_handler": "496013328caf21d0",
    "amqtt.broker:Broker._authenticate": "4d7db8cc6fe2c3f6",
    "amqtt.broker:Broker.add_subscription": "07757b63113c395e",
    "amqtt.broker:Broker._topic_filtering": "9259ae5e1dd3e20d",
    "amqtt.broker:Broker._del_subscription": "415f349273b0552d",
    "amqtt.broker:Broker._del_all_subscriptions": "615579810f47d1e0",
    "amqtt.broker:Broker._publish_session_retained_messages": "78cd66096c935c1f",
    "amqtt.broker:Broker._publish_retained_messages_for_subscription": "d6ad257821ba29ef",
    "amqtt.broker:Broker.retain_message": "6233eff2618baede",
    "amqtt.broker:Broker._shutdown_broadcast_loop": "0667eb74fe2fe6c8",
    "amqtt.broker:Server": "48f23c2a1fa0a560",
    "amqtt.adapters:ReaderAdapter": "04caf0cbb61a901d",
    "amqtt.adapters:StreamWriterAdapter": "13443b04a31609bb",
    "amqtt.contexts:ListenerConfig": "fcafd05a9dac8460",
    "amqtt.mqtt.protocol.broker_handler:BrokerProtocolHandler": "515cb3f4bad141ac",
    "amqtt.mqtt.protocol.handler:ProtocolHandler.__init__": "1d65aad5a7b47e7d",
    "amqtt.mqtt.protocol.handler:ProtocolHandler._init_session": "d8f6979793e163e9",
    "amqtt.mqtt.protocol.handler:ProtocolHandler.attach": "ff8ecc04c80a9feb",
    "amqtt.mqtt.protocol.handler:ProtocolHandler.start": "684c58c16be73a2d",
    "amqtt.mqtt.protocol.handler:ProtocolHandler.stop": "874ae8871911881f",
    "amqtt.mqtt.protocol.handler:ProtocolHandler._stop_waiters": "78a59ebc21c3e9fa",
    "amqtt.mqtt.protocol.handler:ProtocolHandler._retry_deliveries": "16fd2ca86991aba9",
    "amqtt.mqtt.protocol.handler:ProtocolHandler._reader_loop": "93f3b8e4483040d0",
    "amqtt.mqtt.protocol.handler:ProtocolHandler._send_packet": "9f0ae4e325319652",
    "amqtt.mqtt.connect:ConnectPayload.from_stream": "6fc405be90e1b077",
    "amqtt.mqtt.connect:ConnectVariableHeader.from_stream": "6992aa02d03103a8",
    "amqtt.mqtt.subscribe:SubscribePayload.from_stream": "03f57a909e59f084",
    "amqtt.mqtt.unsubscribe:UnubscribePayload.from_stream": "6511411f53b2212d",
    "amqtt.mqtt.packet:MQTTPacket.from_stream": "b9b086f8f94abe8c",
    "amqtt.session:Session.__init__": "ad7888c0daff2038",
    "amqtt.utils:gen_client_id": "a8656b5e1efc2539",
}


def digest(name: str) -> str:
    """First 16 hex digits of the SHA-256 of the source of `module:Class.member`.

    Raises:
        AttributeError: it is gone.
    """
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


def moved() -> list[str]:
    """Names whose source is another one than the guard was written against, or that are gone."""
    out = []
    for name, known in SEAMS.items():
        try:
            now = digest(name)
        except AttributeError:
            now = "gone"
        if now != known:
            out.append(f"{name}: {now}, expected {known}")
    return out


def check_version() -> str | None:
    """`None`, or a sentence that says why this amqtt must not be used."""
    found = version("amqtt")
    if found == AMQTT_VERSION:
        return None
    return text("start.amqtt", found=found, wanted=AMQTT_VERSION)
