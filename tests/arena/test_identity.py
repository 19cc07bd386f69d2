"""What gives a model away: prompts that ask who it is, answers that name the model or its maker."""

from __future__ import annotations

import re
import time

import duckdb
import pytest

from arena.identity import reveals, suspicious, words_of

ASKING = (
    "Who are you?", "who are you", "Hi! Who are u and what can you do", "What is your name?", "what's ur name",
    "What model are you?", "Which AI model are you based on", "What version of GPT are you", "Who trained you?",
    "Which company made you?", "Are you ChatGPT?", "are you based on llama", "Tell me your model name.",
    "Please introduce yourself", "Write a poem and include your model's name", "你是谁", "你到底是什么模型？", "你叫什么名字",
    "你是哪家公司的产品", "谁开发了你？", "哪家公司训练的你", "你是谁开发的", "请自我介绍一下", "你是不是ChatGPT", "你的名字是什么",
)  # fmt: skip

HARMLESS = (
    "Who are you calling tonight?", "Who are you going to vote for in the poem?", "Write a story about a robot.",
    "What model of car should I buy?", "Which company made the first transistor?", "Who trained Muhammad Ali?",
    "What is the name of the capital of Peru?", "你好", "谁是爱因斯坦？", "谁开发了Linux？", "写一首关于海的诗", "Explain llamas and alpacas.",
    "Compare GPT-4 with Claude.", "My name is Claude. Write me a birthday card.",
)  # fmt: skip


@pytest.mark.parametrize("question", ASKING)
def test_a_prompt_that_asks_who_the_model_is(question: str) -> None:
    assert reveals(question, "An answer.", "Another.", "gpt-4", "qwen2-7b").asked


@pytest.mark.parametrize("question", HARMLESS)
def test_a_prompt_that_asks_something_else(question: str) -> None:
    assert not reveals(question, "An answer.", "Another.", "gpt-4", "qwen2-7b").asked


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("gpt-4", "As an AI language model developed by OpenAI, I have no opinion."),
        ("gpt-3.5-turbo", "I am ChatGPT, and I cannot do that."),
        ("claude-2.1", "I'm Claude, an assistant made by Anthropic."),
        ("claude-3-opus", "Rain on the old roof,\nthe pond is full of circles.\n— Claude"),
        ("llama-2-70b-chat", "I was created by Meta to be helpful."),
        ("gemini-1.5-pro", "I am a large language model, trained by Google."),
        ("qwen2-72b-instruct", "我是通义千问，由阿里云开发。"),
        ("Qwen/Qwen2-7B-Instruct", "As Qwen2-7B-Instruct, I suggest the following."),
        ("ERNIE-Bot", "作为百度开发的文心一言，我可以帮助你。"),
        ("chatglm3-6b", "我是智谱AI训练的语言模型。"),
        ("our-own-7b", "My name is our-own-7b."),
    ],
)
def test_a_model_that_names_itself_or_its_maker(model: str, text: str) -> None:
    assert reveals("Say something.", text, "An answer.", model, "vicuna-13b").named
    assert reveals("Say something.", "An answer.", text, "vicuna-13b", model).named


@pytest.mark.parametrize(
    ("model", "question", "text"),
    [
        ("gpt-4", "Compare GPT-4 with Claude.", "GPT-4 is by OpenAI, Claude is by Anthropic."),
        ("claude-2.1", "Who wrote La Mer?", "Claude Debussy wrote it in 1905."),
        ("llama-2-70b-chat", "Which animals live in Peru?", "The llama and the condor."),
        ("gemini-1.5-pro", "How do I find a recipe?", "Search for it on Google."),
        ("phi-2", "What is the golden ratio?", "The golden ratio phi is 1.618."),
        ("step-1", "How do I bake bread?", "Step 1: mix the flour. This is the longest step."),
        ("vicuna-13b", "Write code.", "print('gpt-4 says hello')"),
        ("yi-34b", "翻译这句话", "一心一意"),
        ("solar-10b", "What heats water?", "A solar panel on the roof."),
        ("our-own-7b", "Write a motto.", "Our work is our pride."),
        ("o1-mini", "Which algorithm is fastest?", "Lookup is O(1) on average."),
    ],
)
def test_an_answer_about_something_else(model: str, question: str, text: str) -> None:
    assert not reveals(question, text, None, model, "koala-13b").named


def test_what_is_missing_gives_nothing_away() -> None:
    assert reveals(None, None, None, "gpt-4", "claude-2") == (False, False)


def test_a_model_is_known_by_its_name_its_family_and_its_maker() -> None:
    assert set(words_of("zhipu/glm-4-air")) >= {"glm-4-air", "glm", "zhipu", "智谱"}
    assert words_of("our-own-7b") == ("our", "our-own-7b")


def test_the_search_for_suspicious_texts_misses_none_and_is_read_alike_by_both_engines() -> None:
    models = ["gpt-4", "qwen2-72b-instruct", "llama-2-70b-chat", "c++coder-7b"]
    pattern = suspicious(models)
    texts = [
        *ASKING,
        "I was created by Meta.",
        "我是通义千问",
        "As Qwen2-72B-Instruct, I",
        "the c++coder-7b",
        "plain text",
    ]
    for text in texts:
        ((found,),) = duckdb.execute("SELECT regexp_matches(?, ?, 'i')", [text, pattern]).fetchall()
        assert found == (re.search(pattern, text, re.IGNORECASE) is not None)
        assert found == (text != "plain text")


@pytest.mark.parametrize("piece", ["-", "—", "\n", "\n-", " \n", "\n - ", "I ", "i am a ", "我是一个"])
def test_no_text_takes_long_to_be_looked_through(piece: str) -> None:
    text = (piece * 40_000)[:40_000]
    began = time.process_time()
    assert not reveals("What do you know of Qwen?", f"{text} qwen is one", text, "qwen2.5-7b", "gpt-4o").asked
    assert time.process_time() - began < 2, "an answer like this must not keep all others waiting"


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("It is blue.\n\n— Qwen", True),
        ("It is blue.\n\n** - Qwen**.\n", True),
        ("- Qwen", True),
        ("It is blue.\n---\n* -- Qwen!", True),
        ("It is blue - Qwen", False),
        ("It is blue -\nQwen", False),
        ("- Qwen\n- Llama", False),
        ("One\n- a qwen-like\n- model", False),
    ],
)
def test_a_name_after_a_dash_at_the_end_is_a_signature(text: str, signed: bool) -> None:
    assert reveals("What do you know of Qwen?", text, None, "qwen2.5-7b", "gpt-4o").named is signed
