"""Pictures that people upload: what is kept of them, what is shown, what is refused."""

import io
import struct
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from croody.accounts.models import ProfilePicture
from croody.audit.models import Entry
from croody.shop.models import PictureFile, ProductPicture
from croody.site import own_data
from croody.web import pictures
from croody.web.pictures import MOST_BYTES, BadPicture


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.ROOT_URLCONF = "croody.serve.urls.web"


def file_of(mode: str = "RGB", size: tuple[int, int] = (800, 600), kind: str = "JPEG", **more: Any) -> bytes:
    """A picture, left half dark."""
    image = Image.new(mode, size, 200 if mode in ("L", "P", "I;16") else "white")
    image.paste(0, (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def taken_by_a_phone() -> bytes:
    """1200 x 900, to be turned by a quarter, with a place and a maker in it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Phonemaker"
    exif.get_ifd(0x8825)[2] = (4.0, 36.0, 35.0)
    return file_of(size=(1200, 900), exif=exif, comment=b"secret comment") + b"<script>alert(1)</script>"


def png_that_says(wide: int, high: int) -> bytes:
    """The head of a PNG of this size, with next to nothing behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def upload(client: Client, number: int, data: bytes, **words: str) -> Any:
    """By the page's form."""
    return client.post(f"/tienda/gestion/productos/{number}/fotos/", {"file": SimpleUploadedFile("a.exe", data, "text/html"), **words})


def keeper(shop: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(shop.alice)
    return client


@pytest.mark.django_db
def test_a_picture_of_a_product_is_kept_upright_in_sizes_and_without_a_word_of_where_it_was_taken(shop: SimpleNamespace):
    client = keeper(shop)
    assert upload(client, shop.board.pk, taken_by_a_phone(), alt_es="La placa, de frente").status_code == 303
    one = ProductPicture.objects.get()
    assert (one.widths, one.width, one.height) == ([320, 640, 900], 900, 1200)
    files = {(file.width, file.kind): bytes(file.data) for file in PictureFile.objects.all()}
    assert set(files) == {(320, "webp"), (640, "webp"), (900, "webp"), (640, "jpeg")}
    for data in files.values():
        assert not any(said in data for said in (b"Phonemaker", b"secret", b"script", b"Exif"))
        assert not Image.open(io.BytesIO(data)).getexif()
    upper = Image.open(io.BytesIO(files[(900, "webp")])).convert("L").getpixel((450, 100))
    assert upper < 60, "the dark half lies above, once it is turned"
    assert list(Entry.objects.filter(thing="product", verb="picture").values_list("thing_id", flat=True)) == ["mini"]
    guest = Client()
    for address, alt in (("/tienda/", "La placa, de frente"), ("/tienda/mini/", "La placa, de frente"), ("/en/tienda/mini/", "The mini")):
        assert f'alt="{alt}"' in guest.get(address).content.decode()
    sent = guest.get(f"/tienda/fotos/{one.digest}-640.webp", headers={"Accept-Encoding": "gzip"})
    assert sent.content == files[(640, "webp")]
    assert sent["Content-Type"] == "image/webp"
    assert "immutable" in sent["Cache-Control"]
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in sent["Content-Security-Policy"]
    assert "default-src 'none'" in sent["Content-Security-Policy"]
    for other in (f"{one.digest}-641.webp", f"{one.digest}-640.svg", f"{one.digest}-x.webp", "-.", f"{one.digest}-640.webp\x00"):
        assert guest.get(f"/tienda/fotos/{other}").status_code == 404


@pytest.mark.django_db
def test_pictures_are_put_in_order_described_and_taken_away(shop: SimpleNamespace):
    client = keeper(shop)
    for shade in (10, 90, 170):
        out = io.BytesIO()
        Image.new("RGB", (400, 400), (shade, shade, shade)).save(out, "PNG")
        upload(client, shop.board.pk, out.getvalue())
    assert "ya la tiene" in upload(client, shop.board.pk, out.getvalue(), alt_es="Lo escrito").content.decode()
    first, second, third = ProductPicture.objects.order_by("place")

    def do(one: ProductPicture, **said: str) -> int:
        return client.post(f"/tienda/gestion/productos/{shop.board.pk}/fotos/{one.pk}/", said).status_code

    assert do(third, act="earlier") == do(first, act="later") == do(first, act="earlier") == do(first, act="earlier") == 303
    assert list(ProductPicture.objects.order_by("place")) == [first, third, second]
    assert do(third, act="words", alt_es="De lado", alt_en="From the side") == 303
    assert "From the side" in Client().get("/en/tienda/mini/").content.decode()
    assert do(second, act="remove") == 303
    assert PictureFile.objects.count() == 2 * 3, "a picture of 400 pixels has two sizes, and a JPEG"
    assert do(first, act="turn") == 404
    for more in range(7):
        last = upload(client, shop.board.pk, file_of(size=(400, 300 + more), kind="PNG"))
    assert last.status_code == 422
    assert ProductPicture.objects.count() == 8
    looks_on = Client()
    looks_on.force_login(shop.bob)
    assert upload(looks_on, shop.board.pk, file_of()).status_code == 403


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JPEG, PNG o WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "JPEG, PNG o WebP"),
        (file_of(kind="GIF"), "JPEG, PNG o WebP"),
        (file_of()[:2000], "JPEG, PNG o WebP"),
        (png_that_says(800, 600), "JPEG, PNG o WebP"),
        (png_that_says(50_000, 50_000), "megapíxeles"),
        (png_that_says(5_000, 5_000), "5000 × 5000 son más de 24 megapíxeles"),
        (file_of(size=(299, 400)), "299 × 400 es pequeña"),
        (file_of(size=(2000, 400)), "2000 × 400 es muy estrecha"),
        (b"\0" * (MOST_BYTES + 1), "pesa 6.0 MB y caben 6"),
    ],
)
def test_what_is_no_picture_of_ours_is_refused_with_its_reason(data: bytes, said: str):
    with pytest.raises(BadPicture, match=said):
        pictures.make(data, widths=(320, 640), least=300)


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG"), ("RGBA", "WEBP")]
)
def test_every_way_to_say_a_colour_ends_as_plain_pixels(mode: str, kind: str):
    made = pictures.make(file_of(mode, kind=kind), widths=(320,), least=300, jpeg=320)
    assert {Image.open(io.BytesIO(data)).size for data in made.files.values()} == {(320, 240)}


_GOOD = [file_of(size=(400, 300), kind=kind) for kind in ("JPEG", "PNG", "WEBP")]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(_GOOD), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
def test_a_file_that_was_tampered_with_is_a_picture_or_is_refused(data: bytes, changes: list[tuple[float, int]], at_the_head: bool):
    broken = bytearray(data)
    for where, value in changes:
        broken[int(where * (min(len(data), 200) - 1 if at_the_head else len(data) - 1))] = value
    try:
        made = pictures.make(bytes(broken), widths=(320,), least=300)
    except BadPicture:
        return
    assert made.files


@pytest.mark.django_db
def test_ones_own_picture_is_square_for_oneself_alone_and_gone_when_one_says_so(shop: SimpleNamespace):
    client = keeper(shop)
    assert client.post("/cuenta/foto/", {"file": SimpleUploadedFile("me.jpg", taken_by_a_phone())}).status_code == 302
    kept = ProfilePicture.objects.get()
    address = f"/cuenta/foto/{kept.digest}.webp"
    assert address in client.get("/cuenta/perfil/").content.decode()
    sent = client.get(address)
    assert Image.open(io.BytesIO(sent.content)).size == (192, 192)
    assert sent["Cache-Control"].startswith("private")
    other = Client()
    other.force_login(shop.carlos)
    assert (other.get(address).status_code, Client().get(address).status_code) == (404, 302)
    refused = client.post("/cuenta/foto/", {"file": SimpleUploadedFile("me.jpg", b"no")}, follow=True)
    assert "JPEG, PNG o WebP" in refused.content.decode()
    assert own_data.export(shop.alice)["picture_webp"].startswith("UklGR"), "which is RIFF"
    client.post("/cuenta/foto/", {"act": "remove"})
    assert not ProfilePicture.objects.exists()
    done = Entry.objects.filter(thing="person", verb__contains="picture").order_by("pk")
    assert list(done.values_list("verb", flat=True)) == ["picture", "remove_picture"]
    for _ in range(20):
        last = client.post("/cuenta/foto/", {}, follow=True)
    assert "espera un rato" in last.content.decode()
