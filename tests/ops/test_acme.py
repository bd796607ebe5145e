"""gateway/scripts/acme.sh by itself, with a certbot that says what it is told to say."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.ops.clone import ROOT

SERVER = "https://acme.example.org/directory"
#: What certbot prints, by the problem type of the server (RFC 8555, 6.7) or the error of its library; what we make of it, twice.
SAID = {
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate": ("ACME_CA_FILE", "di su autoridad"),
    "Max retries exceeded with url: /directory (Caused by NewConnectionError: [Errno 111] Connection refused": (
        "cannot be reached",
        "no se llega",
    ),
    "Error: urn:ietf:params:acme:error:rateLimited :: too many failed authorizations": ("takes no more requests", "no acepta más"),
    "urn:ietf:params:acme:error:externalAccountRequired": ("--eab-kid", "pide una cuenta suya"),
    "urn:ietf:params:acme:error:invalidContact :: contact email has forbidden domain": ("ACME_EMAIL=you@", "escribe otro, o ninguno"),
    "urn:ietf:params:acme:error:rejectedIdentifier :: does not end with a valid public suffix": ("gives no certificate", "nombre público"),
    "urn:ietf:params:acme:error:caa :: CAA record for site": ("CAA record in the DNS", "registro CAA"),
    "Type: dns Detail: DNS problem: NXDOMAIN looking up A": ("leads nowhere", "no lleva a ninguna parte"),
    "Type: unauthorized Detail: 203.0.113.9: Invalid response from http://site: 404": ("somebody else answers", "responde otro"),
    "Type: connection Detail: 203.0.113.9: Timeout during connect (likely firewall problem)": (
        "not reached from outside",
        "no se llega desde fuera",
    ),
    "a new kind of trouble": ("says why above", "dice arriba por qué"),
}


def look(folder: Path, told: str, status: int, *, lineage_of: str = "") -> tuple[str, str]:
    """One round of it: what it wrote, and how it called certbot."""
    for name in ("bin", "data/tls", "data/letsencrypt/renewal", "data/letsencrypt/live/croody", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for place in ("data/tls", "data/letsencrypt/live/croody"):
        (folder / place / "fullchain.pem").write_text("a chain")
    if lineage_of:
        (folder / "data/letsencrypt/renewal/croody.conf").write_text(f"[renewalparams]\nserver = {lineage_of}\n")
    text = (ROOT / "gateway" / "scripts" / "acme.sh").read_text()
    (folder / "acme.sh").write_text(re.sub("/(data|tmp)/", rf"{folder}/\1/", text))
    (folder / "told").write_text(f"{told}\n")
    programs = {"certbot": f'echo "$@" >{folder}/asked; cat {folder}/told; exit {status}', "sleep": "kill $PPID"}
    for name, line in programs.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / "bin" / name).chmod(0o755)
    environ = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "CROODY_DOMAIN": "site", "ACME_EMAIL": "you@example.org"}
    done = subprocess.run(
        ["sh", str(folder / "acme.sh")], env={**environ, "ACME_SERVER": SERVER, "ACME_LOOK_S": "43200"},
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.stdout, (folder / "asked").read_text()


@pytest.mark.parametrize("told", SAID)
def test_each_failure_says_its_own_cause_and_remedy_in_both_languages(tmp_path: Path, told: str) -> None:
    said, _ = look(tmp_path, told, 1)

    (line,) = [line for line in said.splitlines() if line.startswith("croody: no certificate for site: ")]
    assert told in said
    assert all(part in line for part in SAID[told])
    assert [other for other, parts in SAID.items() if all(part in line for part in parts)] == [told]


@pytest.mark.parametrize(("lineage_of", "forced"), [("", False), (SERVER, False), ("https://another.example.org/directory", True)])
def test_a_certificate_of_another_server_is_replaced_at_once(tmp_path: Path, lineage_of: str, forced: bool) -> None:
    said, asked = look(tmp_path, "Certificate not yet due for renewal", 0, lineage_of=lineage_of)

    assert ("--force-renewal" in asked) == forced
    assert "--renew-with-new-domains" in asked
    assert "Certificate not yet due for renewal" in said
    assert "croody: no certificate" not in said
