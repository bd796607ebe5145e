"""The page of one agent: what `Server` needs, made of the agent's state, its life and the doctor. Wires; decides nothing."""

from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic

from croody_contract.messages import MetricInfo
from croody_edge.local.life import Life
from croody_edge.local.page.checkup import Checkup
from croody_edge.local.page.facts import Facts, gather
from croody_edge.local.page.outlook import Watched
from croody_edge.local.page.server import Server
from croody_edge.local.state import State

#: A state may be this old when it is shown, seconds: many visitors cost the agent no more than one.
_FRESH_S = 1.0


class StatusPage:
    """From `start` to `close`."""

    def __init__(
        self,
        address: tuple[str, int],
        token: str,
        state: Callable[[], State],
        life: Life,
        infos: Mapping[str, MetricInfo],
        checkup: Checkup,
        drain_per_s: float,
    ) -> None:
        """Args: as `Server` and `gather` have them; `state` may be called from any thread."""
        self._state, self._life, self._infos, self._checkup = state, life, infos, checkup
        self._drain_per_s = drain_per_s
        self._watched = Watched()
        self._guard = Lock()
        self._last: State | None = None
        self._last_s = 0.0
        self.server = Server(address, token, self.facts, self._look)

    def start(self) -> None:
        """Listen."""
        self.server.start()

    def close(self) -> None:
        """Listen no more."""
        self.server.close()

    def facts(self, language: str) -> Facts:
        """A moment of the agent; the doctor's words in this language."""
        state = self._now()
        with self._guard:
            self._saw(state)
            outlook = self._watched.outlook(last_seq=state.last_seq, pending=state.pending, mono_s=monotonic())
            since_s = self._watched.away_since_s
        return gather(state, self._life, self._infos, outlook, since_s, self._checkup.findings(language), self._drain_per_s)

    def _now(self) -> State:
        with self._guard:
            if self._last is None or monotonic() - self._last_s > _FRESH_S:
                self._last, self._last_s = self._state(), monotonic()
            return self._last

    def _look(self) -> None:
        """Once in a while, also when nobody looks: since when nothing gets through is asked afterwards."""
        with self._guard:
            due = monotonic() - self._last_s > 5 * _FRESH_S
        if due:
            state = self._now()
            with self._guard:
                self._saw(state)

    def _saw(self, state: State) -> None:
        self._watched.saw(away=bool(state.trouble), last_seq=state.last_seq, pending=state.pending, now=state.now_s, mono_s=monotonic())
