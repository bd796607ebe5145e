"""One source in a thread of its own: opened, asked or listened to, tried again. What hangs or dies here costs no other source.

The agent's thread takes what waits and asks how it is. At most `MOST_WAITING` records wait; what comes beyond is counted and not taken.
"""

import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final, TypeVar

import msgspec

from croody_contract.messages import Reading, Snapshot
from croody_edge.pictures import Pace
from croody_edge.sources import PushSource, Remembers, Said, SaysWhatIsWrong, Source
from croody_edge.sources.shape import LeftOut, Shaper
from croody_edge.variables import BadSetting

#: Some seconds of the fastest source that one robot's disk can follow.
MOST_WAITING: Final = 1000
#: Between two tries to open or start what could not begin, seconds.
RETRY_S: Final = 5.0
#: A source that has not come back from a call for so long hangs, seconds.
HANGS_S: Final = 10.0
#: A source that fell further behind than this goes on from now, seconds.
_BEHIND_S: Final = 5.0
#: Longest wait before a source that died begins again, seconds; doubled from `RETRY_S` each time.
_LONGEST_S: Final = 300.0
#: While something that was read is not in the outbox yet, its source's thread looks so often whether it is, seconds.
_LOOK_S: Final = 0.25


_T = TypeVar("_T")


@dataclass(slots=True)
class News:
    """What happened since it was last asked. `works` is how it is now; `cause`, why it last did not."""

    works: bool = True
    cause: str = ""
    failures: int = 0
    lost: int = 0
    left_out: tuple[LeftOut, ...] = ()


class Runner:
    """A source, its shape, and the queue between its thread and the agent's."""

    def __init__(
        self,
        name: str,
        opens: Callable[[], Source],
        shaper: Shaper,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        on_news: Callable[[], None],
    ) -> None:
        """Args: `opens` makes a source, or raises OSError; `clock` gives unix seconds; `on_news` is called when something has come."""
        self.name = name
        self._opens, self._shaper, self._clock, self._monotonic, self._on_news = opens, shaper, clock, monotonic, on_news
        self._guard = Lock()
        self._waiting: deque[Said] = deque()
        #: How many came into the queue, left it, and are in the outbox: the agent's thread puts what it took there before it comes again.
        self._came = self._taken = self._safe = 0
        #: What a source that remembers had read when so many had come, oldest first.
        self._places: deque[tuple[int, object]] = deque()
        self._remembers: Remembers | None = None
        self._pace = Pace()
        self._closed, self._ended = Flag(), Flag()
        self._news = News()
        self._busy_since: float | None = None
        self._interval_s = 0.0
        self._thread: Thread | None = None
        self._died, self._again_s, self._wait_s = "", 0.0, RETRY_S

    # the agent's side

    def start(self) -> None:
        """Begin."""
        self._died = ""
        self._thread = Thread(target=self._run, name=f"croody source {self.name}", daemon=True)
        self._thread.start()

    def take(self, mono_s: float, most: int) -> list[Said]:
        """What has come, oldest first; begins again what died."""
        with self._guard:
            self._safe = self._taken
        self._revive(mono_s)
        with self._guard:
            self._push(self._shaper.due(mono_s))
            found = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._taken += len(found)
        if self._closed.is_set() and self._thread is not None and not self._thread.is_alive():
            self._note()  # What waited when its thread ended is put away after it.
        return found

    def wait_s(self, mono_s: float) -> float:
        """Seconds until `take` may have something that nobody announces."""
        with self._guard:
            if self._waiting:
                return 0.0
            due_s = self._shaper.due_in_s(mono_s)
        return 1.0 if due_s is None else due_s

    def news(self, mono_s: float) -> News:
        """How it is, and what it cost since it was last asked."""
        with self._guard:
            news = self._news
            self._news = News(news.works, news.cause)
            left_out, self._shaper.left_out = tuple(self._shaper.left_out), []
            news.lost += self._shaper.events_lost
            self._shaper.events_lost = 0
            busy_since = self._busy_since
        news.left_out = left_out
        hangs_s = max(HANGS_S, 3 * self._interval_s)
        if busy_since is not None and mono_s - busy_since > hangs_s and not self._closed.is_set():
            return News(False, f"it has not answered for {hangs_s:.0f} s", max(1, news.failures), news.lost, left_out)
        return news

    def close(self) -> None:
        """Nothing is taken any more, and what was taken is in the outbox; its thread closes the source. `join` waits for that."""
        with self._guard:
            self._safe = self._taken
        self._closed.set()
        self._ended.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for its thread. False when it hangs: it is left behind."""
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    # what the source is given

    def __call__(self, said: Said) -> bool:
        """See `HandOver`."""
        with self._guard:
            self._news.works = True
        return self._hand_over(said)

    def _hand_over(self, said: Said) -> bool:
        mono_s = self._monotonic()
        with self._guard:
            if self._closed.is_set():
                return False  # A source that goes on after its close must not keep the agent from ending.
            if isinstance(said, Reading) and said.ts is None:
                said = msgspec.structs.replace(said, ts=datetime.fromtimestamp(self._clock(), UTC))
            if isinstance(said, Snapshot) and not self._pace.may(said.camera, mono_s):
                return True
            if not self._push(self._shaper.offer(said, mono_s)):
                return False
        self._on_news()
        return True

    def failed(self, cause: str, *, ended: bool = False) -> None:
        """See `HandOver`."""
        with self._guard:
            self._news.works = False
            self._news.cause = cause or "no reason given"
            self._news.failures += 1
        if ended:
            self._ended.set()

    def _push(self, said: Said | None) -> bool:
        if said is None:
            return True
        if len(self._waiting) >= MOST_WAITING:
            self._news.lost += 1
            return False
        self._waiting.append(said)
        self._came += 1
        return True

    # its thread

    def _run(self) -> None:
        source: Source | None = None
        clean = False
        try:
            while not self._closed.is_set():
                try:
                    source = self._call(self._opens)
                    self._remembers = source if isinstance(source, Remembers) else None
                    self._drive(source)
                except (OSError, BadSetting) as error:
                    self.failed(str(error) or type(error).__name__)
                if source is not None:
                    self._note()
                    source.close()
                    source = None
                self._ended.clear()
                self._closed.wait(RETRY_S)
            clean = True
        finally:
            if not clean:
                died_of = sys.exc_info()[1]
                if source is not None:
                    with suppress(Exception):  # It is broken; what it holds, the next one may need.
                        self._call(source.close)
                self._died = f"{type(died_of).__name__}: {died_of}"
                self._again_s = self._monotonic() + self._wait_s
                self._wait_s = min(2 * self._wait_s, _LONGEST_S)
                self.failed(self._died)

    def _drive(self, source: Source) -> None:
        """Until it is closed, or has ended.

        Raises:
            OSError: it could not begin.
        """
        if isinstance(source, PushSource):
            self._call(lambda: source.start(self))
            self._ended.wait()
            return
        due_s = self._monotonic()
        while not self._closed.is_set():
            self._note()
            if len(self._waiting) > MOST_WAITING // 2:
                self._closed.wait(0.05)  # What is asked can wait; what speaks by itself cannot.
                continue
            try:
                said = self._call(lambda: source.read(self._clock()))
            except OSError as error:
                self.failed(str(error) or type(error).__name__)
            else:
                if isinstance(source, SaysWhatIsWrong) and source.wrong:
                    self.failed(source.wrong)
                else:
                    self._news.works = True
                for one in () if said is None else (said,) if isinstance(said, msgspec.Struct) else said:
                    self._hand_over(one)
            self._remember()
            self._interval_s = source.interval_s
            mono_s = self._monotonic()
            due_s = due_s + self._interval_s if mono_s - due_s < _BEHIND_S else mono_s + self._interval_s
            while (left_s := due_s - self._monotonic()) > 0 and not self._closed.is_set():
                self._closed.wait(min(left_s, _LOOK_S) if self._places else left_s)
                self._note()

    def _remember(self) -> None:
        place = None if self._remembers is None else self._remembers.place()
        if place is not None:
            with self._guard:
                held_back = self._shaper.due_in_s(0.0) is not None
                self._places.append((self._came + held_back, place))

    def _note(self) -> None:
        """Tell a source that remembers how much of what it read is safe."""
        with self._guard:
            all_safe = self._safe == self._came and self._shaper.due_in_s(0.0) is None
            safe = self._safe
        place = None
        while self._places and (all_safe or self._places[0][0] <= safe):
            place = self._places.popleft()[1]
        if place is not None and self._remembers is not None:
            try:
                self._remembers.kept(place)
            except OSError as error:
                self.failed(str(error) or type(error).__name__)

    def _call(self, does: Callable[[], _T]) -> _T:
        self._busy_since = self._monotonic()
        try:
            return does()
        finally:
            self._busy_since = None

    def _revive(self, mono_s: float) -> None:
        if not self._died or mono_s < self._again_s or self._closed.is_set():
            return
        if self._remembers is not None:
            if self._safe < self._came:
                return  # It goes on from what is safe, and what still waits would come twice.
            self._note()
        self.start()
