"""Loaded by processes that run under libfaketime: its sleep fails while timers are left alone, a wait on an event does not."""

import threading
import time


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


time.sleep = _sleep
