"""BIG-Bench Hard: 23 hard tasks (27 subsets). Suzgun et al. (2022), "Challenging BIG-Bench Tasks and Whether
Chain-of-Thought Can Solve Them"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from llmuses.benchmarks.base import Example, HubIds, Prompt, conversation
from llmuses.benchmarks.generation import Generation
from llmuses.benchmarks.rows import Row, cell, layout_roots
from llmuses.errors import DataError
from llmuses.metrics.choice import read_choice
from llmuses.metrics.numbers import equal_numbers, read_number
from llmuses.metrics.reading import Reading
from llmuses.metrics.stated import read_brackets, read_label, read_words
from llmuses.metrics.words import plain
from llmuses.records import DatasetPlan, GenerationConfig, Sample

Kind = Literal["option", "number", "words", "brackets", "Yes or No", "yes or no", "True or False", "valid or invalid"]


class _Task(NamedTuple):
    """What a task is about (its first line where no worked examples bring one), its answers, its half of the suite."""

    about: str
    kind: Kind
    category: str


_NLP, _STEPS = "Language", "Algorithmic"
_TASKS: Mapping[str, _Task] = {
    "boolean_expressions": _Task("Say whether a Boolean expression is True or False.", "True or False", _STEPS),
    "causal_judgement": _Task("Answer questions about what caused what.", "Yes or No", _NLP),
    "date_understanding": _Task("Work out a date from what is said.", "option", _NLP),
    "disambiguation_qa": _Task("Say whom a pronoun means, or that it cannot be told.", "option", _NLP),
    "dyck_languages": _Task("Close a sequence of brackets.", "brackets", _STEPS),
    "formal_fallacies": _Task("Tell valid arguments from invalid ones.", "valid or invalid", _NLP),
    "geometric_shapes": _Task("Name the shape that an SVG path draws.", "option", _STEPS),
    "hyperbaton": _Task("Choose the sentence whose adjectives are in the right order.", "option", _NLP),
    "logical_deduction_five_objects": _Task("Work out the order of five objects.", "option", _STEPS),
    "logical_deduction_seven_objects": _Task("Work out the order of seven objects.", "option", _STEPS),
    "logical_deduction_three_objects": _Task("Work out the order of three objects.", "option", _STEPS),
    "movie_recommendation": _Task("Recommend a film like those that are named.", "option", _NLP),
    "multistep_arithmetic_two": _Task("Work out an expression with several steps.", "number", _STEPS),
    "navigate": _Task("Say whether a walk ends where it began.", "Yes or No", _STEPS),
    "object_counting": _Task("Count the things of one kind in a list.", "number", _STEPS),
    "penguins_in_a_table": _Task("Answer questions about a table of penguins.", "option", _NLP),
    "reasoning_about_colored_objects": _Task("Answer questions about the colours of objects.", "option", _NLP),
    "ruin_names": _Task("Choose the edit of a name that makes it funny.", "option", _NLP),
    "salient_translation_error_detection": _Task("Say what is wrong with a translation into English.", "option", _NLP),
    "snarks": _Task("Choose the sarcastic statement of two.", "option", _NLP),
    "sports_understanding": _Task("Say whether a sentence about sports is plausible.", "yes or no", _NLP),
    "temporal_sequences": _Task("Say when somebody could have gone somewhere.", "option", _STEPS),
    "tracking_shuffled_objects_five_objects": _Task("Follow five objects through their swaps.", "option", _STEPS),
    "tracking_shuffled_objects_seven_objects": _Task("Follow seven objects through their swaps.", "option", _STEPS),
    "tracking_shuffled_objects_three_objects": _Task("Follow three objects through their swaps.", "option", _STEPS),
    "web_of_lies": _Task("Say who tells the truth and who lies.", "Yes or No", _STEPS),
    "word_sorting": _Task("Sort words by the alphabet.", "words", _STEPS),
}

_LABELS: Mapping[Kind, tuple[Mapping[str, str], frozenset[str]]] = {
    "Yes or No": ({"yes": "Yes", "no": "No"}, frozenset()),
    "yes or no": (
        {"yes": "yes", "no": "no", "plausible": "yes", "implausible": "no"},
        frozenset({"plausible", "implausible"}),
    ),
    "True or False": ({"true": "True", "false": "False"}, frozenset({"true", "false"})),
    "valid or invalid": ({"valid": "valid", "invalid": "invalid"}, frozenset({"valid", "invalid"})),
}
"""The words that say each label, and those of them that may end a last sentence."""

_OPTION = re.compile(r"^\(([A-Z])\)[^\S\n]*(.*)$", re.MULTILINE)
_STEP_BY_STEP = " Let's think step by step."
_CUE = re.compile(r"\nA:[^\S\n]*Let['’]s think step by step\.")
_PROMPT_RULE = re.compile(r"^-{3,}\s*$", re.MULTILINE)
_STATED = re.compile(r"answer is (?P<answer>[^\n]+?)\.?\s*$")


class BBH(Generation):
    """``cot``: worked examples with their reasoning. ``direct``: the same examples with their answers alone.

    The examples are the authors' own where their ``cot-prompts/TASK.txt`` lie beside the rows, else the shipped ones. The
    paper's averages are over 23 tasks, with the three sizes of two of them taken together.
    """

    name = "bbh"
    version = 3  # since 3, a line above the options announces none, and numbers taken back are not read
    title = "BBH"
    group = "reasoning"
    paper = "https://arxiv.org/abs/2210.09261"
    homepage = "https://github.com/suzgunmirac/BIG-Bench-Hard"
    licence = "MIT"
    hub = HubIds("evalscope/bbh", "lukaemon/bbh", ("*.parquet", "*.jsonl", "*.json", "*.csv", "*.txt"))
    files = (
        "{subset}.json",
        "{subset}/{split}*.parquet",
        "{subset}/{split}/*.parquet",
        "{subset}/{split}.jsonl",
        "{subset}.jsonl",
    )
    subsets = tuple(_TASKS)
    categories: ClassVar[Mapping[str, str]] = {name: task.category for name, task in _TASKS.items()}
    variants = ("cot", "direct")
    few_shot_split = "cot-prompts"
    few_shot = 3
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=1024, stop=("\n\nQ:",))

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(cell(row, "input")).strip(),
            target=str(cell(row, "target")).strip(),
        )

    # -- worked examples: one text file a task

    def find(self, root: Path, subset: str, split: str) -> list[Path]:
        if split != self.few_shot_split:
            return super().find(root, subset, split)
        places = [] if root.is_file() else [*layout_roots(root, self.name), root.parent]
        files = [place / f"{subset}.txt" for place in places if place.name == self.few_shot_split]
        files += [place / self.few_shot_split / f"{subset}.txt" for place in places]
        return [file for file in files if file.is_file()][:1]

    def samples(self, root: Path, subset: str, split: str) -> Iterator[Sample]:
        if split != self.few_shot_split:
            yield from super().samples(root, subset, split)
            return
        for file in self.find(root, subset, split):
            yield from _worked_examples(file, subset)

    # -- asking

    def intro(self, subset: str) -> str:
        return f"{_TASKS[subset].about}\n\n"

    def question(self, sample: Sample) -> str:
        return f"Q: {sample.question}\nA:"

    def example_answer(self, sample: Sample) -> str:
        return sample.details.get("reasoning") or f"So the answer is {sample.target}."

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        cue = _STEP_BY_STEP if plan.variant == "cot" else ""
        examples = [
            Example(self.question(shot) + cue, self.example_answer(shot), shot.details["gap"])
            if cue
            else Example(self.question(shot), shot.target)
            for shot in shots
        ]
        intro = f"{shots[0].details['about']}\n\n" if shots else self.intro(sample.subset)
        return conversation(intro, examples, self.question(sample) + cue, plan)

    # -- scoring

    def read(self, text: str, sample: Sample) -> Reading | None:
        kind = _TASKS[sample.subset].kind
        if kind == "option":
            return _read_option(text, sample)
        if kind == "number":
            return read_number(text)
        if kind == "words":
            return read_words(text, sample.question.rpartition("List:")[2].lower().split())
        if kind == "brackets":
            return read_brackets(text)
        return read_label(text, *_LABELS[kind])

    def equal(self, reading: Reading, sample: Sample) -> bool:
        kind = _TASKS[sample.subset].kind
        if kind == "number":
            return equal_numbers(reading.value, sample.target)
        if kind == "option" and not _OPTION.fullmatch(sample.target):
            # A few rows give the answer's text, which is none of their options.
            chosen = dict(_OPTION.findall(sample.question)).get(reading.value.strip("()"), "")
            return plain(chosen) == plain(sample.target)
        return reading.value.split() == (sample.target.lower() if kind == "words" else sample.target).split()


def _read_option(text: str, sample: Sample) -> Reading | None:
    reading = read_choice(text, [option for _, option in _OPTION.findall(sample.question)])
    return reading._replace(value=f"({reading.value})") if reading else None


def _worked_examples(file: Path, subset: str) -> Iterator[Sample]:
    """Yield the worked examples of a prompt file: a heading up to a line of dashes, what the task is about, then blocks
    of "Q: ...", "A: Let's think step by step." and a solution that ends on "the answer is ...".

    Raises DataError for a file of another shape.
    """
    text = file.read_text("utf-8-sig").replace("\r\n", "\n")
    rule = _PROMPT_RULE.search(text)
    about, *blocks = re.split(r"\n\nQ: ", text[rule.end() if rule else 0 :].strip())
    for number, block in enumerate(blocks, 1):
        cue = _CUE.search(block)
        solution = block[cue.end() :] if cue else ""
        stated = _STATED.search(solution)
        if cue is None or stated is None:
            raise DataError(
                f"{file}: worked example {number} does not have the form 'Q: ...', \"A: Let's think step by step.\" and a "
                "solution that ends on 'So the answer is ...'."
            )
        yield Sample(
            sample_id=f"{subset}/example/{number}",
            subset=subset,
            question=block[: cue.start()].strip(),
            target=stated["answer"].strip(),
            details={
                "about": about.strip(),
                "reasoning": solution.strip(),
                "gap": solution[: len(solution) - len(solution.lstrip())],
            },
        )
