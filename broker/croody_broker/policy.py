"""Whether a client may come in, and as whom. Pure: accounts and rules in, a decision out; keeps no sessions.

A refusal carries MQTT 3.1.1's return code and a reason for the log. The client learns only the code.
"""

from dataclasses import dataclass
from typing import Final

from croody_broker.credentials import Accounts
from croody_broker.rules import Grant, Rules
from croody_contract import vda5050
from croody_contract.mosquitto import BRIDGE_USER
from croody_contract.security import Kind

IDENTIFIER_REJECTED: Final = 0x02
NOT_AUTHORIZED: Final = 0x05
#: `robot_id` has at most 64 characters; a suffix as many, and the colon.
MAX_CLIENT_ID_CHARS: Final = 129


@dataclass(frozen=True, slots=True)
class Knock:
    """What a CONNECT says about its sender. `common_name`: of its verified certificate, where the listener asks for one."""

    user: str | None
    secret: str | None
    client_id: str | None
    will_topic: str | None = None
    will_retain: bool = False
    needs_certificate: bool = False
    common_name: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Come in. `hashed` is the line that let it in: when it changes, the session ends."""

    user: str
    client_id: str
    hashed: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Refused:
    """Stay out. `kind`: what detection is told."""

    code: int
    reason: str
    kind: Kind = Kind.WRONG_IDENTITY


class Policy:
    """One reading of both files. Denies all when made without them."""

    def __init__(self, accounts: Accounts | None = None, rules: Rules | None = None) -> None:
        self.accounts = accounts or Accounts({})
        self.rules = rules or Rules()

    def admit(self, knock: Knock, fresh_id: str) -> Admitted | Refused:
        """Judge a CONNECT. `fresh_id`: the suffix for a client that leaves its id to the broker."""
        user = knock.user or ""
        if not self.accounts.check(user, knock.secret or ""):
            return Refused(NOT_AUTHORIZED, f"user {user[:80]!r}: unknown, or a wrong password", Kind.WRONG_SECRET)
        if knock.needs_certificate and knock.common_name != user:
            return Refused(NOT_AUTHORIZED, f"user {user!r}: its certificate is for {knock.common_name!r}")
        client_id = knock.client_id or f"{user}:{fresh_id}"
        if not _belongs(client_id, user) and user != BRIDGE_USER and self.rules.names(user):
            # A vehicle of another maker calls itself as it likes; so it is called by its account, as Mosquitto does with all robots.
            client_id = user
        if not _belongs(client_id, user):
            return Refused(IDENTIFIER_REJECTED, f"client id {client_id[:80]!r}: user {user!r} may use {user!r} or '{user}:SUFFIX'")
        grant = self.rules.grant(user, client_id)
        if knock.will_topic is not None and not grant.may_publish(knock.will_topic.split("/")):
            return Refused(NOT_AUTHORIZED, f"user {user!r}: may not publish its last will to {knock.will_topic[:200]!r}")
        if knock.will_topic is not None and knock.will_retain and vda5050.parse_topic(knock.will_topic) is None:
            return Refused(NOT_AUTHORIZED, f"user {user!r}: a retained last will; nothing is retained here, clear the flag")
        return Admitted(user, client_id, self.accounts.hash_of(user) or "", grant)


def _belongs(client_id: str, user: str) -> bool:
    """The user's own name, or that and a suffix: nobody else can take over such a session."""
    owner, _, suffix = client_id.partition(":")
    return owner == user and len(client_id) <= MAX_CLIENT_ID_CHARS and suffix.isprintable()
