"""How mail leaves: through the site's mail server; in the demo it is shown on a page instead. Knows no mail's words.

`croody.settings` chooses the backend by the environment: a mail server, else the demo's page, else none.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from croody.accounts.models import ShownMail

log = logging.getLogger("croody.mail")
#: So many mails the demo's page keeps; what is older goes.
MOST_SHOWN: Final = 50


def can_mail() -> bool:
    """Say whether a mail would reach anybody."""
    return settings.ENV.smtp is not None or is_shown()


def is_shown() -> bool:
    """Say whether mail is shown on a page: in the demo, as long as no mail server is named."""
    return bool(settings.ENV.demo and settings.ENV.smtp is None)


def always(kind: str, number: int, since: datetime) -> dict[str, str]:
    """Headers of a mail that may go twice, when the process ends before it is written down that it went: mail programs fold the two."""
    host = urlsplit(settings.ENV.public_url).hostname or "localhost"
    return {"Message-ID": f"<{kind}.{number}.{int(since.timestamp())}@{host}>"}


def send(to: str, subject: str, body: str, *, picture: bytes = b"", headers: Mapping[str, str] | None = None) -> bool:
    """Send one mail, with a PNG where there is one. False when it could not be handed over; why stands in the log."""
    message = EmailMessage(subject, body, to=[to], headers=dict(headers or {}))
    if picture:
        message.attach("qr.png", picture, "image/png")
    try:
        return bool(message.send())
    except (SMTPException, OSError) as error:
        log.error("mail to %s could not be handed to the mail server (%s): see CROODY_SMTP_URL", to, error)
        return False


class ShownBackend(BaseEmailBackend):
    """The demo's: writes mail to the log and where its page finds it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were kept: all of them."""
        for message in email_messages:
            to, body = ", ".join(message.to), str(message.body)
            ShownMail.objects.create(to=to[:254], subject=str(message.subject)[:200], body=body)
            log.info("mail to %s: %s\n%s", to, message.subject, body)
        kept = ShownMail.objects.order_by("-pk").values_list("pk", flat=True)[MOST_SHOWN : MOST_SHOWN + 1].first()
        if kept is not None:
            ShownMail.objects.filter(pk__lte=kept).delete()
        return len(email_messages)


class NowhereBackend(BaseEmailBackend):
    """Where no mail server is named: nothing leaves, and the log says so."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """None was sent."""
        for message in email_messages:
            log.warning("mail %r was not sent: name a mail server in CROODY_SMTP_URL", message.subject)
        return 0
