"""Which language a battle is in: other spellings mapped to ISO 639-1 codes, and told from the prompt where none is given."""

from __future__ import annotations

from functools import lru_cache

from arena.sql_text import said

_NAMES = {
    "af": "afrikaans afr", "am": "amharic amh", "ar": "arabic ara", "az": "azerbaijani aze", "be": "belarusian bel",
    "bg": "bulgarian bul", "bn": "bengali bangla ben", "ca": "catalan cat", "cs": "czech ces cze", "cy": "welsh cym",
    "da": "danish dan", "de": "german deutsch deu ger", "el": "greek ell gre", "en": "english eng", "eo": "esperanto epo",
    "es": "spanish español spa castilian", "et": "estonian est", "eu": "basque eus", "fa": "persian farsi fas per",
    "fi": "finnish fin", "fr": "french français fra fre", "ga": "irish gle", "gl": "galician glg", "gu": "gujarati guj",
    "he": "hebrew heb iw", "hi": "hindi hin", "hr": "croatian hrv", "hu": "hungarian hun", "hy": "armenian hye",
    "id": "indonesian ind", "is": "icelandic isl", "it": "italian italiano ita", "ja": "japanese jpn 日本語",
    "ka": "georgian kat", "kk": "kazakh kaz", "km": "khmer khm", "kn": "kannada kan", "ko": "korean kor 한국어",
    "la": "latin lat", "lo": "lao", "lt": "lithuanian lit", "lv": "latvian lav", "mk": "macedonian mkd",
    "ml": "malayalam mal", "mn": "mongolian mon", "mr": "marathi mar", "ms": "malay msa", "my": "burmese mya",
    "ne": "nepali nep", "nl": "dutch nld dut", "no": "norwegian nor nb nn nob", "pa": "punjabi pan", "pl": "polish polski pol",
    "pt": "portuguese português por", "ro": "romanian ron", "ru": "russian русский rus", "si": "sinhala sin",
    "sk": "slovak slk", "sl": "slovenian slv", "so": "somali som", "sq": "albanian sqi", "sr": "serbian srp",
    "sv": "swedish swe", "sw": "swahili swa", "ta": "tamil tam", "te": "telugu tel", "th": "thai tha",
    "tl": "tagalog filipino tgl fil", "tr": "turkish türkçe tur", "uk": "ukrainian ukr", "ur": "urdu urd", "uz": "uzbek uzb",
    "vi": "vietnamese vie", "zh": "chinese mandarin zho chi cmn yue 中文 汉语 漢語 simplified_chinese traditional_chinese",
}  # fmt: skip
"""Names and longer codes of languages."""

_UNKNOWN = ("", "unknown", "und", "null", "none", "other", "n/a")

_SCRIPTS = {
    r"\p{Hiragana}\p{Katakana}": "ja", r"\p{Hangul}": "ko", r"\p{Han}": "zh", r"\p{Thai}": "th", r"\p{Hebrew}": "he",
    r"\p{Greek}": "el", r"\p{Tamil}": "ta", r"\p{Telugu}": "te", r"\p{Bengali}": "bn", r"\p{Gujarati}": "gu",
    r"\p{Gurmukhi}": "pa", r"\p{Kannada}": "kn", r"\p{Malayalam}": "ml", r"\p{Georgian}": "ka", r"\p{Armenian}": "hy",
    r"\p{Khmer}": "km", r"\p{Lao}": "lo", r"\p{Myanmar}": "my", r"\p{Sinhala}": "si", r"\p{Ethiopic}": "am",
    "ыэёЫЭЁ": "ru",
}  # fmt: skip
"""Letters that are one language's, or nearly so. Kana stands before Han, which Japanese has too."""

_SHARES = {"ja": 10, "ru": 50}
"""A script counts from one letter in four on; kana and the letters that only Russian has are fewer."""

_ENGLISH = (
    r"\b(the|and|what|how|why|with|you|your|are|this|that|which|from|have|does|write|please|should|would|there)\b"
)

DETECT = "told_language"
"""The function in the database that is asked where letters alone do not tell; see ``detected``."""


def prompt_sql(question: str) -> str:
    """Return the SQL of as much of a prompt (or conversation) as languages are told from."""
    return f"left({said(question, 'user')}, 600)"


def language_sql(language: str, text: str) -> str:
    """Return the SQL of a battle's language as a code, from the language as it was written and ``prompt_sql``'s column.

    Scripts of one language and plain English are told in the database; what is left goes to ``detected``. A language
    that is in no list stays as it was written; NULL where nothing tells.
    """
    name = f"lower(trim({language}))"
    short = f"regexp_extract({name}, '^([a-z]{{2}})([-_].*)?$', 1)"
    given = f"nullif({short}, '')"
    names = " ".join(
        f"WHEN {name} IN ({', '.join(repr(word) for word in words.split())}) THEN '{code}'"
        for code, words in _NAMES.items()
    )
    unknown = f"{name} IS NULL OR {name} IN ({', '.join(repr(word) for word in _UNKNOWN)})"
    return f"CASE WHEN {unknown} THEN {_told(text)} {names} ELSE coalesce({given}, {name}) END"


def _told(text: str) -> str:
    letters = rf"length(regexp_replace({text}, '[^\p{{L}}]+', '', 'g'))"
    scripts = " ".join(
        f"WHEN length(regexp_replace({text}, '[^{script}]+', '', 'g')) * {_SHARES.get(code, 4)} > {letters} THEN '{code}'"
        for script, code in _SCRIPTS.items()
    )
    plain = rf"NOT regexp_matches({text}, '[^\x00-\x7F‘’“”–—…]') AND regexp_matches(lower({text}), '{_ENGLISH}')"
    foreign = rf"regexp_matches({text}, '[^\x00-\x7F]')"
    return f"(CASE WHEN {text} IS NULL THEN NULL WHEN {plain} THEN 'en' WHEN {foreign} THEN CASE {scripts} ELSE {DETECT}({text}) END ELSE {DETECT}({text}) END)"


@lru_cache(maxsize=100_000)
def detected(text: str) -> str | None:
    """Return the code of a text's language by langdetect, None for less than a dozen letters: too little to tell."""
    from llmuses.metrics.languages import detect_language

    return detect_language(text) if sum(letter.isalpha() for letter in text) >= 12 else None
