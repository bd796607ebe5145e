"""The readings that every measurement uses: six metrics, about 240 bytes of JSON, no two alike, each with its number `n`. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from croody_contract.messages import Reading, encode

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = 777_777_777
_MOMENT: Final = datetime(2001, 2, 3, 4, 5, 6, 789_012, UTC)


def reading(random: Random, at: datetime, number: int = 0) -> Reading:
    """One robot's reading as the simulator's look, somewhere on a floor of 40 by 25 metres."""
    return Reading(
        {
            "n": number,
            "TEMP": round(random.gauss(22, 2), 2),
            "HUM": round(random.gauss(50, 5), 2),
            "x_m": round(random.random() * 40, 2),
            "y_m": round(random.random() * 25, 2),
            "speed_mps": round(random.random(), 3),
            "battery_pct": round(random.random() * 100, 2),
            "motor_temp_c": round(random.gauss(35, 4), 2),
        },
        ts=at,
        environment="bodega",
        status="moving",
    )


def batch(count: int, seed: int, *, newest: datetime, spacing_s: float) -> list[bytes]:
    """The bytes of `count` records, oldest first."""
    random = Random(seed)
    return [encode(reading(random, newest - timedelta(seconds=spacing_s * (count - 1 - index)))) for index in range(count)]


class Stamp:
    """Writes readings as fast as a load generator needs: encoded once, with time and number put in."""

    def __init__(self, seed: int = 1, kinds: int = 100) -> None:
        random = Random(seed)
        self._parts: Sequence[Sequence[bytes]] = [_parted(encode(reading(random, _MOMENT, _NUMBER))) for _ in range(kinds)]

    def body(self, number: int, at_s: float) -> bytes:
        """The reading with this number and this time in unix seconds."""
        before, between, after = self._parts[number % len(self._parts)]
        moment = (_EPOCH + timedelta(seconds=at_s)).isoformat(timespec="microseconds").encode()
        return b"%b%d%b%b%b" % (before, number, between, moment, after)


def _parted(raw: bytes) -> tuple[bytes, bytes, bytes]:
    before, _, rest = raw.partition(str(_NUMBER).encode())
    moment = rest[rest.index(b'"ts":"') + 6 :].partition(b'"')[0]
    between, _, after = rest.partition(moment)
    return before, between, after
