"""What runs by the clock: one table. The functions live in their own apps; `croody worker` runs the table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from croody.fleet import jobs as fleet

Lane = Literal["quick", "slow"]


@dataclass(frozen=True, slots=True)
class Job:
    """`run(now)` every `period_s`. Jobs of one lane run one after the other: what may take long goes to `slow`."""

    name: str
    period_s: float
    run: Callable[[datetime], None]
    lane: Lane = "slow"


JOBS: list[Job] = [
    Job("write_credentials", 0.5, fleet.write_credentials, "quick"),
    Job("judge_liveness", 2.0, fleet.judge_liveness, "quick"),
]
