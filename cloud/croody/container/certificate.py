"""The certificate that gateway and broker have before there is a better one. Knows files and the program `openssl`."""

import subprocess
from ipaddress import ip_address
from pathlib import Path
from typing import Final

CHAIN: Final = "fullchain.pem"
KEY: Final = "privkey.pem"
_DAYS: Final = 825


def ensure(folder: Path, names: list[str]) -> bool:
    """Make a self-signed certificate for `names` (hosts and addresses) unless the folder holds one. Says whether it did.

    Raises:
        OSError: the folder cannot be written.
        subprocess.CalledProcessError: openssl refused a name; `stderr` says which.
    """
    chain, key = folder / CHAIN, folder / KEY
    if chain.exists() and key.exists():
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


def _alternative(name: str) -> str:
    try:
        return f"IP:{ip_address(name.strip('[]'))}"
    except ValueError:
        return f"DNS:{name}"
