"""What `replay` may be told."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from croody_edge.sources import SourceSettings


class ReplaySettings(SourceSettings, frozen=True):
    """`file` is None for the recording that ships."""

    file: Annotated[Path | None, Meta(description="a CSV whose first column is ts or t_s")] = None
    speed: Annotated[float, Meta(ge=0.001, le=100_000, description="2.0 is twice as fast as it was")] = 1.0
    loop: Annotated[bool, Meta(description="begin again at the end")] = True
