"""IFEval: prompts with instructions that can be checked by rules. Zhou et al. (2023), "Instruction-Following Evaluation
for Large Language Models"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from llmuses.benchmarks.base import Benchmark, HubIds, Judgement, Prompt, conversation
from llmuses.benchmarks.rows import Row, cell
from llmuses.metrics.instructions import check_arguments, follows, variants
from llmuses.metrics.own import own_extractor
from llmuses.records import DatasetPlan, GenerationConfig, Mode, Response, Sample


class IFEval(Benchmark):
    """The prompt is sent as it is; ``target`` names its instructions, what is extracted those that were followed.

    ``prompt_strict``: all instructions are followed. ``prompt_loose``: all are, by the text or by one of the seven forms of
    it that leave out its first line, its last one or its asterisks. ``inst_strict`` and ``inst_loose``: the share of all
    instructions that are followed, as in the paper; prompts are the clusters of their interval.
    """

    name = "ifeval"
    title = "IFEval"
    group = "instructions"
    paper = "https://arxiv.org/abs/2311.07911"
    homepage = "https://github.com/google-research/google-research/tree/master/instruction_following_eval"
    licence = "Apache-2.0"
    hub = HubIds("opencompass/ifeval", "google/IFEval")
    files = ("*input_data.jsonl", "{split}*.parquet", "data/{split}*.parquet", "{split}.jsonl")
    subsets = ("default",)
    split = "train"
    few_shot_split = "examples"
    modes: ClassVar[tuple[Mode, ...]] = (Mode.GENERATE,)
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {
        Mode.GENERATE: ("prompt_strict", "prompt_loose", "inst_strict", "inst_loose")
    }
    by_parts = frozenset({"inst_strict", "inst_loose"})
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=1280)

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        names = [str(name) for name in cell(row, "instruction_id_list")]
        # Tables give each instruction the columns of all others, empty.
        arguments = [{k: v for k, v in given.items() if v is not None} for given in cell(row, "kwargs")]
        if len(names) != len(arguments) or not names:
            raise ValueError(f"{len(names)} instructions and {len(arguments)} kwargs")
        for name, given in zip(names, arguments, strict=True):
            check_arguments(name, given)
        return Sample(
            sample_id=str(cell(row, "key")),
            subset=subset,
            question=str(cell(row, "prompt")).strip(),
            target=_listed(names),
            details={"instructions": names, "kwargs": arguments},
        )

    def parts(self, sample: Sample) -> int:
        return len(sample.details["instructions"])

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        return conversation("", [], sample.question, plan)

    def judge(self, sample: Sample, response: Response, plan: DatasetPlan) -> Judgement:
        metrics = self.metrics[Mode.GENERATE]
        text, start = response.text or "", 0
        if plan.extract is not None:
            found = own_extractor(plan.extract)(text)
            text, start = (found.text, found.start or 0) if found else ("", 0)
        if not text.strip():
            return Judgement(None, dict.fromkeys(metrics, 0.0), reason="the answer is empty")
        checked = [
            _check(text, *told) for told in zip(sample.details["instructions"], sample.details["kwargs"], strict=True)
        ]
        strict = [one["strict"] for one in checked]
        loose = [one["loose"] for one in checked]
        values = (all(strict), all(loose), sum(strict) / len(strict), sum(loose) / len(loose))
        return Judgement(
            _listed([one["instruction"] for one in checked if one["strict"]]) or "none",
            dict(zip(metrics, map(float, values), strict=True)),
            (start, start + len(text)),
            "instructions",
            verdict={"instructions": checked},
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _check(text: str, instruction: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    strict = follows(text, instruction, arguments)
    loose = strict or any(follows(form, instruction, arguments) for form in variants(text))
    return {"instruction": instruction, "strict": strict, "loose": loose}
