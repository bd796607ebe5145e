"""The readings that every measurement uses: six metrics, about 240 bytes of JSON, no two alike. Pure."""

from datetime import UTC, datetime
from random import Random

from croody_contract.messages import Reading, encode


def reading(random: Random) -> Reading:
    """One robot's reading as the simulator's look."""
    return Reading(
        {
            "TEMP": round(random.gauss(22, 2), 2),
            "HUM": round(random.gauss(50, 5), 2),
            "PRES": round(random.gauss(1013, 3), 2),
            "speed_mps": round(random.random(), 3),
            "battery_pct": round(random.random() * 100, 2),
            "motor_temp_c": round(random.gauss(35, 4), 2),
        },
        ts=datetime.now(UTC),
        environment="bodega",
        status="moving",
    )


def encoded(count: int, seed: int) -> list[bytes]:
    """The bytes of `count` records."""
    random = Random(seed)
    return [encode(reading(random)) for _ in range(count)]
