"""How records leave the outbox and acknowledgements come back.

`transport` is what the agent needs of a way to the cloud. There are two: `mqtt`, in batches, as `drain` decides; and `http`, one reading a
request.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from croody_edge.commands import kinds_of
from croody_edge.keyring import Keyring
from croody_edge.outbox.queue import Outbox
from croody_edge.settings import Settings
from croody_edge.sync.http import HttpTransport
from croody_edge.sync.mqtt import MqttTransport, make_link
from croody_edge.sync.transport import Transport


def make_transport(settings: Settings, outbox: Outbox, on_news: Callable[[], None], random: Random) -> Transport:
    """The way that the settings name.

    Args:
        settings: of this robot.
        outbox: what it empties.
        on_news: called from any thread when `turn` has something to do; must not raise.
        random: for jitter.

    Raises:
        BadSetting: the certificate file cannot be used.
    """
    if settings.http:
        token = settings.secret or settings.ingest_token
        options: dict[str, Any] = {"ca_file": settings.ca_file, "proxies": settings.proxies, "random": random}
        return HttpTransport(settings.ingest_url, token, settings.robot_id, outbox, **options)
    keyring = Keyring(settings.secret, settings.edge_dir if settings.enrolled else None)
    return MqttTransport(settings, outbox, make_link(settings, keyring, on_news, random), keyring, random=random)


def capabilities(settings: Settings) -> tuple[str, ...]:
    """Kinds of commands that reach a robot this way: over HTTP there is no way down."""
    return () if settings.http else kinds_of(enrolled=settings.enrolled)
