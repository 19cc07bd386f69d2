"""Verdicts over two answers in plain words: "Assistant A is better", "Output (b)", "A 更好", "平局"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmuses.judge.judge_text import JudgeText, Span
from llmuses.judge.marks import BOTH_BAD, TIE, A, B
from llmuses.judge.saying import Said, heading, is_alone
from llmuses.records import Winner

_WORD = r"(?:assistant|answer|response|output|model|option|candidate|conversation|助手|回答|答案|模型|输出|回复|选手)"
_SIGNS = r"[\"'*_(\[)\]]{0,4}"


def _side(name: str = "w") -> str:
    """Return a pattern of "Assistant A", "Output (b)", "回答 1", or of a bare capital A or B."""
    return (
        rf"(?:{_WORD}\s{{0,3}}{_SIGNS}(?P<{name}>[AB12])(?![A-Za-z0-9]|\.\d){_SIGNS}(?:'s\s+{_WORD})?"
        rf"|(?<![A-Za-z0-9'.])[*_\"(\[]{{0,4}}(?P<{name}_bare>(?-i:[AB]))(?![A-Za-z0-9'])[*_\")\]]{{0,4}})"
    )


_HOW = (
    r"(?:(?:much|far|slightly|clearly|significantly|somewhat|marginally|overall|definitely|also|still|therefore|thus|a\s+bit"
    r"|a\s+little|generally|ultimately|the)\s+){0,3}"
)
_IS = r"(?:is|was|'s|would\s+be|seems|emerges\s+as|comes\s+out\s+as|looks)"
_BETTER = r"(?:better|superior|preferable|stronger|best|preferred)"
_DOES = r"(?:provides|gives|offers|delivers|presents|does|performs|answers|handles|follows|executes|has|did)"
_CHOOSE = r"(?:choose|pick|prefer|select|favou?r|go\s+with|vote\s+for)"
_LEAD_ZH = (
    r"(?:的?(?:回答|答案|表现|质量|回复|内容))?(?:整体|总体|综合|因此|明显地?|显然|略|稍微?|要|更|确实|还是|会"
    rf"|比\s?{_WORD}?\s?[AB]\s?(?:的?(?:回答|表现))?){{0,4}}"
)
_GOOD_ZH = r"(?:更好|更优|更佳|胜出|获胜|更胜一筹|占优|更强|更全面|更准确|更有帮助|更符合|更出色|优于|好于|强于|胜过|略胜|较好|较优|好一些|胜|优|好)"
_WIN_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_side()}\s{{0,3}}{_IS}\s+{_HOW}(?:{_BETTER}|winner|more\s+\w{{3,20}})(?!\w)",
        rf"{_side()}\s{{0,3}}{_HOW}(?:wins|prevails|outperforms|beats|surpasses|outshines|edges\s+out|>{{1,2}}\s{{0,2}}{_WORD}?\s?[AB])",
        rf"{_side()}\s{{0,3}}{_HOW}{_DOES}\s+{_HOW}(?:an?\s+)?{_HOW}(?:[\w,]{{2,20}}\s+){{0,4}}(?:better|superior|more)(?!\w)",
        rf"{_side()}\s{{0,3}}{_HOW}(?:more|better)\s+(?:\w{{3,16}}ly|follows|answers)(?!\w)",
        rf"(?:{_BETTER}|winning)\s+(?:{_WORD}|one|of\s+the\s+two)\s+(?:is|was|would\s+be)[\s:]{{1,3}}{_side()}",
        rf"(?:\bI(?:'d|'ll|\s+would|\s+will)?\s+(?:\w{{2,10}}\s+){{0,2}}{_CHOOSE}|in\s+favou?r\s+of|winner\s+is)[\s:]{{1,3}}{_side()}",
        rf"\bnot\s+(?:quite\s+)?(?:as|so)\s[^.\n]{{1,80}}\bas\s+{_side()}",
        rf"{_side()}\s{{0,3}}{_LEAD_ZH}{_GOOD_ZH}",
        rf"(?:选择?|更喜欢|偏向|倾向于?|判定?|支持|更好的是|胜者[是为]?|优胜者[是为]?)[\s:]{{0,3}}{_side()}(?!\s?[与和跟])",
    )
]
_LOSS_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_side()}\s{{0,3}}(?:is|was)\s+{_HOW}(?:worse|inferior|weaker)(?!\w)",
        rf"{_side()}\s{{0,3}}(?:的?(?:回答|答案|表现|质量))?(?:明显|略|远)?(?:不如|不及|逊于|差于|逊色于|更差|较差)",
    )
]
_TIES = re.compile(
    r"\b(?:(?:it'?s|is|call\s+it|as|verdict:?)\s+(?:a\s+)?(?:tie|draw)(?!\w)|both\s[^.\n]{0,60}\bequal(?:ly)?(?!\w)|equally\s+(?:good|well|helpful|correct|strong)"
    r"|neither\s[^.\n]{0,40}\b(?:better|wins|superior)(?!\w)|no\s+(?:clear|significant|real)?\s{0,2}(?:winner|difference)|tied(?!\w)|on\s+(?:a\s+)?par(?!\w))"
    r"|平局|平手|不分上下|不相上下|不分高下|难分高下|难分伯仲|旗鼓相当|一样好|同样好|打平|持平|不分伯仲|水平相当",
    re.IGNORECASE,
)
_BAD = re.compile(
    rf"\bboth\s+(?:{_WORD}s?\s+|of\s+them\s+)?(?:\w{{1,3}}\s+and\s+\w{{1,3}}\s+)?(?:are|were)\s+(?:equally\s+)?(?:bad|poor|wrong|incorrect|unacceptable|useless)(?!\w)"
    r"|两个?(?:回答|答案|助手|者)?都(?:不好|很差|错误|不对|不正确|不合格|答错)|都答错了",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|isn't|n't|never|neither|nor|hardly|if|whether|had|would\s+have|could|might|may)\b|不(?:一定|能说|是|算)|并非|并不|没有|未必|如果|是否|哪个",
    re.IGNORECASE,
)
_LIMITED = re.compile(
    r"\b(?:in\s+terms\s+of|in\s+(?:clarity|accuracy|depth|style|detail|tone|length)|when\s+it\s+comes\s+to|regarding|at\s+\w{3,12}ing)\b"
    r"|方面|在(?:语言|结构|细节|准确性|深度|风格)上",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|overall|in\s+conclusion|to\s+conclude|in\s+summary|ultimately|consequently|all\s+in\s+all|verdict|so)\b"
    r"|因此|所以|综上|总之|总的来说|总体|综合来看|综合考虑|最终|结论",
    re.IGNORECASE,
)
_MARKED = re.compile(r"\[\[[^\]\n]{0,60}(?:\]\]?)?|\{[^{}]{0,2000}\}")
_SENTENCE = re.compile(r"(?:[^.!?。！？；\n]|\.(?=\w)|(?<=vs)\.){2,800}")
_ALONE = re.compile(
    rf"(?:{_WORD}\s{{0,3}}{_SIGNS}(?P<name>[AB12])(?![A-Za-z0-9]|\.\d)|(?<![A-Za-z0-9'])(?P<letter>[AB])(?![A-Za-z0-9'])"
    r"|(?P<tie>\b(?:tie|draw)\b|平局|平手))",
    re.IGNORECASE,
)

Verdict = tuple[Winner, float]


def named_alone(text: JudgeText) -> list[Said[Verdict]]:
    """Return names that are announced ("Verdict: Assistant A"), or that the last line or the whole text is."""
    found = []
    for match in _ALONE.finditer(_prose(text)):
        name = match["name"] or match["letter"]
        winner = TIE if match["tie"] else A if name in ("A", "a", "1") else B
        said = Said((winner, float(winner is not TIE)), *match.span())
        line = text.line(said.start, said.end)
        nothing_else = not re.search(r"\w", text.text[said.end : line.end])
        if nothing_else and (heading(text, said) or (is_alone(text, said) and text.is_last(said.end))):
            found.append(said)
    return found


def concluded(text: JudgeText) -> list[Said[Verdict]]:
    """Return what the concluding sentences say: the first, the last, those with "therefore" or "overall"; else what any says."""
    prose = _prose(text)
    sentences = [Span(*match.span()) for match in _SENTENCE.finditer(prose) if re.search(r"\w", match.group())]
    said = [(index, one) for index, sentence in enumerate(sentences) for one in _said(prose, sentence)]
    strong = [one for index, one in said if _concludes(prose, sentences, index)]
    return strong or [one for _, one in said]


def _prose(text: JudgeText) -> str:
    """Return the text with what stands in double brackets or braces blank: it was no verdict, or it would have been read."""
    return _MARKED.sub(lambda match: " " * len(match.group()), text.text)


def _concludes(prose: str, sentences: list[Span], index: int) -> bool:
    whole = prose[slice(*sentences[index])]
    return index in (0, len(sentences) - 1) or bool(_CONCLUDES.search(whole))


def _said(prose: str, sentence: Span) -> Iterator[Said[Verdict]]:
    """Yield what one sentence says of two answers, at most one verdict."""
    whole = prose[slice(*sentence)]
    limited = _LIMITED.search(whole) and not _CONCLUDES.search(whole)
    bad, tie = _BAD.search(whole), _TIES.search(whole)
    wins = [*_winners(whole, _WIN_PATTERNS, won=True), *_winners(whole, _LOSS_PATTERNS, won=False)]
    if bad:
        yield Said((BOTH_BAD, 0.0), sentence.start + bad.start(), sentence.start + bad.end())
    elif limited:
        return
    elif len({winner for winner, _ in wins}) == 1:
        winner, match = wins[0]
        yield Said((winner, 1.0), sentence.start + match.start(), sentence.start + match.end())
    elif not wins and tie:
        yield Said((TIE, 0.0), sentence.start + tie.start(), sentence.start + tie.end())


def _winners(sentence: str, patterns: list[re.Pattern[str]], *, won: bool) -> Iterator[tuple[Winner, re.Match[str]]]:
    """Yield whom each match calls better; for patterns of the worse one, the other."""
    for pattern in patterns:
        for match in pattern.finditer(sentence):
            lead = sentence[max(0, match.start() - 40) : match.end()]
            if not _NEGATED.search(lead) or pattern.pattern.startswith(r"\bnot"):
                is_a = (match["w"] or match["w_bare"]) in ("A", "a", "1")
                yield (A if is_a == won else B), match
