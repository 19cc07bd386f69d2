"""A benchmark's samples on disk, in the order of asking.

Samples are spooled to a temporary file, so that a run's memory does not grow with its dataset; what stays in memory
is eight bytes a sample for its place, its subset and its turn.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from array import array
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import accumulate
from pathlib import Path

import msgspec

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.base import Prompt
from llmuses.errors import DataError, EmptySubsetError, HubError, LayoutError
from llmuses.hub import Hub, fetch_dataset
from llmuses.inference import Item
from llmuses.records import DatasetPlan, Generate, Order, Sample
from llmuses.settings import REGISTRY


class Dataset:
    """One benchmark as a run asks it: samples, worked examples, order.

    ``subsets`` are those that hold rows; ``sha256`` is over all their samples in file order; ``chance`` is the mean
    expected score of blind guessing over them; ``borrowed_shots`` says that worked examples come from the shipped
    sample set, since the rows came without any. ``prompts_sha256`` is over what is asked of the first sample of each
    subset, worked examples and all.
    """

    def __init__(self, benchmark: Benchmark, plan: DatasetPlan, limit: int | None, seed: int):
        self.benchmark = benchmark
        self.plan = plan
        self._spool = tempfile.TemporaryFile(prefix="llmuses-samples-")
        self._decoder = msgspec.json.Decoder(Sample)
        self._offsets = array("Q")
        roots = cache(partial(locate, benchmark, plan))
        self.subsets = _subsets(benchmark, plan, roots)
        sizes, self.sha256, self.chance = self._load(roots)
        self._shots: dict[str, list[Sample]] = {}
        self.borrowed_shots = False
        for subset in self.subsets:
            self._shots[subset], borrowed = _shots(benchmark, plan, roots(subset), subset)
            self.borrowed_shots |= borrowed
        self.prompts_sha256 = "" if plan.answers else self._prompts_digest(sizes)
        taken = [size if limit is None else min(size, limit) for size in sizes]
        self._planned = dict(zip(self.subsets, taken, strict=True))
        self._turns = stratified_order(self.subsets, sizes, limit, seed)
        self.order = self._order(seed)

    def _load(self, roots: Callable[[str], Path]) -> tuple[list[int], str, float]:
        digest = hashlib.sha256()
        encode = msgspec.json.Encoder(order="deterministic").encode
        sizes, chance, offset = [], 0.0, 0
        seen: set[int] = set()
        for subset in self.subsets:
            before, root = len(self._offsets), roots(subset)
            for sample in self.benchmark.samples(root, subset, self.plan.split):
                if sample.subset != subset or hash(sample.sample_id) in seen:
                    raise DataError(
                        f"{self.benchmark.name}, subset '{subset}' in {root}: the id '{sample.sample_id}' stands there "
                        f"twice, or under subset '{sample.subset}': every sample needs an id of its own."
                    )
                seen.add(hash(sample.sample_id))
                line = encode(sample) + b"\n"
                digest.update(line)
                self._spool.write(line)
                self._offsets.append(offset)
                offset += len(line)
                chance += self.benchmark.sample_chance(sample, self.plan)
            sizes.append(len(self._offsets) - before)
            if not sizes[-1]:
                raise EmptySubsetError(f"{self.benchmark.name}: subset '{subset}' holds no row in {root}.")
        self._spool.flush()
        return sizes, digest.hexdigest(), chance / len(self._offsets)

    def _prompts_digest(self, sizes: Sequence[int]) -> str:
        digest = hashlib.sha256()
        encode = msgspec.json.Encoder(order="deterministic").encode
        for first in accumulate(sizes[:-1], initial=0):
            ask = self.prompt(self._sample(first)).ask
            digest.update(encode(ask.messages if isinstance(ask, Generate) else ask))
        return digest.hexdigest()

    def _order(self, seed: int) -> Order:
        in_order, together = hashlib.sha256(), 0
        for turn in range(len(self)):
            sample_id = self[turn].sample_id.encode()
            in_order.update(sample_id + b"\n")
            together += int.from_bytes(hashlib.sha256(sample_id).digest())  # a sum knows no order
        return Order(
            method="stratified",
            seed=seed,
            n=len(self),
            sha256=in_order.hexdigest(),
            set_sha256=hashlib.sha256(str(together).encode()).hexdigest(),
        )

    def __len__(self) -> int:
        """Return how many samples are asked."""
        return len(self._turns)

    def __getitem__(self, turn: int) -> Sample:
        """Return the sample whose turn it is, counted from 0 in the order of asking."""
        return self._sample(self._turns[turn])

    def _sample(self, place: int) -> Sample:
        """Return the sample at a place in file order."""
        self._spool.seek(self._offsets[place])
        return self._decoder.decode(self._spool.readline())

    def turns(self) -> array[int]:
        """Return the turn of each sample in file order, the subsets one after the other. All samples must be asked."""
        turns = array("Q", bytes(8 * len(self._turns)))
        for turn, place in enumerate(self._turns):
            turns[place] = turn
        return turns

    def planned(self) -> dict[str, int]:
        """Return how many samples of each subset are asked."""
        return dict(self._planned)

    def prompt(self, sample: Sample, plan: DatasetPlan | None = None) -> Prompt:
        """Return what is sent for a sample; a question is never among its own worked examples."""
        examples = [shot for shot in self._shots[sample.subset] if shot.question != sample.question]
        return self.benchmark.prompt(sample, examples[: self.plan.few_shot], plan or self.plan)

    def close(self) -> None:
        """Remove the temporary file."""
        self._spool.close()


class RunItems:
    """All items of a run, dataset after dataset, each asked ``repeats`` times over: made when they are looked at."""

    def __init__(self, datasets: Sequence[Dataset], repeats: int):
        self._datasets = datasets
        self._repeats = repeats
        self._length = sum(len(dataset) for dataset in datasets) * repeats

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < self._length:
            raise IndexError(index)
        for dataset in self._datasets:
            size = len(dataset) * self._repeats
            if index < size:
                return self._item(dataset, index // len(dataset), index % len(dataset))
            index -= size
        raise IndexError(index)

    @staticmethod
    def _item(dataset: Dataset, repeat: int, turn: int) -> Item:
        sample = dataset[turn]
        plan = dataset.plan
        if repeat and plan.generation.seed is not None:
            generation = msgspec.structs.replace(plan.generation, seed=plan.generation.seed + repeat)
            plan = msgspec.structs.replace(plan, generation=generation)
        prompt = dataset.prompt(sample, plan)
        return Item(plan.dataset, sample, repeat, prompt.ask, prompt.question_at, prompt.shots)


def locate(benchmark: Benchmark, plan: DatasetPlan, subset: str) -> Path:
    """Return the folder or file that holds the rows of a subset, downloaded where no local path is given."""
    if plan.sample_data:
        shipped = REGISTRY / "data" / benchmark.name
        if not shipped.is_dir():
            raise DataError(
                f"{benchmark.name}: no sample set comes with llmuses; give a local_path or leave --sample-data."
            )
        return shipped
    if plan.local_path:
        path = Path(plan.local_path)
        if not path.exists():
            raise DataError(f"{benchmark.name}: local_path {path} does not exist.")
        return path
    hub = Hub(plan.hub)
    if benchmark.hub is None:
        raise DataError(f"{benchmark.name}: it lies on no hub; give its rows as local_path.")
    where = benchmark.hub.of(subset)
    ids = {Hub.MODELSCOPE: where.modelscope, Hub.HUGGINGFACE: where.huggingface}
    if hub not in ids:
        raise DataError(f"{benchmark.name}: rows come from the hub modelscope or huggingface, not '{hub}'.")
    try:
        revision = where.huggingface_revision if hub is Hub.HUGGINGFACE else None
        return fetch_dataset(ids[hub], hub, revision, where.patterns)
    except HubError as problem:
        raise HubError(f"{str(problem).rstrip('.')}, or try the shipped rows with --sample-data.") from problem


def _subsets(benchmark: Benchmark, plan: DatasetPlan, roots: Callable[[str], Path]) -> tuple[str, ...]:
    """Return the subsets to ask: those named, which must be there, or the usual ones that are there, or any.

    ``roots`` says where the rows of a subset are: only what may be asked is looked for.
    """
    root = roots(plan.subsets[0] if plan.subsets else "")
    known = benchmark.subsets_in(root)
    usual = benchmark.default_subsets
    wanted = plan.subsets or [subset for subset in known if usual is None or subset in usual]
    present = tuple(s for s in wanted if s in known and benchmark.find(roots(s), s, plan.split))
    missing = [subset for subset in plan.subsets if subset not in present]
    if not present and not plan.subsets and usual is not None:
        present = tuple(s for s in known if s not in usual and benchmark.find(roots(s), s, plan.split))
    if missing or not present:
        subset = missing[0] if missing else next(iter(benchmark.subsets), "SUBSET")
        title = f"{benchmark.name}, subset '{subset}'" if missing else benchmark.name
        raise LayoutError(title, roots(subset), _expected(benchmark, subset, plan.split))
    return present


def _expected(benchmark: Benchmark, subset: str, split: str) -> list[str]:
    """Return the names of the files that would have been read, under each name that files call the split."""
    calls = benchmark.split_names.get(split, (split,))
    names = [
        template.format(subset=subset, split=call, Split=call.capitalize())
        for template in benchmark.files
        for call in calls
    ]
    return list(dict.fromkeys(names))


def _shots(benchmark: Benchmark, plan: DatasetPlan, root: Path, subset: str) -> tuple[list[Sample], bool]:
    """Return the worked examples of a subset, and whether they were borrowed from the shipped sample set.

    It is one example more than asked for, since a sample is never among its own. Rows that come without their few-shot
    split borrow.
    """
    if not plan.few_shot or plan.answers:
        return [], False  # nothing is asked
    shipped = REGISTRY / "data" / benchmark.name
    for place in (root, shipped):
        if place.is_dir() and benchmark.find(place, subset, benchmark.few_shot_split):
            samples = benchmark.samples(place, subset, benchmark.few_shot_split)
            shots = [shot for shot, _ in zip(samples, range(plan.few_shot + 1), strict=False)]
            if len(shots) < plan.few_shot:
                raise DataError(
                    f"{benchmark.name}, subset '{subset}': {len(shots)} {benchmark.few_shot_split} rows in {place}, "
                    f"fewer than the {plan.few_shot} worked examples asked for."
                )
            return shots, place == shipped and root != shipped
    raise DataError(
        f"{benchmark.name}, subset '{subset}': no {benchmark.few_shot_split} rows in {root} for {plan.few_shot} worked "
        'examples; add them or set {"few_shot_num": 0}.'
    )


def stratified_order(names: Sequence[str], sizes: Sequence[int], limit: int | None, seed: int) -> array[int]:
    """Return which samples are asked, and when: positions in file order, in the order of asking.

    Inside each subset a seeded shuffle, of which ``limit`` are taken; the subsets are then dealt out evenly, so that
    each beginning of the order holds every subset in proportion, and a score so far is an estimate of the final one.
    A larger limit keeps the samples of a smaller one.
    """
    positions, when = array("Q"), array("d")
    first = 0
    for name, size in zip(names, sizes, strict=True):
        shuffle = random.Random(f"{seed}/{name}")
        members = array("Q", range(first, first + size))
        shuffle.shuffle(members)
        del members[limit if limit is not None else size :]
        start = shuffle.random()
        positions.extend(members)
        when.extend((turn + start) / len(members) for turn in range(len(members)))
        first += size
    return array("Q", (positions[i] for i in sorted(range(len(positions)), key=when.__getitem__)))
