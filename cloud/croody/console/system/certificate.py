"""Who signed a certificate and when it ends: of a file, or of what the broker shows. Knows `openssl`; judges nothing."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from croody.console.system.facts import Certificate
from croody.fleet import trust_anchor

_WANTED: Final = ("-noout", "-enddate", "-issuer", "-nameopt", "RFC2253")


def of_file(path: Path) -> Certificate:
    """Of the file that gateway and broker show."""
    return _read(["openssl", "x509", "-in", str(path), *_WANTED], "")


def of_listener(host: str, port: int, name: str) -> Certificate:
    """What is shown at this address to whoever asks for `name`; a few seconds at most."""
    try:
        shown = trust_anchor.shown(host, port, name)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Certificate(problem=str(error) or type(error).__name__)
    if not shown:
        return Certificate(problem=f"{host}:{port}")
    return _read(["openssl", "x509", *_WANTED], shown[0])


def _read(command: list[str], text: str) -> Certificate:
    done = subprocess.run(command, check=False, capture_output=True, text=True, input=text)
    fields = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    try:
        ends_at = datetime.strptime(fields["notAfter"], "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return Certificate(problem=(done.stderr.strip().splitlines() or [done.stdout.strip()])[0])
    return Certificate(fields.get("issuer", "").strip(), ends_at)
