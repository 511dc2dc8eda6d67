"""docs/ccs-api.md says what the face does."""

import re
from pathlib import Path

from config import loads
from config.inventory import Permission
from config.lint import without_effect
from config.passwords import verify_password
from jobsd.http.ccs import bodies, jobs, logins, reading, rights, tokens
from jobsd.http.ccs.face import PREFIX
from runners.ccs.wire.properties import CATEGORIES
from runners.ccs.wire.search import ATTRIBUTES

PAGE = (Path(__file__).parents[3] / "docs/ccs-api.md").read_text()


def test_the_example_is_a_valid_file(tmp_path):
    """It may be copied as it stands, and nothing in it is without effect."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found = loads(text, file="jobs.yaml", folder=tmp_path)
    assert list(without_effect(found)) == []
    (user,) = found.users
    assert set(user.permissions) == rights.OPERATE
    assert not verify_password("", user.password_hash)


def test_the_table_of_permissions():
    """Its columns are the sets that the routes ask for."""
    columns = [set(), set(), set(), set()]
    rows = re.findall(
        r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|([ x]*)\|([ x]*)\|([ x]*)\|([ x]*)\|$", PAGE, re.MULTILINE
    )
    for names, *marks in rows:
        for column, mark in zip(columns, marks, strict=True):
            column.update(Permission(name) for name in re.findall("`([a-z-]+)`", names) if "x" in mark)
    assert columns == [rights.CREATE, rights.OPERATE, rights.READ, rights.DELETE]


def test_the_numbers():
    """Lives, limits, delays and pages."""
    assert f"`{PREFIX}`" in PAGE
    assert f"{bodies.MOST_BODY // 2**20} MiB" in PAGE
    assert f"{tokens.MOST_BODY // 2**10} KiB" in PAGE
    assert (
        f"good for {tokens.ACCESS.seconds // 60} minutes, a refresh token for {tokens.REFRESH.seconds // 60}"
        in PAGE
    )
    assert f"{logins.FIRST_S} s and then twice as long each time up to {logins.MOST_S:g} s" in PAGE
    assert f"{logins.FORGOTTEN_S / 60:g} minutes" in PAGE
    assert f"{jobs.PAGE_SIZE} to a page, at most {jobs.MOST_PAGE_SIZE}" in PAGE
    assert f"up to {reading.MOST_ACTIVITIES} assets" in PAGE


def test_the_words():
    """Attributes and categories of the search."""
    assert all(f"`{name}`" in PAGE for name in ATTRIBUTES)
    assert all(f"`{name}`" in PAGE for name in CATEGORIES.values())
