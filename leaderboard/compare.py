"""The compare page as one function of a visit: the models that it chooses, set beside each other, and their samples."""

from __future__ import annotations

from itertools import islice

from leaderboard.board import make_board
from leaderboard.board_words import Words, column_title
from leaderboard.browse_parts import public, sample_name
from leaderboard.compare_html import Context, compare_page, marker, probability, signed, test_words
from leaderboard.comparing import PLACES, Block, Comparer, Line, Outcome, Paired, chosen, named
from leaderboard.pair import PairPlace, Show
from leaderboard.pair_html import list_words
from leaderboard.results import RunEntry, Runs
from leaderboard.samples import Shelf
from llmuses.comparison.result import Pair
from llmuses.errors import LlmusesError
from llmuses.markup import Markup, count, glyph, join, margin, note, verdict_of
from llmuses.visit import Visit

LISTED = 10
"""How many samples the panel lists; the rest is one link away."""

KEPT = ("on", "against", "show", "lang")
"""The parameters of a query that this page keeps, beside the models."""


def compare_view(results: Runs, shelf: Shelf, comparer: Comparer, visit: Visit) -> Markup:
    """Return the page that a query chooses. Models that are not there are ignored."""
    entries = results.runs()
    board = make_board(entries, {})
    rows = named(board)
    names = chosen(rows, visit.query)
    found = comparer.versus(board, entries, names)
    query = {name: visit.query[name] for name in KEPT if name in visit.query}
    picked = _picked(found.blocks, query)
    if picked is not None:
        query["on"], query["against"] = picked[0].column.key, PLACES[picked[2]]
    context = Context(Words(visit.lang, "versus"), found, list(rows), query)
    panel = Markup("")
    if picked is not None:
        block, line, place = picked
        assert line.pair is not None
        runs = {entry.run_id: entry for entry in entries}
        panel = _Panel(context, shelf, comparer, block, line.pair, place).write(
            runs[line.pair.first], runs[line.pair.second]
        )
    return compare_page(context, panel)


def _picked(blocks: list[Block], query: dict[str, str]) -> tuple[Block, Line, int] | None:
    """Return the benchmark and the pair whose samples are shown: what the query names, else the first that there is."""
    able = [
        (block, line, place) for block in blocks for place, line in enumerate(block.lines, 1) if line.pair is not None
    ]
    wished = [each for each in able if each[0].column.key == query.get("on")] or able
    return next((each for each in wished if PLACES[each[2]] == query.get("against")), wished[0] if wished else None)


class _Panel:
    """The part beside the table: one benchmark, one pair, sample by sample."""

    def __init__(self, context: Context, shelf: Shelf, comparer: Comparer, block: Block, pair: Pair, place: int):
        self._context, self._shelf, self._comparer = context, shelf, comparer
        self._block, self._pair, self._place = block, pair, place
        self._names = context.labels[place], context.labels[0]
        self._dataset = block.column.dataset

    def write(self, first: RunEntry, second: RunEntry) -> Markup:
        """Return the panel for the run of the chosen model and the baseline's."""
        say = self._context.say
        head = Markup(
            '<div class="row"><h2 class="v-h">{}</h2><span class="sm qq tn end">n = {}</span></div>{}'
        ).format(say("panel", benchmark=column_title(self._block.column, say)), count(self._pair.n), self._against())
        if not (first.samples_inside(self._dataset) and second.samples_inside(self._dataset)):
            body = note(say("outside"), "warn", "lock")
        else:
            try:
                body = self._body(first, second, self._comparer.samples(self._dataset, first, second))
            except LlmusesError as problem:
                body = note(str(problem), "warn", "failed")
        return Markup('<aside class="u-card v-panel" aria-label="{}">{}{}</aside>').format(
            say("panel", benchmark=column_title(self._block.column, say)), head, body
        )

    def _against(self) -> Markup:
        context = self._context
        able = [place for place, line in enumerate(self._block.lines, 1) if line.pair is not None]
        if len(able) < 2:
            return Markup('<p class="md row v-versus">{} {} <span class="qq">{}</span> {} {}</p>').format(
                marker(self._place), self._names[0], context.say("and"), marker(0), self._names[1]
            )
        chips = join(
            Markup('<a class="g-chip{}" data-go href="{}"{}>{}<span class="cut">{}</span></a>').format(
                " on" if place == self._place else "",
                context.go(against=PLACES[place], show=None),
                Markup(' aria-current="true"') if place == self._place else "",
                marker(place),
                context.labels[place],
            )
            for place in able
        )
        return Markup('<nav class="g-chips v-versus" aria-label="{}">{}</nav>').format(context.say("against"), chips)

    def _body(self, first: RunEntry, second: RunEntry, paired: Paired) -> Markup:
        say, pair = self._context.say, self._pair
        won, lost = paired.number(Outcome.FIRST), paired.number(Outcome.SECOND)
        decide = say("decide", n=count(won + lost), won=count(won), lost=count(lost), first=self._names[0])
        alone = say("alone", p=test_words(pair.p_value), corrected=probability(pair.p_corrected))
        said = Markup('<p class="sm q v-said">{}</p><p class="sm q v-said tn">{} {}{}{}</p>').format(
            decide, signed(pair.difference), margin(pair.ci95), say("comma"), alone
        )
        return join([self._table(paired), said, self._lists(first, second, paired)])

    def _table(self, paired: Paired) -> Markup:
        """Return the two by two table; better, the same and worse where answers are not just right or wrong."""
        say = self._context.say
        numbers = {outcome: count(paired.number(outcome)) for outcome in Outcome}
        first, second = self._names
        if not paired.binary:
            same = paired.number(Outcome.RIGHT) + paired.number(Outcome.WRONG)
            cells = (
                (say("better"), numbers[Outcome.FIRST]),
                (say("same"), count(same)),
                (say("worse"), numbers[Outcome.SECOND]),
            )
            heads = join(Markup('<th scope="col">{}</th>').format(word) for word, _ in cells)
            body = join(Markup("<td>{}</td>").format(number) for _, number in cells)
            return Markup(
                '<table class="v-four"><thead><tr><td></td>{}</tr></thead><tbody><tr><th scope="row">{}</th>{}</tr></tbody></table>'
            ).format(heads, first, body)
        return Markup(
            '<table class="v-four"><thead><tr><td></td><th scope="col">{}</th><th scope="col">{}</th></tr></thead><tbody>'
            '<tr><th scope="row">{}</th><td>{}</td><td class="on">{}</td></tr><tr><th scope="row">{}</th><td class="b">{}</td><td>{}</td></tr>'
            "</tbody></table>"
        ).format(
            self._of(second, "right"),
            self._of(second, "wrong"),
            self._of(first, "right"),
            numbers[Outcome.RIGHT],
            numbers[Outcome.FIRST],
            self._of(first, "wrong"),
            numbers[Outcome.SECOND],
            numbers[Outcome.WRONG],
        )

    def _of(self, model: str, what: str) -> Markup:
        return Markup('<span class="cut" title="{0}">{0}</span> {1}').format(model, self._context.say(what))

    def _lists(self, first: RunEntry, second: RunEntry, paired: Paired) -> Markup:
        context, say = self._context, self._context.say
        usual = Show.FIRST if paired.number(Outcome.FIRST) or not paired.number(Outcome.SECOND) else Show.SECOND
        wish = context.query.get("show")
        show = Show(wish) if wish in (Show.FIRST, Show.SECOND) else usual
        chips = join(
            Markup('<a class="g-chip{}" data-go href="{}"{}>{} <span class="tn">{}</span></a>').format(
                " on" if each is show else "",
                context.go(show=each.value),
                Markup(' aria-current="true"') if each is show else "",
                list_words(say, each.value, self._names, paired.binary),
                count(paired.number(outcome)),
            )
            for each, outcome in ((Show.FIRST, Outcome.FIRST), (Show.SECOND, Outcome.SECOND))
        )
        outcome = Outcome.FIRST if show is Show.FIRST else Outcome.SECOND
        ids = [paired.ids[at] for at in islice(paired.select(outcome), LISTED)]
        place = PairPlace(first.run_id, second.run_id, self._dataset)
        items = join(self._item(first, second, place._replace(show=show, sample=each)) for each in ids)
        empty = "" if ids else Markup('<p class="md q v-said">{}</p>').format(say("none_such"))
        return Markup(
            '<nav class="g-chips v-show" aria-label="{}">{}</nav><ul class="u-list v-list{}">{}</ul>{}'
            '<p class="v-foot"><a class="g-btn sm" href="{}">{}</a></p>'
        ).format(
            say("show"),
            chips,
            " v-subsets" if self._several(first) else "",
            items,
            empty,
            place.to(show=show if ids else Show.ALL),
            say("side_by_side"),
        )

    def _several(self, entry: RunEntry) -> bool:
        """Return whether a sample's number alone does not say which of several subsets it is of."""
        return len(entry.reports[self._dataset].subsets) > 1

    def _item(self, first: RunEntry, second: RunEntry, place: PairPlace) -> Markup:
        reviews = []
        for entry in (first, second):
            samples = self._shelf.samples(entry.reviews(self._dataset), entry.predictions(self._dataset))
            rows = samples.rows()
            at = rows.position(place.sample or "", 0)
            reviews += samples.reviews(rows, [at]) if at is not None else []
        if len(reviews) < 2:
            return Markup("")
        one, two = reviews
        shown = public(first, self._dataset) and public(second, self._dataset)
        marks = join(glyph(verdict_of(review), self._context.say.lang) for review in reviews)
        return Markup(
            '<li><span class="tn qq cut b-tail" title="{}"><a href="{}" tabindex="-1"><bdi>{}</bdi></a></span><a class="cut" href="{}">{}</a><span class="row v-marks">{}</span></li>'
        ).format(
            one.sample_id,
            place.to(),
            sample_name(one.sample_id, one.subset, self._several(first)),
            place.to(),
            (one.prompt[:160] or one.sample_id)
            if shown
            else Markup('<span class="mono">{}</span>').format(two.key[:16]),
            marks,
        )
