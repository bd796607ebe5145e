"""What can be broken: one file a group, one table."""

from tools.chaos.faults import clocks, databases, hangs, hostile, kills, links, outboxes, plain, poison, repeats
from tools.chaos.faults.base import Fault

FAULTS: tuple[Fault, ...] = (
    *kills.FAULTS,
    *hangs.FAULTS,
    *databases.FAULTS,
    *links.FAULTS,
    *repeats.FAULTS,
    *poison.FAULTS,
    *outboxes.FAULTS,
    *clocks.FAULTS,
    *plain.FAULTS,
    *hostile.FAULTS,
)

__all__ = ["FAULTS", "Fault"]
