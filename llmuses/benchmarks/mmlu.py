"""MMLU: 57 subjects, four categories, four options. Hendrycks et al. (2021), "Measuring Massive Multitask Language
Understanding", ICLR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.rows import Row
from llmuses.records import Mode, Sample

_SUBJECTS = {
    "STEM": """abstract_algebra anatomy astronomy college_biology college_chemistry college_computer_science
        college_mathematics college_physics computer_security conceptual_physics electrical_engineering
        elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science
        high_school_mathematics high_school_physics high_school_statistics machine_learning""",
    "Humanities": """formal_logic high_school_european_history high_school_us_history high_school_world_history
        international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory
        professional_law world_religions""",
    "Social sciences": """econometrics high_school_geography high_school_government_and_politics
        high_school_macroeconomics high_school_microeconomics high_school_psychology human_sexuality
        professional_psychology public_relations security_studies sociology us_foreign_policy""",
    "Other": """business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing
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
    hub = HubIds("cais/mmlu", "cais/mmlu", ("*.parquet", "*.csv"))
    files = (
        "{split}/{subset}_{split}.csv",
        "{subset}/{split}-*.parquet",
        "{subset}_{split}.csv",
        "{subset}/{split}.jsonl",
        "all/{split}-*.parquet",
    )
    csv_columns = ("question", "A", "B", "C", "D", "answer")
    subsets = tuple(sorted(_CATEGORIES))
    categories: ClassVar[Mapping[str, str]] = _CATEGORIES
    few_shot_split = "dev"
    few_shot = 5
    chance = 0.25

    def belongs(self, row: Row, subset: str) -> bool:
        return row.get("subject", subset) in (subset, "")

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        answer = row.get("answer", row.get("target"))
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(row.get("question", row.get("input"))).strip(),
            choices=[str(c) for c in row["choices"]] if "choices" in row else [row[letter] for letter in "ABCD"],
            target=LETTERS[answer] if isinstance(answer, int) else str(answer).strip().upper(),
        )

    def intro(self, subset: str, mode: Mode) -> str:
        subject = subset.replace("_", " ")
        if mode is Mode.LOGPROB:
            return f"The following are multiple choice questions (with answers) about {subject}.\n\n"
        return (
            f"The following are multiple choice questions about {subject}. Answer the last one with a line of the "
            "form “Answer: LETTER”, where LETTER is the letter of the right option.\n\n"
        )
