"""What the cloud may ask of a robot, one file a kind. A new kind is a file here and a line in `KINDS`, and is announced at birth."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from croody_edge.commands.logs import LogsCommand
from croody_edge.commands.resend import ResendCommand
from croody_edge.commands.rotate import RotateCommand
from croody_edge.commands.table import Command, Commands, Sender
from croody_edge.keyring import Keyring
from croody_edge.outbox.queue import Outbox

#: Kind -> what makes it, for one agent.
KINDS: Final[Mapping[str, Callable[[Outbox, Sender], Command]]] = MappingProxyType({"resend": ResendCommand, "logs": LogsCommand})
#: Of an agent whose secret lies in its own folder.
ROTATE: Final = "rotate"


def make_commands(outbox: Outbox, sender: Sender, keyring: Keyring) -> Commands:
    """Every kind, for one agent."""
    kinds = {kind: make(outbox, sender) for kind, make in KINDS.items()}
    return Commands(outbox, kinds | ({ROTATE: RotateCommand(keyring)} if keyring.is_ours else {}))
