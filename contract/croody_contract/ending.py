"""The end of a process, when SIGTERM or SIGINT ask for it.

A handler runs between two steps of the thread that it interrupts, and that may hold any lock. `Event.set` there waits for ever for the lock
of an event that its own thread is just waiting on, or setting: a supervisor that sends SIGTERM twice hangs what it meant to end.
"""

import signal
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread


def on_end(act: Callable[[], object]) -> Callable[[], None]:
    """Have `act` called, in a thread of its own, each time the end is asked for. Call it in the main thread.

    Returns:
        What puts the handlers from before back.
    """
    # The one queue of which `put` may interrupt `put`.
    told: SimpleQueue[bool] = SimpleQueue()

    def watch() -> None:
        while told.get():
            act()

    Thread(target=watch, name="ending", daemon=True).start()
    before = {number: signal.signal(number, lambda *_: told.put(True)) for number in (signal.SIGTERM, signal.SIGINT)}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        told.put(False)

    return put_back
