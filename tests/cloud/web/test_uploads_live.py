"""Files that are made to hurt, sent to a server that really runs: each is refused with a sentence, and costs little time and memory."""

import io
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from croody_contract.limits import KIB, MIB
from tests.cloud.web.server import Web
from tests.cloud.web.test_leaving import CSRF, signed_in
from tests.patience import PATIENCE_S

#: What all of them together may take of memory.
MOST_RSS = 500 * MIB
NO_PICTURE = "imagen: no es un JPEG, PNG o WebP que se pueda leer"
TAKEN = "Tu imagen está al día."


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(wide: int, high: int, *more: bytes, pixels: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    """A PNG of these chunks."""
    head = struct.pack(">IIBBBBB", wide, high, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + b"".join(more)
        + chunk(b"IDAT", pixels or zlib.compress(bytes(64)))
        + chunk(b"IEND", b"")
    )


def blown_up(size: int) -> bytes:
    """So many bytes of nothing, packed some hundred times smaller."""
    packer = zlib.compressobj(1)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


def of(kind: str, size: tuple[int, int] = (400, 300), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind, **more)
    return out.getvalue()


def with_an_archive_behind() -> bytes:
    """A JPEG that is a ZIP, too."""
    out = io.BytesIO()
    out.write(of("JPEG"))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("index.html", "<script>alert(1)</script>")
    return out.getvalue()


def moving(kind: str) -> bytes:
    """As many pictures one behind the other as go into a file."""
    frames = [Image.new("RGB", (400, 300), (number, 0, 0)) for number in range(12)]
    return of(kind, save_all=True, append_images=frames)


BLOWN_UP = blown_up(128 * MIB)
#: The file, the type that its sender says, and what the page says of it.
FILES: dict[str, tuple[bytes, str, str]] = {
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml", NO_PICTURE),
    "SVG that says PNG": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/png", NO_PICTURE),
    "page": (b"<!doctype html><script>alert(1)</script>", "image/jpeg", NO_PICTURE),
    "GIF that is a script": (b"GIF89a/*" + bytes(800) + b"*/=1;alert(1)", "image/gif", NO_PICTURE),
    "TIFF": (of("TIFF"), "image/tiff", NO_PICTURE),
    "Postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 300\n(/etc/passwd) run", "image/png", NO_PICTURE),
    "nothing": (b"", "image/png", NO_PICTURE),
    "bomb of pixels": (png(65_000, 65_000, pixels=BLOWN_UP), "image/png", "megapíxeles"),
    "just too many pixels": (png(4900, 4900, pixels=BLOWN_UP), "image/png", "4900 × 4900 son más de 24 megapíxeles"),
    "huge side": (png(2_000_000_000, 1, pixels=b""), "image/png", "megapíxeles"),
    "JPEG that says 65500": (of("JPEG").replace(b"\x01\x2c\x01\x90", b"\xff\xdc\xff\xdc", 1), "image/jpeg", "megapíxeles"),
    "bomb of text": (png(400, 300, chunk(b"zTXt", b"a\0\0" + BLOWN_UP)), "image/png", NO_PICTURE),
    "bomb of colours": (png(400, 300, chunk(b"iCCP", b"a\0\0" + BLOWN_UP)), "image/png", NO_PICTURE),
    "slim": (of("PNG", (5000, 200)), "image/png", "es muy estrecha"),
    "archive behind": (with_an_archive_behind(), "application/zip", TAKEN),
    "script behind": (of("PNG") + b"<script>alert(1)</script>", "text/html", TAKEN),
    "moving PNG": (moving("PNG"), "image/png", TAKEN),
    "moving WebP": (moving("WEBP"), "image/webp", TAKEN),
    "largest": (of("PNG", (6000, 4000), compress_level=1), "image/png", TAKEN),
}


@pytest.fixture(scope="module")
def alice(web: Web) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, timeout=PATIENCE_S, headers=signed_in(web, "alice")) as client:
        yield client


def send(client: httpx.Client, data: bytes, kind: str) -> httpx.Response:
    """The answer to the form, which leads to the profile."""
    files = {"file": ("../../a.php.png", data, kind)}
    answer = client.post("/es/cuenta/foto/", data={"csrfmiddlewaretoken": CSRF}, files=files, headers={"Origin": str(client.base_url)})
    return answer if answer.status_code >= 400 else client.get("/es/cuenta/perfil/", headers=_with(client, answer))


def _with(client: httpx.Client, answer: httpx.Response) -> dict[str, str]:
    """Its cookies, which hold what the next page is to say."""
    more = "".join(f"; {one.split(';')[0]}" for one in answer.headers.get_list("set-cookie"))
    return {"Cookie": client.headers["Cookie"] + more}


def peak(web: Web) -> int:
    """The most memory that the server's largest process ever had, bytes."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        parent = re.search(r"^PPid:\t(\d+)$", text, re.MULTILINE)
        if status.parent.name == str(web.process.pid) or (parent is not None and parent[1] == str(web.process.pid)):
            most = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
            found.append(int(most[1]) * KIB if most is not None else 0)
    return max(found)


def test_every_file_that_is_made_to_hurt_is_refused_with_a_sentence_in_time_and_in_little_memory(web: Web, alice: httpx.Client) -> None:
    for name, (data, kind, said) in FILES.items():
        begun = time.monotonic()
        answer = send(alice, data, kind)
        assert answer.status_code == 200, name
        assert said in answer.text, (name, re.findall(r"imagen: [^<]+", answer.text))
        assert time.monotonic() - begun < PATIENCE_S, name
    assert peak(web) < MOST_RSS
    shown = re.search(r"/cuenta/foto/[0-9a-f]+\.webp", alice.get("/es/cuenta/perfil/").text)
    assert shown is not None
    kept = alice.get(shown[0])
    assert (kept.headers["content-type"], kept.headers["x-content-type-options"]) == ("image/webp", "nosniff")
    assert Image.open(io.BytesIO(kept.content)).format == "WEBP"
    assert not any(word in kept.content for word in (b"script", b"PK\x03\x04", b"index.html"))


def test_a_body_beyond_what_any_form_takes_is_refused_unread(web: Web, alice: httpx.Client) -> None:
    before = peak(web)
    for size in (6 * MIB, 9 * MIB):
        answer = send(alice, bytes(size), "image/png")
        assert answer.status_code == 413
        assert answer.text
    assert peak(web) - before < 20 * MIB
    assert httpx.get(f"{web.url}/healthz").status_code == 200
