"""The names of amqtt that the guard replaces or leans on, and a digest of their source as it was when it was written.

amqtt promises none of them. When its version moves, `moved()` names what has to be read again before the pin may move.
"""

import hashlib
import inspect
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

AMQTT_VERSION: Final = "0.12.1"

SEAMS: Final[dict[str, str]] = {}


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
    return f"amqtt {found} is installed, but the guard was written for {AMQTT_VERSION}: install requirements/broker.txt"
