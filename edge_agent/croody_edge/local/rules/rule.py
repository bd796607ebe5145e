"""One rule as `rules.toml` has it, with what its fields may be. Pure."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from croody_edge.texts import text

#: What the agent itself says of itself: a rule that used one of these words would end alarms that are not its own.
_AGENTS_OWN: Final = (
    "cell_left_out",
    "model_refused",
    "outbox_corrupt",
    "outbox_failed",
    "outbox_foreign",
    "outbox_refused",
    "reading_refused",
    "screening_started",
    "screening_stopped",
    "source_failed",
    "source_overrun",
)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,63}")
_DAY_S: Final = 86400.0


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[rule.NAME]`: exactly one of `above`, `below` and `absent_s`, and what follows when it holds.

    Attributes:
        metric: of the robot's readings, under the name it is sent with.
        above: it holds for values greater than this, in the metric's own unit.
        below: it holds for values less than this.
        absent_s: it holds when no reading had the metric for so long, seconds.
        until: where it ends again, on the other side of the limit; the limit itself where nothing is said.
        for_s: it begins when each reading for so long found it so, seconds.
        again_s: between two beginnings, seconds.
        severity: of its event.
        code: of its event; the rule's name where nothing is said.
        event: whether the cloud is told.
        webhook: address that is told by POST.
        token: sent to it as `Authorization: Bearer`.
        command: a program by its whole path, and its arguments.
        timeout_s: after so long the program is ended, seconds.
    """

    metric: Annotated[str, Meta(min_length=1, max_length=64)]
    above: float | None = None
    below: float | None = None
    absent_s: Annotated[float, Meta(ge=1, le=30 * _DAY_S)] | None = None
    until: float | None = None
    for_s: Annotated[float, Meta(ge=0, le=_DAY_S)] = 0.0
    again_s: Annotated[float, Meta(ge=1, le=_DAY_S)] = 60.0
    severity: Literal["low", "medium", "high", "critical"] = "medium"
    code: str = ""
    event: bool = True
    webhook: str = ""
    token: str = ""
    command: Annotated[list[str], Meta(max_length=32)] = []
    timeout_s: Annotated[float, Meta(ge=1, le=600)] = 30.0

    def __post_init__(self) -> None:
        if sum(limit is not None for limit in (self.above, self.below, self.absent_s)) != 1:
            raise ValueError(text("rules.one_limit"))
        if self.until is not None:
            wrong = self.absent_s is not None or (self.above is not None and self.until > self.above)
            if wrong or (self.below is not None and self.until < self.below):
                raise ValueError(text("rules.until", until=self.until))
        if self.code:
            check_code(self.code)
        if self.webhook:
            _check_address(self.webhook)
        if self.command and not self.command[0].startswith("/"):
            raise ValueError(text("rules.command_path", command=repr(self.command[0])))
        if any("\x00" in part for part in self.command):
            raise ValueError(text("rules.command_path", command=repr(self.command)))

    @property
    def limit(self) -> float:
        """The number that it compares with; seconds for an absence."""
        return next(limit for limit in (self.above, self.below, self.absent_s) if limit is not None)


def check_code(code: str) -> str:
    """A word that an event may have.

    Raises:
        ValueError: it may not.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(text("rules.code", code=repr(code[:80])))
    if code in _AGENTS_OWN:
        raise ValueError(text("rules.agents_own", code=repr(code)))
    return code


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not address.isascii() or any(char.isspace() for char in address) or len(address) > 1000 or "@" in parts.netloc:
        raise ValueError(text("rules.webhook"))
