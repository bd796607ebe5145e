"""A `DATA` line of the robot's own TCP protocol -> a reading. Pure."""

from croody_contract.messages import Position, Reading
from croody_edge.sources import NoValue, words


def reading(line: str) -> Reading | None:
    """What a line says; None when it is another answer (`PONG`, `ERROR Rate limit`)."""
    word, _, rest = line.partition(" ")
    if word != "DATA":
        return None
    _, _, pairs = rest.partition(" ")
    said = words.pairs(pairs, ";", "=")
    lat, lng, alt = said.pop("LAT", None), said.pop("LON", said.pop("LNG", None)), said.pop("ALT", None)
    environment, status = said.pop("ENV", None), said.pop("STATUS", None)
    said.pop("LNG", None)
    said.pop("ROBOT", None)
    if any(isinstance(value, NoValue) for value in (lat, lng)):
        said["position"] = NoValue((lat, lng))
        lat = None
    placed = isinstance(lat, int | float) and isinstance(lng, int | float)
    return Reading(
        data=said,
        position=Position(lat=lat, lng=lng, alt=alt if isinstance(alt, int | float) else None) if placed else None,
        environment=environment if isinstance(environment, str) else None,
        status=status if isinstance(status, str) else None,
    )
