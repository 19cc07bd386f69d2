"""Whether a text follows an instruction that can be checked by a rule: the 25 kinds of IFEval.

Zhou et al. (2023), "Instruction-Following Evaluation for Large Language Models". Each kind is one function of the text
and the instruction's own arguments; what counts is what the authors' script counts, its oddities included. Two things
differ: a keyword is text and not a pattern, and a row without an argument is an error where the script draws one.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmuses.metrics.languages import detect_language
from llmuses.metrics.sentences import count_capital_words, count_sentences, count_words


def follows(text: str, instruction: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a text follows an instruction (``punctuation:no_comma``); an empty one follows none."""
    return bool(text.strip()) and INSTRUCTIONS[instruction](text, **arguments)


def variants(text: str) -> list[str]:
    """Return the eight forms of a text of which one must follow an instruction in the loose sense.

    They are the text itself, without its first line, without its last one, without both, and each of them without
    asterisks: opening words, closing words and bold type do then no harm.
    """
    lines = text.split("\n")
    cut = [text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return list(dict.fromkeys([*cut, *(form.replace("*", "") for form in cut)]))


def check_arguments(instruction: str, arguments: Mapping[str, Any]) -> None:
    """Raise ValueError for an instruction that is not known, or arguments that are not its own."""
    if instruction not in INSTRUCTIONS:
        raise ValueError(f"the instruction '{instruction}' is not one of IFEval's {len(INSTRUCTIONS)} kinds")
    signature = inspect.signature(INSTRUCTIONS[instruction])
    try:
        signature.bind("", **arguments)
    except TypeError as problem:
        raise ValueError(f"{instruction}: {problem} in its kwargs") from problem
    for name, value in arguments.items():
        kind = str(signature.parameters[name].annotation)
        if not _KINDS[kind](value):
            raise ValueError(f"{instruction}: {name} cannot be {value!r}")


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "int": lambda value: isinstance(value, int) or (isinstance(value, float) and value.is_integer()),
    "str": lambda value: isinstance(value, str) and bool(value.strip()),
    "Relation": lambda value: value in ("less than", "at least"),
    "Sequence[str]": lambda value: isinstance(value, list) and all(isinstance(word, str) and word for word in value),
}
Relation = str
"""``less than`` or ``at least``."""


def _holds(count: int, relation: Relation, threshold: int) -> bool:
    return count < threshold if relation == "less than" else count >= threshold


# --- keywords ----------------------------------------------------------------------------------------------


def _occurrences(text: str, word: str) -> int:
    return len(re.findall(re.escape(word), text, re.IGNORECASE))


def _keywords(text: str, *, keywords: Sequence[str]) -> bool:
    """Each keyword stands somewhere, inside another word too."""
    return all(_occurrences(text, keyword) for keyword in keywords)


def _keyword_frequency(text: str, *, keyword: str, frequency: int, relation: Relation) -> bool:
    return _holds(_occurrences(text, keyword.strip()), relation, frequency)


def _forbidden_words(text: str, *, forbidden_words: Sequence[str]) -> bool:
    """None of the words stands anywhere as a word of its own."""
    return not any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in forbidden_words)


def _letter_frequency(text: str, *, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    return _holds(text.lower().count(letter.strip().lower()), let_relation, let_frequency)


# --- language and case -------------------------------------------------------------------------------------


def _response_language(text: str, *, language: str) -> bool:
    return detect_language(text) in (language, None)


def _english_capital(text: str) -> bool:
    return text.isupper() and detect_language(text) in ("en", None)


def _english_lowercase(text: str) -> bool:
    return text.islower() and detect_language(text) in ("en", None)


def _capital_word_frequency(text: str, *, capital_frequency: int, capital_relation: Relation) -> bool:
    return _holds(count_capital_words(text), capital_relation, capital_frequency)


# --- length ------------------------------------------------------------------------------------------------


def _number_sentences(text: str, *, num_sentences: int, relation: Relation) -> bool:
    return _holds(count_sentences(text), relation, num_sentences)


def _number_words(text: str, *, num_words: int, relation: Relation) -> bool:
    return _holds(count_words(text), relation, num_words)


def _number_paragraphs(text: str, *, num_paragraphs: int) -> bool:
    """Paragraphs stand between ``***``; an empty one counts at neither end and spoils it in the middle."""
    parts = [part.strip() for part in text.split("***")]
    return all(parts[1:-1]) and sum(map(bool, parts)) == num_paragraphs


def _nth_paragraph_first_word(text: str, *, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Paragraphs stand between empty lines; the n-th one, blank ones counted, begins with a word."""
    parts = text.split("\n\n")
    filled = sum(bool(part.strip()) for part in parts)
    if not 1 <= nth_paragraph <= filled or filled != num_paragraphs:
        return False
    opening = parts[nth_paragraph - 1].split()
    word = re.split(r"[.,?!'\"]", opening[0].lstrip("'").lstrip('"'))[0] if opening else ""
    return bool(word) and word.lower() == first_word.lower()


# --- content -----------------------------------------------------------------------------------------------


def _number_placeholders(text: str, *, num_placeholders: int) -> bool:
    return sum(map(_brackets, text.split("\n"))) >= num_placeholders


def _brackets(line: str) -> int:
    """Return how many pairs of square brackets a line holds, one after the other."""
    count, start = 0, line.find("[")
    while start >= 0 and (end := line.find("]", start)) >= 0:
        count, start = count + 1, line.find("[", end)
    return count


def _postscript(text: str, *, postscript_marker: str) -> bool:
    marker = postscript_marker.strip()
    pattern = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}.get(marker, re.escape(marker.lower()))
    return re.search(pattern, text.lower()) is not None


# --- format ------------------------------------------------------------------------------------------------


def _number_bullet_lists(text: str, *, num_bullets: int) -> bool:
    """Lines that begin with one ``*`` or with ``-`` are exactly so many."""
    lines = [line.lstrip() for line in text.split("\n")]
    return sum(re.match(r"\*[^*]|-", line) is not None for line in lines) == num_bullets


def _constrained_response(text: str) -> bool:
    return any(f"My answer is {choice}." in text for choice in ("yes", "no", "maybe"))


def _number_highlighted_sections(text: str, *, num_highlights: int) -> bool:
    """``*one*`` counts once; of ``**two**`` the inner pair is an empty one, and the outer counts by itself."""
    single = [found for found in re.findall(r"\*([^\n*]*)\*", text) if found.strip()]
    double = [found for found in re.findall(r"\*\*([^\n*]*)\*\*", text) if found.strip()]
    return len(single) + len(double) >= num_highlights


def _multiple_sections(text: str, *, section_spliter: str, num_sections: int) -> bool:
    """Headings such as ``SECTION 1``: at least so many."""
    return len(re.findall(rf"{re.escape(section_spliter.strip())}\s?\d+", text)) >= num_sections


def _json_format(text: str) -> bool:
    """All of the text is JSON, with or without a code fence."""
    bare = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        bare = bare.removeprefix(fence)
    try:
        json.loads(bare.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _title(text: str) -> bool:
    """A title stands in double angular brackets on one line."""
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end and line[start:end].lstrip("<").rstrip(">").strip():
            return True
    return False


# --- combinations, beginning and end, punctuation ----------------------------------------------------------


def _two_responses(text: str) -> bool:
    """Two different texts stand between ``******``."""
    parts = [part.strip() for part in text.split("******")]
    filled = [part for part in parts if part]
    return all(parts[1:-1]) and len(filled) == 2 and filled[0] != filled[1]


def _repeat_prompt(text: str, *, prompt_to_repeat: str) -> bool:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def _end_checker(text: str, *, end_phrase: str) -> bool:
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def _quotation(text: str) -> bool:
    bare = text.strip()
    return len(bare) > 1 and bare[0] == bare[-1] == '"'


def _no_comma(text: str) -> bool:
    return "," not in text


INSTRUCTIONS: Mapping[str, Callable[..., bool]] = {
    "keywords:existence": _keywords,
    "keywords:frequency": _keyword_frequency,
    "keywords:forbidden_words": _forbidden_words,
    "keywords:letter_frequency": _letter_frequency,
    "language:response_language": _response_language,
    "length_constraints:number_sentences": _number_sentences,
    "length_constraints:number_paragraphs": _number_paragraphs,
    "length_constraints:number_words": _number_words,
    "length_constraints:nth_paragraph_first_word": _nth_paragraph_first_word,
    "detectable_content:number_placeholders": _number_placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _number_bullet_lists,
    "detectable_format:constrained_response": _constrained_response,
    "detectable_format:number_highlighted_sections": _number_highlighted_sections,
    "detectable_format:multiple_sections": _multiple_sections,
    "detectable_format:json_format": _json_format,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeat_prompt,
    "startend:end_checker": _end_checker,
    "startend:quotation": _quotation,
    "change_case:capital_word_frequency": _capital_word_frequency,
    "change_case:english_capital": _english_capital,
    "change_case:english_lowercase": _english_lowercase,
    "punctuation:no_comma": _no_comma,
}
"""The 25 kinds by name; a kind's arguments are its function's keywords, named as in the rows."""
