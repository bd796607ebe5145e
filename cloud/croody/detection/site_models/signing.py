"""Says whether a model is this site's own: Ed25519, with a key that follows from `SECRET_KEY`.

Who trains signs; who judges windows has no secret, and checks with the public key, a file beside the data and not a row of the database.
"""

from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from croody.detection.site_models.refusal import Refused

_USE: Final = b"croody: models that a site trained"


def public_file() -> Path:
    """Where the public key lies, in hex."""
    return Path(settings.ENV.state_dir) / "models.pub"


def sign(text: bytes) -> str:
    """The signature in hex; the public key is put where judges look for it.

    Raises:
        Refused: this process has no `SECRET_KEY`.
        OSError: the public key cannot be written.
    """
    secret = settings.ENV.secret_key
    if not secret:
        raise Refused("this role has no SECRET_KEY to sign with: run it where the pages run (docker compose exec web croody ids train)")
    key = Ed25519PrivateKey.from_private_bytes(HKDF(SHA256(), 32, salt=None, info=_USE).derive(secret.encode()))
    public = key.public_key().public_bytes_raw().hex()
    path = public_file()
    if not path.exists() or path.read_text(encoding="ascii").strip() != public:
        beside = path.with_name(path.name + ".new")
        beside.write_text(public + "\n", encoding="ascii")
        beside.replace(path)
    return key.sign(text).hex()


def check(text: bytes, signature: str) -> None:
    """Whether this site signed it.

    Raises:
        Refused: it did not, or nobody can tell.
    """
    path = public_file()
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror}): croody ids train writes it, on the volume of this server") from error
    except ValueError as error:
        raise Refused(f"{path}: is no public key ({error}): delete it and run croody ids train") from error
    try:
        public.verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError) as error:
        raise Refused("signed by another site, or changed since: train one here with croody ids train") from error
