"""What is ordinary for one robot's own sensors: limits of every metric and, by mode, how the metrics move together. No I/O.

An agent learns a profile in the robot's first hours and keeps it as one text, with its date and its hash. Nothing replaces it but a
person's act.
"""

from datetime import datetime
from hashlib import sha256
from math import isfinite
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from croody_contract.messages import Moment, Name

VERSION: Final = 1
#: Metrics that are judged, and modes that are told apart; what is beyond them is named in `Profile.left_out`, or counts as no mode.
MAX_METRICS: Final = 32
MAX_MODES: Final = 8
#: Metrics whose movements are looked at together, and how many values a window gives of each: mean, spread, drift.
MAX_JOINT: Final = 24
OF_EACH: Final = 3
#: Rows of a window.
WINDOW_ROWS: Final = 16
#: No profile is larger, bytes.
MAX_BYTES: Final = 1024 * 1024
#: Readings are looked at so often at most, seconds.
PERIOD_S: Final = 1.0
#: What a robot without modes does, and what it does while it changes from one to another.
ANY_MODE: Final = ""

#: What is judged of one metric -> the code of the event that says so. Its words: `croody.detection.sensor_words`, `texts` of the edge, and
#: docs/reference/detection.md.
Rule = Literal["missing", "stuck", "out_of_range", "jump", "spike", "drift"]
RULES: Final[tuple[Rule, ...]] = ("missing", "stuck", "out_of_range", "jump", "spike", "drift")
EVENTS: Final[dict[Rule, str]] = {rule: f"sensor_{rule}" for rule in RULES}


class Level(Struct, frozen=True):
    """Of one metric in one mode: its mean and standard deviation, and how long it once stayed the same there, seconds."""

    mean: float
    spread: float
    still_s: float


class Metric(Struct, frozen=True):
    """What was seen of one metric, in its own unit.

    Attributes:
        low: the least.
        high: the most.
        step: the largest step from one row to the next.
        gap_s: the longest time without a new value, seconds.
        drift: the farthest that its slow mean went from its mode's, in standard deviations.
        changes: how often it was another value than the row before.
        turns: how often it went from low to high or back: of what turned seldom (a temperature) little of its range was seen.
        wanders: its level was still moving when learning ended (a battery, an odometer): level and drift are not judged.
        levels: by mode; `ANY_MODE` is all of them.
    """

    name: Name
    low: float
    high: float
    step: float
    gap_s: float
    drift: float
    changes: int
    turns: int
    wanders: bool
    levels: Annotated[dict[str, Level], Meta(max_length=MAX_MODES + 1)]


class Together(Struct, frozen=True):
    """How the joint metrics move together in one mode: windows whose whitened length is `limit` are at the edge of the ordinary.

    Attributes:
        mean: of each input, length OF_EACH x joint metrics.
        whiten: float32, row by row, little endian: (inputs - mean) times its rows has length 1 in every direction.
        limit: from blocks of the learning hours that were held out in turn.
        windows: how many it was learned on.
    """

    mean: list[float]
    whiten: bytes
    limit: float
    windows: int


class Profile(Struct, frozen=True):
    """What was learned.

    Attributes:
        made_at: when.
        readings: rows it was learned on.
        lasted_s: over how long, while readings came, seconds.
        interval_s: between rows, the median, seconds.
        metrics: that are judged.
        joint: names of those that are looked at together, in order.
        together: by mode; `ANY_MODE` always when there are joint metrics.
        left_out: names that were too many, or too rare to learn.
    """

    version: int
    made_at: Moment
    readings: int
    lasted_s: float
    interval_s: float
    metrics: Annotated[list[Metric], Meta(min_length=1, max_length=MAX_METRICS)]
    joint: Annotated[list[Name], Meta(max_length=MAX_JOINT)]
    together: Annotated[dict[str, Together], Meta(max_length=MAX_MODES + 1)]
    left_out: Annotated[list[Name], Meta(max_length=256)] = []

    def name(self) -> str:
        """What windows call it: other profiles have other names."""
        return f"profile-{hash_of(self)[:12]}"

    def modes(self) -> list[str]:
        """That were told apart."""
        return sorted({mode for metric in self.metrics for mode in metric.levels} - {ANY_MODE})

    def age_s(self, now: datetime) -> float:
        """How long ago it was learned, seconds."""
        return max(0.0, (now - self.made_at).total_seconds())


class _Kept(Struct, frozen=True):
    sha256: str
    profile: Profile


class Refused(ValueError):
    """A profile that must not be used: says why, and what to do."""


def hash_of(profile: Profile) -> str:
    """SHA-256 of what it says, hex."""
    return sha256(msgspec.json.encode(profile)).hexdigest()


def render(profile: Profile) -> bytes:
    """The file of a profile."""
    return msgspec.json.encode(_Kept(hash_of(profile), profile))


def parse(body: bytes, name: str) -> Profile:
    """What `render` wrote. `name`: what the file is called, for the message.

    Raises:
        Refused: it cannot be read, is damaged, or another version's.
    """
    remedy = "have it learned again with croody-edge profile --relearn"
    try:
        if len(body) > MAX_BYTES:
            raise ValueError(f"{len(body)} bytes, at most {MAX_BYTES}")
        kept = msgspec.json.decode(body, type=_Kept)
        profile = kept.profile
        if profile.version != VERSION:
            raise ValueError(f"version {profile.version}, expected {VERSION}")
        if hash_of(profile) != kept.sha256:
            raise ValueError("what it says does not fit its hash")
        _check(profile)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name}: not a profile that can be used ({error}): {remedy}") from error
    return profile


def _check(profile: Profile) -> None:
    names = [metric.name for metric in profile.metrics]
    if len(set(names)) != len(names) or not set(profile.joint) <= set(names):
        raise ValueError("a metric is there twice, or looked at without being described")
    for metric in profile.metrics:
        if ANY_MODE not in metric.levels:
            raise ValueError(f"metric {metric.name} has no level over all modes")
        levels = [value for level in metric.levels.values() for value in (level.mean, level.spread, level.still_s)]
        if not all(isfinite(value) for value in (metric.low, metric.high, metric.step, metric.gap_s, metric.drift, *levels)):
            raise ValueError(f"metric {metric.name} has a limit that is no finite number")
    size = OF_EACH * len(profile.joint)
    if bool(size) != (ANY_MODE in profile.together):
        raise ValueError("no mode that stands for all of them")
    for mode, together in profile.together.items():
        if len(together.mean) != size or len(together.whiten) != 4 * size * size or not 0 < together.limit < float("inf"):
            raise ValueError(f"mode {mode!r} is not of {size} inputs")
