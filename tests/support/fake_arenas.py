"""Arenas that look real without any model: files of battles drawn from known strengths, and a models.yaml beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

SHOWN: Mapping[str, tuple[float, str, str, float]] = {
    "Qwen3-235B-A22B-Instruct-2507": (1318, "Alibaba", "Apache-2.0", 235),
    "DeepSeek-V3.1": (1314, "DeepSeek", "MIT", 671),
    "Kimi-K2-Instruct-0905": (1309, "Moonshot AI", "Modified MIT", 1000),
    "GLM-4.5": (1305, "Zhipu AI", "MIT", 355),
    "MiniMax-M1-80k": (1281, "MiniMax", "Apache-2.0", 456),
    "gpt-oss-120b": (1278, "OpenAI", "Apache-2.0", 117),
    "Qwen3-32B": (1244, "Alibaba", "Apache-2.0", 32.8),
    "Llama-4-Maverick-17B-128E-Instruct": (1242, "Meta", "Llama 4", 400),
    "GLM-4.5-Air": (1240, "Zhipu AI", "MIT", 106),
    "gemma-3-27b-it": (1236, "Google", "Gemma", 27.4),
    "Mistral-Small-3.2-24B-Instruct": (1211, "Mistral AI", "Apache-2.0", 24),
    "gpt-oss-20b": (1201, "OpenAI", "Apache-2.0", 21),
    "Qwen3-8B": (1188, "Alibaba", "Apache-2.0", 8.2),
    "phi-4": (1176, "Microsoft", "MIT", 14.7),
    "Llama-3.1-70B-Instruct": (1171, "Meta", "Llama 3.1", 70.6),
    "OLMo-2-0325-32B-Instruct": (1158, "Ai2", "Apache-2.0", 32),
    "Qwen3-4B-Instruct-2507": (1143, "Alibaba", "Apache-2.0", 4),
    "internlm3-8b-instruct": (1128, "Shanghai AI Lab", "Apache-2.0", 8.8),
    "MiniCPM4-8B": (1117, "OpenBMB", "Apache-2.0", 8),
    "Llama-3.1-8B-Instruct": (1106, "Meta", "Llama 3.1", 8),
    "Yi-1.5-9B-Chat": (1071, "01.AI", "Apache-2.0", 8.8),
    "SmolLM3-3B": (1054, "Hugging Face", "Apache-2.0", 3.1),
    "Qwen2.5-1.5B-Instruct": (1022, "Alibaba", "Apache-2.0", 1.5),
    "chatglm3-6b": (1000, "Zhipu AI", "ChatGLM3", 6.2),
}
"""Models with a strength in points, made up, and what is known of them."""

CATEGORIES = ("writing", "reasoning", "coding", "maths", "knowledge", "multi-turn")
LANGUAGES = ("en", "zh", "de", "ja")


class FakeArena(NamedTuple):
    """What a file of battles is drawn from: ``strengths`` in points, 400 to odds of ten to one. ``judge`` is a model's name, or
    ``human``; ``questions`` is how many different ones were asked. ``shifts`` moves a model's strength in a category."""

    strengths: Mapping[str, float]
    battles: int
    judge: str = "human"
    categories: Sequence[str] = CATEGORIES
    languages: Sequence[str] = LANGUAGES
    questions: int = 100_000
    shifts: Mapping[tuple[str, str], float] = {}
    outputs: bool = False
    seed: int = 0

    def write(self, path: Path) -> Path:
        """Append the battles to a file and return it; a folder means the file ``battles.jsonl`` in it."""
        path = path if path.suffix else path / "battles.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            for begin in range(0, self.battles, 100_000):
                file.write(self._lines(begin, min(100_000, self.battles - begin)))
        return path

    def _lines(self, begin: int, number: int) -> str:
        rng = np.random.default_rng((self.seed, begin))
        names = list(self.strengths)
        at = np.array([self.strengths[name] for name in names], float)
        first = rng.integers(len(names), size=number)
        second = (first + rng.integers(1, len(names), size=number)) % len(names)
        category = rng.choice(len(self.categories), number, p=_falling(len(self.categories)))
        language = rng.choice(len(self.languages), number, p=_falling(len(self.languages)))
        moved = np.array([[self.shifts.get((name, kind), 0.0) for kind in self.categories] for name in names])
        gap = at[first] + moved[first, category] - at[second] - moved[second, category]
        tied = rng.random(number) < 0.2
        won = rng.random(number) < 1 / (1 + 10 ** (-gap / 400))
        winner = np.where(tied, "tie", np.where(won, "model_a", "model_b"))
        question = rng.integers(self.questions, size=number)
        quoted = [json.dumps(name) for name in names]
        lines = []
        for k, (a, b, w, c, lang, q) in enumerate(
            zip(first, second, winner, category, language, question, strict=True)
        ):
            more = self._texts(rng) if self.outputs else ""
            lines.append(
                f'{{"battle_id":"b{self.seed}-{begin + k}","question_id":"q{q}","model_a":{quoted[a]},"model_b":{quoted[b]},'
                f'"winner":"{w}","judge":{json.dumps(self.judge)},"category":{json.dumps(self.categories[c])},"language":'
                f'"{self.languages[lang]}","anony":true,"pair_probability":{1 / len(names):.4f},"tstamp":{1.795e9 + begin + k}{more}}}\n'
            )
        return "".join(lines)

    def _texts(self, rng: np.random.Generator) -> str:
        sizes = rng.integers(0, 12, size=(2, 4)).tolist()
        one, two = ("a word " * (5 + w) + " **bold**" * b + r"\n- item" * i + r"\n# head" * h for w, b, i, h in sizes)
        return f',"question":"Say something.","output_a":"{one}","output_b":"{two}"'


def _falling(number: int) -> np.ndarray:
    weights = 1 / np.arange(1, number + 1)
    return weights / weights.sum()


def write_models(path: Path, models: Mapping[str, tuple[float, str, str, float]] = SHOWN) -> Path:
    """Write what is known of the models as a models.yaml and return it."""
    lines = []
    for name, (_, organisation, licence, size) in models.items():
        known = {
            "model": f"openai:{name}",
            "organisation": organisation,
            "licence": licence,
            "parameters": size,
            "kind": "chat",
        }
        lines.append(f"{json.dumps(name)}: {json.dumps(known)}\n")
    path.write_text("".join(lines), "utf-8")
    return path


def showcase_arena(outputs: Path, battles: int = 30_000) -> None:
    """Write an arena of people's votes with models of all sorts: one that nobody has met often, one that lost to nobody, two
    that met nobody else, one that was retired; and a judge's arena."""
    strengths = {name: known[0] for name, known in SHOWN.items()}
    people = outputs / "arena-people"
    FakeArena(strengths, battles, shifts={("Qwen3-32B", "coding"): 60.0, ("gemma-3-27b-it", "writing"): 50.0}).write(
        people
    )
    FakeArena({**strengths, "granite-4.0-h-small": 1149}, 40, seed=1).write(people)
    with open(people / "battles.jsonl", "a", encoding="utf-8") as file:
        for place in range(12):
            file.write(_battle(f"w{place}", "Seed-OSS-36B-Instruct", "chatglm3-6b", "model_a"))
        for place in range(60):
            file.write(_battle(f"i{place}", "island-one", "island-two", "model_a" if place % 3 else "model_b"))
    (people / "register.jsonl").write_text(
        '{"model":"chatglm3-6b","event":"added","tstamp":1.0}\n{"model":"chatglm3-6b","event":"retired","tstamp":2.0}\n'
    )
    few = dict(list(strengths.items())[:8])
    FakeArena(few, 4000, judge="gpt-oss-120b", questions=84, seed=2, languages=("en", "zh")).write(
        outputs / "arena-judged"
    )


def _battle(battle_id: str, one: str, two: str, winner: str) -> str:
    return json.dumps({"battle_id": battle_id, "question_id": battle_id, "model_a": one, "model_b": two, "winner": winner,
                       "judge": "human", "category": "writing", "language": "en", "tstamp": 1.8e9}) + "\n"  # fmt: skip
