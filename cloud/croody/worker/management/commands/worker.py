"""`croody worker`: runs what runs by the clock until SIGTERM. Any number of them: one leads, the others stand by."""

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from croody.worker.jobs import JOBS
from croody.worker.leader import leadership
from croody.worker.run import run


class Command(BaseCommand):
    """The background role."""

    # Django would import every page of the site to check it: not this command's business.
    requires_system_checks = ()
    help = "Run the table of jobs (worker/jobs.py) until SIGTERM. Writes worker.heartbeat into CROODY_STATE_DIR."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to end."""
        stop = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        folder = settings.ENV.state_dir
        run(JOBS, leadership(folder / "worker.lock"), folder / "worker.heartbeat", stop=stop, now=timezone.now)
