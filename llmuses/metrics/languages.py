"""Which language a text is in, told from its letters without a network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


def detect_language(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language, None where it has no letters.

    By langdetect (Nakatani 2010, 55 languages), which IFEval's own script uses; its sampling is seeded here, so that a
    text always gets the same answer. A few words, and a few more in capitals, are too little to be told reliably.
    Chinese is ``zh``, whatever its characters.
    """
    from langdetect.lang_detect_exception import LangDetectException

    detector = _factory().create()
    try:
        detector.append(text)
        code: str = detector.detect()
    except LangDetectException:
        return None
    return "zh" if code.startswith("zh") else code


@cache
def _factory() -> Any:
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()
    profiles = sorted(Path(PROFILES_DIRECTORY).iterdir())  # in one order on every machine
    factory.load_json_profile([profile.read_text("utf-8") for profile in profiles])
    factory.seed = 0
    return factory
