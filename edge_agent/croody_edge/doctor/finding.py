"""What one check of the doctor's found: a line for a person. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from croody_contract.printable import printable
from croody_edge.texts import text

State = Literal["ok", "wrong", "skipped"]

#: A state -> its word.
_WORDS: Final = {"ok": "doctor.ok", "wrong": "doctor.wrong", "skipped": "doctor.skipped"}
#: A check -> its name for people.
_NAMES: Final = {
    "settings": "check.settings",
    "agent": "check.agent",
    "clock": "check.clock",
    "disk": "check.disk",
    "outbox": "check.outbox",
    "model": "check.model",
    "profile": "check.profile",
    "source": "check.source",
    "rules": "check.rules",
    "name": "check.name",
    "tcp": "check.tcp",
    "tls": "check.tls",
    "login": "check.login",
    "rights": "check.rights",
    "again": "check.again_name",
    "away": "check.away_name",
    "begin": "check.begin_name",
    "end": "check.end_name",
    "metrics": "check.metrics_name",
    "names": "check.names_name",
    "rate": "check.rate_name",
    "records": "check.records_name",
    "times": "check.times_name",
    "types": "check.types_name",
    "values": "check.values_name",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a word for programs; `said` is in the language that is spoken, with the remedy in it where `state` is wrong."""

    check: str
    state: State
    said: str

    def line(self) -> str:
        """As a terminal shows it."""
        return f"{text(_WORDS[self.state]):<8} {text(_NAMES[self.check]):<18} {printable(self.said)}"


def ok(check: str, said: str) -> Finding:
    """All is well here."""
    return Finding(check, "ok", said)


def wrong(check: str, said: str) -> Finding:
    """Something has to be done."""
    return Finding(check, "wrong", said)


def skipped(check: str, said: str) -> Finding:
    """It was not looked at, and why."""
    return Finding(check, "skipped", said)
