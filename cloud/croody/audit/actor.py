"""Who is behind an act, as it is written down. Knows no request and no caller: `accounts.caller.actor_of` makes one of those."""

import os
import pwd
import socket
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["person", "token", "service", "command", "admin", "demo", "system", "robot", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """What is known of somebody at the moment of the act; it stays true when they change their name or go.

    Attributes:
        user_id: of a person, or of a token's owner.
        name: as they were called then; of a command `account@machine`.
        token_id: the token's row.
        address: where the request came from, behind the proxies that are trusted.
        request_id: the gateway's; lines of the log with it tell the rest.
    """

    kind: Kind
    user_id: int | None = None
    name: str = ""
    token_id: int | None = None
    address: str = ""
    request_id: str = ""


#: What Croody does by itself: jobs and first starts.
SYSTEM: Final = Actor("system", name="croody")


def command_actor() -> Actor:
    """Whoever runs a command on the server: the account of the machine, since nobody signs in there."""
    user_id = os.getuid()
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:
        # A container's user needs no name.
        name = str(user_id)
    return Actor("command", name=f"{name}@{socket.gethostname()}")
