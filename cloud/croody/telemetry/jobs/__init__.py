"""What telemetry has to do by the clock: plain functions of `now`, safe to run again; `croody worker` calls them."""

from croody.telemetry.jobs.alarms import raise_alarms
from croody.telemetry.jobs.copies import notice_copies
from croody.telemetry.jobs.days import count_days
from croody.telemetry.jobs.fold import fold_finished
from croody.telemetry.jobs.gaps import request_gaps
from croody.telemetry.jobs.retention import apply_retention, forget_deliveries, make_partitions
from croody.telemetry.jobs.rollups import roll_up
from croody.telemetry.jobs.snapshots import keep_pictures

__all__ = [
    "apply_retention",
    "count_days",
    "fold_finished",
    "forget_deliveries",
    "keep_pictures",
    "make_partitions",
    "notice_copies",
    "raise_alarms",
    "request_gaps",
    "roll_up",
]
