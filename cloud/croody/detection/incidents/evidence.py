"""All kinds of evidence in one table, whoever noticed: the broker, the APIs, or packets. What was found of one offender. Pure, no words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from croody.alarms.kinds import SEVERITIES
from croody.detection.incidents import rules
from croody.detection.incidents.rules import Suspect, Who
from croody_contract.flows import limits


class Kind(NamedTuple):
    """A code of evidence: how bad it is, and of which technique of MITRE ATT&CK it is a sign."""

    code: str
    severity: str
    technique: str


_ORDER: Final = list(SEVERITIES)
#: What a model that a team promoted says: a second opinion, below everything that a rule says.
LOOKALIKE: Final = "lookalike"
_KINDS: Final = (
    *(Kind(rule.code, rule.severity, rule.technique) for rule in (*rules.RULES, *limits.RULES)),
    Kind(LOOKALIKE, "low", ""),
)
#: The worst first; of those that are as bad, what the broker and the APIs say.
BY_CODE: Final[Mapping[str, Kind]] = {kind.code: kind for kind in sorted(_KINDS, key=lambda kind: _ORDER.index(kind.severity))}
if len(BY_CODE) != len(_KINDS):
    raise ValueError("a kind of evidence has the same code at the broker and in packets: call one of them something else")


class Piece(NamedTuple):
    """A counter that stood at `value`, at or above its limit, over so many seconds. `most`: of ordinary traffic, where that is known."""

    code: str
    value: int
    limit: int
    seconds: int
    most: int | None = None

    def as_json(self) -> dict[str, int]:
        """As an incident keeps it."""
        kept = {"value": self.value, "limit": self.limit, "seconds": self.seconds}
        return kept if self.most is None else {**kept, "most": self.most}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one source found of one offender.

    Args:
        who: the offender.
        place: where its address means this machine: empty for what the server sees, else whose network it is.
        pieces: at least one.
        robots: that it concerns; `beside`: other names in it.
        capture: name of the packets around it, where they are kept.
    """

    who: Who
    pieces: tuple[Piece, ...]
    first_at: datetime
    last_at: datetime
    robots: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    place: str = ""
    capture: str = ""


def of_suspect(suspect: Suspect) -> Finding:
    """What signs of the broker and the APIs say."""
    seconds = int(rules.WITHIN.total_seconds())
    mine = suspect.who.kind == "account"
    return Finding(
        who=suspect.who,
        pieces=tuple(Piece(one.rule.code, one.value, one.rule.limit, seconds) for one in suspect.evidence),
        first_at=suspect.first_at,
        last_at=suspect.last_at,
        robots=(suspect.who.name,) if mine else suspect.accounts,
        beside=suspect.addresses if mine else suspect.accounts,
    )


def known(codes: Iterable[str]) -> list[str]:
    """Those that there are, the worst first."""
    asked = set(codes)
    return [code for code in BY_CODE if code in asked]


def severity_of(evidence: Mapping[str, Any]) -> str:
    """Of the worst of it."""
    return BY_CODE[known(evidence)[0]].severity
