"""An arena that looks real without any model: battles of known strengths, a judge in both orders, a register."""

from __future__ import annotations

import random
from pathlib import Path

from llmuses.records import Battle, Exclusion, Message, Redaction, RegisterEvent, RegisterLine, Winner
from llmuses.store import JsonlStore

STRENGTHS = {"gamma": 300.0, "delta": 150.0, "epsilon": 0.0, "zeta": -150.0}
WEAKER = {("gamma", "coding"): 250.0, ("zeta", "maths"): -150.0}
"""By how much a model is weaker in a category than overall."""

CATEGORIES = ("writing", "coding", "maths")
QUESTIONS = {
    "writing": "Write a firm e-mail about a radiator that has been cold for six days.",
    "coding": "Rewrite this query so that it does not scan the table twice.",
    "maths": "Show that the product of four consecutive integers plus one is a square.",
}
WITHDRAWN = "b00007"
EXCLUDED = "b00009"
SECRET = "what a person asked to be forgotten"


def write_arena(outputs: Path, name: str = "arena-open", battles: int = 600, start: float = 1.79e9) -> Path:
    """Write an arena's folder and return it: three quarters of the battles are decided by people, the others by a judge."""
    folder = outputs / name
    draw = random.Random(3)
    models = list(STRENGTHS)
    with JsonlStore(folder / "battles.jsonl", Battle) as store:
        store.append_all([_battle(draw, models, number, start) for number in range(battles)])
    with JsonlStore(folder / "battles.jsonl", Exclusion) as store:
        store.append(Exclusion(battle_id=EXCLUDED, reason="asked anew", tstamp=start))
    with JsonlStore(folder / "battles.jsonl", Redaction) as store:
        store.append(Redaction(battle_id=WITHDRAWN, tstamp=start))
    with JsonlStore(folder / "register.jsonl", RegisterLine) as store:
        for model in models:
            store.append(
                RegisterLine(model=model, event=RegisterEvent.ADDED, model_spec=f"openai:{model}", tstamp=start)
            )
        store.append(
            RegisterLine(model="gamma-small", event=RegisterEvent.VARIANT, variant_of="gamma", tstamp=start + 86400)
        )
        store.append(
            RegisterLine(
                model="zeta", event=RegisterEvent.PAUSED, reason="its server is being moved", tstamp=start + 90000
            )
        )
    return folder


def _battle(draw: random.Random, models: list[str], number: int, start: float) -> Battle:
    one, two = draw.sample(models, 2)
    category = CATEGORIES[number % 3]
    apart = [STRENGTHS[model] - WEAKER.get((model, category), 0.0) for model in (one, two)]
    expected = 1 / (1 + 10 ** ((apart[1] - apart[0]) / 400))
    winner = Winner.TIE if draw.random() < 0.1 else Winner.MODEL_A if draw.random() < expected else Winner.MODEL_B
    judged = number % 4 == 3
    torn = judged and number % 5 == 0
    question = SECRET if f"b{number:05}" == WITHDRAWN else QUESTIONS[category]
    turns = [Message("user", question), Message("user", "Now in two sentences.")] if number % 10 == 0 else None
    return Battle(
        battle_id=f"b{number:05}",
        question_id=f"q{number % 9}",
        model_a=one,
        model_b=two,
        winner=Winner.TIE if torn else winner,
        judge="judge-model" if judged else "human",
        category=category,
        language="en",
        question=question,
        conversation=turns,
        output_a=f"{one} answers: **{number}**.",
        output_b=f"{two} answers:\n\n```python\nprint({number})\n```",
        verdicts=([Winner.MODEL_A, Winner.MODEL_B] if torn else [winner, winner]) if judged else None,
        voter=None if judged else f"v{number % 40}",
        tstamp=start + number * 3600,
    )
