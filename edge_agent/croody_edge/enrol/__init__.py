"""How a board comes in by a claim: a secret of its own, known to the server by its hashes, and all of it in the agent's folder.

The order makes it safe to be killed anywhere: the secret lies on the disk before anybody is asked to know it, and the same exchange may be
repeated while the claim lasts. Whatever was there before counts until the answer has come.
"""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody_contract import claims
from croody_contract.claims import BadClaim, Claim, Exchange, hashes_of
from croody_edge import identity
from croody_edge.enrol import remedies
from croody_edge.enrol.exchange import OtherFingerprint, Refused, Server
from croody_edge.identity import Identity, Pending
from croody_edge.keyring import SECRET_BYTES
from croody_edge.link.address import parse_brokers
from croody_edge.link.proxy import Proxies
from croody_edge.texts import text
from croody_edge.variables import BadSetting, variable

log = logging.getLogger("croody.enrol")

_BACKOFF_S: Final = (1.0, 30.0)
#: Until the broker, too, knows a new secret, seconds: it reads its accounts once a second.
_KNOWN_S: Final = 2.0
_SERIALS: Final = tuple(Path(name) for name in claims.SERIAL_FILES)


class NotEnrolled(Exception):
    """It did not come to it; the text says why and what to do. `late`: trying once more may help."""

    def __init__(self, said: str, *, late: bool) -> None:
        super().__init__(said)
        self.late = late


def read_claim(line: str) -> Claim:
    """What somebody pasted.

    Raises:
        BadSetting: it is no claim.
    """
    try:
        return claims.read(line)
    except BadClaim as error:
        raise BadSetting(text(f"enrol.bad_{error.part}")) from error


def claim_of(environ: Mapping[str, str]) -> str | None:
    """The claim that somebody put into the board's settings."""
    return variable(environ, "CROODY_CLAIM")


def serial_of(environ: Mapping[str, str], given: str | None = None, files: tuple[Path, ...] = _SERIALS) -> str:
    """What this board is called by its maker: as somebody says, else as the board itself does; empty when nobody does."""
    said = given or variable(environ, "CROODY_SERIAL") or ""
    if said:
        return said
    for file in files:
        try:
            found = file.read_text(encoding="ascii", errors="replace").strip("\0 \n")
        except OSError:
            continue
        if claims.SERIAL.fullmatch(found):
            return found
    return ""


def enrol(claim: Claim, folder: Path, proxies: Proxies, serial: str = "") -> Identity:
    """Come in by this claim. What was done before is not done again: the same claim may be given at every start.

    Raises:
        NotEnrolled: why not.
        BadSetting: the folder holds what cannot be read.
        OSError: the folder cannot be written.
    """
    here = identity.read(folder)
    if here is not None and here.claim == claim.token_sha256:
        return here
    if claim.group and not serial:
        raise NotEnrolled(text("enrol.no_serial"), late=False)
    mine = identity.pending(folder, claim.token_sha256)
    if mine is None:
        mine = Pending(claim.token_sha256, secrets.token_urlsafe(SECRET_BYTES))
        identity.remember(folder, mine)
    asked = Exchange(claim.token, hashes_of(mine.secret), claim.robot_id, serial if claim.group else "")
    server = Server(claim, proxies)
    try:
        authority = server.authority() if claim.fingerprint else ""
        answer = server.exchange(asked, authority)
        parse_brokers(",".join(answer.brokers))
    except Refused as error:
        raise NotEnrolled(remedies.of_refusal(error.code, str(error)), late=False) from error
    except OtherFingerprint as error:
        raise NotEnrolled(text("enrol.fingerprint", server=claim.server), late=False) from error
    except (OSError, ValueError) as error:
        raise NotEnrolled(remedies.of_error(error, claim, datetime.now(UTC)), late=True) from error
    return identity.write(folder, Identity(answer.robot_id, mine.secret, mine.claim, answer.brokers), authority)


def enrol_in_time(
    claim: Claim,
    folder: Path,
    proxies: Proxies,
    serial: str = "",
    *,
    for_s: float,
    wait: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Identity:
    """The same again and again while nobody answers: a board starts before its network does.

    Args:
        claim: as for `enrol`, and what follows it.
        for_s: how long, in seconds.
        wait: sleeps so many seconds.
        monotonic: seconds of a clock that never jumps.

    Raises:
        NotEnrolled: the server says no, or nobody answered in that time.
    """
    until, wait_s, said = monotonic() + for_s, _BACKOFF_S[0], set[str]()
    before = identity.read(folder)
    while True:
        try:
            mine = enrol(claim, folder, proxies, serial)
            if mine != before:
                wait(_KNOWN_S)
            return mine
        except NotEnrolled as error:
            if not error.late or monotonic() + wait_s > until:
                raise
            if str(error) not in said:
                said.add(str(error))
                log.warning("%s", text("enrol.again", why=error))
        wait(wait_s)
        wait_s = min(2 * wait_s, _BACKOFF_S[1])
