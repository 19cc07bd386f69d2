"""C-Eval: 52 subjects of Chinese examinations, four categories, four options. Huang et al. (2023), "C-Eval: A Multi-Level
Multi-Discipline Chinese Evaluation Suite for Foundation Models", NeurIPS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import MultipleChoice
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import DatasetPlan, Mode, Sample

_SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "STEM": {
        "computer_network": "计算机网络",
        "operating_system": "操作系统",
        "computer_architecture": "计算机组成",
        "college_programming": "大学编程",
        "college_physics": "大学物理",
        "college_chemistry": "大学化学",
        "advanced_mathematics": "高等数学",
        "probability_and_statistics": "概率统计",
        "discrete_mathematics": "离散数学",
        "electrical_engineer": "注册电气工程师",
        "metrology_engineer": "注册计量师",
        "high_school_mathematics": "高中数学",
        "high_school_physics": "高中物理",
        "high_school_chemistry": "高中化学",
        "high_school_biology": "高中生物",
        "middle_school_mathematics": "初中数学",
        "middle_school_biology": "初中生物",
        "middle_school_physics": "初中物理",
        "middle_school_chemistry": "初中化学",
        "veterinary_medicine": "兽医学",
    },
    "Social sciences": {
        "college_economics": "大学经济学",
        "business_administration": "工商管理",
        "marxism": "马克思主义基本原理",
        "mao_zedong_thought": "毛泽东思想和中国特色社会主义理论体系概论",
        "education_science": "教育学",
        "teacher_qualification": "教师资格",
        "high_school_politics": "高中政治",
        "high_school_geography": "高中地理",
        "middle_school_politics": "初中政治",
        "middle_school_geography": "初中地理",
    },
    "Humanities": {
        "modern_chinese_history": "近代史纲要",
        "ideological_and_moral_cultivation": "思想道德修养与法律基础",
        "logic": "逻辑学",
        "law": "法学",
        "chinese_language_and_literature": "中国语言文学",
        "art_studies": "艺术学",
        "professional_tour_guide": "导游资格",
        "legal_professional": "法律职业资格",
        "high_school_chinese": "高中语文",
        "high_school_history": "高中历史",
        "middle_school_history": "初中历史",
    },
    "Other": {
        "civil_servant": "公务员",
        "sports_science": "体育学",
        "plant_protection": "植物保护",
        "basic_medicine": "基础医学",
        "clinical_medicine": "临床医学",
        "urban_and_rural_planner": "注册城乡规划师",
        "accountant": "注册会计师",
        "fire_engineer": "注册消防工程师",
        "environmental_impact_assessment_engineer": "环境影响评价工程师",
        "tax_accountant": "税务师",
        "physician": "医师资格",
    },
}
_CATEGORIES = {subject: category for category, subjects in _SUBJECTS.items() for subject in subjects}
_NAMES = {subject: name for subjects in _SUBJECTS.values() for subject, name in subjects.items()}

_HARD = (
    "advanced_mathematics",
    "discrete_mathematics",
    "probability_and_statistics",
    "college_chemistry",
    "college_physics",
    "high_school_mathematics",
    "high_school_chemistry",
    "high_school_physics",
)
"""The subjects of C-Eval Hard: mathematics, physics and chemistry that take reasoning."""


class CEval(MultipleChoice):
    """The test split has no answers (the authors' server scores it), so the validation split is asked.

    The variant ``paper`` asks as the authors' script does. ``lm-eval`` is lm-evaluation-harness's form of it for
    log-probabilities: a space before the letter, and no word for "examination" (考试) in the first line.
    """

    name = "ceval"
    title = "C-Eval"
    group = "knowledge"
    languages = ("zh",)
    paper = "https://arxiv.org/abs/2305.08322"
    homepage = "https://cevalbenchmark.com"
    licence = "CC BY-NC-SA 4.0"
    hub = HubIds("evalscope/ceval", "ceval/ceval-exam", ("*.parquet", "*.csv"))
    files = (
        "{split}/{subset}_{split}.csv",
        "{subset}_{split}.csv",
        "{subset}/{split}*.parquet",
        "{subset}/{split}/*.parquet",
        "{subset}/{split}.jsonl",
    )
    subsets = tuple(_CATEGORIES)
    categories: ClassVar[Mapping[str, str]] = _CATEGORIES
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {"hard": _HARD}
    split = "validation"
    split_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"validation": ("val", "validation")}
    few_shot_split = "dev"
    few_shot = 5
    chance = 0.25
    cue = "答案："
    gap = ""
    variants = ("paper", "lm-eval")

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        target = str(cell(row, "answer")).strip().upper()
        if target not in tuple("ABCD"):
            raise ValueError("the row has no answer; of C-Eval's test split only the authors' server knows them")
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(cell(row, "question")).strip(),
            choices=[str(cell(row, letter)) for letter in "ABCD"],
            target=target,
        )

    def intro_in(self, subset: str, plan: DatasetPlan) -> str:
        if plan.variant == "lm-eval" and plan.mode is Mode.LOGPROB:
            return f"以下是中国关于{_NAMES[subset]}的单项选择题，请选出其中的正确答案。\n\n"
        return self.intro(subset, plan.mode)

    def gap_in(self, plan: DatasetPlan) -> str:
        return " " if plan.variant == "lm-eval" else self.gap

    def intro(self, subset: str, mode: Mode) -> str:
        if mode is Mode.LOGPROB:
            return f"以下是中国关于{_NAMES[subset]}考试的单项选择题，请选出其中的正确答案。\n\n"
        return f"以下是中国关于{_NAMES[subset]}考试的单项选择题。请回答最后一题，并以“答案：字母”的形式结尾。\n\n"
