"""gunicorn's settings that are not numbers (`--config python:croody.serve.gunicorn_settings`).

Everything is loaded before the port opens. Until then a connection is refused at once and the gateway uses the instance that is already
there, instead of waiting for this one to read its code. What is loaded once is also in memory once.
"""

import gc
import os
from importlib import import_module
from typing import Any

from croody.serve.file_limits import allow_many_files

#: Reloading (docker-compose.dev.yml) needs workers that read the code themselves.
preload_app = "--reload" not in os.environ.get("GUNICORN_CMD_ARGS", "")

#: Seconds that a connection may wait unused. The gateway closes its own after one; a process that stood still meanwhile must not find that
#: its time is up, and close it on a POST that has just come.
keepalive = 30

#: Objects that are made, more than are given up, before the collector of garbage looks for any. A relay is thousands of rows, none of
#: which is in a circle: at Python's own 700 they are all looked through several times.
_MADE = 50_000


def when_ready(server: Any) -> None:
    """Code stays for ever: no process that comes of this one looks through it for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE, 10, 10)


def post_worker_init(worker: Any) -> None:
    """Count what is refused, in each worker: threads do not outlive a fork."""
    from django.conf import settings

    from croody.detection.incidents.refused import counts

    counts.start(settings.ENV.role)


def on_starting(server: Any) -> None:
    """Allow as many open files as the system does, and read the views too, which Django leaves to the first request."""
    allow_many_files()
    if preload_app:
        from django.conf import settings

        import_module(settings.ROOT_URLCONF)
