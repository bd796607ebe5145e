"""`croody worker`: runs what runs by the clock until SIGTERM. Any number of them: one leads, the others stand by."""

import threading
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy, override

from croody.web import command
from croody.worker.jobs import JOBS
from croody.worker.leader import leadership
from croody.worker.run import run
from croody_contract.ending import on_end


class Command(command.Command):
    """The background role."""

    about = gettext_lazy("ejecuta lo que va por reloj hasta SIGTERM; escribe worker.heartbeat en CROODY_STATE_DIR.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to end."""
        stop = threading.Event()
        on_end(stop.set)
        folder = settings.ENV.state_dir
        # What jobs word is for no terminal.
        with override(settings.LANGUAGE_CODE):
            run(JOBS, leadership(folder / "worker.lock"), folder / "worker.heartbeat", stop=stop, now=timezone.now)
