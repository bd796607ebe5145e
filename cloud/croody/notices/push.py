"""A message that a browser's push service carries and cannot read (RFC 8291, RFC 8188), and whose it is (VAPID, RFC 8292). No I/O."""

import base64
import json
from dataclasses import dataclass
from os import urandom
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: What a push service must take, in bytes, encrypted; and so much of it is text.
LARGEST: Final = 4096
ROOM: Final = LARGEST - 16 - 4 - 1 - 65 - 17
#: For how long a signature says who we are, in seconds; services take 24 hours at most.
SIGNED_S: Final = 12 * 3600
_CURVE: Final = ec.SECP256R1()
_SALT: Final = 16
_AUTH: Final = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """What a browser gave when it was subscribed: the point of its public key (65 bytes), and a secret that it shares with us (16)."""

    p256dh: bytes
    auth: bytes

    @classmethod
    def read(cls, p256dh: str, auth: str) -> "Keys":
        """From base64url, as a browser's `toJSON` has them.

        Raises:
            ValueError: one of them is no such key.
        """
        found = cls(decode(p256dh), decode(auth))
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, found.p256dh)
        if len(found.p256dh) != 65 or len(found.auth) != _AUTH:
            raise ValueError(f"p256dh has {len(found.p256dh)} bytes and auth {len(found.auth)}: 65 and {_AUTH} are needed")
        return found


def encrypt(text: bytes, to: Keys, *, salt: bytes | None = None, once: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """The body of one message, `aes128gcm`, in one record.

    Args:
        text: at most `ROOM` bytes.
        salt, once: random, and made anew for each message; given by tests alone.

    Raises:
        ValueError: it is too long.
    """
    if len(text) > ROOM:
        raise ValueError(f"message: {len(text)} bytes, at most {ROOM}: shorten it")
    salt, once = salt or urandom(_SALT), once or ec.generate_private_key(_CURVE)
    ours = point(once)
    shared = once.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.p256dh))
    material = _derive(shared, to.auth, b"WebPush: info\x00" + to.p256dh + ours, 32)
    key = _derive(material, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(material, salt, b"Content-Encoding: nonce\x00", 12)
    # 2: this is the last record.
    sealed = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + LARGEST.to_bytes(4, "big") + len(ours).to_bytes(1, "big") + ours + sealed


def authorization(endpoint: str, key: ec.EllipticCurvePrivateKey, *, contact: str, now_s: int) -> str:
    """The header that says to a push service who sends: it refuses a browser's messages from anybody else.

    Args:
        contact: `mailto:` or `https:`, whom the service's people may ask.
    """
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now_s + SIGNED_S, "sub": contact}
    head, body = (encode(json.dumps(one, separators=(",", ":")).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(f"{head}.{body}".encode(), ec.ECDSA(SHA256())))
    signature = encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={head}.{body}.{signature}, k={encode(point(key))}"


def new_key() -> str:
    """A new private key, as `key_of` reads it."""
    return encode(ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(32, "big"))


def key_of(text: str) -> ec.EllipticCurvePrivateKey:
    """The private key that was written so."""
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), _CURVE)


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Its public key, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encode(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """What base64url says, with or without padding.

    Raises:
        ValueError: it is none.
    """
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def within(fields: dict[str, str], gives_way: str, room: int = ROOM) -> bytes:
    """The fields as JSON in at most `room` bytes: the text of `gives_way` is cut where it has to be."""
    said, text = _json(fields), fields[gives_way]
    while len(said) > room and text:
        # A character has four bytes at most, and six where JSON spells it.
        text = text[: -max(1, (len(said) - room) // 6)]
        said = _json({**fields, gives_way: f"{text}…"})
    return said


def _json(fields: dict[str, str]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
