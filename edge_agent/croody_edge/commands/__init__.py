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
KINDS: Final[Mapping[str, Callable[[Outbox, Sender, Keyring], Command]]] = MappingProxyType(
    {
        "resend": lambda outbox, sender, _: ResendCommand(outbox, sender),
        "logs": lambda outbox, sender, _: LogsCommand(outbox, sender),
        "rotate": lambda _, __, keyring: RotateCommand(keyring),
    }
)
#: Only of an agent whose secret lies in its own folder.
_OF_ENROLLED: Final = frozenset({"rotate"})


def kinds_of(*, enrolled: bool) -> tuple[str, ...]:
    """What such an agent can do, and says so at birth."""
    return tuple(kind for kind in KINDS if enrolled or kind not in _OF_ENROLLED)


def make_commands(outbox: Outbox, sender: Sender, keyring: Keyring) -> Commands:
    """All of them, for one agent."""
    return Commands(outbox, {kind: KINDS[kind](outbox, sender, keyring) for kind in kinds_of(enrolled=keyring.is_ours)})
