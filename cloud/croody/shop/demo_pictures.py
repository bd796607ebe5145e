"""The demo's pictures: products drawn as if they lay on a table, by their own drawings. No photographs, and nobody's but ours. Pure."""

import io
from collections.abc import Mapping
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from croody.shop import drawing
from croody.shop.drawing import Shape
from croody.shop.models import Product

WIDE: Final = 1280
HIGH: Final = 960
#: What each part is made of (upper colour, lower colour) and how high it stands, in thousandths of the picture's width.
_MADE: Final[Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int], int]]] = {
    "body": ((236, 238, 234), (205, 209, 204), 9),
    "dark": ((70, 78, 76), (44, 50, 49), 6),
    "chip": ((46, 50, 52), (24, 27, 29), 4),
    "metal": ((226, 219, 196), (168, 158, 128), 3),
    "hole": ((96, 102, 99), (128, 134, 131), 0),
    "eye": ((250, 251, 250), (228, 232, 230), 2),
    "pupil": ((22, 30, 27), (12, 17, 15), 0),
}
_BOARD: Final = ((28, 112, 84), (16, 78, 60), 6)


def png(product: Product) -> bytes:
    """A picture of it, 1280 by 960, as a PNG."""
    wide, high = float(product.width_mm or 100), float(product.height_mm or 100)
    scale = min(WIDE * 0.66 / wide, HIGH * 0.66 / high)
    left, top = (WIDE - wide * scale) / 2, (HIGH - high * scale) / 2
    image = _table()
    for shape in drawing.of(product).shapes:
        _laid(image, shape, scale, left, top, board=product.kind == Product.Kind.BOARD)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _table() -> Image.Image:
    """A light ground, brighter where the lamp is."""
    light = Image.radial_gradient("L").resize((WIDE * 2, HIGH * 2)).crop((WIDE // 2, HIGH // 3, WIDE // 2 + WIDE, HIGH // 3 + HIGH))
    return Image.composite(Image.new("RGB", (WIDE, HIGH), (196, 203, 199)), Image.new("RGB", (WIDE, HIGH), (240, 243, 241)), light)


def _laid(image: Image.Image, shape: Shape, scale: float, left: float, top: float, *, board: bool) -> None:
    """Put one part on what lies there already: its shadow first, then itself, lit from above."""
    upper, lower, stands = _BOARD if board and shape.part == "body" else _MADE.get(shape.part, _MADE["body"])
    x, y, wide, high = (value * scale for value in _box(shape))
    blur = stands * WIDE / 1000
    room = round(blur * 3) + 2
    # Only what it touches is drawn: a board has fifty parts.
    corner = (round(left + x) - room, round(top + y) - room)
    size = (round(wide) + 2 * room, round(high) + 2 * room)
    mask = _mask(shape, (left + x - corner[0], top + y - corner[1], wide, high), size, float(shape.at.get("rx", 0)) * scale)
    ground = image.crop((*corner, corner[0] + size[0], corner[1] + size[1]))
    if stands:
        shadow = ImageChops.offset(mask, 0, round(blur)).filter(ImageFilter.GaussianBlur(blur))
        ground = Image.composite(Image.new("RGB", size, (38, 46, 42)), ground, shadow.point([value * 45 // 100 for value in range(256)]))
    shade = Image.linear_gradient("L").resize(size)
    ground.paste(Image.composite(Image.new("RGB", size, lower), Image.new("RGB", size, upper), shade), mask=mask)
    image.paste(ground, corner)


def _box(shape: Shape) -> tuple[float, float, float, float]:
    """Left, top, width and height, in mm."""
    at = {name: float(value) for name, value in shape.at.items()}
    if shape.tag == "circle":
        return at["cx"] - at["r"], at["cy"] - at["r"], at["r"] * 2, at["r"] * 2
    return at["x"], at["y"], at["width"], at["height"]


def _mask(shape: Shape, box: tuple[float, float, float, float], size: tuple[int, int], radius: float) -> Image.Image:
    """Where it is: drawn at twice the size, so that its edge is smooth."""
    large = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    pen = ImageDraw.Draw(large)
    x, y, wide, high = (value * 2 for value in box)
    if shape.tag == "circle":
        pen.ellipse((x, y, x + wide, y + high), fill=255)
    else:
        pen.rounded_rectangle((x, y, x + wide, y + high), min(radius * 2, wide / 2, high / 2), fill=255)
    return large.resize(size, Image.Resampling.BOX)
