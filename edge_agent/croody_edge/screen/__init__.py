"""Pre-screening at the edge: what looks normal stays home (but for a random sample), what is suspect goes up with its features.

`decide` says what is sent and `hysteresis` whether the robot counts as screened, purely;
`card` reads what a model knows about itself; `tflite` runs one; `sensors` wires them for one robot.
"""

from typing import Protocol

from croody_contract.messages import Reading, Record


class Screen(Protocol):
    """Looks at every reading of one robot."""

    @property
    def note(self) -> str:
        """One word why nothing has been scored for a while, `readings_too_slow` for one; empty while something is."""
        ...

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        """Look at one more reading.

        Args:
            reading: newest of this robot.
            now: unix seconds.

        Returns:
            The score in [0, 1] of the newest window, None when there is none yet or nothing can be scored; and the records
            to publish: a `Window` that is suspect or sampled, an `Event` when screening stops or starts.
        """
        ...

    def kept(self) -> None:
        """All records that it gave are in the outbox: what it remembers of them may be written."""
        ...
