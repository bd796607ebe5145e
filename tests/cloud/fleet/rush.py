"""Run as a process, several at once: claims outgoing rows and raises one alarm, as fast as it can. Prints what it claimed."""

import sys
import time
from datetime import UTC, datetime

import django

django.setup()

from croody.alarms.services import raise_alarm  # noqa: E402
from croody.commands import services as commands  # noqa: E402

now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
start_at, raises = float(sys.argv[1]), int(sys.argv[2])
time.sleep(max(0.0, start_at - time.time()))
while rows := commands.claim_due(now, limit=7):
    print(*(row.outgoing.id for row in rows))
for _ in range(raises):
    raise_alarm("rover-1", "gap", "s1", "low", {}, now)
