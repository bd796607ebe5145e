"""What the cloud may ask of a robot, one file a kind. A new kind is a file here and a line in `KINDS`, and is announced at birth."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from croody_edge.commands.logs import LogsCommand
from croody_edge.commands.resend import ResendCommand
from croody_edge.commands.table import Command, Commands, Sender
from croody_edge.outbox.queue import Outbox

#: Kind -> what makes it, for one agent.
KINDS: Final[Mapping[str, Callable[[Outbox, Sender], Command]]] = MappingProxyType({"resend": ResendCommand, "logs": LogsCommand})


def make_commands(outbox: Outbox, sender: Sender) -> Commands:
    """Every kind, for one agent."""
    return Commands(outbox, {kind: make(outbox, sender) for kind, make in KINDS.items()})
