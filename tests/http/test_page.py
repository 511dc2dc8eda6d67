"""The page: what it shows, and that nothing in a name does harm."""

import re
from html.parser import HTMLParser

ALLOWED = {
    "html", "head", "meta", "link", "title", "style", "body", "header", "h1", "h2", "h3", "span", "main", "div",
    "section", "p", "dl", "dt", "dd", "time", "small", "br", "a", "svg", "rect", "table", "thead", "tbody", "tr",
    "th", "td", "code", "details", "summary", "ul", "li", "footer",
}  # fmt: skip
EMPTY = {"meta", "link", "br", "rect"}


class Page(HTMLParser):
    """The tags and the text of a page; fails for tags that are not closed as they were opened."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self._open = [], [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        """Note it."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Note it."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        """It must be the last one opened."""
        assert self._open.pop() == tag

    def handle_data(self, data):
        """Note it."""
        if "style" not in self._open:
            self.words.append(data.strip())

    @property
    def text(self):
        """All words."""
        return " ".join(word for word in self.words if word)


def page(house, path):
    """The page at `path` as a reader without a token gets it."""
    answer = house.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


def test_the_front_page_shows_jobs_runs_and_coverage(told):
    """Next and last run in the job's zone and in UTC, coverage as words and as a bar, state words, pauses."""
    text = page(told, "/").text
    assert "Sun 2026-03-08 03:30:00 EDT" in text
    assert "2026-03-08 07:30:00Z, in 19h 30min" in text
    assert "67% of 3: 2 done, 1 unreachable" in text
    assert "2 pass, 2 fail, 0 unknown" in text
    for words in ("incomplete", "succeeded", "disabled", "paused", "audit", "Active runs", "Recent runs"):
        assert words in text
    assert "not ready" not in text


def test_the_run_page_shows_attempts_assets_and_journal(told):
    """Each asset with its reason and results; the journal with its actors."""
    text = page(told, f"/runs/{told.collected['run_id'][:13]}").text
    for words in ("web-3", "unreachable", "gone", "1 fail, 1 pass", "cis / files", "completed", "Next rerun"):
        assert words in text
    assert "open pending – local api, 127.0.0.1" in text


def test_html_in_names_and_results_is_text(told):
    """Only our own tags are there; what was written with angle brackets is shown as written."""
    front, run = page(told, "/"), page(told, f"/runs/{told.collected['run_id']}")
    assert "<script>alert('x')</script>" in front.text
    assert "=1+1 <b>open</b>" in run.text
    for found in (front, run):
        assert set(found.tags) <= ALLOWED
        assert not [name for _, name, _ in found.attributes if name.startswith("on") or name == "style"]


def test_the_page_needs_nothing_from_elsewhere(told):
    """Links stay on this host; the policy allows only our own style, by its hash."""
    answer = told.http.get("/")
    found = Page(answer.text)
    links = [value for _, name, value in found.attributes if name in ("href", "src")]
    assert links
    assert all(re.match(r"/(?!/)|data:,", link) for link in links)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in policy


def test_an_unknown_run_is_404(told):
    """The run page of a run that is not there."""
    assert told.http.get("/runs/zzz").status_code == 404
