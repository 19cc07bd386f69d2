"""CMMLU: 67 subjects of Chinese knowledge, four options. Li et al. (2023), "CMMLU: Measuring massive multitask language
understanding in Chinese".

Four categories divide the subjects; the 15 that are China's own lie across them and are averaged once more, as in the
authors' ``categories.py`` and tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import MultipleChoice
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import Mode, Sample

_SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "STEM": {
        "anatomy": "解剖学",
        "astronomy": "天文学",
        "college_actuarial_science": "大学精算学",
        "college_engineering_hydrology": "大学工程水文学",
        "college_mathematics": "大学数学",
        "college_medical_statistics": "大学医学统计",
        "computer_science": "计算机科学",
        "conceptual_physics": "概念物理学",
        "electrical_engineering": "电气工程",
        "elementary_mathematics": "初等数学",
        "genetics": "遗传学",
        "high_school_biology": "高中生物",
        "high_school_chemistry": "高中化学",
        "high_school_mathematics": "高中数学",
        "high_school_physics": "高中物理学",
        "machine_learning": "机器学习",
        "virology": "病毒学",
    },
    "Humanities": {
        "arts": "艺术学",
        "chinese_history": "中国历史",
        "chinese_literature": "中国文学",
        "college_law": "大学法律",
        "global_facts": "全球事实",
        "international_law": "国际法学",
        "jurisprudence": "法理学",
        "logical": "逻辑学",
        "marxist_theory": "马克思主义理论",
        "philosophy": "哲学",
        "professional_law": "专业法学",
        "world_history": "世界历史",
        "world_religions": "世界宗教",
    },
    "Social sciences": {
        "ancient_chinese": "古汉语",
        "business_ethics": "商业伦理",
        "chinese_civil_service_exam": "中国公务员考试",
        "chinese_food_culture": "中国饮食文化",
        "chinese_foreign_policy": "中国外交政策",
        "chinese_teacher_qualification": "中国教师资格",
        "college_education": "大学教育学",
        "economics": "经济学",
        "education": "教育学",
        "elementary_chinese": "小学语文",
        "ethnology": "民族学",
        "high_school_geography": "高中地理",
        "high_school_politics": "高中政治",
        "journalism": "新闻学",
        "management": "管理学",
        "marketing": "市场营销",
        "modern_chinese": "现代汉语",
        "professional_accounting": "专业会计",
        "professional_psychology": "专业心理学",
        "public_relations": "公共关系",
        "security_study": "安全研究",
        "sociology": "社会学",
    },
    "Other": {
        "agronomy": "农学",
        "chinese_driving_rule": "中国驾驶规则",
        "clinical_knowledge": "临床知识",
        "college_medicine": "大学医学",
        "computer_security": "计算机安全",
        "construction_project_management": "建设工程管理",
        "elementary_commonsense": "小学常识",
        "elementary_information_and_technology": "小学信息技术",
        "food_science": "食品科学",
        "human_sexuality": "人类性行为",
        "legal_and_moral_basis": "法律与道德基础",
        "nutrition": "营养学",
        "professional_medicine": "专业医学",
        "sports_science": "体育学",
        "traditional_chinese_medicine": "中医中药",
    },
}
_CHINA_SPECIFIC = (
    "ancient_chinese",
    "chinese_civil_service_exam",
    "chinese_driving_rule",
    "chinese_food_culture",
    "chinese_foreign_policy",
    "chinese_history",
    "chinese_literature",
    "chinese_teacher_qualification",
    "construction_project_management",
    "elementary_chinese",
    "elementary_commonsense",
    "ethnology",
    "high_school_politics",
    "modern_chinese",
    "traditional_chinese_medicine",
)
_CATEGORIES = {subject: category for category, subjects in _SUBJECTS.items() for subject in subjects}
_NAMES = {subject: name for subjects in _SUBJECTS.values() for subject, name in subjects.items()}


class CMMLU(MultipleChoice):
    """Asked as the authors' own script does, without a space before the letter."""

    name = "cmmlu"
    title = "CMMLU"
    group = "knowledge"
    languages = ("zh",)
    paper = "https://arxiv.org/abs/2306.09212"
    homepage = "https://github.com/haonan-li/CMMLU"
    licence = "CC BY-NC-SA 4.0"
    hub = HubIds(
        "evalscope/cmmlu",
        "haonan-li/cmmlu",
        ("*.parquet", "*.csv", "*.jsonl"),
        huggingface_revision="refs/convert/parquet",
    )
    files = (
        "{split}/{subset}.csv",
        "{subset}/{split}*.parquet",
        "{subset}/{split}/*.parquet",
        "{subset}/cmmlu-{split}.parquet",
        "{subset}/{split}.jsonl",
        "{split}*.parquet",
        "{split}/*.parquet",
        "{split}.jsonl",
    )
    subsets = tuple(sorted(_CATEGORIES))
    subset_column = "category"
    categories: ClassVar[Mapping[str, str]] = _CATEGORIES
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {"china_specific": _CHINA_SPECIFIC}
    few_shot_split = "dev"
    few_shot = 5
    chance = 0.25
    cue = "答案是："
    gap = ""

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        choices = _choices(row)
        target = str(cell(row, "Answer", "answer")).strip().lstrip("(（")[:1].upper()
        if target not in tuple("ABCD"):
            raise ValueError(f"the answer {target!r} is not one of four options' letters")
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(cell(row, "Question", "question")).strip(),
            choices=choices,
            target=target,
        )

    def intro(self, subset: str, mode: Mode) -> str:
        if mode is Mode.LOGPROB:
            return f"以下是关于{_NAMES[subset]}的单项选择题，请直接给出正确答案的选项。\n\n"
        return f"以下是关于{_NAMES[subset]}的单项选择题。请回答最后一题，并以“答案：字母”的形式结尾。\n\n"

    def question(self, sample: Sample, mode: Mode) -> str:
        return f"题目：{super().question(sample, mode)}"


def _choices(row: Mapping[str, Any]) -> list[str]:
    """Return a row's four options: columns A to D, or a list in which ModelScope's copy puts "(A)" before each."""
    if "choices" not in row:
        return [str(cell(row, letter)).strip() for letter in "ABCD"]
    choices = [str(choice).strip() for choice in cell(row, "choices")]
    if len(choices) != 4:
        raise ValueError(f"{len(choices)} options, expected 4")
    return [choice.removeprefix(f"({letter})").strip() for letter, choice in zip("ABCD", choices, strict=True)]
