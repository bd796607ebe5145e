"""What its cameras saw, and how long ago."""

from dataclasses import dataclass
from datetime import datetime

from croody.telemetry.models import Picture
from croody.web import formats


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a camera: how old it is is said beside it, for it is never live. `at`: unix seconds."""

    number: int
    camera: str
    at: float
    age: str
    moment: datetime
    width: int
    height: int


def shot(picture: Picture, now: datetime) -> Shot:
    """One."""
    age = formats.age_of(picture.at, now)
    return Shot(picture.pk, picture.camera, picture.at.timestamp(), age, picture.at, picture.width, picture.height)
