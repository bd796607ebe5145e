"""A serial port by its name, or by a pattern: a device that comes back under another name is found again. Opens nothing."""

from glob import glob

from croody_edge.texts import text


def found(pattern: str) -> str:
    """The first port that fits.

    Raises:
        OSError: none does at the moment.
    """
    ports = sorted(glob(pattern))
    if not ports:
        raise OSError(text("serial.no_port", pattern=pattern))
    return ports[0]
