"""The browse pages, from the list of runs down to the answer of one sample."""

from __future__ import annotations

import ast
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.answer_html import RULES, rule_words, split_prompt
from leaderboard.browse import browse
from leaderboard.browse_query import Place, place
from leaderboard.model_text import HEAD, TAIL, as_written, rendered
from leaderboard.options_html import normalised, option_index, options
from leaderboard.results import Results
from leaderboard.sample_index import reviews_index
from leaderboard.samples import Filter, Shelf, Sort
from llmuses.benchmarks.gsm8k import GSM8K
from llmuses.records import (
    ErrorKind,
    Generate,
    GenerationConfig,
    Loglikelihood,
    Message,
    Mode,
    Prediction,
    Report,
    Response,
    ResponseError,
    Review,
    Run,
    RunStatus,
    Score,
    Status,
    Usage,
)
from llmuses.store import JsonlStore, read_json, write_json
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun
from tests.support.pages import HARMLESS, Page, check_harmless, visit

ROOT = Path(__file__).parents[2]

# --- what the tests are written with


def look(outputs, lang="en", **query):
    page = Page(str(browse(Results(outputs), Shelf(), visit(lang, **query))))
    check_harmless(page)
    return page


def follow(outputs, page, words):
    """Go where the link with these words leads."""
    links = [href for href, said in _links(page) if said == words]
    assert links, f"no link says {words!r}"
    return look(outputs, **dict(parse_qsl(urlsplit(links[0]).query)))


def _links(page):
    for piece in page.html.split("<a ")[1:]:
        tag, _, rest = piece.partition(">")
        inner = Page("<p>" + rest.partition("</a>")[0] + "</p>").text
        yield unescape(tag.partition('href="')[2].partition('"')[0]), inner


def hrefs(page, **attrs):
    return [link["href"] for link in page.all("a", **attrs)]


def change_review(folder, sample_id="main/0", dataset="gsm8k", **changes):
    """Append a newer review of a sample, and return it."""
    store = JsonlStore(folder / "reviews" / f"{dataset}.jsonl", Review)
    known = next(each for each in store if each.sample_id == sample_id)
    changed = msgspec.structs.replace(known, **changes)
    store.append(changed)
    return changed


def change_prediction(folder, sample_id="main/0", dataset="gsm8k", **changes):
    store = JsonlStore(folder / "predictions" / f"{dataset}.jsonl", Prediction)
    known = next(each for each in store if each.sample_id == sample_id)
    response = msgspec.structs.replace(known.response, **changes.pop("response", {}))
    store.append(msgspec.structs.replace(known, response=response, **changes))


def change_report(folder, dataset="gsm8k", **changes):
    path = folder / "reports" / f"{dataset}.json"
    write_json(path, msgspec.structs.replace(read_json(path, Report), **changes))


def change_run(folder, **changes):
    path = folder / "run.json"
    write_json(path, msgspec.structs.replace(read_json(path, Run), **changes))


@pytest.fixture
def one(tmp_path):
    """A run of a dozen samples with one of each kind."""
    fake = FakeRun(
        "m", {"gsm8k": FakeDataset(n=12, wrong=3, unparsed=1, rejected=1, failed=1, truncated=2)}, run_id="one"
    )
    return fake.write(tmp_path)


def ids_by_verdict(folder):
    found = {}
    for each in JsonlStore(folder / "reviews" / "gsm8k.jsonl", Review):
        status = each.status.value if each.status is not Status.SCORED else "right" if each.scores["acc"] else "wrong"
        found.setdefault(status, []).append(each.sample_id)
    return found


# --- all runs


def test_runs_are_listed_the_newest_first_with_their_scores(tmp_path):
    FakeRun("old", {"gsm8k": FakeDataset(n=50, wrong=10)}, run_id="a", started=1_000_000_000.0).write(tmp_path)
    FakeRun("new", {"mmlu": FakeDataset(n=80, wrong=20)}, run_id="b", demo=True).write(tmp_path)
    page = look(tmp_path)
    assert page.text.index("new demo") < page.text.index("old")
    assert "MMLU 75.0" in page.text
    assert "GSM8K 80.0" in page.text
    assert "9 Sep 2001, 01:46" in page.text
    assert {"browse?run=a", "browse?run=b", "browse?run=b&dataset=mmlu"} <= set(hrefs(page))


def test_a_search_looks_at_models_benchmarks_and_states(tmp_path):
    FakeRun("Qwen3-8B", {"gsm8k": FakeDataset(n=5)}, run_id="a").write(tmp_path)
    FakeRun("gemma", {"arc": FakeDataset(n=5, failed=1)}, run_id="b").write(tmp_path)
    for words, found in (("qwen", "a"), ("ARC", "b"), ("incomplete", "b"), ("gem arc", "b")):
        assert [each for each in hrefs(look(tmp_path, q=words)) if "run=" in each and "dataset" not in each] == [
            f"browse?run={found}"
        ]
    nothing = look(tmp_path, q="<b>llama</b>")
    assert "No run fits “<b>llama</b>”" in nothing.text
    assert "browse" in hrefs(nothing)


def test_the_count_says_how_many_runs_a_search_leaves(tmp_path):
    FakeRun("Qwen3-8B", {"gsm8k": FakeDataset(n=5)}, run_id="a").write(tmp_path)
    FakeRun("gemma", {"gsm8k": FakeDataset(n=5)}, run_id="b").write(tmp_path)
    assert "2 runs" in look(tmp_path).text
    assert "1 of 2 runs" in look(tmp_path, q="qwen").text
    assert "0 of 2 runs" in look(tmp_path, q="llama").text


def test_ids_that_are_not_numbers_stand_under_id_and_keep_their_end(one, tmp_path):
    assert "No." in look(tmp_path, run="one", dataset="gsm8k").text
    store = JsonlStore(one / "reviews" / "gsm8k.jsonl", Review)
    store.append(msgspec.structs.replace(next(iter(store)), sample_id="LLMUSES_C_01", key="another"))
    page = look(tmp_path, run="one", dataset="gsm8k")
    assert " ID " in page.text
    assert "No." not in page.text
    (named,) = page.all("td", title="LLMUSES_C_01")
    assert "b-tail" in named["class"]
    assert '<bdi dir="ltr">LLMUSES_C_01</bdi>' in page.html


def test_slowest_is_offered_only_where_something_took_time(tmp_path):
    for name, latency in (("model", 2.0), ("guess", 0.0001)):
        folder = FakeRun(name, {"gsm8k": FakeDataset(n=3)}, run_id=name).write(tmp_path)
        for sample in ("main/0", "main/1", "main/2"):
            change_review(folder, sample, latency=latency)
    assert "Slowest 5%" in look(tmp_path, run="model", dataset="gsm8k").text
    assert "Slowest 5%" not in look(tmp_path, run="guess", dataset="gsm8k").text
    assert "Slowest 5%" in look(tmp_path, run="guess", dataset="gsm8k", filter="slow").text


def rules_in_code():
    """Return every rule that the code reads answers by: the texts given as a reading's or a judgement's rule."""
    found = set()
    for folder in ("metrics", "benchmarks"):
        for path in (ROOT / "llmuses" / folder).glob("*.py"):
            for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                given = [word.value for word in call.keywords if word.arg == "rule"]
                if name in ("Reading", "_reading", "_option_after"):
                    given += call.args[2:]
                found |= {
                    each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
    return found


def test_every_rule_that_reads_an_answer_has_words_in_both_languages():
    assert len(rules_in_code()) >= 8
    assert rules_in_code() <= RULES
    for rule in RULES:
        english, chinese = rule_words("en", rule), rule_words("zh", rule)
        assert english != rule and chinese not in (rule, english)


def test_a_rule_of_a_benchmark_of_ones_own_is_said_in_words(one, tmp_path):
    change_review(one, "main/0", rule="second_word")
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    assert "second word" in page.text
    assert "second_word" not in page.text


def test_an_option_table_gives_each_figure_its_name_and_no_more_digits_than_fit():
    ask = Loglikelihood(context="?", continuations=(" it melts", " it <b>freezes</b>"))
    review = Review(
        key="k",
        sample_id="s",
        subset="s",
        status=Status.SCORED,
        target="B",
        extracted="A",
        rule="likeliest_text_per_byte",
    )
    table = str(options("en", review, ask, [Score(logprob=-1000.1234), Score(logprob=-2000.5)]))
    assert 'data-label="Log-probability">−1000.1<' in table
    assert 'data-label="Per byte"' in table
    assert "b-texts" in table
    assert "<b>freezes" not in table


def test_an_empty_folder_says_which_command_fills_it(tmp_path):
    page = look(tmp_path / "none")
    assert "No runs yet" in page.text
    assert "llmuses eval --model baseline:random" in page.text


def test_many_runs_come_fifty_a_page(tmp_path):
    for n in range(53):
        FakeRun("m", {"gsm8k": FakeDataset(n=1)}, run_id=f"r{n:02}", started=1e9 + n).write(tmp_path)
    assert "1 to 50 of 53" in look(tmp_path).text
    second = look(tmp_path, page="2")
    assert "51 to 53 of 53" in second.text
    assert [each for each in hrefs(second) if "run=" in each and "dataset" not in each] == [
        "browse?run=r02", "browse?run=r01", "browse?run=r00",
    ]  # fmt: skip


def test_a_run_that_cannot_be_read_is_named_and_the_others_stay(one, tmp_path):
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text('{"run_id": ')
    page = look(tmp_path)
    assert "Left out: torn/run.json cannot be read" in page.text
    assert "move the folder away, or repair run.json" in page.text
    assert "browse?run=one" in hrefs(page)


def test_a_running_run_shows_how_far_it_is_and_asks_again(tmp_path):
    fake = FakeRun("m", {"gsm8k": FakeDataset(n=40, wrong=10, answered=20)}, run_id="r", running=True)
    fake.write(tmp_path)
    page = look(tmp_path)
    assert "20 of 40" in page.text
    assert "running" in page.text
    assert 'data-live="3"' in page.html
    assert 'data-live="3"' in look(tmp_path, run="r").html


def test_answers_that_are_not_scored_yet_are_counted_and_have_no_score(tmp_path):
    fake = FakeRun("m", {"gsm8k": FakeDataset(n=40, reviewed=False)}, run_id="r", status=RunStatus.DONE)
    fake.write(tmp_path)
    for query in ({}, {"run": "r"}, {"run": "r", "dataset": "gsm8k"}):
        page = look(tmp_path, **query)
        assert "40 of 40" in page.text
        assert "0.0" not in page.text


# --- one run


def test_a_run_shows_score_verdicts_parts_and_plan(tmp_path):
    FakeRun("m", {"mmlu": FakeDataset(n=80, wrong=20, unparsed=4, few_shot=5)}, run_id="r").write(tmp_path)
    report = Results(tmp_path).runs()[0].reports["mmlu"]
    page = look(tmp_path, run="r")
    low, high = (100 * bound for bound in report.ci95)
    for words in (
        "MMLU", "70.0", f"({low:.1f} to {high:.1f})", "56 correct", "20 wrong", "4 unparsed", "0 failed", "anatomy", "Humanities",
        "Average over subsets, each alike", "5 worked examples, as one text", "stratified, seed 0, 80 samples",
        "llmuses eval --model m --datasets mmlu", "tokens", "Read the 24 that are not correct", "points apart",
    ):  # fmt: skip
        assert words.lower() in page.text.lower(), words
    assert "browse?run=r&dataset=mmlu&filter=not_correct&subset=anatomy" in hrefs(page)
    assert "browse?run=r&dataset=mmlu" in hrefs(page)


def test_failed_samples_give_the_score_bounds(one, tmp_path):
    report = Results(tmp_path).runs()[0].reports["gsm8k"]
    low, high = (f"{100 * bound:.1f}" for bound in report.bounds)
    page = look(tmp_path, run="one")
    assert f"1 failed and are not in the score. It would lie between {low} and {high}" in page.text
    assert "incomplete" in page.text


def test_a_run_offers_the_files_that_it_has(one, tmp_path):
    page = look(tmp_path, run="one")
    assert "export/run.json?run=one" in hrefs(page)
    assert "export/reviews.jsonl?run=one&dataset=gsm8k" in hrefs(page)
    assert "export/report.html?run=one" not in hrefs(page)
    (one / "report.html").write_text("<p>report</p>")
    assert "export/report.html?run=one" in hrefs(look(tmp_path, run="one"))


@pytest.mark.parametrize("query", [{"run": "two"}, {"run": "../one"}, {"run": "one/../one"}, {"run": "one\0"}])
def test_a_run_that_does_not_exist_is_said_with_a_way_on(one, tmp_path, query):
    page = look(tmp_path, **query)
    assert "There is no such run" in page.text
    assert hrefs(page) == ["browse"]


@pytest.mark.parametrize("dataset", ["mmlu", "../../one/reviews/gsm8k", "gsm8k/../gsm8k", "."])
def test_a_dataset_that_the_run_did_not_ask_is_said_with_a_way_on(one, tmp_path, dataset):
    page = look(tmp_path, run="one", dataset=dataset)
    assert "This run did not ask that benchmark" in page.text
    assert hrefs(page) == ["browse?run=one"]


def test_a_run_folder_that_names_a_dataset_by_a_path_does_not_lead_out_of_it(one, tmp_path):
    run = read_json(one / "run.json", Run)
    run.datasets[0].dataset = "../../secret"
    write_json(one / "run.json", run)
    (tmp_path / "secret.jsonl").write_bytes((one / "reviews" / "gsm8k.jsonl").read_bytes())
    assert not [href for href in hrefs(look(tmp_path, run="one")) if "secret" in href]
    assert "did not ask" in look(tmp_path, run="one", dataset="../../secret").text


# --- the list of samples


def test_the_list_shows_read_out_and_target_and_leads_to_each_sample(one, tmp_path):
    page = look(tmp_path, run="one", dataset="gsm8k")
    assert len({each for each in hrefs(page) if "sample=" in each}) == 12
    assert "A crate holds 3 jars of 11 plums" in page.text
    assert "6 correct 3 wrong 1 unparsed 1 rejected 1 failed" in page.text
    for words in ("All 12", "Not correct 6", "Wrong 3", "Truncated 2"):
        assert words in page.text
    assert "Models disagree" not in page.text, "there is no other run to disagree with"


def test_a_filter_is_in_the_address_and_in_the_links_to_the_samples(one, tmp_path):
    page = look(tmp_path, run="one", dataset="gsm8k", filter="wrong")
    wrong = ids_by_verdict(one)["wrong"]
    links = [each for each in hrefs(page) if "sample=" in each]
    assert links[::2] == links[1::2], "a row's number and its prompt lead to the same sample"
    samples = [dict(parse_qsl(urlsplit(each).query)) for each in links[::2]]
    assert sorted(each["sample"] for each in samples) == sorted(wrong)
    assert {each["filter"] for each in samples} == {"wrong"}
    assert [field["value"] for field in page.all("input", type="radio") if "checked" in field] == ["wrong"]


def test_a_filter_that_leaves_nothing_offers_to_clear_it(one, tmp_path):
    page = look(tmp_path, run="one", dataset="gsm8k", filter="wrong", q="nowhere to be found")
    assert "No sample fits" in page.text
    assert len({each for each in hrefs(follow(tmp_path, page, "Clear filters")) if "sample=" in each}) == 12


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "no such"},
        {"sort": "-x"},
        {"page": "-1"},
        {"page": "9" * 30},
        {"page": "²"},
        {"view": "x"},
        {"q": ""},
    ],
)
def test_what_an_address_cannot_mean_is_not_said_back(one, tmp_path, query):
    page = look(tmp_path, run="one", dataset="gsm8k", **query)
    assert len({each for each in hrefs(page) if "sample=" in each}) == 12


def test_long_lists_come_fifty_a_page(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=130)}, run_id="r").write(tmp_path)
    first = look(tmp_path, run="r", dataset="gsm8k")
    assert "1 to 50 of 130" in first.text
    last = look(tmp_path, run="r", dataset="gsm8k", page="3")
    assert "101 to 130 of 130" in last.text
    assert "browse?run=r&dataset=gsm8k&page=2" in hrefs(last)
    assert "101 to 130 of 130" in look(tmp_path, run="r", dataset="gsm8k", page="77").text


def test_a_run_without_reviews_yet_says_so(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=9, answered=0)}, run_id="r", running=True).write(tmp_path)
    assert "Nothing is scored yet" in look(tmp_path, run="r", dataset="gsm8k").text


def test_damaged_lines_are_counted_and_the_rest_is_shown(one, tmp_path):
    with open(one / "reviews" / "gsm8k.jsonl", "ab") as file:
        file.write(b"garbage\n")
    assert (
        "1 lines of this file are damaged and left out. The other 12 are shown."
        in look(tmp_path, run="one", dataset="gsm8k").text
    )


# --- one sample


def test_a_sample_shows_prompt_answer_and_what_was_read_from_where(one, tmp_path):
    sample = ids_by_verdict(one)["right"][0]
    answer = "Eleven and four.\nThe answer is 15."
    change_review(one, sample, extracted="15", target="15", span=(31, 33), rule="announced", tokens=9)
    change_prediction(one, sample, response={"text": answer, "first_token": 0.31})
    page = look(tmp_path, run="one", dataset="gsm8k", sample=sample)
    assert "Eleven and four.\nThe answer is <mark" in page.html
    assert '<mark class="u-mark">15</mark>.' in page.html
    for words in (
        "Prompt chat, 80 tokens", "How many plums is that?", "Correct", "Read out 15 Target 15",
        "what follows the last “the answer is”", "Marked text is exactly what was scored", "by itself", "80 in, 9 out",
        "first token 0.31 s", "1 of 1, seed 0", "temperature 0, up to 256 tokens", "1 attempt",
    ):  # fmt: skip
        assert words in page.text, words


def test_previous_and_next_stay_within_the_filter(one, tmp_path):
    wrong = sorted(ids_by_verdict(one)["wrong"], key=lambda name: int(name.rpartition("/")[2]))
    page = look(tmp_path, run="one", dataset="gsm8k", filter="wrong", sample=wrong[1])
    assert "2 of 3 wrong" in page.text
    (previous,), (following,) = hrefs(page, rel="prev"), hrefs(page, rel="next")
    assert dict(parse_qsl(urlsplit(previous).query)) == {
        "run": "one", "dataset": "gsm8k", "filter": "wrong", "sample": wrong[0],
    }  # fmt: skip
    assert dict(parse_qsl(urlsplit(following).query))["sample"] == wrong[2]
    assert hrefs(look(tmp_path, run="one", dataset="gsm8k", filter="wrong", sample=wrong[2]), rel="next") == []


def test_a_sample_outside_of_the_filter_is_shown_and_next_goes_on_from_its_place(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=30, wrong=10)}, run_id="r").write(tmp_path)
    by_verdict = ids_by_verdict(tmp_path / "r")
    numbers = {name: sorted(int(each[5:]) for each in ids) for name, ids in by_verdict.items()}
    middle = next(n for n in numbers["right"] if numbers["wrong"][0] < n < numbers["wrong"][-1])
    page = look(tmp_path, run="r", dataset="gsm8k", filter="wrong", sample=f"main/{middle}")
    before = max(n for n in numbers["wrong"] if n < middle)
    after = min(n for n in numbers["wrong"] if n > middle)
    assert f"sample=main%2F{before}&" in hrefs(page, rel="prev")[0]
    assert f"sample=main%2F{after}&" in hrefs(page, rel="next")[0]
    assert "of 10 wrong" not in page.text


def test_the_list_beside_a_sample_is_the_page_on_which_it_stands(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=130)}, run_id="r").write(tmp_path)
    page = look(tmp_path, run="r", dataset="gsm8k", sample="main/120")
    assert "101 to 130 of 130" in page.text
    assert len(page.all("li", aria_current="true")) == 1
    turned = look(tmp_path, run="r", dataset="gsm8k", sample="main/120", page="1")
    assert "1 to 50 of 130" in turned.text
    assert "Sample 120" in turned.text


@pytest.mark.parametrize("sample", ["main/99", "../main/0", "main/0\n", "x" * 400])
def test_a_sample_that_does_not_exist_is_said_with_a_way_back_to_the_list(one, tmp_path, sample):
    page = look(tmp_path, run="one", dataset="gsm8k", sample=sample)
    if len(sample) < 300:
        assert "This run has no such sample" in page.text
        assert hrefs(page) == ["browse?run=one&dataset=gsm8k"]
    else:
        assert "Not correct 6" in page.text, "a name that no sample can have counts as not said"


def test_worked_examples_are_folded_away_and_chat_turns_keep_their_roles(one, tmp_path):
    turns = (
        Message("system", "Be brief."),
        Message("user", "one and one?"),
        Message("assistant", "two"),
        Message("user", "two and two?"),
    )
    change_prediction(one, ask=Generate(messages=turns), question_at=(3, 0), shots=1)
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    fold = page.html.partition('data-fold="examples"')[2].partition("</details>")[0]
    assert all(words in fold for words in ("1 worked examples", "System", "Be brief.", "Assistant", "two"))
    assert "two and two?" not in fold
    assert "two and two?" in page.text


def test_a_prompt_of_one_text_is_cut_where_the_question_begins(one, tmp_path):
    shots = "Question: 1 and 1?\nAnswer: 2\n\n"
    ask = Generate(messages=(Message("user", shots + "Question: 2 and 2?\nAnswer:"),))
    change_prediction(one, ask=ask, question_at=(0, len(shots)), shots=1)
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    fold = page.html.partition('data-fold="examples"')[2].partition("</details>")[0]
    assert "1 and 1?" in fold
    assert "2 and 2?" not in fold


def test_thinking_is_folded_and_apart_from_the_answer(one, tmp_path):
    change_prediction(one, response={"reasoning": "let me see <b>", "usage": Usage(reasoning_tokens=7)})
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    assert "let me see &lt;b&gt;" in page.html.partition('data-fold="thinking"')[2].partition("</details>")[0]
    assert "7 of them thinking" in page.text


def test_a_failed_sample_says_why_and_that_it_is_not_in_the_score(one, tmp_path):
    sample = ids_by_verdict(one)["failed"][0]
    change_review(one, sample, reason="http_500: the server is on fire")
    page = look(tmp_path, run="one", dataset="gsm8k", sample=sample)
    assert "There is no answer: http_500: the server is on fire This may pass. It is not in the score" in page.text


def test_a_rejected_sample_says_what_the_server_said_and_that_it_counts(one, tmp_path):
    sample = ids_by_verdict(one)["rejected"][0]
    error = ResponseError(kind=ErrorKind.REJECTED, code="content_filter", message="no <script>")
    change_prediction(one, sample, response={"error": error, "text": None})
    change_review(one, sample, reason="content_filter: no <script>")
    page = look(tmp_path, run="one", dataset="gsm8k", sample=sample)
    assert "The server refused this request: content_filter: no <script>" in page.text
    assert "so this counts as wrong" in page.text


def test_an_unparsed_answer_is_shown_with_the_reason_why_nothing_was_read(one, tmp_path):
    sample = ids_by_verdict(one)["unparsed"][0]
    change_review(one, sample, reason="no number in it", extracted=None, span=None, rule=None)
    page = look(tmp_path, run="one", dataset="gsm8k", sample=sample)
    assert "Read out none" in page.text
    assert "no number in it" in page.text


def test_a_truncated_answer_carries_its_mark_beside_its_verdict(one, tmp_path):
    change_review(one, "main/0", truncated=True, finish_reason="length")
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    assert "Truncated" in page.text
    assert "cut short: its length was used up" in page.text


def test_an_empty_answer_is_said_to_be_empty(one, tmp_path):
    change_prediction(one, response={"text": "  \n"})
    assert "The answer is empty." in look(tmp_path, run="one", dataset="gsm8k", sample="main/0").text


def test_a_review_without_its_prediction_is_shown_all_the_same(one, tmp_path):
    (one / "predictions" / "gsm8k.jsonl").unlink()
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    assert "The answer itself was not kept" in page.text
    assert not [each for each in hrefs(page) if "export/prediction.json" in each]


def test_raw_records_are_one_click_away(one, tmp_path):
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    for kind in ("prediction", "review"):
        assert f"export/{kind}.json?run=one&dataset=gsm8k&sample=main%2F0&repeat=0" in hrefs(page)


def test_what_code_was_told_by_its_tests_is_shown(one, tmp_path):
    change_review(one, verdict={"passed": 3, "message": "<i>assert</i> failed"})
    assert "<i>assert</i> failed" in look(tmp_path, run="one", dataset="gsm8k", sample="main/0").text


def test_repeats_of_a_sample_are_beside_each_other(one, tmp_path):
    change_run(one, repeats=3)
    known = next(iter(JsonlStore(one / "reviews" / "gsm8k.jsonl", Review)))
    for repeat in (1, 2):
        change_review(one, known.sample_id, repeat=repeat, key=f"r{repeat}")
    page = look(tmp_path, run="one", dataset="gsm8k", sample=known.sample_id, repeat="1")
    assert "2 of 3, seed 0" in page.text
    assert [each for each in hrefs(page, class_="g-chip") if "repeat=2" in each]


def test_several_metrics_and_part_marks_are_shown(one, tmp_path):
    change_review(one, scores={"acc_norm": 0.0, "acc": 0.25})
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/0")
    assert "acc_norm 0 acc 0.25" in page.text


# --- options of a log-likelihood


def test_options_show_log_probabilities_shares_and_which_was_chosen(tmp_path):
    folder = FakeRun("m", {"mmlu": FakeDataset(n=4, mode=Mode.LOGPROB)}, run_id="r").write(tmp_path)
    scores = [Score(logprob=value) for value in (-3.0, -1.0, None, -2.0)]
    change_prediction(folder, "anatomy/0", "mmlu", response={"scores": scores})
    change_review(folder, "anatomy/0", "mmlu", extracted="B", target="D", rule="likeliest_letter")
    page = look(tmp_path, run="r", dataset="mmlu", sample="anatomy/0")
    assert "A −3.000 9.0 B chosen −1.000 66.5 C – – D Target −2.000 24.5" in page.text
    assert "the letter with the highest log-probability" in page.text
    assert "plain text" in page.text


def test_options_that_are_texts_have_their_letters_and_the_score_of_each_byte(tmp_path):
    folder = FakeRun("m", {"mmlu": FakeDataset(n=4, mode=Mode.LOGPROB)}, run_id="r").write(tmp_path)
    ask = Loglikelihood(context="Which?", continuations=(" radar", " compass", " satellite", " radio"))
    change_prediction(folder, "anatomy/0", "mmlu", ask=ask, response={"scores": [Score(logprob=-1.0)] * 4})
    change_review(folder, "anatomy/0", "mmlu", extracted="C", target="A", rule="likeliest_text_per_byte")
    page = look(tmp_path, run="r", dataset="mmlu", sample="anatomy/0")
    assert "A radar Target −1.000 −0.2000 25.0 B compass −1.000 −0.1429 25.0 C satellite chosen" in page.text


@given(st.lists(st.none() | st.floats(-2000, 0), max_size=8))
def test_the_shares_of_the_known_options_add_up_to_one(logprobs):
    shares = normalised(logprobs)
    known = [share for share in shares if share is not None]
    assert [share is None for share in shares] == [value is None for value in logprobs]
    assert not known or sum(known) == pytest.approx(1)


@pytest.mark.parametrize(
    ("label", "texts", "index"),
    [("B", ["A", "B"], 1), ("B", ["yes", "no"], 1), ("no", ["yes", "no"], 1), ("C", ["yes", "no"], None), (None, ["A"], None),
     ("", ["yes"], None), ("BC", ["yes", "no"], None)],
)  # fmt: skip
def test_a_label_is_an_options_own_text_or_its_letter(label, texts, index):
    assert option_index(label, texts) == index


# --- other runs


def test_the_other_models_on_the_same_question_are_listed(one, tmp_path):
    FakeRun("better", {"gsm8k": FakeDataset(n=12)}, run_id="two").write(tmp_path)
    FakeRun("worse", {"gsm8k": FakeDataset(n=12, wrong=12)}, run_id="three").write(tmp_path)
    FakeRun("elsewhere", {"mmlu": FakeDataset(n=12)}, run_id="four").write(tmp_path)
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/3")
    assert "1 of 2 right" in page.text
    assert "browse?run=two&dataset=gsm8k&sample=main%2F3" in hrefs(page)
    assert "elsewhere" not in page.text


def test_by_an_index_the_same_other_answers_are_found_without_searching_the_files(one, tmp_path, monkeypatch):
    for number in range(3):
        other = FakeRun(f"model-{number}", {"gsm8k": FakeDataset(n=12, wrong=number)}, run_id=f"run-{number}").write(
            tmp_path
        )
        change_review(other, "main/4", extracted=f"read again {number}")
    searched = look(tmp_path, run="one", dataset="gsm8k", sample="main/4")
    monkeypatch.setattr("leaderboard.file_index._WORTH_KEEPING", 1)
    for entry in Results(tmp_path).runs():
        reviews_index(entry.reviews("gsm8k")).snapshot()
    monkeypatch.setattr("leaderboard.browse.find_review", lambda *_: pytest.fail("a file was searched"))
    indexed = look(tmp_path, run="one", dataset="gsm8k", sample="main/4")
    assert "Other models here" in indexed.text and indexed.html == searched.html
    monkeypatch.setattr("leaderboard.browse._AT_HAND", 1)
    with pytest.raises(pytest.fail.Exception):
        look(tmp_path, run="one", dataset="gsm8k", sample="main/4")


def test_a_run_over_other_rows_is_not_another_answer_to_this_question(one, tmp_path):
    other = FakeRun("other", {"gsm8k": FakeDataset(n=12)}, run_id="two").write(tmp_path)
    change_review(other, "main/3", prompt="an older wording")
    change_review(other, "main/4", target="another answer")
    for sample in ("main/3", "main/4"):
        assert "Other models here" not in look(tmp_path, run="one", dataset="gsm8k", sample=sample).text
    assert "Other models here" in look(tmp_path, run="one", dataset="gsm8k", sample="main/5").text


def test_of_two_runs_of_one_model_in_one_setting_the_newer_is_listed(one, tmp_path):
    for started, run_id in ((1e9, "older"), (2e9, "newer")):
        FakeRun("twin", {"gsm8k": FakeDataset(n=12)}, run_id=run_id, started=started).write(tmp_path)
    page = look(tmp_path, run="one", dataset="gsm8k", sample="main/3")
    assert [each for each in hrefs(page) if "run=newer" in each]
    assert not [each for each in hrefs(page) if "run=older" in each]


def test_the_next_disagreement_is_found_from_here_on_and_then_from_the_start(one, tmp_path):
    FakeRun("better", {"gsm8k": FakeDataset(n=12)}, run_id="two").write(tmp_path)
    by_verdict = ids_by_verdict(one)
    differ = sorted(
        int(each[5:]) for name, ids in by_verdict.items() if name not in ("right", "failed") for each in ids
    )
    listed = look(tmp_path, run="one", dataset="gsm8k", filter="disagree")
    assert len({each for each in hrefs(listed) if "sample=" in each}) == len(differ)
    here, seen = "main/0", []
    for _ in range(len(differ) + 1):
        page = look(tmp_path, run="one", dataset="gsm8k", sample=here, jump="disagree")
        address = next(each["data-at"] for _, each in page.tags if "data-at" in each)
        here = dict(parse_qsl(urlsplit(address).query))["sample"]
        assert "jump" not in address
        seen.append(int(here[5:]))
    after = [n for n in differ if n > 0] + [n for n in differ if n == 0]
    assert seen == [*after, after[0]]


def test_without_a_disagreement_the_reader_stays_where_he_is(one, tmp_path):
    assert "Sample 2 " in look(tmp_path, run="one", dataset="gsm8k", sample="main/2", jump="disagree").text


# --- rows that may not be shown


def test_where_rows_stay_unpublished_only_number_hash_and_verdict_are_shown(one, tmp_path):
    change_report(one, publish_samples=False)
    review = next(each for each in JsonlStore(one / "reviews" / "gsm8k.jsonl", Review) if each.sample_id == "main/0")
    for query in ({}, {"sample": "main/0"}, {"sample": "main/0", "view": "rendered"}, {"q": "plums"}):
        page = look(tmp_path, run="one", dataset="gsm8k", **query)
        assert "The authors of this benchmark ask" in page.text
        for secret in (
            "crate",
            "Let us see",
            f">{review.target}<",
            "the reason in words",
            "export/predictions",
            "export/reviews",
        ):
            assert secret not in page.html, secret
        if "q" not in query:
            assert review.key in page.text
    assert "export/reviews" not in look(tmp_path, run="one").html
    assert "Correct" in look(tmp_path, run="one", dataset="gsm8k", sample=ids_by_verdict(one)["right"][0]).text
    assert "No sample fits" in look(tmp_path, run="one", dataset="gsm8k", q="plums").text, (
        "a search must not tell either"
    )


def test_other_runs_do_not_tell_what_they_read_from_an_unpublished_row(one, tmp_path):
    folder = FakeRun("other", {"gsm8k": FakeDataset(n=12)}, run_id="two").write(tmp_path)
    change_review(folder, "main/0", extracted="tell-tale")
    change_report(folder, publish_samples=False)
    change_report(one, publish_samples=False)
    assert "tell-tale" not in look(tmp_path, run="one", dataset="gsm8k", sample="main/0").html


def test_rows_that_the_benchmark_keeps_private_stay_so_whatever_a_report_says(one, tmp_path, monkeypatch):
    monkeypatch.setattr(GSM8K, "publish_samples", False)
    page = look(tmp_path, run="one", dataset="gsm8k")
    assert "The authors of this benchmark ask" in page.text
    assert "crate" not in page.html


def test_samples_behind_a_link_that_leads_out_of_the_outputs_folder_are_not_read(tmp_path):
    outputs = tmp_path / "outputs"
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=5)}, run_id="r").write(outputs)
    (folder / "reviews").rename(tmp_path / "elsewhere")
    (folder / "reviews").symlink_to(tmp_path / "elsewhere")
    for query in ({}, {"sample": "main/0"}, {"q": "crate"}):
        page = look(outputs, run="r", dataset="gsm8k", **query)
        assert "lie outside the outputs folder" in page.text
        assert "crate" not in page.html
    assert not [href for href in hrefs(look(outputs, run="r")) if "reviews.jsonl" in href]
    FakeRun("other", {"gsm8k": FakeDataset(n=5, wrong=1)}, run_id="s").write(outputs)
    for query in ({"sample": "main/0"}, {"filter": "disagree"}):
        assert "run=r" not in look(outputs, run="s", dataset="gsm8k", **query).html


# --- hostile text, languages


def test_no_text_of_a_model_or_a_row_becomes_part_of_a_page(tmp_path):
    folder = FakeRun(
        f"model {HOSTILE}",
        {"gsm8k": FakeDataset(n=8, wrong=2, unparsed=1, rejected=1, failed=1, truncated=1)},
        run_id="hostile",
        hostile=True,
    ).write(tmp_path)
    FakeRun("other", {"gsm8k": FakeDataset(n=8)}, run_id="b", hostile=True).write(tmp_path)
    for each in list(JsonlStore(folder / "reviews" / "gsm8k.jsonl", Review)):
        change_review(folder, each.sample_id, reason=HOSTILE, rule=HOSTILE, finish_reason=HOSTILE, target=HOSTILE)
    change_report(folder, model_identity=HOSTILE)
    change_run(
        folder, command=HOSTILE, model_args={HOSTILE: HOSTILE}, versions={HOSTILE: HOSTILE}, model_identity=HOSTILE
    )
    base = {"run": "hostile", "dataset": "gsm8k"}
    for lang in ("en", "zh"):
        for query in ({}, {"run": "hostile"}, base, {**base, "q": HOSTILE}, {**base, "subset": HOSTILE}):
            look(tmp_path, lang, **query)  # which checks every tag and attribute
        for n in range(8):
            page = look(tmp_path, lang, **base, sample=f"main/{n}")
            assert "<script>" in page.text
            rendered_page = Page(
                browse(Results(tmp_path), Shelf(), visit(lang, **base, sample=f"main/{n}", view="rendered"))
            )
            assert {tag for tag, _ in rendered_page.tags} <= HARMLESS | PROSE
            assert not [attrs for tag, attrs in rendered_page.tags if tag in ("img", "script") or "onerror" in attrs]


PROSE = {"p", "br", "hr", "em", "strong", "del", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_is_written_in_both_languages(one, tmp_path, lang):
    FakeRun("other", {"mmlu": FakeDataset(n=60, mode=Mode.LOGPROB), "gsm8k": FakeDataset(n=3)}, run_id="b").write(
        tmp_path
    )
    pages = [look(tmp_path, lang), look(tmp_path, lang, run="b"), look(tmp_path, lang, run="b", dataset="mmlu")]
    pages.append(look(tmp_path, lang, run="b", dataset="mmlu", sample="anatomy/1"))
    pages += [look(tmp_path, lang, run="one", dataset="gsm8k", sample=f"main/{n}") for n in range(12)]
    for page in pages:
        assert ("浏览" in page.text) == (lang == "zh")
        assert not [text for text in ("{", "browse.") if text in page.text.replace("browse?", "")]


# --- pure pieces


@given(
    st.builds(
        Place,
        run=st.text(min_size=1, max_size=20),
        dataset=st.none() | st.text(min_size=1, max_size=20),
        sample=st.none() | st.text(min_size=1, max_size=20),
        repeat=st.integers(0, 99),
        filter=st.sampled_from(Filter),
        subset=st.none() | st.text(min_size=1, max_size=20),
        sort=st.sampled_from(Sort),
        q=st.text(max_size=20).map(str.strip),
        page=st.integers(0, 99),
        rendered=st.booleans(),
        jump=st.booleans(),
    )
)
def test_an_address_leads_back_to_the_view_that_it_was_written_for(there):
    address = there.to(jump=there.jump)
    again = place(dict(parse_qsl(urlsplit(address).query, keep_blank_values=True)))
    kept = there.page if there.page > 1 or there.sample else 0
    assert again == there._replace(page=kept)


def test_another_filter_begins_at_its_first_page():
    there = Place(run="r", dataset="d", page=7, q="x")
    assert "page" not in there.to(filter=Filter.WRONG)
    assert "page=8" in there.to(page=8)


roles = st.sampled_from(["system", "user", "assistant"])


@given(st.lists(st.tuples(roles, st.text(max_size=30)), min_size=1, max_size=6), st.integers(-1, 7), st.integers(0, 35))
def test_a_prompt_taken_apart_is_the_prompt(turns, index, offset):
    asked = Prediction(
        key="k",
        dataset="d",
        sample_id="s",
        subset="s",
        model="m",
        ask=Generate(messages=tuple(Message(*turn) for turn in turns), config=GenerationConfig()),
        response=Response(key="k", text=""),
        question_at=(index, offset),
    )
    before, question = split_prompt(asked)
    assert "".join(text for _, text in before + question) == "".join(text for _, text in turns)


@given(st.text(max_size=80), st.integers(-3, 90), st.integers(-3, 90))
def test_text_as_written_says_exactly_what_was_written(written, start, end):
    shown = as_written(written, "en", (start, end))
    plain = str(shown).replace('<mark class="u-mark">', "").replace("</mark>", "")
    assert unescape(plain) == written or "\r" in written
    if 0 <= start < end <= len(written):
        assert unescape(str(shown).partition('<mark class="u-mark">')[2].partition("</mark>")[0]) == written[start:end]
    else:
        assert "<mark" not in shown


def test_a_very_long_answer_is_shown_by_its_ends_and_the_marked_part_among_them():
    written = "a" * 100_000 + "42."
    shown = as_written(written, "en", (100_000, 100_002))
    assert len(shown) < HEAD + TAIL + 1000
    assert '<mark class="u-mark">42</mark>.' in shown
    assert "40,003 characters are left out" in shown


@given(
    st.lists(
        st.sampled_from([*"<>&\"'`*_#[]()!|-\n ab", "<script>", "<img src=x>", "](javascript:x)", "{{x}}"]), max_size=40
    )
)
def test_rendered_text_has_no_tag_that_could_act(pieces):
    page = Page(rendered("".join(pieces), "en"))
    assert {tag for tag, _ in page.tags} <= PROSE | HARMLESS
    for tag, attrs in page.tags:
        assert tag not in ("a", "img", "form", "input", "button")
        assert not attrs.keys() - {"class", "align", "start"}


def test_rendered_text_keeps_its_structure():
    page = Page(
        rendered(
            "# Sum\n\n**four**, see [here](http://x) ![a plot](http://x/p.png)\n\n|a|\n|-|\n|1|\n\n```\nx < 1\n```",
            "en",
        )
    )
    assert page.text == "Sum four , see here [a plot] a 1 x < 1"
    assert [tag for tag, _ in page.tags][:4] == ["div", "h1", "p", "strong"]


def test_the_pages_need_no_web_framework():
    here = Path(browse.__code__.co_filename).parent
    for name in (
        "browse",
        "samples",
        "sample_index",
        "sample_html",
        "samples_html",
        "run_html",
        "runs_html",
        "model_text",
    ):
        assert "gradio" not in (here / f"{name}.py").read_text("utf-8")


@pytest.mark.parametrize(("lang", "called"), [("en", "Own multiple choice"), ("zh", "自己的选择题")])
def test_the_users_own_rows_are_called_so_in_the_readers_language(tmp_path, lang, called):
    FakeRun("m", {"general_mcq": FakeDataset(n=4)}, run_id="own").write(tmp_path)
    for query in ({}, {"run": "own"}, {"run": "own", "dataset": "general_mcq"}):
        assert called in look(tmp_path, lang, **query).text
