"""Small files that would keep a processor busy for minutes: refused before a decoder sees them."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from arena.live.images import read_image
from arena.live.refusal import Refusal


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_PNG = _encoded(Image.new("RGB", (9, 9)), "PNG")
_JPEG = _encoded(Image.new("RGB", (9, 9)), "JPEG")
_GIF = _encoded(Image.new("P", (9, 9)), "GIF")
_IN_GIF = 13 + 3 * (2 << (_GIF[10] & 7))


def _many_scans(number: int) -> bytes:
    """Return a progressive JPEG whose last pass comes again and again."""
    plain = _encoded(Image.new("L", (64, 64), 128), "JPEG", progressive=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + last * number + b"\xff\xd9"


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG, empty chunks": lambda: _PNG[:33] + _chunk(b"vpAg") * 600_000 + _PNG[33:],
    "PNG, empty chunks at the end": lambda: _PNG[:-12] + _chunk(b"vpAg") * 600_000 + _PNG[-12:],
    "PNG, empty pixels": lambda: _PNG[:33] + _chunk(b"IDAT") * 600_000 + _PNG[33:],
    "PNG, profiles": lambda: (
        _PNG[:33] + _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 3_000 + _PNG[33:]
    ),
    "JPEG, empty segments": lambda: _JPEG[:2] + b"\xff\xe5\0\2" * 1_900_000 + _JPEG[2:],
    "JPEG, rubbish between segments": lambda: _JPEG[:2] + b"a" * 7_900_000 + _JPEG[2:],
    "JPEG, passes over the pixels": lambda: _many_scans(50_000),
    "GIF, one long comment": lambda: (
        _GIF[:_IN_GIF] + b"!\xfe" + (b"\xff" + b"x" * 255) * 31_000 + b"\0" + _GIF[_IN_GIF:]
    ),
    "GIF, short comments": lambda: _GIF[:_IN_GIF] + b"!\xfe\1x\0" * 1_500_000 + _GIF[_IN_GIF:],
    "GIF, empty controls": lambda: _GIF[:_IN_GIF] + b"!\xf9\4\0\0\0\0\0" * 900_000 + _GIF[_IN_GIF:],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_of_a_million_parts_is_refused_at_once(name: str) -> None:
    content = BOMBS[name]()
    assert len(content) <= 8_000_000
    began = time.process_time()
    with pytest.raises(Refusal):
        read_image(content, 8_000_000, 24_000_000)
    assert time.process_time() - began < 3


def _photograph(kind: str) -> Image.Image:
    return Image.effect_noise((1500, 1200), 60).convert("P" if kind == "GIF" else "RGB")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("JPEG", {"progressive": True, "exif": b"Exif\0\0" + b"\xff\xda" * 30, "icc_profile": bytes(200_000)}),
        ("GIF", {"comment": b"x" * 10_000}),
        ("WEBP", {}),
    ],
)
def test_a_photograph_is_taken_with_all_that_cameras_add(kind: str, options: dict[str, Any]) -> None:
    assert read_image(_encoded(_photograph(kind), kind, **options), 8_000_000, 24_000_000).width == 1500


_CUT: list[Callable[[bytes], bytes]] = [lambda c: c[:2], lambda c: c[:14], lambda c: c[:40], lambda c: c[:-9]]


@pytest.mark.parametrize("cut", _CUT)
@pytest.mark.parametrize("content", [_PNG, _JPEG, _GIF])
def test_a_file_that_was_cut_off_is_refused_or_repaired(content: bytes, cut: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(Refusal):
        assert read_image(cut(content), 8_000_000, 24_000_000).width == 9
