"""Importing a report file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.wire import FileImport, UploadedFile, WireFaults, base_name, parse_file_import

PARTS = {"system": "fortify_file_upload", "project": "1"}
FILE = UploadedFile("report.xml", 5)
REQUIRED = ["This field is required."]


def test_params_are_json_in_a_text():
    """Empty or missing ones are none; what is sent is read again."""
    whole = FileImport(file_name="report.xml", system="s", project=1, params={"a": {"b": "ü"}})
    assert parse_file_import(whole.wire(), FILE) == whole
    for params in ({}, {"params": ""}, {"params": "{}"}):
        assert parse_file_import(PARTS | params, FILE).params == {}
    assert "params" not in repr(whole)


@pytest.mark.parametrize(
    ("changes", "file", "said"),
    [
        ({}, None, {"report_file": ["No file was submitted."]}),
        ({"report_file": "text"}, None, {"report_file": ["The submitted data was not a file. Check the encoding type on the form."]}),
        ({}, UploadedFile("report.xml", 0), {"report_file": ["The submitted file is empty."]}),
        *(({}, UploadedFile(name, 5), {"report_file": ["No filename could be determined."]}) for name in ("", ".", "a/..", "a\\", "\n")),
        ({"system": ""}, FILE, {"system": ["This field may not be null."]}),
        ({"system": "other"}, FILE, {"system": ['Invalid pk "other" - object does not exist.']}),
        ({"project": "x"}, FILE, {"project": ["A valid integer is required."]}),
        ({"project": "9"}, FILE, {"project": ['Invalid pk "9" - object does not exist.']}),
        ({"project": ""}, FILE, {"project": ["This field may not be null."]}),
        ({"params": "{"}, FILE, {"params": ["Value must be valid JSON."]}),
        ({"params": "[" * 100_000}, FILE, {"params": ["Value must be valid JSON."]}),
        ({"params": "[]"}, FILE, {"params": ['Expected a dictionary of items but got type "list".']}),
        ({"params": "null"}, FILE, {"params": ["This field may not be null."]}),
    ],
)  # fmt: skip
def test_an_import_at_fault(refused, changes, file, said):
    """In the framework's words."""
    known = {"systems": {"fortify_file_upload"}, "projects": {1}.__contains__}
    assert refused(lambda: parse_file_import(PARTS | changes, file, **known)) == said


def test_all_faults_of_an_import_are_told_at_once(refused):
    """Those of the file included."""
    assert refused(lambda: parse_file_import({}, None)) == {
        "report_file": ["No file was submitted."], "system": REQUIRED, "project": REQUIRED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kept"),
    [("report.xml", "report.xml"), ("../../etc/passwd", "passwd"), ("C:\\temp\\r.fpr", "r.fpr"), ("a&#47;b", "b"), ("ü\n\0.xml", "ü\ufffd.xml"), (" a b ", "a b")],
)  # fmt: skip
def test_names_of_files_have_no_folders(name, kept):
    """Of either kind."""
    assert base_name(name) == kept


@given(st.text(st.characters(exclude_categories=[])))
def test_any_name_is_made_safe(name):
    """No folder, nothing that cannot be printed."""
    kept = base_name(name)
    assert "/" not in kept
    assert kept not in {".", ".."}
    assert kept.isprintable()
    kept.encode()


@given(st.dictionaries(st.sampled_from(["system", "project", "params", "report_file"]), st.text(st.characters(exclude_categories=[]), max_size=9)))  # fmt: skip
def test_no_form_breaks_it(parts):
    """It is read or refused."""
    try:
        parse_file_import(parts, FILE)
    except WireFaults as error:
        json.dumps(error.answer.body, ensure_ascii=False).encode()
