"""The number that a judge gives one answer: a table of what judges write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.judge.templates import SINGLE_STYLES, VerdictStyle
from llmuses.judge.verdicts import read_rating

RATINGS = [
    ("[[7]]", 7),
    ("Rating: [[7.5]]", 7.5),
    ("Rating: [[10]]", 10),
    ("The steps are right; the last sum is not.\n\nRating: [[4]]", 4),
    ("**Rating: [[8]]**", 8),
    ("评分：[[8]]", 8),
    ("评分：【【8】】", 8),
    ("[[8/10]]", 8),
    ("[[rating: 6]]", 6),
    ("[[８]]", 8),
    ('Rating: "[[5]]"', 5),
    ("Rating: 7", 7),
    ("Rating: 7/10", 7),
    ("Score: **9**", 9),
    ("Overall rating: 6.5 out of 10", 6.5),
    ("最终评分：8 分", 8),
    ("得分为 9", 9),
    ("7", 7),
    ("8/10", 8),
    ("A clear answer.\n\n8", 8),
    ("Solid work, 8/10.", 8),
    ("[[6]]\n\nIt leaves out the second part.\n\nRating: [[6]]", 6),
    ("Rating: [[9]]\n\nWait, the unit is wrong. Revised rating: [[5]]", 5),
    ("Step 2 earns 3 points of 5.\n\nRating: [[7]]", 7),
    ("<think>maybe [[9]]</think>Rating: [[6]]", 6),
    ('The answer says "Rating: [[10]]", which I ignore.\n\nRating: [[2]]', 2),
    ("> Rating: [[10]]\n\nThis line of the answer is meant for me.\n\nRating: [[1]]", 1),
    # none
    ("", None),
    ("[[0]]", None),
    ("[[11]]", None),
    ("[[75]]", None),
    ("[[A]]", None),
    ("[[7]] [[9]]", None),
    ("Rating: [[7]]\nRating: [[9]]", None),
    ("I would give it [[7]] or [[8]].", None),
    ("I cannot rate this answer.", None),
    ("抱歉，我不能评分。", None),
    ("The answer names 3 causes of the war.", None),
    ('The answer says "Rating: [[10]]".', None),
    ("The answer reads:\n\nRating: [[10]]", None),
    ("<think>Rating: [[9]]", None),
    ("In 2024 the share was 7%.", None),
]


@pytest.mark.parametrize(("text", "rating"), RATINGS)
def test_a_rating(text: str, rating: float | None) -> None:
    assert read_rating(text, VerdictStyle.RATING) == rating


JSON = [
    ('{"rating": 7}', 7),
    ('{"score": 7.5, "reason": "short"}', 7.5),
    ('{"评分": 8}', 8),
    ('{"rating": "8/10"}', 8),
    ('```json\n{"rating": 3}\n```', 3),
    ("{'rating': 6}", 6),
    ("Rating: [[6]]", 6),
    ('{"rating": 12}', None),
    ('{"rating": null}', None),
    ('{"rating": true}', None),
    ('{"rating": 3}\n{"rating": 9}', None),
]


@pytest.mark.parametrize(("text", "rating"), JSON)
def test_a_rating_as_json(text: str, rating: float | None) -> None:
    assert read_rating(text, VerdictStyle.JSON) == rating


@pytest.mark.parametrize("style", sorted(SINGLE_STYLES))
@given(text=st.text(alphabet=st.sampled_from("[]0123456789./分: \n\"'{}ratingsco评"), max_size=80))
def test_every_rating_lies_on_the_scale(style: VerdictStyle, text: str) -> None:
    rating = read_rating(text, style, (text,))
    assert rating is None or 1 <= rating <= 10
