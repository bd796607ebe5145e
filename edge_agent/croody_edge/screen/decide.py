"""What becomes of a scored window. Pure: no model, clock or dice of its own."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Policy:
    """When a robot is suspect and how much of it goes up.

    One odd window is chance, `run` of them in a row are a sign: evidence is gathered before anybody is disturbed.
    """

    suspect_at: float = 0.5
    run: int = 3
    suspect_every_s: float = 30.0
    sample_rate: float = 0.01


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of a robot between windows."""

    odd_in_a_row: int = 0
    suspect_sent_at: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`suspect`: the cloud must see it. `sampled`: cleared, but sent for the estimate of what screening misses."""

    suspect: bool
    sampled: bool

    @property
    def send(self) -> bool:
        """Say whether this window goes up."""
        return self.suspect or self.sampled


START: Final = State()


def decide(state: State, policy: Policy, score: float, now: float, draw: float) -> tuple[State, Verdict]:
    """Judge the newest window.

    Args:
        state: after the window before.
        policy: the rules.
        score: in [0, 1].
        now: unix seconds.
        draw: uniform in [0, 1), for the sample.

    Returns:
        The state to remember, and what to do. A suspect that was sent less than `suspect_every_s` ago is not sent again: a
        fault that lasts must not flood the link.
    """
    if score < policy.suspect_at:
        return replace(state, odd_in_a_row=0), Verdict(suspect=False, sampled=draw < policy.sample_rate)
    state = replace(state, odd_in_a_row=state.odd_in_a_row + 1)
    if state.odd_in_a_row < policy.run:
        return state, Verdict(suspect=False, sampled=False)
    if state.suspect_sent_at is not None and 0 <= now - state.suspect_sent_at < policy.suspect_every_s:
        return state, Verdict(suspect=False, sampled=False)
    return replace(state, suspect_sent_at=now), Verdict(suspect=True, sampled=False)
