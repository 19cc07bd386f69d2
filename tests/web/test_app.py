"""The app over HTTP: pages, doors that stay shut, downloads."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import pytest
from starlette.testclient import TestClient

from llmuses.web.site import create_site
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun
from tests.support.pages import Page


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("alpha", {"gsm8k": FakeDataset(n=20, wrong=5), "arc": FakeDataset(n=20)}, run_id="alpha").write(folder)
    secret = FakeRun("secret", {"arc": FakeDataset(n=20)}, run_id="secret").write(folder)
    report = secret / "reports" / "arc.json"
    report.write_text(report.read_text().replace('"publish_samples": true', '"publish_samples": false'))
    (folder / "alpha" / "report.html").write_text(f"<h1>Report</h1>{HOSTILE}")
    (folder.parent / "outside.jsonl").write_text("not for you\n")
    return folder


@pytest.fixture(scope="module")
def client(outputs):
    with create_site(outputs, demo=False) as app, TestClient(app, base_url="http://testserver") as started:
        yield started


@pytest.fixture(autouse=True)
def a_new_reader(client):
    client.cookies.clear()


HTML = {"accept": "text/html"}


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/browse", "/browse?run=alpha&dataset=gsm8k"])
def test_every_page_has_title_bar_language_and_headers(client, path):
    answer = client.get(path, headers={**HTML, "accept-language": "zh-CN"})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.all("html")[0]["lang"] == "zh-CN"
    assert "· llmuses" in page.text
    assert len(page.all("a", aria_current="page")) == 1
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-dns-prefetch-control"] == "off"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    nonce = re.search("'nonce-([^']+)'", answer.headers["content-security-policy"])[1]
    assert f'<script nonce="{nonce}">window.gradio_config' in answer.text


def test_each_document_has_a_nonce_of_its_own(client):
    policies = {client.get("/").headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


def test_links_of_a_document_are_relative_so_that_it_works_under_any_path(client):
    page = Page(client.get("/leaderboard", headers=HTML).text)
    for tag, name in (("a", "href"), ("link", "href"), ("form", "action")):
        assert not [found for found in page.all(tag) if found.get(name, "").startswith("/")]


def test_the_bar_leads_to_pages_that_exist(client):
    page = Page(client.get("/", headers=HTML).text)
    for link in page.all("a"):
        if not link["href"].startswith("#"):
            assert client.get(f"/{link['href'].removeprefix('./')}", headers=HTML).status_code == 200


def test_static_files_may_be_kept_for_ever(client):
    document = client.get("/", headers=HTML).text
    for address in re.findall(r'"(ui/[\w.-]+)"', document):
        answer = client.get(f"/{address}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/ui/tokens.00000000.css").status_code == 404
    assert client.get("/ui/..%2f..%2fpyproject.toml").status_code == 404


@pytest.mark.parametrize("path", ["/nope", "/leaderboard/nope", "/admin/"])
def test_an_address_that_does_not_exist_says_so_in_words(client, path):
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert Page(answer.text).errors == []
    assert "llmuses" in Page(answer.text).text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1/"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring/summary"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
    ],
)
def test_doors_that_no_page_uses_stay_shut(client, method, path):
    assert client.request(method, path).status_code == 404


def test_a_language_chosen_by_hand_is_remembered(client):
    assert "llmuses_lang=zh" in client.get("/?lang=zh", headers=HTML).headers["set-cookie"]
    assert Page(client.get("/", headers=HTML).text).all("html")[0]["lang"] == "zh-CN"


def test_the_board_can_be_taken_away(client):
    rows = list(csv.DictReader(io.StringIO(client.get("/export/leaderboard.csv?q=alpha").text)))
    assert {(row["model"], row["dataset"], row["score"]) for row in rows} == {
        ("alpha", "gsm8k", "0.75"), ("alpha", "arc", "1.0"),
    }  # fmt: skip
    answer = client.get("/export/leaderboard.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="leaderboard.json"'
    assert len(json.loads(answer.text)["figures"]) == 3


def test_raw_lines_reports_and_single_records_can_be_taken_away(client, outputs):
    lines = client.get("/export/reviews.jsonl?run=alpha&dataset=gsm8k")
    assert lines.content == (outputs / "alpha" / "reviews" / "gsm8k.jsonl").read_bytes()
    assert client.get("/export/report.json?run=alpha&dataset=gsm8k").json()["score"] == 0.75
    assert client.get("/export/run.json?run=alpha").json()["run_id"] == "alpha"
    one = client.get("/export/review.json?run=alpha&dataset=gsm8k&sample=main/3&repeat=0").json()
    answer = client.get("/export/prediction.json?run=alpha&dataset=gsm8k&sample=main/3&repeat=0").json()
    assert one["sample_id"] == answer["sample_id"] == "main/3"
    assert one["key"] == answer["key"]


@pytest.mark.parametrize("name", ["reviews.jsonl", "predictions.jsonl", "review.json", "prediction.json"])
def test_rows_that_may_not_be_published_are_not_handed_out(client, name):
    answer = client.get(f"/export/{name}?run=secret&dataset=arc&sample=ARC-Easy/0")
    assert answer.status_code == 403
    assert "stay unpublished" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "reviews.jsonl", "reviews.jsonl?run=nope&dataset=gsm8k", "reviews.jsonl?run=alpha&dataset=mmlu",
        "reviews.jsonl?run=alpha&dataset=../../../outside", "reviews.jsonl?run=..&dataset=gsm8k", "run.json?run=../alpha",
        "report.html?run=secret", "review.json?run=alpha&dataset=gsm8k&sample=nope", "nope.json", "report.json?run=alpha",
    ],
)  # fmt: skip
def test_what_does_not_exist_cannot_be_taken_away(client, address):
    answer = client.get(f"/export/{address}")
    assert answer.status_code == 404
    assert "not for you" not in answer.text


@pytest.mark.parametrize("kind", ["reviews", "predictions"])
@pytest.mark.parametrize("name", ["review.json", "prediction.json", "reviews.jsonl", "predictions.jsonl"])
def test_a_link_that_leads_out_of_the_outputs_folder_is_not_followed(client, outputs, tmp_path, kind, name):
    run_id = f"linked-{kind}-{name}"
    lines = FakeRun("linked", {"gsm8k": FakeDataset(n=3)}, run_id=run_id).write(outputs) / kind / "gsm8k.jsonl"
    lines.rename(tmp_path / "elsewhere.jsonl")
    lines.symlink_to(tmp_path / "elsewhere.jsonl")
    answer = client.get(f"/export/{name}?run={run_id}&dataset=gsm8k&sample=main/0")
    reads_both = name == "prediction.json"
    assert answer.status_code == (404 if reads_both or name.startswith(kind.removesuffix("s")) else 200)
    shutil.rmtree(outputs / run_id)


def test_a_report_from_anywhere_gets_no_script_and_no_origin(client):
    answer = client.get("/export/report.html?run=alpha")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_a_page_that_cannot_be_written_says_so_and_logs_why(caplog):
    from llmuses.visit import render
    from tests.web.test_document import Request

    def broken(_):
        raise RuntimeError("secret detail")

    page = render(Request(), broken)
    assert "This page could not be written" in page
    code = re.search(r"P-[0-9a-f]{4}", page)[0]
    assert "secret detail" not in page
    assert code in caplog.text
    assert "secret detail" in caplog.text


def test_the_app_works_below_a_path(outputs):
    from starlette.applications import Starlette
    from starlette.routing import Mount

    with create_site(outputs, demo=False) as app, TestClient(Starlette(routes=[Mount("/a/b", app)])) as client:
        page = client.get("/a/b/leaderboard", headers=HTML)
        assert "Leaderboard · llmuses" in page.text
        assert '"root":"http://testserver/a/b"' in page.text
        sheet = re.search(r"ui/tokens[\w.]+css", page.text)[0]
        assert client.get(f"/a/b/{sheet}").status_code == 200
        assert '<base href="/a/b/">' in client.get("/a/b/nope", headers=HTML).text
