"""Which sample an answer of another program belongs to: by its id, or by its index and then checked by its text."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Sequence

from llmuses.errors import DataError
from llmuses.evaluation.answer_log import AnswerLog
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.formats import Answer
from llmuses.records import Generate, Loglikelihood, Sample

_SHOWN = 3
"""So many unknown samples are named in a message."""


def place_answers(log: AnswerLog, dataset: Dataset) -> array[int]:
    """Return the turn of each answer's sample, in the log's order.

    Raises DataError, before anything is scored, where a sample is not there, where the log's text is of another
    sample, and where it gives log-probabilities of other continuations.
    """
    finder = _Finder(log, dataset)
    turns = array("q")
    unknown: list[str] = []
    number = 0
    for answer in log:
        turn = finder.turn(answer)
        if turn is None:
            number += 1
            unknown += [finder.name(answer)][: _SHOWN - len(unknown)]
        else:
            finder.check(answer, dataset[turn])
        turns.append(-1 if turn is None else turn)
    if number:
        names = ", ".join(unknown) + (", …" if number > len(unknown) else "")
        raise DataError(
            f"{log.paths[0]}: {number:,} of {len(log):,} answers are for samples that are not among the "
            f"{len(dataset):,} of {dataset.benchmark.name} here: {names}; its ids are like '{dataset[0].sample_id}'."
        )
    return turns


class _Finder:
    def __init__(self, log: AnswerLog, dataset: Dataset):
        self._log = log
        self._dataset = dataset
        self._ids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._turns = array("Q")
        self._first: dict[str, int] = {}
        self._subset_of_file: dict[int, str] = {}

    def turn(self, answer: Answer) -> int | None:
        """Return the turn of the sample that an answer names, None where it is not there."""
        if answer.sample_id is not None:
            return self._by_id(answer.sample_id)
        return self._by_index(self._subset(answer.file), answer.index or 0)

    def name(self, answer: Answer) -> str:
        """Return how a message names the sample of an answer."""
        if answer.sample_id is not None:
            return f"'{answer.sample_id}'"
        return f"index {answer.index} of {self._subset(answer.file)}"

    def _by_id(self, own: str) -> int | None:
        if not self._ids:
            self._ids = {hash(self._dataset[turn].sample_id): turn for turn in range(len(self._dataset))}
        found = self._ids.get(hash(own))
        return self._by_number(own) if found is None else found

    def _by_number(self, own: str) -> int | None:
        """Find ``11`` and ``Mbpp/11`` where the rows carry such numbers; never a count of the file's rows."""
        prefix, _, number = own.rpartition("/")
        if not number.isdecimal() or prefix.lower() not in ("", self._dataset.benchmark.name):
            return None
        if not self._numbers:
            for turn in range(len(self._dataset)):
                sample = self._dataset[turn]
                before, _, tail = sample.sample_id.rpartition("/")
                if before != sample.subset:
                    key = hash(tail)
                    self._numbers[key] = -1 if key in self._numbers else turn
        found = self._numbers.get(hash(number), -1)
        return None if found < 0 else found

    def _by_index(self, subset: str, index: int) -> int | None:
        if not self._first:
            self._turns = self._dataset.turns()
            first = 0
            for name, size in self._dataset.planned().items():
                self._first[name] = first
                first += size
        size = self._dataset.planned().get(subset, 0)
        return self._turns[self._first[subset] + index] if index < size else None

    def _subset(self, file: int) -> str:
        """Return the subset that the answers of a file are of."""
        if file not in self._subset_of_file:
            benchmark, path = self._dataset.benchmark, self._log.paths[file]
            subsets = self._dataset.subsets
            said = subsets[0] if len(subsets) == 1 else benchmark.subset_of(path)
            if said is None:
                raise DataError(
                    f"{path}: nothing says which subset of {benchmark.name} these answers are of; name the file after "
                    f'it, or score one alone: --dataset-args \'{{"{benchmark.name}": {{"subset_list": '
                    f'["{subsets[0]}"]}}}}\'.'
                )
            self._subset_of_file[file] = said
        return self._subset_of_file[file]

    def check(self, answer: Answer, sample: Sample) -> None:
        """Raise DataError where an answer cannot be of the sample that its index says."""
        asked = _text(answer)
        if answer.index is not None and (asked or answer.seen):
            question = _plain(sample.question)
            if question not in _plain(asked) and question not in _plain(answer.seen):
                raise DataError(
                    f"{self._log.place(answer)}: {self.name(answer)} asks “{_short(sample.question)}” here and "
                    "something else in the log: other rows, or rows in another order."
                )
            letters = answer.response.scores is None or not set(sample.choices) <= set(_continuations(answer))
            if letters and not options_fit(sample, asked or answer.seen):
                raise DataError(
                    f"{self._log.place(answer)}: the options of “{_short(sample.question)}” stand in another order in "
                    "the log, so that its letters mean other options."
                )
        if answer.response.scores is not None and score_order(answer, self._continuations(sample)) is None:
            theirs, ours = (
                " | ".join(names) for names in (_continuations(answer), map(str.strip, self._continuations(sample)))
            )
            raise DataError(
                f"{self._log.place(answer)}: the log holds log-probabilities of {theirs}; "
                f"{self._dataset.benchmark.name} compares {ours}."
            )

    def _continuations(self, sample: Sample) -> Sequence[str]:
        ask = self._dataset.prompt(sample).ask
        return ask.continuations if isinstance(ask, Loglikelihood) else ()


def score_order(answer: Answer, ours: Sequence[str]) -> list[int] | None:
    """Return where each of our continuations stands among an answer's own; None where these are other ones."""
    theirs = _continuations(answer)
    order: list[int] = []
    for text in ours:
        places = [n for n, other in enumerate(theirs) if other == text.strip() and n not in order]
        if not places:
            return None
        order.append(places[0])
    return order if len(order) == len(theirs) == len(answer.response.scores or ()) else None


def _continuations(answer: Answer) -> list[str]:
    ask = answer.ask
    return [text.strip() for text in ask.continuations] if isinstance(ask, Loglikelihood) else []


def options_fit(sample: Sample, asked: str) -> bool:
    """Whether a prompt can show a sample's options in the sample's order: it cannot where it holds all in another one."""
    text = _plain(asked)
    text = text[max(0, text.rfind(_plain(sample.question))) :]
    options = [_plain(option) for option in sample.choices]
    if not all(option in text for option in options):
        return True  # it shows none, or other words for them
    end = 0
    for option in options:
        start = text.find(option, end)
        if start < 0:
            return False
        end = start + len(option)
    return True


def _text(answer: Answer) -> str:
    if isinstance(answer.ask, Generate):
        return "\n".join(message.content for message in answer.ask.messages)
    return answer.ask.context if answer.ask else ""


def _plain(text: str) -> str:
    """Return the letters and digits of a text: what prompts and markup leave alone."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
