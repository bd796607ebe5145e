"""What the agent needs of a way to the cloud, whichever it is. Knows no protocol."""

from typing import Protocol

from croody_contract.ranges import Ranges


class Transport(Protocol):
    """Empties one robot's outbox. Made with its outbox; nothing is opened before `start`."""

    @property
    def trouble(self) -> str:
        """Why nothing reaches the cloud at the moment; empty while something would."""
        ...

    @property
    def online(self) -> bool:
        """Say whether the other side takes what is sent, as far as is known."""
        ...

    @property
    def pulse_s(self) -> float:
        """When the other side last answered, or else when a try to reach it last ended, in seconds of the monotonic clock."""
        ...

    @property
    def proven_s(self) -> float:
        """When the cloud last said that it has something of this robot, in unix seconds; 0 before it did."""
        ...

    @property
    def protected(self) -> Ranges:
        """Keys on their way: not to be thinned."""
        ...

    def start(self) -> None:
        """Begin in the background."""
        ...

    def grew(self) -> None:
        """The outbox has new records, or has begun anew."""
        ...

    def turn(self, now: float, mono_s: float) -> float:
        """Do what is due in the agent's thread. Returns seconds until it wants to be called again, news aside.

        Args:
            now: unix seconds.
            mono_s: seconds of a clock that never jumps.

        Raises:
            OSError: the outbox says no; nothing is lost by calling again later.
        """
        ...

    def close(self, now: float) -> None:
        """Say goodbye where there is somebody to say it to, and end."""
        ...
