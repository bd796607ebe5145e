"""Which key exchange groups TLS offers. Neither Python's ssl (before 3.15) nor Mosquitto can be told a list of them; OpenSSL can, by its
configuration file, which it reads once in the life of a process."""

import os
from pathlib import Path
from typing import Final

_VARIABLE: Final = "OPENSSL_CONF"
CONFIGURATION: Final = Path(__file__).with_name("openssl.cnf")


def configured() -> bool:
    """Whether this process was started with a configuration of OpenSSL, ours or one that somebody prefers."""
    return _VARIABLE in os.environ


def configure() -> None:
    """Name ours to whatever this process becomes next; OpenSSL is in use here already and does not look again."""
    os.environ.setdefault(_VARIABLE, str(CONFIGURATION))
