"""Open files of a process that listens. Many systems give it 1,024 until it asks for what it may have."""

import resource
from typing import Final

_WANTED: Final = 65_536


def allow_many_files() -> None:
    """Ask for as many as the system allows, within reason; never for fewer than there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
