"""The certificate that gateway and broker have before there is a better one. Knows files and the program `openssl`.

A site has an authority of its own, which robots are given once and which lasts for ten years; what it signs may change with the
site's name and the calendar, and no robot has to be told.
"""

import fcntl
import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Final

CHAIN: Final = "fullchain.pem"
KEY: Final = "privkey.pem"
AUTHORITY: Final = "ca.pem"
AUTHORITY_KEY: Final = "ca-key.pem"
#: Begins the name of every site's authority; the site's follows.
AUTHORITY_NAME: Final = "Croody, authority of"
_AUTHORITY_DAYS: Final = 3650
#: No longer than what public authorities sign, and Mozilla's profile allows (366).
_DAYS: Final = 365
#: The site's own is replaced when it ends within this time.
_FRESH_S: Final = 60 * 24 * 3600
#: All that openssl has to know; what the machine's own file says would differ from system to system.
_CONFIG: Final = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[site]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def ensure(folder: Path, authority: Path, names: list[str]) -> bool:
    """Make sure of a certificate for `names` (hosts and addresses), signed by the site's own authority. Says whether it made one.

    One that somebody else signed is never touched, not even after its end; a self-signed one is good until it ends.

    Args:
        folder: where gateway and broker look; the authority's certificate is put beside it.
        authority: where the authority is kept; only this process may read it.
        names: the first is the site's.

    Raises:
        OSError: a folder cannot be written.
        subprocess.CalledProcessError: openssl refused a name; `stderr` says which.
    """
    with _alone_in(authority):
        return _ensure(folder, authority, names)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """A start and the service that renews must not make one at the same time."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _ensure(folder: Path, authority: Path, names: list[str]) -> bool:
    chain, key = folder / CHAIN, folder / KEY
    root = authority / AUTHORITY
    if not (root.exists() and (authority / AUTHORITY_KEY).exists()):
        _make(authority, (AUTHORITY, AUTHORITY_KEY), [*_named(AUTHORITY_NAME, names[0])], "authority", _AUTHORITY_DAYS)
        (authority / AUTHORITY_KEY).chmod(0o600)
    if chain.exists() and key.exists() and not _is_to_be_replaced(chain, root, folder / AUTHORITY, names):
        return False
    alternatives = f"subjectAltName={','.join(map(_alternative, names))}"
    signer = ["-CA", str(root), "-CAkey", str(authority / AUTHORITY_KEY), "-addext", alternatives]
    _make(folder, (CHAIN, KEY), [*_named("", names[0]), *signer], "site", _DAYS, after=root.read_text())
    (folder / AUTHORITY).write_bytes(root.read_bytes())
    (folder / AUTHORITY).chmod(0o644)
    return True


def _is_to_be_replaced(chain: Path, root: Path, before: Path, names: list[str]) -> bool:
    """Judge a certificate by who signed it: the authority `root`, the one `before` it, nobody, or somebody else."""
    if not is_readable(chain):
        return False  # whatever it is, it is not the site's own; `status` says so
    if vouches(root, chain):
        return ends_within(chain, _FRESH_S) or begins_later(chain) or certified(chain) != set(map(_plain, names))
    if before.exists() and vouches(before, chain):
        return True  # the site's authority was brought from another server
    return is_self_signed(chain) and ends_within(chain, 0)


def is_self_signed(chain: Path) -> bool:
    """Say whether nobody vouches for the first certificate of this file."""
    subject, issuer = _asked(chain, "-subject", "-issuer").splitlines()
    return subject.removeprefix("subject=") == issuer.removeprefix("issuer=")


def vouches(authority: Path, chain: Path) -> bool:
    """Say whether this authority signed the first certificate of that file, whatever the day."""
    command = ["openssl", "verify", "-no_check_time", "-CAfile", str(authority), str(chain)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def is_readable(chain: Path) -> bool:
    """Say whether a certificate begins this file."""
    return subprocess.run(["openssl", "x509", "-in", str(chain), "-noout"], check=False, capture_output=True).returncode == 0


def begins_later(chain: Path) -> bool:
    """Say whether it is not good yet: made while this clock was ahead."""
    return ssl.cert_time_to_seconds(_asked(chain, "-startdate").partition("=")[2]) > time.time()


def ends_within(chain: Path, seconds: int) -> bool:
    """Say whether it has ended, or will within so many seconds."""
    command = ["openssl", "x509", "-in", str(chain), "-noout", "-checkend", str(seconds)]
    return subprocess.run(command, check=False, capture_output=True).returncode != 0


def certified(chain: Path) -> set[str]:
    """The hosts and addresses that the first certificate of this file is for."""
    listed = _asked(chain, "-ext", "subjectAltName").splitlines()[-1]
    return {_plain(part.strip().partition(":")[2]) for part in listed.split(",")}


def _make(folder: Path, files: tuple[str, str], words: list[str], section: str, days: int, after: str = "") -> None:
    """A key and its certificate, the certificate followed by `after`; both are whole before they are seen."""
    chain, key = folder / files[0], folder / files[1]
    fresh_chain, fresh_key = folder / f".{files[0]}.new", folder / f".{files[1]}.new"
    command = ["openssl", "req", "-x509", "-config", "/dev/stdin", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += [
        "-nodes",
        "-sha256",
        "-extensions",
        section,
        "-days",
        str(days),
        *words,
        "-keyout",
        str(fresh_key),
        "-out",
        str(fresh_chain),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True, input=_CONFIG)
    with fresh_chain.open("a", encoding="ascii") as file:
        file.write(after)
    # nginx reads it as another user of the same group.
    fresh_key.chmod(0o640)
    fresh_chain.chmod(0o644)
    fresh_key.replace(key)
    fresh_chain.replace(chain)


def _asked(chain: Path, *questions: str) -> str:
    command = ["openssl", "x509", "-in", str(chain), "-noout", *questions]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _named(prefix: str, name: str) -> tuple[str, str]:
    # A common name holds 64 characters; what clients look at are the alternative names.
    return "-subj", f"/CN={f'{prefix} {name}'.strip()[:64]}"


def _alternative(name: str) -> str:
    try:
        return f"IP:{ip_address(name.strip('[]'))}"
    except ValueError:
        return f"DNS:{name}"


def _plain(name: str) -> str:
    try:
        return ip_address(name.strip("[]")).exploded
    except ValueError:
        return name.lower()
