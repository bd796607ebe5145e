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
from django.utils.translation import gettext as _

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
        wrong = _("este papel no tiene SECRET_KEY con que firmar: ejecútalo donde se hacen las páginas (%(command)s)")
        raise Refused(wrong % {"command": "docker compose exec web croody ids train"})
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
        wrong = _("%(path)s: no se puede leer (%(why)s): lo escribe croody ids train, en el volumen de este servidor")
        raise Refused(wrong % {"path": path, "why": error.strerror}) from error
    except ValueError as error:
        wrong = _("%(path)s: no es una clave pública (%(why)s): bórralo y ejecuta croody ids train")
        raise Refused(wrong % {"path": path, "why": error}) from error
    try:
        public.verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError) as error:
        raise Refused(_("lo firmó otro sitio, o cambió desde entonces: entrena uno aquí con croody ids train")) from error
