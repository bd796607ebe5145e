"""Messengers through apprise: which of its services may be used, and one message. Only those whose servers are their own: an address that
somebody writes never chooses where on a network we knock."""

import logging
from collections.abc import Collection
from typing import Final

from django.utils.translation import gettext as _

from croody.notices.spec import BadRule
from croody.notices.webhook import Failed

#: What an address begins with -> how people call it.
SERVICES: Final = {
    "tgram": "Telegram",
    "slack": "Slack",
    "discord": "Discord",
    "gchat": "Google Chat",
    "wxteams": "Webex",
    "pover": "Pushover",
    "pbul": "Pushbullet",
    "twist": "Twist",
}


def check(url: str, services: Collection[str] = tuple(SERVICES)) -> str:
    """The address of a messenger, when it is one that may be used.

    Raises:
        BadRule: it is none.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in services:
        known = ", ".join(f"{name}://" for name in services)
        raise BadRule(
            "target", _("mensajero: %(value)r no se conoce: empieza con una de %(known)s") % {"value": scheme[:20], "known": known}
        )
    # Not at the top: it costs every process half a second and 45 MiB, and few sites have a messenger.
    import apprise

    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise BadRule("target", _("mensajero: a esa dirección le falta algo, o le sobra: cópiala de nuevo del servicio"))
    return url


def send(url: str, title: str, body: str, services: Collection[str] = tuple(SERVICES)) -> str:
    """One message; what became of it, in short.

    Raises:
        Failed: it did not go through.
    """
    try:
        check(url, services)
    except BadRule as error:
        raise Failed(str(error), final=True) from error
    import apprise

    target = apprise.Apprise()
    target.add(url)
    with _Heard() as heard:
        if target.notify(title=title, body=body):
            return "ok"
    raise Failed(heard.said or "the messenger refused it")


class _Heard(logging.Handler):
    """What apprise says of a failure it only says to its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the last line."""
        self.said = record.getMessage()[:200]

    def __enter__(self) -> "_Heard":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
