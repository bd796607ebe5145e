"""Text that somebody else chose, as a terminal may show it; and a log that holds nothing else."""

import logging
import unicodedata
from typing import Final

#: Control characters, marks that turn the direction of writing, halves of surrogate pairs, and what is no character.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


def printable(text: str, *, keep: str = "") -> str:
    r"""The same text with what a terminal would obey written out, as `\x1b`. Characters in `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or unicodedata.category(one) not in _HIDDEN else _written(one) for one in text)


def _written(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


class LineFormatter(logging.Formatter):
    """One line a message, whatever robots or clients put into it; only a traceback has lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without the traceback."""
        return printable(super().formatMessage(record), keep="\t")


def log_lines(level: int | str, form: str) -> None:
    """Write every message of this process to standard error as one line of that form; a program calls it once, at its start."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(form))
    logging.basicConfig(level=level, handlers=[handler])
