"""What of others' lines goes into the log. Pure.

One-time links do not: such a link (log-in, confirmation, new password, invitation) is a secret in the path. Nor do the tracebacks of what
a stranger sent.
"""

import logging
import re
from typing import Final

_LOGIN: Final = re.compile(r"(/(?:entrar|confirmar|invitacion|contrasena/nueva)/)[^/\s]+")


def masked(text: str) -> str:
    """The text with three dots in place of every one-time link."""
    return _LOGIN.sub(r"\1...", text)


class WithoutLogins(logging.Filter):
    """For what others log with a path in it, as Django does when a form comes without its token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass. The demo's mail is shown to whoever sits there, links and all."""
        if record.name == "croody.mail":
            return True
        text = record.getMessage()
        if (fit := masked(text)) != text:
            record.msg, record.args = fit, ()
        return True


class WithoutTracebacks(logging.Filter):
    """For what Django says of a request that it refuses, as one that is too long: it is a stranger's mistake, and a line tells it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True
