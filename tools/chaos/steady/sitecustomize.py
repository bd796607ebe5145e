"""Loaded by processes that run under libfaketime: its sleep fails while timers are left alone, a wait on an event does not."""

import threading
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    threading.Event().wait(float(seconds))


time.sleep = _sleep
