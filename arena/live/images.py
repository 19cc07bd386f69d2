"""An image that a stranger sends, made harmless: decoded, turned upright, made no larger than models read, and written anew.

What is written holds pixels alone: no place, camera, thumbnail, comment or colour profile of the original, and nothing that
only looked like an image.
"""

from __future__ import annotations

import contextlib
import io
import threading
from typing import TYPE_CHECKING

from arena.live.image_parts import has_too_many_parts
from arena.live.pictures import Picture
from arena.live.refusal import Refusal
from llmuses.records import Image

if TYPE_CHECKING:
    from PIL import Image as pillow

LONGEST_SIDE = 1536
"""Pixels: what is larger is made smaller, as the models' own servers would."""
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_MOST_AT_ONCE = threading.BoundedSemaphore(2)
"""Decoded, an image takes up to a hundred megabytes."""


def read_image(content: bytes, most_bytes: int, most_pixels: int) -> Picture:
    """Return an image as models get it, of an animation the first picture.

    Raises Refusal ``image`` for what is no PNG, JPEG, WebP or GIF, cannot be decoded, or has more bytes or pixels than
    allowed: pixels are counted before they are unpacked. Takes up to a second: not for the event loop.
    """
    if not content or len(content) > most_bytes:
        raise Refusal("image", size=len(content), limit=most_bytes)
    if has_too_many_parts(content):
        raise Refusal("image")
    with _MOST_AT_ONCE:
        try:
            return _written(_decoded(content, most_pixels))
        except Refusal:
            raise
        except Exception as problem:  # a decoder that is fed rubbish raises whatever it meets
            raise Refusal("image") from problem


def _decoded(content: bytes, most_pixels: int) -> pillow.Image:
    """Return the pixels alone."""
    from PIL import Image as pillow
    from PIL import ImageOps

    with pillow.open(io.BytesIO(content), formats=_FORMATS) as image:
        width, height = image.size
        if width * height > most_pixels:
            raise Refusal("image", pixels=width * height, limit=most_pixels)
        if image.format == "JPEG":
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        upright: pillow.Image = image
        with contextlib.suppress(Exception):  # what an image says of itself may be rubbish
            upright = ImageOps.exif_transpose(image)
    see_through = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    pixels = upright.convert("RGBA" if see_through else "RGB")
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    pixels.info = {}
    return pixels


def _written(pixels: pillow.Image) -> Picture:
    kind, options = ("PNG", {}) if pixels.mode == "RGBA" else ("JPEG", {"quality": 90})
    written = io.BytesIO()
    pixels.save(written, kind, **options)
    return Picture(Image(f"image/{kind.lower()}", written.getvalue()), *pixels.size)
