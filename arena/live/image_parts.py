"""How many parts an image file has: reading a million empty ones takes minutes, whatever the picture's size."""

from __future__ import annotations

from collections.abc import Iterator

_MOST_PARTS = 2_000
"""Pieces in front of or between the pixels: a photograph has some tens of them."""
_MOST_PIXEL_PARTS = 20_000
"""Pieces of a PNG that hold pixels: mostly of 8 kB or more."""
_MOST_SCANS = 64
"""Passes over a JPEG's pixels: a progressive one has about ten, and each takes as long as a whole picture."""


def has_too_many_parts(content: bytes) -> bool:
    """Return whether a PNG, JPEG or GIF is in more pieces than anybody's camera or program writes.

    For any other content it returns False: what it is worth others find out.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _more_than(_png(content, pixels=False), _MOST_PARTS) or _more_than(
            _png(content, pixels=True), _MOST_PIXEL_PARTS
        )
    if content.startswith(b"\xff\xd8"):
        return content.count(b"\xff\xda") > _MOST_SCANS or _more_than(_jpeg(content), _MOST_PARTS)
    if content.startswith((b"GIF87a", b"GIF89a")):
        return _more_than(_gif(content), _MOST_PARTS)
    return False


def _more_than(parts: Iterator[None], most: int) -> bool:
    return any(number >= most for number, _ in enumerate(parts))


def _png(content: bytes, pixels: bool) -> Iterator[None]:
    """Yield once for each chunk of pixels, or for each other one."""
    at = 8
    while at + 8 <= len(content):
        if (content[at + 4 : at + 8] == b"IDAT") is pixels:
            yield
        at += 12 + int.from_bytes(content[at : at + 4])


def _jpeg(content: bytes) -> Iterator[None]:
    """Yield once for each segment before the pixels, and for each byte between two of them."""
    at = 2
    while at + 1 < len(content):
        yield
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xFF:
            at += 1
        elif marker == 0xDA:
            return
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD9:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))


def _gif(content: bytes) -> Iterator[None]:
    """Yield once for each block of an extension before the first picture, and for each byte between two of them."""
    at = 13 + (3 * (2 << (content[10] & 7)) if len(content) > 10 and content[10] & 0x80 else 0)
    while at < len(content) and content[at] not in (0x2C, 0x3B):
        yield
        if content[at] != 0x21:
            at += 1
            continue
        at += 2
        while at < len(content) and content[at]:
            yield
            at += 1 + content[at]
        at += 1
