"""MMLU: 57 subjects, four categories, four options. Hendrycks et al. (2021), "Measuring Massive Multitask Language
Understanding", ICLR.

Which category a subject is in follows the authors' ``categories.py`` (18 subjects of STEM, 13, 12, 14). The table in
their paper, and lm-evaluation-harness after it, has anatomy under STEM, where the code has it under Other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import Mode, Sample

_SUBJECTS = {
    "STEM": """abstract_algebra astronomy college_biology college_chemistry college_computer_science
        college_mathematics college_physics computer_security conceptual_physics electrical_engineering
        elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science
        high_school_mathematics high_school_physics high_school_statistics machine_learning""",
    "Humanities": """formal_logic high_school_european_history high_school_us_history high_school_world_history
        international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory
        professional_law world_religions""",
    "Social sciences": """econometrics high_school_geography high_school_government_and_politics
        high_school_macroeconomics high_school_microeconomics high_school_psychology human_sexuality
        professional_psychology public_relations security_studies sociology us_foreign_policy""",
    "Other": """anatomy business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing
        medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology""",
}
_CATEGORIES = {subject: category for category, subjects in _SUBJECTS.items() for subject in subjects.split()}


class MMLU(MultipleChoice):
    name = "mmlu"
    title = "MMLU"
    group = "knowledge"
    paper = "https://arxiv.org/abs/2009.03300"
    homepage = "https://github.com/hendrycks/test"
    licence = "MIT"
    # The file of all subjects instead of 57 small ones; ``auxiliary_train`` beside it is not fetched.
    hub = HubIds("cais/mmlu", "cais/mmlu", ("all/dev-*.parquet", "all/validation-*.parquet", "all/test-*.parquet"))
    files = (
        "{split}/{subset}_{split}.csv",
        "{subset}_{split}.csv",
        "{subset}/{split}*.parquet",
        "{subset}/{split}/*.parquet",
        "{subset}/{split}.jsonl",
        "all/{split}*.parquet",
        "{split}*.parquet",
        "{split}.jsonl",
    )
    csv_columns = ("question", "A", "B", "C", "D", "answer")
    subsets = tuple(sorted(_CATEGORIES))
    subset_column = "subject"
    categories: ClassVar[Mapping[str, str]] = _CATEGORIES
    split_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"validation": ("validation", "val")}
    few_shot_split = "dev"
    few_shot = 5
    chance = 0.25

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        choices = cell(row, "choices") if "choices" in row else [cell(row, letter) for letter in "ABCD"]
        answer = cell(row, "answer", "target")
        if isinstance(answer, int) and 0 <= answer < len(choices):  # the hubs count options from 0
            answer = LETTERS[answer]
        target = str(answer).strip().upper()
        if len(choices) != 4 or target not in tuple("ABCD"):
            raise ValueError(f"the answer {answer!r} is not one of four options' letters")
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(cell(row, "question", "input")).strip(),
            choices=[str(choice) for choice in choices],
            target=target,
        )

    def intro(self, subset: str, mode: Mode) -> str:
        subject = subset.replace("_", " ")
        # The authors' own script leaves two spaces before the subject; the usual form, also lm-evaluation-harness's, one.
        if mode is Mode.LOGPROB:
            return f"The following are multiple choice questions (with answers) about {subject}.\n\n"
        return (
            f"The following are multiple choice questions about {subject}. Answer the last one with a line of the "
            "form “Answer: LETTER”, where LETTER is the letter of the right option.\n\n"
        )
