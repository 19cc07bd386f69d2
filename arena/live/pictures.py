"""Images that visitors sent, as the models get them: checked, written anew, and kept in memory for their session only."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from arena.live.refusal import Refusal
from arena.live.rules import Sizes
from arena.live.visitor import Visitor
from arena.live.wire import ImageInfo
from llmuses.records import Image

_SECONDS = 3600.0
_MOST_BYTES = 256_000_000
"""All images together; the oldest go first."""


class Picture(NamedTuple):
    """An image that was checked and written anew."""

    image: Image
    width: int
    height: int


ReadPicture = Callable[[bytes], Picture]
"""Checks what was sent and writes it anew. Raises Refusal ``image``."""


def image_info(name: str, picture: Picture) -> ImageInfo:
    """Return what a page needs to know of an image that its session sent."""
    return ImageInfo(image=name, width=picture.width, height=picture.height, url=f"arena-api/image/{name}")


class _Kept(NamedTuple):
    session: str
    picture: Picture
    since: float


class Pictures:
    """The images of this process."""

    def __init__(self, sizes: Sizes, clock: Callable[[], float]):
        self._sizes = sizes
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def add(self, visitor: Visitor, picture: Picture) -> str:
        """Keep an image and return its id. A session's oldest one goes where it has too many."""
        own = [name for name, kept in self._kept.items() if kept.session == visitor.session]
        for name in own[: max(0, len(own) - self._sizes.images_per_session + 1)]:
            self._drop(name)
        name = secrets.token_urlsafe(12)
        self._kept[name] = _Kept(visitor.session, picture, self._clock())
        self._bytes += len(picture.image.data)
        self.forget()
        return name

    def get(self, visitor: Visitor, name: str) -> Image:
        """Return an image of this session. Raises Refusal ``image_gone``."""
        self.forget()
        kept = self._kept.get(name)
        if kept is None or kept.session != visitor.session:
            raise Refusal("image_gone")
        return kept.picture.image

    def find(self, visitor: Visitor, name: str | None) -> ImageInfo | None:
        """Return where this session can see an image; None where it is not kept any more, or is another session's."""
        self.forget()
        kept = self._kept.get(name or "")
        if name is None or kept is None or kept.session != visitor.session:
            return None
        return image_info(name, kept.picture)

    def forget(self) -> None:
        """Forget what is old, or too much."""
        while self._kept:
            name, kept = next(iter(self._kept.items()))
            if kept.since > self._clock() - _SECONDS and self._bytes <= _MOST_BYTES:
                return
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._bytes -= len(self._kept.pop(name).picture.image.data)
