"""An uploaded picture made into ours: judged by what it holds, turned upright, in the sizes that pages use. Knows no page and no table.

Nothing of the file itself is kept: its pixels are written anew, so that where and with what it was taken, and what else lay in it, is gone.
"""

import hashlib
import io
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps

from croody_contract.limits import MIB

#: The gateway says the same (`site.conf`).
MOST_BYTES: Final = 6 * MIB
#: A photograph of 6,000 by 4,000. What a file of a few kB claims to be is read from its head, before room is made for it.
MOST_PIXELS: Final = 24_000_000
_MEGAPIXELS: Final = MOST_PIXELS // 1_000_000
#: A side is at most so many times the other.
_MOST_SLIM: Final = 4
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = {"webp": 80, "jpeg": 82}
#: What the decoders raise for a file that is broken.
_BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)
#: One at a time in a process: each takes a hundred megabytes while it is made.
_TURN: Final = threading.Lock()
#: A page has nothing to fear of a picture, and a picture opened as a page may do nothing.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Content-Disposition": "inline",
}


class BadPicture(ValueError):
    """A file that is no picture of ours; says what it is, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class Made:
    """A picture in its sizes. `files`: (width in pixels, `webp` or `jpeg`) -> bytes; `digest`: of the largest, as hex."""

    width: int
    height: int
    digest: str
    files: dict[tuple[int, str], bytes]

    @property
    def widths(self) -> list[int]:
        """Those that there are as WebP, the smallest first."""
        return sorted(width for width, kind in self.files if kind == "webp")


def make(data: bytes, *, widths: Sequence[int], least: int, jpeg: int = 0, square: bool = False) -> Made:
    """Read it and write it anew.

    Args:
        data: the file.
        widths: pixels; a smaller picture is not enlarged.
        least: pixels that its shorter side has to have.
        jpeg: also one of this width for who reads no WebP; 0: none.
        square: cut to a square, out of its middle.

    Raises:
        BadPicture: what it is, what may be, what to do.
    """
    if len(data) > MOST_BYTES:
        raise BadPicture(_("imagen: pesa %(size)s MB y caben %(most)s: guárdala más pequeña") % _sizes(len(data)))
    with _TURN:
        try:
            image = _read(data, least, max(widths))
        except BadPicture:
            raise
        except Image.DecompressionBombError as error:
            raise BadPicture(_("imagen: tiene más de %(most)s megapíxeles: guárdala más pequeña") % {"most": _MEGAPIXELS}) from error
        except _BROKEN as error:
            raise BadPicture(_("imagen: no es un JPEG, PNG o WebP que se pueda leer: guárdala otra vez como uno de ellos")) from error
        if square:
            side = min(image.size)
            image = ImageOps.fit(image, (side, side))
        files = {(one, "webp"): _written(image, one, "webp") for one in sorted({min(width, image.width) for width in widths})}
        if jpeg:
            files[(min(jpeg, image.width), "jpeg")] = _written(image, jpeg, "jpeg")
    largest = max(width for width, kind in files if kind == "webp")
    digest = hashlib.sha256(files[(largest, "webp")]).hexdigest()
    return Made(largest, _height(image, largest), digest, files)


def answer(data: bytes, kind: str, cache: str) -> HttpResponse:
    """A picture as an answer, which no browser takes for anything else."""
    return HttpResponse(data, content_type=f"image/{kind}", headers={**HEADERS, "Cache-Control": cache})


def _read(data: bytes, least: int, most: int) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    wide, high = image.size
    said = {"wide": wide, "high": high, "least": least, "most": _MEGAPIXELS, "slim": _MOST_SLIM}
    if wide * high > MOST_PIXELS:
        raise BadPicture(_("imagen: %(wide)s × %(high)s son más de %(most)s megapíxeles: guárdala más pequeña") % said)
    if min(wide, high) < least:
        raise BadPicture(_("imagen: %(wide)s × %(high)s es pequeña: cada lado tiene al menos %(least)s píxeles") % said)
    if max(wide, high) > _MOST_SLIM * min(wide, high):
        raise BadPicture(_("imagen: %(wide)s × %(high)s es muy estrecha: un lado mide hasta %(slim)s veces el otro: recórtala") % said)
    # A JPEG is read at a half, a quarter or an eighth where that is enough.
    image.draft("RGB", (most * 2, most * 2))
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    return _plain(_srgb(upright, profile))


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours that a page takes it to be in. Phones write others, and say so in what is thrown away."""
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    try:
        made = ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return image
    return made if made is not None else image


def _plain(image: Image.Image) -> Image.Image:
    """Without transparency: what shows through is white. A new picture, of pixels alone."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    made = image.convert("RGB")
    made.info = {}
    return made


def _height(image: Image.Image, width: int) -> int:
    return max(1, round(image.height * width / image.width))


def _written(image: Image.Image, width: int, kind: str) -> bytes:
    width = min(width, image.width)
    small = image if width == image.width else image.resize((width, _height(image, width)), Image.Resampling.LANCZOS)
    small.info = {}
    out = io.BytesIO()
    small.save(out, kind.upper(), quality=_QUALITY[kind], **({"method": 4} if kind == "webp" else {"optimize": True, "progressive": True}))
    return out.getvalue()


def _sizes(size: int) -> dict[str, str]:
    return {"size": f"{size / MIB:.1f}", "most": f"{MOST_BYTES / MIB:.0f}"}
