"""What counts as a picture: a whole JPEG of a sane size, told by its markers. And what fits beside it into one record."""

import base64

import msgspec
import pytest

from croody_contract import messages
from croody_contract.batch import check_size
from croody_contract.jpeg import NoJpeg, size_of
from croody_contract.limits import MAX_LOG_LINES, MAX_PICTURE_BYTES, MAX_TEXT_CHARS
from croody_contract.messages import Log, Refused, Snapshot


def jpeg(width: int = 64, height: int = 48, *, frame: int = 0xC0, padding: int = 0) -> bytes:
    """The markers of a JPEG; what lies in its scan nobody here looks at."""
    comment = b"\xff\xfe" + (padding + 2).to_bytes(2) + b"x" * padding if padding else b""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    size = b"\xff" + bytes([frame]) + b"\x00\x0b\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x01\x01\x11\x00"
    return head + comment + size + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\x34" + b"\xff\xd9"


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2])
def test_a_jpeg_says_how_large_its_picture_is(frame: int):
    assert size_of(jpeg(640, 480, frame=frame)) == (640, 480)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "begins with no FF D8"),
        (b"<svg onload=alert(1)>", "begins with no FF D8"),
        (b"\xff\xd8<script>\xff\xd9", "has no marker at byte 2"),
        (jpeg()[:-2], "ends with no FF D9"),
        (b"\xff\xd8\xff\xe0\x7f\xff\xff\xd9", "ends beyond it"),
        (b"\xff\xd8\xff\xe0\x00\x02\xff\xd9", "holds no picture"),
        (jpeg(0, 10), r"is of \(0, 10\) pixels"),
        (jpeg(5000, 10), "a side has 1 to 4096"),
        (jpeg(frame=0xC9), "is of no pixels"),
    ],
)
def test_what_is_no_jpeg_is_refused_with_the_rule(body: bytes, told: str):
    with pytest.raises(NoJpeg, match=told):
        size_of(body)


def test_a_snapshot_travels_as_base64_and_is_checked_by_its_content():
    raw = messages.encode(Snapshot(jpeg=jpeg()))
    assert msgspec.json.decode(raw)["jpeg"] == base64.b64encode(jpeg()).decode()
    assert messages.decode_record(raw) == Snapshot(jpeg=jpeg())
    with pytest.raises(Refused, match="jpeg: begins with no FF D8"):
        messages.decode_record(msgspec.json.encode({"kind": "snapshot", "jpeg": base64.b64encode(b"GIF89a..").decode()}))


def test_the_largest_picture_and_the_longest_log_fit_into_one_record():
    largest = jpeg(padding=MAX_PICTURE_BYTES - len(jpeg()) - 4)
    assert len(largest) == MAX_PICTURE_BYTES
    check_size(messages.encode(Snapshot(jpeg=largest, camera="c" * 64)))
    with pytest.raises(Refused):
        messages.decode_record(messages.encode(Snapshot(jpeg=largest[:4] + b"\xff\xfe\x00\x03x" + largest[4:])))
    assert messages.decode_record(messages.encode(Log(lines=["x" * MAX_TEXT_CHARS] * 40)))
    with pytest.raises(Refused):
        messages.decode_record(messages.encode(Log(lines=["x"] * (MAX_LOG_LINES + 1))))
