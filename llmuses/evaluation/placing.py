"""Which sample an answer of another program belongs to: by its id, or by its index and then checked by its text."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Sequence

from llmuses.errors import DataError
from llmuses.evaluation.answer_log import AnswerLog
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.formats import Answer
from llmuses.records import Ask, Generate, Loglikelihood, Sample

_LETTERS = "abcdefghijklmnopqrstuvwxyz"

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
        """Raise DataError where an answer cannot be of the sample that its index says, or means other options."""
        asked = prompt_text(answer.ask)
        place = self._log.place(answer)
        if answer.index is not None and (asked or answer.seen):
            question = _plain(sample.question)
            if question not in _plain(asked) and question not in _plain(answer.seen):
                raise DataError(
                    f"{place}: {self.name(answer)} asks “{_short(sample.question)}” here and something else in the log: "
                    "other rows, or rows in another order."
                )
        if answer.response.scores is None and not (sample.choices and (asked or answer.seen)):
            return
        ours = self._dataset.prompt(sample).ask
        if not same_options(sample, prompt_text(ours), asked or answer.seen):
            raise DataError(
                f"{place}: the options of “{_short(sample.question)}” stand in another order in the log, so that its "
                "letters mean other options."
            )
        if answer.response.scores is not None and isinstance(ours, Loglikelihood):
            theirs = _continuations(answer)
            if score_order(answer, ours.continuations) is None:
                lacking = next((text for text in ours.continuations if text.strip() not in theirs), None)
                what = "others" if lacking is None else f"“{_short(lacking)}”, which the log does not have"
                raise DataError(
                    f"{place}: the log holds the log-probabilities of {len(theirs)} continuations, such as "
                    f"“{_short(theirs[0])}”; {self._dataset.benchmark.name} compares {len(ours.continuations)}, {what}."
                )


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


def same_options(sample: Sample, ours: str, theirs: str) -> bool:
    """Whether letters mean the same options in a log's prompt as in ours; True, too, where one of them shows no letters."""
    options = [_plain(option) for option in sample.choices]
    if not all(options):
        return True  # signs alone: nothing to tell them by
    here, there = (_lettered(options, _after_question(sample, text)) for text in (ours, theirs))
    return len(here) < 2 or len(there) < 2 or here == there


def _lettered(options: Sequence[str], text: str) -> list[str]:
    """Return the options that stand under A, B, C, ... in a text of letters and digits alone."""
    found: list[str] = []
    end = 0
    for number, letter in enumerate(_LETTERS[: len(options)]):
        following = _LETTERS[number + 1]
        starts = (at + 1 for at in range(end, len(text)) if text[at] == letter)
        place = next((at for at in starts if any(text.startswith(option, at) for option in options)), None)
        if place is None:
            break
        fits = [option for option in options if text.startswith(option, place)]
        # "10" and "100" both begin there: the one that the next letter follows, else the longest.
        found.append(max(fits, key=lambda option: (text.startswith(following, place + len(option)), len(option))))
        end = place + len(found[-1])
    return found


def _after_question(sample: Sample, text: str) -> str:
    """Return the letters and digits of a prompt after its last mention of the sample's question."""
    plain, question = _plain(text), _plain(sample.question)
    start = plain.rfind(question)
    return plain if start < 0 else plain[start + len(question) :]


def prompt_text(ask: Ask | None) -> str:
    """Return all that an ask sends but its continuations."""
    if isinstance(ask, Generate):
        return "\n".join(message.content for message in ask.messages)
    return ask.context if ask else ""


def _plain(text: str) -> str:
    """Return the letters and digits of a text: what prompts and markup leave alone."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
