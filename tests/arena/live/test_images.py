"""Images that strangers send: what models get, what is dropped, and what is refused."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from arena.live.images import LONGEST_SIDE, read_image
from arena.live.pictures import Picture
from arena.live.refusal import Refusal


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def taken(content: bytes, most_bytes: int = 8_000_000, most_pixels: int = 24_000_000) -> Picture:
    return read_image(content, most_bytes, most_pixels)


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.image.data))
    image.load()
    return image


SMALL = Image.new("RGB", (40, 30), (200, 30, 30))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_usual_kinds_are_taken_and_keep_their_look(kind: str) -> None:
    picture = taken(encoded(SMALL, kind))
    assert (picture.width, picture.height) == (40, 30)
    assert picture.image.media_type == "image/jpeg"
    red, green, blue = opened(picture).convert("RGB").getpixel((20, 15))  # type: ignore[misc]
    assert red > 180
    assert max(green, blue) < 60


def test_an_image_that_can_be_seen_through_stays_so() -> None:
    picture = taken(encoded(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG"))
    assert picture.image.media_type == "image/png"
    assert opened(picture).getpixel((4, 4)) == (0, 0, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK"])
def test_every_kind_of_pixels_is_taken(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert taken(encoded(Image.new(mode, (9, 9)), kind)).width == 9


def test_a_large_image_is_made_smaller_and_keeps_its_shape() -> None:
    picture = taken(encoded(Image.new("RGB", (4000, 2000)), "PNG"))
    assert (picture.width, picture.height) == (LONGEST_SIDE, LONGEST_SIDE // 2)


def test_a_line_of_pixels_stays_an_image() -> None:
    picture = taken(encoded(Image.new("RGB", (9000, 1)), "PNG"))
    assert (picture.width, picture.height) == (LONGEST_SIDE, 1)


def test_of_an_animation_the_first_picture_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black", "black")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert opened(taken(content)).convert("L").getextrema()[0] > 200


# --- What is dropped ------------------------------------------------------------------------------------------------


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    exif[0x9286] = "SECRET-COMMENT"
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(SMALL, "JPEG", exif=exif, comment=b"SECRET-COMMENT", icc_profile=b"SECRET-PROFILE" * 20)


def with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "SECRET-NAME")
    info.add_itxt("XML:com.adobe.xmp", "<x>SECRET-XMP</x>")
    return encoded(SMALL, "PNG", pnginfo=info, icc_profile=b"SECRET-PROFILE" * 20)


HIDDEN = {
    "EXIF, comment and profile": with_exif(),
    "text chunks": with_text(),
    "something behind the end": encoded(SMALL, "PNG") + b"PK\x03\x04SECRET-ARCHIVE",
    "a page in front of the pixels": encoded(SMALL, "GIF") + b"<script>SECRET()</script>",
    "WebP's EXIF and XMP": encoded(SMALL, "WEBP", exif=b"Exif\0\0SECRET-EXIF", xmp=b"SECRET-XMP"),
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN.keys())
def test_nothing_but_pixels_is_left(content: bytes) -> None:
    assert b"SECRET" in content
    picture = taken(content)
    assert b"SECRET" not in picture.image.data
    image = opened(picture)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_an_image_that_was_held_sideways_is_turned_before_that_is_forgotten() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = taken(encoded(SMALL, "JPEG", exif=exif))
    assert (picture.width, picture.height) == (30, 40)


# --- What is refused --------------------------------------------------------------------------------------------------


def png_of(width: int, height: int, data: bytes = b"", bits: int = 8, colour: int = 2) -> bytes:
    """Return a PNG that says to have so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


REFUSED = {
    "nothing": b"",
    "words": b"this is no image at all",
    "a page": b"<html><script>alert(1)</script></html>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "an archive": b"PK\x03\x04" + bytes(100),
    "PDF": b"%PDF-1.7\n" + bytes(100),
    "PostScript, which is a program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "TIFF": encoded(SMALL, "TIFF"),
    "BMP": encoded(SMALL, "BMP"),
    "ICO": encoded(SMALL, "ICO"),
    "half a PNG": encoded(Image.effect_noise((300, 300), 90), "PNG")[:9000],
    "half a JPEG": encoded(Image.effect_noise((300, 300), 90), "JPEG")[:9000],
    "the head of a PNG": b"\x89PNG\r\n\x1a\n",
    "a PNG without pixels": png_of(0, 0),
    "a PNG of no data": png_of(100, 100),
    "a PNG that says to be enormous": png_of(2**31 - 1, 2**31 - 1),
    "a GIF that says to be enormous": b"GIF89a\xff\xff\xff\xff\x00\x00\x00" + bytes(50),
    "text that unpacks without end": png_of(4, 4).replace(
        b"IDAT", b"IDAT"
    )[:33] + struct.pack(">I", 20) + b"zTXta\0\0" + zlib.compress(bytes(9_000_000))[:17] + bytes(4),
}  # fmt: skip


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_image_or_too_much_of_one_is_refused_at_once(content: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Refusal) as raised:
        taken(content)
    assert raised.value.code == "image"
    assert time.process_time() - began < 1.0


def test_a_bomb_of_a_few_kilobytes_and_900_million_pixels_is_refused_at_once() -> None:
    side = 30_000
    line = bytes(1 + side // 8)
    bomb = png_of(side, side, zlib.compress(line * side, 9), bits=1, colour=0)
    assert len(bomb) < 200_000
    test_what_is_no_image_or_too_much_of_one_is_refused_at_once(bomb)


def test_the_limits_are_those_that_are_given() -> None:
    content = encoded(SMALL, "PNG")
    with pytest.raises(Refusal) as raised:
        taken(content, most_bytes=len(content) - 1)
    assert raised.value.figures == {"size": len(content), "limit": len(content) - 1}
    with pytest.raises(Refusal):
        taken(content, most_pixels=1199)
    assert taken(content, most_bytes=len(content), most_pixels=1200).width == 40


def test_random_damage_is_refused_or_repaired_and_never_raises_anything_else() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        content = bytearray(encoded(Image.effect_noise((60, 60), 90).convert("RGB"), kind))
        for at in range(0, len(content), max(1, len(content) // 60)):
            damaged = bytearray(content)
            damaged[at] ^= 0xFF
            with contextlib.suppress(Refusal):
                assert taken(bytes(damaged)).width > 0
