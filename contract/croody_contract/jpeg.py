"""Is this a JPEG, and how large is its picture? Looks at markers alone and decodes no pixel. Pure."""

from typing import Final

from croody_contract.limits import MAX_PICTURE_PIXELS

_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
#: Frames: baseline, extended, progressive; each with Huffman tables, as every browser draws them.
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
#: Markers without a length.
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN: Final = 0xDA


class NoJpeg(ValueError):
    """The bytes are no JPEG that is taken; says which rule they break."""


def size_of(body: bytes) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        NoJpeg: it does not begin, go on or end as one, or its picture is too large.
    """
    if not body.startswith(_START) or not body.endswith(_END):
        raise NoJpeg("begins with no FF D8 or ends with no FF D9: send the bytes of a JPEG file, whole")
    place, size = 2, None
    while place + 4 <= len(body):
        if body[place] != 0xFF:
            raise NoJpeg(f"has no marker at byte {place}: send the bytes of a JPEG file, whole")
        kind = body[place + 1]
        if kind == 0xFF or kind in _BARE:
            place += 1 if kind == 0xFF else 2
            continue
        length = int.from_bytes(body[place + 2 : place + 4])
        if length < 2 or place + 2 + length > len(body):
            raise NoJpeg(f"has a segment at byte {place} that ends beyond it: send the bytes of a JPEG file, whole")
        if kind in _FRAMES:
            if length < 8:
                raise NoJpeg("has a frame without a size")
            size = int.from_bytes(body[place + 7 : place + 9]), int.from_bytes(body[place + 5 : place + 7])
        if kind == _SCAN:
            break
        place += 2 + length
    else:
        raise NoJpeg("holds no picture: send the bytes of a JPEG file, whole")
    if size is None or not all(0 < side <= MAX_PICTURE_PIXELS for side in size):
        raise NoJpeg(f"is of {size or 'no'} pixels: a side has 1 to {MAX_PICTURE_PIXELS}, as baseline or progressive JPEG")
    return size
