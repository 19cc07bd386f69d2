"""Battles that were not blind: a model that says who it is, or a prompt that asks it.

A judge who has read a model's name no longer judges blindly, and a voter who wants to find a model asks for it. Names come
from the arena's own models, makers from the list here, in English and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

_FAMILIES: dict[str, tuple[str, ...]] = {
    "baichuan": ("百川",),
    "chatglm": ("智谱", "清言", "zhipu", "z.ai", "KEG"),
    "glm": ("智谱", "清言", "zhipu", "z.ai", "chatglm"),
    "claude": ("anthropic",),
    "command": ("cohere",),
    "deepseek": ("深度求索",),
    "doubao": ("豆包", "字节跳动", "bytedance"),
    "ernie": ("文心", "百度", "baidu"),
    "falcon": ("TII", "technology innovation institute"),
    "gemini": ("google", "谷歌", "deepmind"),
    "gemma": ("google", "谷歌", "deepmind"),
    "gpt": ("openai", "chatgpt"),
    "chatgpt": ("openai", "gpt-4", "gpt-3.5"),
    "grok": ("xai",),
    "hunyuan": ("混元", "腾讯", "tencent"),
    "internlm": ("书生", "浦语", "上海人工智能实验室", "shanghai ai lab"),
    "kimi": ("moonshot", "月之暗面"),
    "koala": ("berkeley",),
    "llama": ("meta", "meta ai", "facebook"),
    "minicpm": ("面壁", "openbmb"),
    "minimax": ("海螺", "hailuo"),
    "mistral": ("mistral ai",),
    "mixtral": ("mistral", "mistral ai"),
    "nova": ("amazon", "亚马逊"),
    "o1": ("openai", "chatgpt"),
    "o3": ("openai", "chatgpt"),
    "palm": ("google", "谷歌"),
    "phi": ("microsoft", "微软"),
    "qwen": ("通义", "千问", "tongyi", "qwq", "alibaba", "阿里巴巴", "阿里云"),
    "qwq": ("通义", "千问", "tongyi", "qwen", "alibaba", "阿里巴巴", "阿里云"),
    "spark": ("讯飞", "星火", "iflytek"),
    "step": ("阶跃", "stepfun"),
    "vicuna": ("lmsys",),
    "wizardlm": ("microsoft", "微软"),
    "yi": ("零一万物", "01.ai"),
}
"""What a model may call itself or its maker, by the word that its name begins with."""

_PLAIN = {
    "command", "falcon", "koala", "llama", "meta", "nova", "o1", "o3", "palm", "phi", "spark", "step", "yi", "gemini",
    "amazon", "apple", "baidu", "bytedance", "facebook", "google", "microsoft", "mistral", "tencent", "alibaba",
    "berkeley", "claude", "keg", "tii", "亚马逊", "微软", "星火", "书生", "浦语", "海螺", "清言", "百川", "豆包",
    "百度", "腾讯", "谷歌", "阿里巴巴", "阿里云", "字节跳动", "混元", "minimax", "面壁", "阶跃", "文心", "千问", "通义",
    "technology innovation institute", "grok", "kimi", "ernie", "智谱", "讯飞",
}  # fmt: skip
"""Words that mean something else too, or are in everybody's mouth: they give a model away only where it speaks of itself."""

_ASKS = (
    r"\bwho (?:exactly )?(?:are|r) (?:you|u)(?:\s*(?:[^\w\s]|$)|\s+(?:and|really|exactly|made|made by|as)\b)",
    r"\bwhat(?:'s| is) (?:your|ur) (?:real |actual |full |model )?name\b",
    (r"\b(?:what|which) (?:kind of |type of |version of |ai |language |llm |large language )*"
    r"(?:model|ai|llm|assistant|chatbot|gpt|version)s? (?:are|r) (?:you|u)\b"),
    r"\bwho (?:made|created|built|trained|developed|owns|programmed|designed) (?:you|u)\b",
    r"\b(?:what|which) (?:company|organi[sz]ation|lab|team|firm) (?:made|created|built|trained|developed|owns|is behind) you\b",
    (r"\bare you (?:really |actually |based on |made by |from |a |an )*"
    r"(?:chat ?gpt|gpt|claude|gemini|bard|llama|qwen|deepseek|mistral|glm|chatglm|openai|anthropic|google|grok|kimi)\b"),
    (r"\b(?:tell|give|say|state|reveal|write|print|include|mention) (?:me |us )?(?:your|the) (?:own |real |exact )?"
    r"(?:model(?:'s)? name|name and (?:maker|company|developer)|model and version|name of your (?:maker|developer|company))\b"),
    r"\b(?:introduce|identify) yourself\b",
    r"\byour (?:model name|maker|creator|developer) (?:is|and)\b",
    r"你(?:到底|究竟)?是(?:谁|什么模型|哪个模型|什么(?:人工智能|ai|大模型|语言模型)|哪家|哪个公司|什么公司|何方)",
    r"你(?:的)?(?:名字|姓名|模型名称?|型号|版本)(?:是|叫)(?:什么|啥|多少)",
    r"你(?:叫|的名字叫)(?:什么|啥)",
    r"(?:谁|哪家公司|哪个公司|哪个团队|哪个机构|什么公司)(?:开发|训练|创造|研发|制造|制作|设计|发明)(?:了|的)?(?:你|您)",
    r"(?:你|您)是(?:由)?(?:谁|哪家公司|哪个公司|哪个团队|什么公司)(?:开发|训练|创造|研发|制造|制作|设计|发明)",
    r"你(?:是不是|是)(?:chatgpt|gpt|文心|通义|千问|qwen|deepseek|豆包|kimi|智谱|chatglm|glm|claude|gemini|llama)",
    r"(?:自我介绍|介绍(?:一下)?(?:你|您)自己)",
)  # fmt: skip
"""Prompts that ask a model who it is."""

_MADE = "(?:made|created|built|trained|developed|designed|offered|provided|released)"

_SPEAKS = (
    r"\b(?:i am|i'm|i’m|my name is|call me|known as)\s+(?:an? |the |called |named |actually )*",
    (
        rf"\b(?:i|i'm|i’m|as an? (?:ai|assistant|large language model|language model|model))\b[^.\n]{{0,60}}{_MADE} "
        r"(?:and \w+ )?by (?:the )?(?:team at |researchers at )?"
    ),
    r"\blanguage model,? (?:called |named |from |by )?",
    r"(?:我是|我叫|我的名字是|本人是|作为|名为)(?:一个|一款|一名)?(?:由|来自)?",
    r"我[^。\n]{0,12}(?:由|来自)",
)
"""How a text goes on when a model speaks of itself: its name or its maker comes next."""


_LETTER = re.compile(r"\w")
_DASHES = ("-", "—", "–", "~")


class Reveal(NamedTuple):
    """Why a battle was not blind: ``asked`` who it is, or a model ``named`` itself or its maker."""

    asked: bool
    named: bool


def reveals(question: str | None, output_a: str | None, output_b: str | None, model_a: str, model_b: str) -> Reveal:
    """Return whether the prompt asks a model who it is, and whether one of the two names itself or its maker.

    A name that stands in the question as well counts only where the model speaks of itself.
    """
    asked = question is not None and _pattern(_ASKS).search(question) is not None
    named = any(
        text is not None and _names_itself(text, question or "", model)
        for text, model in ((output_a, model_a), (output_b, model_b))
    )
    return Reveal(asked, named)


def words_of(model: str) -> tuple[str, ...]:
    """Return what a model may call itself or its maker: its name, the word that it begins with, and its family's names."""
    name = model.rsplit("/", 1)[-1].strip().lower()
    family = re.split(r"[-_ .:@\d]", name, maxsplit=1)[0] or name
    known = next((key for key in sorted(_FAMILIES, key=len, reverse=True) if name.startswith(key)), None)
    own = {name, known or family, *(() if known is None else _FAMILIES[known])}
    return tuple(sorted({word.lower() for word in own if len(word) > 1}))


def suspicious(models: Iterable[str]) -> str:
    """Return a regular expression (RE2's and Python's, lower case) that finds all texts in which ``reveals`` may find
    anything: any name or maker, or a prompt that asks."""
    words = {word for model in models for word in words_of(model)}
    return "|".join([*sorted(re.escape(word) for word in words), *_ASKS])


def _names_itself(text: str, question: str, model: str) -> bool:
    patterns = {word: _word(word) for word in words_of(model)}
    about_it = any(pattern.search(question) is not None for pattern in patterns.values())
    for word, own in patterns.items():
        if own.search(text) is None:
            continue
        if _tells(word) and not about_it:
            return True
        if _signs(text, own) or _pattern(tuple(lead + own.pattern for lead in _SPEAKS)).search(text) is not None:
            return True
    return False


def _signs(text: str, own: re.Pattern[str]) -> bool:
    """Return whether a text ends with a name after a dash that begins a line, as letters are signed.

    It is looked for from the end: as one regular expression it takes hours for a text of dashes.
    """
    last = max(own.finditer(text), key=re.Match.end, default=None)
    if last is None or _LETTER.search(text, last.end()) is not None:
        return False
    start = last.start()
    while start and _LETTER.match(text, start - 1) is None:
        start -= 1
    between = text[start : last.start()].rstrip()
    return between.endswith(_DASHES) and (start == 0 or "\n" in between)


def _tells(word: str) -> bool:
    """Return whether a word alone gives a model away: a known name that means nothing else, or one with a number or hyphen."""
    known = word in _FAMILIES or any(word in map(str.lower, names) for names in _FAMILIES.values())
    return word not in _PLAIN and (known or re.search(r"[\d-]", word) is not None)


@lru_cache(maxsize=4096)
def _word(word: str) -> re.Pattern[str]:
    """Return a pattern of a word on its own; Chinese knows no borders of words."""
    plain = re.escape(word)
    return re.compile(rf"(?<![A-Za-z0-9]){plain}(?![A-Za-z])" if word.isascii() else plain, re.IGNORECASE)


@lru_cache(maxsize=4096)
def _pattern(alternatives: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)
