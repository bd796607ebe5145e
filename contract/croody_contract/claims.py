"""A claim: what a board is given once, to come by a secret of its own. Its line both ways, and what board and cloud say to each other.

    croody+https://HOST[:PORT]/ROBOT/TOKEN[/FINGERPRINT]       one robot's
    croody+https://HOST[:PORT]/@GROUP/TOKEN[/FINGERPRINT]      of robots that are still to be made

`FINGERPRINT` is the SHA-256 of the certificate (DER) of the authority that vouches for the server, where no machine knows it by itself.
Nothing in a line means anything to a shell, but for the brackets of an IPv6 address.
"""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from croody_contract.mosquitto import ITERATIONS, hash_secret, split_hash
from croody_contract.topics import ROBOT_ID

#: Below the site's own address.
EXCHANGE_PATH: Final = "/api/v1/enrol"
AUTHORITY_PATH: Final = "/api/v1/enrol/authority/"
#: 144 random bits in base64url.
TOKEN_BYTES: Final = 18
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{24}")
FINGERPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
#: Of a group, and of what a maker wrote on a board.
GROUP: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
SERIAL: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
#: Where a board says what its maker called it.
SERIAL_FILES: Final = ("/proc/device-tree/serial-number", "/sys/class/dmi/id/product_serial")
#: Nothing that is longer is read.
MAX_LINE_CHARS: Final = 512
MAX_AUTHORITY_BYTES: Final = 16 * 1024
_PORTS: Final = {"http": 80, "https": 443}

Why = Literal[
    "claim_unknown", "claim_expired", "claim_revoked", "claim_used", "claim_replayed", "claim_foreign", "claim_full", "claim_serial"
]


class BadClaim(ValueError):
    """A line that is no claim. `part` says what of it: `form`, `scheme`, `server`, `robot`, `token` or `fingerprint`; never the token."""

    def __init__(self, part: str) -> None:
        super().__init__(f"claim: its {part} is not as {__name__} has it: copy the whole line that the server shows")
        self.part = part


@dataclass(frozen=True, slots=True)
class Claim:
    """What a line says.

    Attributes:
        server: `https://HOST[:PORT]`; http on this very machine alone.
        robot_id: whose; empty for a group's.
        group: of which; empty for a robot's.
        token: the secret part.
        fingerprint: of the authority; empty where every machine knows it.
    """

    server: str
    robot_id: str = ""
    group: str = ""
    token: str = field(default="", repr=False)
    fingerprint: str = ""

    @property
    def token_sha256(self) -> str:
        """By which both sides remember it, hex."""
        return token_sha256(self.token)

    def __str__(self) -> str:
        """The line."""
        parts = [self.robot_id or f"@{self.group}", self.token, *([self.fingerprint] if self.fingerprint else [])]
        return f"croody+{self.server}/{'/'.join(parts)}"


def read(line: str) -> Claim:
    """The claim that somebody pasted, with blanks and the command before it or without.

    Raises:
        BadClaim: it is none.
    """
    words = line[: MAX_LINE_CHARS + 1].split()
    if not words or len(line) > MAX_LINE_CHARS:
        raise BadClaim("form")
    try:
        url = urlsplit(words[-1].strip("'\""))
        port = url.port
    except ValueError as error:
        raise BadClaim("server") from error
    scheme = url.scheme.removeprefix("croody+")
    if url.scheme == scheme or scheme not in _PORTS:
        raise BadClaim("scheme")
    if not url.hostname or url.username is not None or url.query or url.fragment or not url.netloc.isascii() or port == 0:
        raise BadClaim("server")
    if scheme == "http" and not is_here(url.hostname):
        # A secret is never worth less than the line it is sent on.
        raise BadClaim("scheme")
    return _of_parts(f"{scheme}://{url.netloc}", url.path.split("/")[1:])


def is_here(host: str) -> bool:
    """Say whether this is the machine itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _of_parts(server: str, parts: list[str]) -> Claim:
    if len(parts) not in (2, 3):
        raise BadClaim("form")
    whose, token, fingerprint = (*parts, "")[:3]
    group = whose.removeprefix("@") if whose.startswith("@") else ""
    if not (GROUP.fullmatch(group) if group else ROBOT_ID.fullmatch(whose)):
        raise BadClaim("robot")
    if not TOKEN.fullmatch(token):
        raise BadClaim("token")
    if len(parts) == 3 and not FINGERPRINT.fullmatch(fingerprint):
        raise BadClaim("fingerprint")
    return Claim(server, "" if group else whose, group, token, fingerprint)


def token_sha256(token: str) -> str:
    """How a claim's token is kept, hex. 144 random bits need no slow hash."""
    return sha256(token.encode()).hexdigest()


def fingerprint_of(der: bytes) -> str:
    """Of a certificate, as a line has it."""
    return urlsafe_b64encode(sha256(der).digest()).decode().rstrip("=")


class SecretHashes(Struct, frozen=True, forbid_unknown_fields=True):
    """A secret as others keep it: who made it shows nobody the secret itself.

    `mqtt_hash` is as `croody_contract.mosquitto` has it, with its number of rounds; `sha256` is hex.
    """

    mqtt_hash: Annotated[str, Meta(max_length=160)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    def __post_init__(self) -> None:
        rounds, _salt, _digest = split_hash(self.mqtt_hash)
        if rounds != ITERATIONS:
            raise ValueError(f"mqtt_hash: {rounds} rounds: use {ITERATIONS}: the broker pays for every round of every connect")


def hashes_of(secret: str) -> SecretHashes:
    """Of a secret that was just made; the salt is another one every time."""
    return SecretHashes(hash_secret(secret), sha256(secret.encode()).hexdigest())


class Exchange(Struct, frozen=True, omit_defaults=True):
    """Body of `POST /api/v1/enrol`: a board has a secret, and asks to be known by it.

    Whoever lost the answer sends the same once more: it is no second use as long as `hashes.sha256` is the same.

    `robot_id` is the robot that the claim's line named; `serial` is needed of a group's.
    """

    token: Annotated[str, Meta(pattern=f"^{TOKEN.pattern}$")]
    hashes: SecretHashes
    robot_id: Annotated[str, Meta(max_length=64)] = ""
    serial: Annotated[str, Meta(max_length=40)] = ""


class Enrolled(Struct, frozen=True):
    """The answer: as which robot, and where the broker listens, the likeliest first."""

    robot_id: str
    brokers: list[str]
