"""The results of a run, read back: all verdicts, filters, sums, CSV."""

import csv
import io
import json

import pytest

import jobsd.http.results

STORY = [
    {"check": "a", "result": "pass"},
    {"check": "b", "result": "fail", "message": "=cmd|' /C calc'!A0"},
    {"check": "c", "result": "unknown", "message": 'é, "quoted"\nand a second line'},
    {"check": "d", "result": "error", "message": "\u001b[31mred\u0007"},
    {"check": "e", "result": "notapplicable", "message": "\uff1d1+1"},
]
FINE = [{"check": "a", "result": "pass"}, {"check": "e", "result": "notapplicable"}]
JOBS = """
version: 1
settings: {http: {listen: "127.0.0.1:0"}}
collectors:
  host:
    collect: [/bin/sh, -c, 'case "$0" in gone*) echo "no route" >&2; exit 75;; esac; echo "$0"', "{asset.id}"]
    evaluate: [/bin/sh, -c, 'read id; cat FOLDER/$0-$id.json', "{standard}"]
jobs:
  - name: audit
    run: {collect: {standards: [cis, stig], assets: [{id: web-2, type: host}, {id: gone, type: host}, {id: web-1, type: host}]}}
  - name: only-collected
    run: {collect: {type: CollectionJob, assets: [{id: web-1, type: host}]}}
"""
COLUMNS = (
    "job,run_id,fire_time,asset_id,asset_type,asset_state,asset_reason,attempt,started_at,ended_at,"
    "standard,check,result,message"
)


@pytest.fixture(scope="module")
def audited(module_house, tmp_path_factory):
    """A house in which `audit` has run."""
    folder = tmp_path_factory.mktemp("audited")
    for name, results in [("cis-web-1", STORY), ("cis-web-2", FINE), ("stig-web-1", FINE), ("stig-web-2", FINE)]:
        (folder / f"{name}.json").write_text(json.dumps({"results": results}))
    house = module_house(folder, JOBS)
    house.audit = house.ran("audit", "expired")
    return house


def lines(audited, bearer, query=""):
    """The rows of the CSV as mappings, and its text."""
    answer = audited.http.get(f"/v1/runs/{audited.audit['run_id']}/results.csv{query}", headers=bearer)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text, newline=""))), answer


def test_the_csv_holds_all_that_an_auditor_asks_for(audited, bearer):
    """Which run, which asset, when, by which standard, what, why; in the order of assets and evaluators."""
    rows, answer = lines(audited, bearer)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.split("\r\n")[0] == COLUMNS
    assert [(row["asset_id"], row["standard"], row["check"], row["result"]) for row in rows] == [
        ("web-2", "cis", "a", "pass"),
        ("web-2", "cis", "e", "notapplicable"),
        ("web-2", "stig", "a", "pass"),
        ("web-2", "stig", "e", "notapplicable"),
        ("gone", "", "", ""),
        ("web-1", "cis", "a", "pass"),
        ("web-1", "cis", "b", "fail"),
        ("web-1", "cis", "c", "unknown"),
        ("web-1", "cis", "d", "error"),
        ("web-1", "cis", "e", "notapplicable"),
        ("web-1", "stig", "a", "pass"),
        ("web-1", "stig", "e", "notapplicable"),
    ]
    gone = rows[4]
    assert (gone["asset_state"], gone["asset_reason"]) == ("unreachable", "collect: no route")
    assert gone["message"] == ""
    assert {(row["job"], row["run_id"], row["attempt"]) for row in rows} == {
        ("audit", audited.audit["run_id"], "1")
    }
    assert all(row["ended_at"].endswith("Z") and row["fire_time"].endswith("Z") for row in rows)


def test_the_csv_is_safe_and_whole_in_a_spreadsheet_and_on_a_terminal(audited, bearer):
    """Formulas are text, also in full width; lines, quotes and letters beyond ASCII come through; no escapes."""
    rows, answer = lines(audited, bearer)
    messages = [row["message"] for row in rows if row["asset_id"] == "web-1" and row["standard"] == "cis"]
    assert messages == [
        "",
        "'=cmd|' /C calc'!A0",
        'é, "quoted"\nand a second line',
        "\\x1b[31mred\\x07",
        "'\uff1d1+1",
    ]
    assert "\x1b" not in answer.text
    assert not answer.text.startswith("\ufeff")
    _, marked = lines(audited, bearer, "?mark=true")
    assert marked.content == b"\xef\xbb\xbf" + answer.content


def test_the_json_is_exact_and_has_the_sums(audited):
    """What a check said, to the letter; every verdict counted; assets that are wholly fine counted too."""
    found = audited.get(f"/v1/runs/{audited.audit['run_id']}/results")
    assert {key: found[key] for key in ("run_id", "job", "fire_time", "state")} == {
        key: audited.audit[key] for key in ("run_id", "job", "fire_time", "state")
    }
    assert (found["assets"]["total"], found["assets"]["done"], found["assets"]["unreachable"]) == (3, 2, 1)
    assert found["standards"] == [
        {
            "standard": "cis", "assets": 2, "passed": 1,
            "results": {"pass": 2, "fail": 1, "unknown": 1, "error": 1, "notapplicable": 2},
        },
        {
            "standard": "stig", "assets": 2, "passed": 2,
            "results": {"pass": 2, "fail": 0, "unknown": 0, "error": 0, "notapplicable": 2},
        },
    ]  # fmt: skip
    assert len(found["results"]) == 12
    told = [
        line["message"] for line in found["results"] if line["asset_id"] == "web-1" and line["standard"] == "cis"
    ]
    assert told == [result.get("message", "") for result in STORY]
    gone = found["results"][4]
    assert [gone[key] for key in ("standard", "check", "result", "message")] == [None] * 4


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("result=fail&result=error", [("gone", None), ("web-1", "b"), ("web-1", "d")]),
        ("standard=stig&asset=web-1", [("web-1", "a"), ("web-1", "e")]),
        ("asset=gone", [("gone", None)]),
        ("standard=nothing", [("gone", None)]),
        ("asset=nothing", []),
    ],
)
def test_results_are_chosen(query, wanted, audited):
    """By standard, asset and verdict; an asset without results is not left out, unless others are asked for."""
    found = audited.get(f"/v1/runs/{audited.audit['run_id']}/results?{query}")
    assert [(line["asset_id"], line["check"]) for line in found["results"]] == wanted


def test_the_sums_are_not_changed_by_what_is_left_out(audited):
    """Asking for failures only does not make a standard look worse than it is."""
    path = f"/v1/runs/{audited.audit['run_id']}/results"
    assert audited.get(f"{path}?result=fail")["standards"] == audited.get(path)["standards"]
    (one,) = audited.get(f"{path}?standard=cis&asset=web-2")["standards"]
    assert (one["standard"], one["assets"], one["results"]["fail"]) == ("cis", 1, 0)


def test_a_verdict_that_there_is_not_is_refused(audited):
    """With a status of the caller's fault."""
    audited.get(f"/v1/runs/{audited.audit['run_id']}/results?result=bad", status=400)
    audited.get("/v1/runs/00000000/results", status=404)


@pytest.mark.parametrize("at_once", [1, 2])
def test_more_assets_than_are_read_at_once(at_once, audited, bearer, monkeypatch):
    """The answer is put together from pieces and is the same, in the same order."""
    path = f"/v1/runs/{audited.audit['run_id']}/results"
    whole, text = audited.get(path), lines(audited, bearer)[1].text
    monkeypatch.setattr(jobsd.http.results, "AT_ONCE", at_once)
    assert audited.get(path) == whole
    assert lines(audited, bearer)[1].text == text
    (line,) = audited.get(f"{path}?result=fail&asset=web-1")["results"]
    assert line["check"] == "b"


def test_a_job_that_only_collects_has_assets_and_no_results(audited):
    """Each asset has its line."""
    run = audited.ran("only-collected")
    found = audited.get(f"/v1/runs/{run['run_id']}/results")
    assert found["standards"] == []
    ((asset, state, check),) = [(r["asset_id"], r["asset_state"], r["check"]) for r in found["results"]]
    assert (asset, state, check) == ("web-1", "done", None)
