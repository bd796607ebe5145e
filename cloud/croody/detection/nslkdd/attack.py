"""What a class of attack means to a person: a sentence and the technique of MITRE ATT&CK for ICS. Pure tables.

The techniques are the nearest in kind: the classes are coarser than ATT&CK.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Technique:
    """One technique of ATT&CK for ICS."""

    id: str
    name: str
    tactic: str

    @property
    def url(self) -> str:
        """Where it is described."""
        return f"https://attack.mitre.org/techniques/{self.id}/"


@dataclass(frozen=True, slots=True)
class Attack:
    """A class in words."""

    about: str
    technique: Technique


ATTACKS: Final = {
    "dos": Attack(
        "denial of service: traffic meant to keep a service from answering",
        Technique("T0814", "Denial of Service", "Inhibit Response Function"),
    ),
    "probe": Attack("probing: somebody looks for hosts and services", Technique("T0846", "Remote System Discovery", "Discovery")),
    "r2l": Attack(
        "remote to local: somebody outside tries to get an account", Technique("T0866", "Exploitation of Remote Services", "Initial Access")
    ),
    "u2r": Attack(
        "user to root: an account tries to become root", Technique("T0890", "Exploitation for Privilege Escalation", "Privilege Escalation")
    ),
}
