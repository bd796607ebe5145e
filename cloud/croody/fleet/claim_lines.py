"""A claim as it is shown: the line to paste on a board, and as a QR code. Pure: a claim, an address and a word to text."""

import io
from urllib.parse import urlsplit

import segno

from croody.fleet.claims import Made
from croody_contract.claims import Claim, is_here


def line(made: Made, server: str) -> str:
    """The claim in one line.

    Args:
        made: with its word.
        server: the site's own address, `https://HOST[:PORT]`.
    """
    of = made.claim
    return str(Claim(server.rstrip("/"), of.robot_id or "", of.group, made.token, of.fingerprint))


def site_address(host: str, public_url: str, *, secure: bool) -> str:
    """The site's own address, as boards are to know it: as it was asked for, where that was over TLS."""
    return f"https://{host}" if secure else public_url


def is_safe(server: str) -> bool:
    """Say whether a claim may be sent there: over TLS, or to this very machine."""
    url = urlsplit(server)
    return url.scheme == "https" or (url.scheme == "http" and is_here(url.hostname or ""))


def svg(text: str) -> str:
    """A QR code as inline SVG, coloured by the page's style."""
    return segno.make(text, error="m").svg_inline(omitsize=True, border=4, svgclass="qr", lineclass="qr-line")


def png(text: str) -> bytes:
    """A QR code as a picture, for a mail."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=6, border=4)
    return out.getvalue()


def for_terminal(text: str) -> str:
    """A QR code in half blocks."""
    out = io.StringIO()
    segno.make(text, error="l").terminal(out, border=2, compact=True)
    return out.getvalue()
