"""Signs -> evidence: counters of one offender over a window, against limits. Pure: one table, no database, no words.

A limit is a floor that no site reaches in ordinary operation: a fleet that comes back after an outage, a robot with an old secret that
tries again and again, a person who mistypes a password. `docs/reference/detection.md` says why each is what it is.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from croody_contract.security import Kind
from croody_contract.topics import ROOT

WITHIN: Final = timedelta(seconds=60)
#: Signs further apart than this are of two incidents.
GAP: Final = timedelta(seconds=120)
#: Names that an incident remembers beside its offender.
MOST_NAMES: Final = 20

Offender = Literal["address", "account"]


class Sign(NamedTuple):
    """A row of `SecurityEvent`."""

    at: datetime
    kind: str
    address: str
    account: str
    known: bool
    secret: str
    topic: str
    times: int


class Who(NamedTuple):
    """Whom evidence is about."""

    kind: Offender
    name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A counter and its limit.

    Args:
        code: of the evidence.
        about: whose signs are counted together.
        kinds: signs that it looks at.
        count: signs of one offender -> the counter.
        limit: from here on it is evidence.
        severity: of an incident with this evidence.
        technique: of MITRE ATT&CK, for Enterprise or ICS.
    """

    code: str
    about: Offender
    kinds: frozenset[str]
    count: Callable[[Sequence[Sign]], int]
    limit: int
    severity: str
    technique: str


class Evidence(NamedTuple):
    """A counter that stood at `value`, at or above its rule's limit."""

    rule: Rule
    value: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """An offender with all evidence against it, the worst first; and what its signs name."""

    who: Who
    evidence: tuple[Evidence, ...]
    first_at: datetime
    last_at: datetime
    accounts: tuple[str, ...]
    addresses: tuple[str, ...]


def _times(signs: Sequence[Sign]) -> int:
    return sum(sign.times for sign in signs)


def _guesses(signs: Sequence[Sign]) -> int:
    """Different wrong secrets of one account. A fleet behind one address that all has old secrets has one each, and guesses nothing."""
    secrets: defaultdict[str, set[str]] = defaultdict(set)
    for sign in signs:
        if sign.secret:
            secrets[sign.account].add(sign.secret)
    return max((len(different) for different in secrets.values()), default=0)


def _keys(signs: Sequence[Sign]) -> int:
    """Keys that were tried once each: a program with an old one tries it again and again."""
    tried = Counter[str]()
    for sign in signs:
        tried[sign.secret] += sign.times
    return sum(times == 1 for times in tried.values())


def _accounts(signs: Sequence[Sign]) -> int:
    """Accounts for which one secret was tried, or for which nobody can say which one it was."""
    accounts: defaultdict[str, set[str]] = defaultdict(set)
    for sign in signs:
        if sign.account:
            accounts[sign.secret].add(sign.account)
    return max((len(different) for different in accounts.values()), default=0)


def _untold(signs: Sequence[Sign]) -> int:
    """Refusals of which nobody can say whether they were one secret or many."""
    return sum(sign.times for sign in signs if not sign.secret)


def _foreign(signs: Sequence[Sign]) -> int:
    """Topics of other robots. A topic outside of ours is a client that was set up wrongly."""
    return len({sign.topic for sign in signs if _is_of_another(sign)})


def _is_of_another(sign: Sign) -> bool:
    levels = sign.topic.split("/")
    return "/".join(levels[:2]) == ROOT and len(levels) > 2 and levels[2] != sign.account


def _guessed(signs: Sequence[Sign]) -> int:
    """Different wrong secrets for an account before it was let in from the same address."""
    wrong: defaultdict[str, set[str]] = defaultdict(set)
    most = 0
    for sign in sorted(signs):
        if sign.kind == Kind.WRONG_SECRET and sign.secret:
            wrong[sign.account].add(sign.secret)
        elif sign.kind == Kind.CONNECTED:
            most = max(most, len(wrong.get(sign.account, ())))
    return most


def _addresses(signs: Sequence[Sign]) -> int:
    """Different addresses of pages and APIs."""
    return len({sign.topic for sign in signs})


_WRONG: Final = frozenset({Kind.WRONG_SECRET.value})
_NAMED: Final = frozenset({Kind.WRONG_SECRET.value, Kind.WRONG_PASSWORD.value})
_PASSWORDS: Final = frozenset({Kind.WRONG_PASSWORD.value})
#: The worst first: an incident is called after the first that holds.
RULES: Final = (
    Rule("guessed", "address", frozenset({*_WRONG, Kind.CONNECTED}), _guessed, 4, "critical", "T1110.001"),
    Rule("spoofing", "account", frozenset({Kind.DENIED_PUBLISH}), _foreign, 1, "high", "T0856"),
    Rule("guessing", "address", _WRONG, _guesses, 6, "high", "T1110.001"),
    Rule("keys", "address", frozenset({Kind.WRONG_KEY}), _keys, 20, "high", "T1110.001"),
    Rule("accounts", "address", _NAMED, _accounts, 5, "high", "T1110.003"),
    Rule("listening", "account", frozenset({Kind.DENIED_SUBSCRIBE}), _foreign, 1, "medium", "T0842"),
    Rule("passwords", "address", _PASSWORDS, _times, 10, "medium", "T1110.001"),
    Rule("refusals", "address", _WRONG, _untold, 20, "medium", "T1110"),
    Rule("forbidden", "address", frozenset({Kind.FORBIDDEN}), _times, 20, "medium", "T1190"),
    Rule("scanning", "address", frozenset({Kind.MISSING}), _addresses, 30, "medium", "T1595.003"),
    Rule("flood", "address", frozenset({Kind.CROWD}), _times, 20, "medium", "T0814"),
    Rule("probing", "address", frozenset({Kind.MALFORMED}), _times, 10, "medium", "T0846"),
)
BY_CODE: Final[Mapping[str, Rule]] = {rule.code: rule for rule in RULES}


def suspects(signs: Iterable[Sign]) -> list[Suspect]:
    """Everybody against whom these signs, of one window, are evidence."""
    by_offender: defaultdict[Who, list[Sign]] = defaultdict(list)
    for sign in signs:
        if sign.address:
            by_offender[Who("address", sign.address)].append(sign)
        if sign.account and sign.known:
            by_offender[Who("account", sign.account)].append(sign)
    found = (_suspect(who, its) for who, its in by_offender.items())
    return [suspect for suspect in found if suspect is not None]


def _suspect(who: Who, signs: Sequence[Sign]) -> Suspect | None:
    evidence, seen = [], set()
    for rule in RULES:
        its = [sign for sign in signs if sign.kind in rule.kinds] if rule.about == who.kind else []
        value = rule.count(its) if its else 0
        if value >= rule.limit:
            evidence.append(Evidence(rule, value))
            seen |= set(its)
    if not evidence:
        return None
    return Suspect(
        who,
        tuple(evidence),
        min(sign.at for sign in seen),
        max(sign.at for sign in seen),
        _names(sign.account for sign in seen if sign.account),
        _names(sign.address for sign in seen if sign.address),
    )


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found))[:MOST_NAMES])
