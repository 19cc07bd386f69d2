"""Some runs beside each other, dataset by dataset and pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from llmuses import __version__
from llmuses.comparison.pairing import (
    Questions,
    differences,
    measured,
    right_or_wrong,
    scores,
    shared,
    side,
    standard_error,
)
from llmuses.comparison.result import ComparedRun, Comparison, DatasetComparison, Pair, Part, Rank, Refusal
from llmuses.comparison.runs import KnownRun, find_run, read_questions
from llmuses.errors import UnknownNameError, UsageError
from llmuses.evaluation.identity import SAMPLES, unlike
from llmuses.evaluation.runner import Result
from llmuses.records import Report
from llmuses.settings import outputs_dir
from llmuses.statistics.paired import detectable_paired


def compare(
    runs: Sequence[str | Path | Result],
    *,
    datasets: Sequence[str] = (),
    baseline: str | Path | Result | None = None,
    outputs: Path | str | None = None,
) -> Comparison:
    """Compare runs on every dataset that two of them have a report of, and return the paired differences.

    A run is a result of ``evaluate``, a run's folder, or the id of a run below ``outputs``. ``datasets`` chooses some;
    with a ``baseline`` every run is compared with it alone, else with each other. Results of different things are not
    compared: they are among the refusals, with what differs. Raises LlmusesError with one line for people.

        found = compare([evaluate("openai:a", "gsm8k"), evaluate("openai:b", "gsm8k")])
        found.datasets[0].pairs[0].difference, found.datasets[0].pairs[0].ci95
    """
    folder = Path(outputs) if outputs else outputs_dir()
    named = [*runs, *([] if baseline is None else [baseline])]
    known = {run.run.run_id: run for run in (_known(name, folder) for name in named)}
    if len(known) < 2:
        raise UsageError("a comparison needs two different runs or more: llmuses list runs shows what there is.")
    base = None if baseline is None else _known(baseline, folder).run.run_id
    found = [_on_dataset(name, known, base) for name in _chosen(known, datasets)]
    correct([pair for each in found for pair in each.pairs])
    return Comparison(
        runs=_labelled(known.values()),
        datasets=found,
        comparisons=sum(len(each.pairs) for each in found),
        baseline=base,
        llmuses_version=__version__,
    )


def _known(name: str | Path | Result, outputs: Path) -> KnownRun:
    return find_run(str(name.folder if isinstance(name, Result) else name), outputs)


def _labelled(runs: Iterable[KnownRun]) -> list[ComparedRun]:
    models = [run.run.model for run in runs]
    return [
        ComparedRun(
            run_id=each.run.run_id,
            label=each.run.model if models.count(each.run.model) == 1 else each.run.run_id,
            model=each.run.model,
            folder=str(each.folder),
        )
        for each in runs
    ]


def _chosen(runs: Mapping[str, KnownRun], wanted: Sequence[str]) -> list[str]:
    """Return the datasets to compare on. Raises UnknownNameError or UsageError where two reports are not there."""
    reported = [name for run in runs.values() for name in run.reports]
    common = [name for name in dict.fromkeys(reported) if reported.count(name) > 1]
    for name in wanted:
        if name not in reported:
            raise UnknownNameError("dataset in these runs", name, set(reported))
        if name not in common:
            raise UsageError(f"only one of these runs has a report of {name}: nothing to compare it with.")
    if not common:
        have = "; ".join(f"{run_id} {', '.join(run.reports) or 'no report yet'}" for run_id, run in runs.items())
        raise UsageError(f"no dataset has a report in two of these runs: {have}.")
    return list(dict.fromkeys(wanted)) or common


def compare_two(
    dataset: str, first: KnownRun, second: KnownRun, answers: tuple[Questions, Questions] | None = None
) -> Pair | Refusal:
    """Return two runs' comparison on a dataset that both have a report of, or why they are not compared.

    ``answers`` are those of the two where they were read before. P-values are not corrected: ``correct`` does that.
    Raises StoreError where a run's reviews are missing.
    """
    ids = first.run.run_id, second.run.run_id
    refusal = _refusal(*ids, {ids[0]: first.reports[dataset], ids[1]: second.reports[dataset]})
    if refusal is not None:
        return refusal
    read = answers or (read_questions(first, dataset), read_questions(second, dataset))
    pair = _pair(*ids, dict(zip(ids, read, strict=True)), _total(dataset, first, second))
    return pair or Refusal(first=ids[0], second=ids[1], reason="nothing_in_common", parts=[])


# --- one dataset -------------------------------------------------------------------------------------------


def _on_dataset(dataset: str, runs: Mapping[str, KnownRun], baseline: str | None) -> DatasetComparison:
    reports = {run_id: run.reports[dataset] for run_id, run in runs.items() if dataset in run.reports}
    questions = {run_id: read_questions(runs[run_id], dataset) for run_id in reports}
    pairs, refusals = [], []
    for first, second in _pairs(list(reports), baseline):
        refusal = _refusal(first, second, reports)
        found = None if refusal else _pair(first, second, questions, _total(dataset, runs[first], runs[second]))
        if found is not None:
            pairs.append(found)
        else:
            refusals.append(refusal or Refusal(first=first, second=second, reason="nothing_in_common", parts=[]))
    group = _largest_group(reports)
    head = reports[group[0]]
    return DatasetComparison(
        dataset=dataset,
        title=head.title,
        metric=head.metric,
        setting=head.setting,
        pairs=pairs,
        refusals=refusals,
        ranks=_ranks({run_id: questions[run_id] for run_id in group}),
    )


def _pairs(runs: Sequence[str], baseline: str | None) -> list[tuple[str, str]]:
    if baseline is None:
        return list(itertools.combinations(runs, 2))
    return [(run, baseline) for run in runs if run != baseline and baseline in runs]


def _total(dataset: str, first: KnownRun, second: KnownRun) -> int | None:
    """Return how many samples two runs were asked; None where these are not the same."""
    a, b = (run.run.states[dataset].order for run in (first, second))
    return a.n if a.sha256 == b.sha256 else None


def _refusal(first: str, second: str, reports: Mapping[str, Report]) -> Refusal | None:
    """Return why two results are not of the same thing; None where at most the choice of samples differs."""
    a, b = reports[first], reports[second]
    if a.fingerprint == b.fingerprint:
        return None
    if not a.identity or not b.identity:
        return Refusal(first=first, second=second, reason="unknown", parts=[])
    parts = [Part(name=name, first=x, second=y) for name, (x, y) in unlike(a.identity, b.identity).items()]
    apart = [part for part in parts if part.name != SAMPLES]
    return Refusal(first=first, second=second, reason="differs", parts=apart) if apart else None


def _pair(first: str, second: str, questions: Mapping[str, Questions], total: int | None) -> Pair | None:
    """Return the comparison of two runs; None where no question has an answer in both.

    ``total`` is how many samples both were asked where these are the same.
    """
    a, b = questions[first], questions[second]
    common = shared(a, b, total)
    if not common.ids:
        return None
    strata = differences(a, b, common.ids)
    difference, p_value, method = measured(strata, right_or_wrong(a, common.ids) and right_or_wrong(b, common.ids))
    values = [value for stratum in strata for value in stratum]
    return Pair(
        first=first,
        second=second,
        n=len(common.ids),
        left_out=common.left_out,
        only_first=common.only_first,
        only_second=common.only_second,
        sides=(side(a, common.ids, b), side(b, common.ids, a)),
        difference=difference.mean,
        stderr=difference.stderr,
        ci95=(difference.low, difference.high),
        method=method,
        p_value=p_value,
        p_corrected=p_value,
        won=sum(value > 0 for value in values),
        lost=sum(value < 0 for value in values),
        tied=sum(value == 0 for value in values),
        detectable=detectable_paired(difference.stderr),
    )


def correct(pairs: Sequence[Pair]) -> None:
    """Correct the p-values of all pairs that are shown at once, and what they could have shown, for there being so many."""
    from llmuses.statistics.multiple import holm

    corrected = holm([pair.p_value for pair in pairs])
    for pair, p_value in zip(pairs, corrected, strict=True):
        pair.p_corrected = p_value
        pair.detectable = detectable_paired(pair.stderr, len(pairs))


def _largest_group(reports: Mapping[str, Report]) -> list[str]:
    """Return the most runs of which every two can be compared."""
    groups: list[list[str]] = []
    for run_id in reports:
        home = next((group for group in groups if _refusal(group[0], run_id, reports) is None), None)
        if home is None:
            groups.append([run_id])
        else:
            home.append(run_id)
    return max(groups, key=len)


def _ranks(questions: Mapping[str, Questions]) -> list[Rank]:
    """Return the range of ranks of each run over the questions that all of them answered, the best first."""
    import numpy as np

    from llmuses.statistics.multiple import rank_ranges, simultaneous_quantile

    runs = list(questions)
    first = questions[runs[0]]
    ids = sorted(
        set.intersection(*({i for i, q in each.items() if q.score is not None} for each in questions.values()))
    )
    if len(runs) < 2 or len(ids) < 2:
        return []
    subsets = {name: place for place, name in enumerate(dict.fromkeys(first[sample_id].subset for sample_id in ids))}
    table = np.array([scores(questions[run], ids) for run in runs])
    quantile = simultaneous_quantile(table, [subsets[first[sample_id].subset] for sample_id in ids])
    means = table.mean(axis=1)
    binary = all(right_or_wrong(each, ids) for each in questions.values())
    ahead = [[False] * len(runs) for _ in runs]
    for i, j in itertools.permutations(range(len(runs)), 2):
        if means[i] > means[j]:
            error = standard_error(differences(questions[runs[i]], questions[runs[j]], ids), binary)
            ahead[i][j] = bool(means[i] - means[j] > quantile * error)
    ranges = rank_ranges(ahead)
    order = sorted(range(len(runs)), key=lambda place: (ranges[place], -means[place]))
    return [Rank(run=runs[place], best=ranges[place][0], worst=ranges[place][1]) for place in order]
