"""What `replay` may be told."""

from dataclasses import dataclass
from pathlib import Path

from croody_edge.variables import Variables, switch


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """`file` is None for the recording that ships."""

    file: Path | None = None
    #: 2.0 is twice as fast as it was.
    speed: float = 1.0
    loop: bool = True


def read(variables: Variables) -> ReplaySettings:
    """From the environment.

    Raises:
        BadSetting: a value breaks a rule.
    """
    file = variables.text("CROODY_REPLAY_FILE", "")
    return ReplaySettings(
        file=Path(file) if file else None,
        speed=variables.number("CROODY_REPLAY_SPEED", 1.0, 0.001, 100_000),
        loop=variables.of("CROODY_REPLAY_LOOP", switch, "1"),
    )
