"""Keeps one-time logins out of the log: such a login is a secret that stands in the path. Pure."""

import logging
import re
from typing import Final

_LOGIN: Final = re.compile(r"(/entrar/)[^/\s]+")


def masked(text: str) -> str:
    """The text with three dots in place of every one-time login."""
    return _LOGIN.sub(r"\1...", text)


class WithoutLogins(logging.Filter):
    """For what others log with a path in it, as Django does when a form comes without its token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        text = record.getMessage()
        if (fit := masked(text)) != text:
            record.msg, record.args = fit, ()
        return True
