"""The certificate that gateway and broker have before there is a better one. Knows files and the program `openssl`."""

import subprocess
from ipaddress import ip_address
from pathlib import Path
from typing import Final

CHAIN: Final = "fullchain.pem"
KEY: Final = "privkey.pem"
_DAYS: Final = 365
#: One of our own is made anew when it ends within this time, at the next start.
_FRESH_S: Final = 30 * 24 * 3600


def ensure(folder: Path, names: list[str]) -> bool:
    """Make a self-signed certificate for `names` (hosts and addresses) unless the folder holds a good one. Says whether it did.

    One that somebody signed is never touched, not even when it ended.

    Raises:
        OSError: the folder cannot be written.
        subprocess.CalledProcessError: openssl refused a name; `stderr` says which.
    """
    chain, key = folder / CHAIN, folder / KEY
    if chain.exists() and key.exists() and not (is_self_signed(chain) and ends_soon(chain)):
        return False
    fresh_chain, fresh_key = folder / f".{CHAIN}.new", folder / f".{KEY}.new"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"]
    command += ["-days", str(_DAYS), "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={','.join(map(_alternative, names))}"]
    command += ["-keyout", str(fresh_key), "-out", str(fresh_chain)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    # nginx reads it as another user of the same group.
    fresh_key.chmod(0o640)
    fresh_chain.chmod(0o644)
    fresh_key.replace(key)
    fresh_chain.replace(chain)
    return True


def is_self_signed(chain: Path) -> bool:
    """Say whether nobody vouches for the first certificate of this file."""
    command = ["openssl", "x509", "-in", str(chain), "-noout", "-subject", "-issuer"]
    subject, issuer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()
    return subject.removeprefix("subject=") == issuer.removeprefix("issuer=")


def ends_soon(chain: Path) -> bool:
    """Say whether it ended, or will within 30 days."""
    command = ["openssl", "x509", "-in", str(chain), "-noout", "-checkend", str(_FRESH_S)]
    return subprocess.run(command, check=False, capture_output=True).returncode != 0


def _alternative(name: str) -> str:
    try:
        return f"IP:{ip_address(name.strip('[]'))}"
    except ValueError:
        return f"DNS:{name}"
