"""Credentials and topic rules in Mosquitto's own file formats, as text. Pure but for the salt: opens no file.

The worker writes `render_files(...)` into one folder; amqtt's guard and Mosquitto read the same files:

    passwd          every account, `user:$7$iterations$salt$hash` (PBKDF2-SHA512, base64)
    passwd.bridge   the bridge's account alone, for the listener that only bridges may use
    acl             what an account may publish and subscribe; what is not named is denied
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from croody_contract.security import TOPIC as SECURITY_TOPIC
from croody_contract.topics import ASTRAY_FILTER, ROBOT_ID, ROOT, UP_FILTER
from croody_contract.vda5050 import FILTERS as VEHICLE_FILTERS

PASSWD_NAME: Final = "passwd"
BRIDGE_PASSWD_NAME: Final = "passwd.bridge"
ACL_NAME: Final = "acl"

#: The account of the bridges. No robot may have this id.
BRIDGE_USER: Final = "bridge"

#: Where Mosquitto says how many messages it has dropped since it was started, because a subscriber was too far behind.
DROPPED_TOPIC: Final = "$SYS/broker/publish/messages/dropped"

#: Rounds of PBKDF2. Stretching slows down guessing; a secret of 256 random bits cannot be guessed at any speed, and
#: the broker pays for every round of every connect on its only thread when a whole fleet comes back at once. 101 is
#: what `mosquitto_passwd` writes. A password that a person chose needs far more: do not use one here.
ITERATIONS: Final = 101
#: More than this in a file is refused: one connect would stop the broker for about a second.
MAX_ITERATIONS: Final = 1_000_000

#: Mosquitto 2.0 accepts salts of exactly this many bytes.
_SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64
#: Fits the 65,535 bytes that MQTT can carry.
_MAX_SECRET_BYTES: Final = 65_535


def hash_secret(secret: str, *, salt: bytes | None = None) -> str:
    """`$7$iterations$salt$hash` of `secret`, ready for a password file. `salt`: 12 bytes, random when not given.

    Raises:
        ValueError: an empty secret, one with a NUL, or a salt that Mosquitto would not read.
    """
    if not secret or "\0" in secret or len(secret.encode()) > _MAX_SECRET_BYTES:
        raise ValueError("secret: needs 1 to 65,535 bytes and no NUL, or no MQTT client can send it")
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    if len(salt) != _SALT_BYTES:
        raise ValueError(f"salt: {len(salt)} bytes; Mosquitto reads exactly {_SALT_BYTES}")
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def split_hash(hashed: str) -> tuple[int, bytes, bytes]:
    """Iterations, salt and digest of `$7$iterations$salt$hash`.

    Raises:
        ValueError: not in that form; the message names the part and never shows the hash.
    """
    parts = hashed.split("$")
    if len(parts) != 5 or parts[:2] != ["", "7"]:
        raise ValueError("hash: expected $7$iterations$salt$hash, as mosquitto_passwd writes it")
    if not (parts[2].isascii() and parts[2].isdigit()) or not 1 <= int(parts[2][:9]) <= MAX_ITERATIONS:
        raise ValueError(f"iterations {parts[2][:20]!r}: expected 1 to {MAX_ITERATIONS}")
    salt, digest = (b64decode(part, validate=True) for part in parts[3:])
    if len(salt) != _SALT_BYTES or len(digest) != _HASH_BYTES:
        raise ValueError(f"salt and hash: {len(salt)} and {len(digest)} bytes, expected {_SALT_BYTES} and {_HASH_BYTES}")
    return int(parts[2]), salt, digest


def verify(secret: str, hashed: str) -> bool:
    """Say whether `hashed` was made from `secret`; takes as long for a wrong secret as for the right one.

    Raises:
        ValueError: `hashed` is in no form that `split_hash` reads.
    """
    iterations, salt, digest = split_hash(hashed)
    return hmac.compare_digest(hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, iterations), digest)


def check_user(user: str) -> str:
    """Return `user` when it may be an account: the grammar of robot ids, so it fits a topic level and a file's line.

    Raises:
        ValueError: it may not.
    """
    if not ROBOT_ID.fullmatch(user):
        raise ValueError(f"user {user[:80]!r}: use 3 to 64 letters, digits, '_' or '-'")
    return user


def password_line(user: str, secret: str) -> str:
    """One line of a password file, without its line end.

    Raises:
        ValueError: a user name or a secret that the file cannot hold.
    """
    return f"{check_user(user)}:{hash_secret(secret)}"


def render_passwd(hashes: Mapping[str, str]) -> str:
    """A whole password file from user -> `hash_secret(...)`, sorted, so that the same accounts give the same text.

    Raises:
        ValueError: a user name or a hash that the file cannot hold.
    """
    for hashed in hashes.values():
        split_hash(hashed)
    return "".join(f"{check_user(user)}:{hashed}\n" for user, hashed in sorted(hashes.items()))


def render_acl(bridge_user: str = BRIDGE_USER, vehicles: Mapping[str, str] | None = None) -> str:
    """The topic rules: a robot publishes under its own `up/` and reads its own `down/`; the bridge does the reverse.

    What a robot publishes to `croody/v1/ID/WORD` reaches the bridge too, which makes a dead letter of it. `vehicles`: robot_id ->
    `vda5050.branch`, of those that speak VDA 5050.

    Raises:
        ValueError: a user name that the file cannot hold.
    """
    return (
        "# Written by Croody. What is not named here is denied; %u is the account's name.\n"
        f"pattern write {ROOT}/%u/up/#\n"
        f"pattern write {ROOT}/%u/+\n"
        f"pattern read {ROOT}/%u/down/#\n"
        "\n"
        f"user {check_user(bridge_user)}\n"
        f"topic read {UP_FILTER}\n"
        f"topic read {ASTRAY_FILTER}\n"
        f"topic read {DROPPED_TOPIC}\n"
        f"topic read {SECURITY_TOPIC}\n"
        f"topic write {ROOT}/+/down/#\n"
        + "".join(f"topic read {topic_filter}\n" for topic_filter in VEHICLE_FILTERS)
        + "".join(f"\nuser {check_user(user)}\ntopic readwrite {branch}/#\n" for user, branch in sorted((vehicles or {}).items()))
    )


def keeps_vehicles(acl: str) -> bool:
    """Say whether these rules are of vehicles, too: what they publish may say that it is to be retained."""
    return any(line.startswith("topic readwrite ") for line in acl.splitlines())


def render_files(
    robots: Mapping[str, str], bridge_hash: str, bridge_user: str = BRIDGE_USER, vehicles: Mapping[str, str] | None = None
) -> dict[str, str]:
    """File name -> text of everything a broker reads. `robots`: robot_id -> `hash_secret(...)` of its secret; `vehicles`: see `render_acl`.

    Write each to a file beside it and rename (mode 0600 or 0640), so that no broker ever reads half of one.

    Raises:
        ValueError: a robot with the bridge's name, or a name or hash that the files cannot hold.
    """
    if bridge_user in robots:
        raise ValueError(f"robot {bridge_user!r}: this is the bridge's account; give the robot another id")
    return {
        PASSWD_NAME: render_passwd({**robots, bridge_user: bridge_hash}),
        BRIDGE_PASSWD_NAME: render_passwd({bridge_user: bridge_hash}),
        ACL_NAME: render_acl(bridge_user, vehicles),
    }


def share_group(bridge_secret: str) -> str:
    """The group of `$share/GROUP/...` that all bridges with this secret join.

    It must not be guessable: Mosquitto checks subscriptions only when it delivers, so a robot that joined the bridges'
    group would be dealt its share of every other robot's messages, and those would be dropped.
    """
    return "bridge-" + hmac.new(bridge_secret.encode(), b"croody share group", hashlib.sha256).hexdigest()[:32]
