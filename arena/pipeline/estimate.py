"""What judging will take, said before the first call; and who is asked whether to go on."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from arena.pipeline.config import Orders
from arena.pipeline.judges import Judge
from arena.pipeline.judging import Bench, Expected, expected
from llmuses.errors import CutShortError, UsageError
from llmuses.judge.templates import JudgeMode


def refuse_unasked(panel: Sequence[Judge], folder: Path, slots: int) -> None:
    """Raise UsageError where a judge may cost money, nobody can be asked, and nothing was judged before."""
    for judge in panel:
        if not judge.free and not (folder / "verdicts" / f"{judge.file}.jsonl").exists():
            calls = slots * (2 if judge.orders is Orders.SWAP else 1)
            raise UsageError(
                f"judge {judge.name} may cost money, up to {calls:,} calls: add --yes to make them unasked."
            )


def estimate(
    benches: Sequence[Bench],
    questions: int,
    mode: JudgeMode,
    confirm: Callable[[str], bool] | None,
    say: Callable[[str], None],
    yes: bool = False,
) -> None:
    """Say what the judges' calls will take; where they cost money, go on only if that is wanted, or was (``yes``).

    Raises CutShortError where it is not, UsageError where nobody can be asked.
    """
    asked = [_expected(bench) for bench in benches]
    words = in_words(benches, asked, questions, mode)
    costs = any(one.cost.calls and not bench.judge.free for one, bench in zip(asked, benches, strict=True))
    if yes or not costs:
        say(f"{words}.")
    elif confirm is None:
        raise UsageError(f"{words}: add --yes to make them unasked.")
    elif not confirm(f"{words}; go on?"):
        raise CutShortError("no judge was asked; the answers are kept.")


def _expected(bench: Bench) -> Expected:
    if not bench.judge.quick:
        return expected(bench, None)
    with closing(bench.judge.opened()) as model:
        return expected(bench, model.identity)


def in_words(benches: Sequence[Bench], asked: Sequence[Expected], questions: int, mode: JudgeMode) -> str:
    """Return what it takes in a line such as "80 questions × 6 pairs × 2 orders = 960 calls, about 1,200,000 tokens"."""
    calls, held = sum(one.calls for one in asked), sum(one.held for one in asked)
    words = f"{calls:,} judge calls"
    slots = len(benches[0].slots)
    orders = {2 if bench.judge.orders is Orders.SWAP and mode is not JudgeMode.SINGLE else 1 for bench in benches}
    if slots % questions == 0 and len(orders) == 1:
        what, each = "answer" if mode is JudgeMode.SINGLE else "pair", slots // questions
        factors = [f"{questions:,} question{'s' * (questions > 1)}", f"{each:,} {what}{'s' * (each > 1)}"]
        factors += [f"{order} orders" for order in orders if order > 1]
        factors += [f"{len(benches)} judges"] if len(benches) > 1 else []
        product = slots * sum(orders) * len(benches)
        same = "" if product == calls else f", {product - calls:,} of them alike"
        words = f"{' × '.join(factors)} = {product:,} judge calls{same}"
    words += f", {held:,} of them made before" if held else ""
    if not any(one.cost.calls for one in asked):
        return words
    prompt, answer = sum(one.cost.prompt_tokens for one in asked), sum(one.cost.max_answer_tokens for one in asked)
    words += f", about {prompt:,} tokens of prompts"
    words += f" and at most {answer:,} of verdicts" if answer else ""
    return words + _price(benches, asked)


def example(bench: Bench) -> str:
    """Return the first call as it would be sent: every message whole, under its role.

    What could move a terminal's cursor or change its colours is shown as ``\\x1b`` and its like: answers are anybody's texts.
    """
    call = bench.calls()[0]
    slot = bench.slots[call.slot]
    names = " and ".join(slot.names[::-1] if call.swapped else slot.names)
    parts = [f"The first call, question {slot.question.question_id} with {names}, as it would be sent:"]
    parts += [f"[{m.role}]\n{m.content}" for m in bench.judge.wording.ask(bench.shown(call)).messages]
    return "".join(_seen(letter) for letter in "\n".join(parts)) + "\n"


def _seen(letter: str) -> str:
    shown = letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs")
    return letter if shown else letter.encode("unicode_escape").decode("ascii")


def _price(benches: Sequence[Bench], asked: Sequence[Expected]) -> str:
    costs: dict[str, float] = {}
    for bench, one in zip(benches, asked, strict=True):
        if (price := bench.judge.price) is not None:
            tokens = one.cost.prompt_tokens * price.prompt + one.cost.max_answer_tokens * price.completion
            costs[price.currency] = costs.get(price.currency, 0.0) + tokens / 1e6
    said = " + ".join(f"{cost:,.2f} {currency}" for currency, cost in costs.items())
    return f", at most about {said}" if said else ""
