"""docs/sde-api.md says what the code does."""

import re
from pathlib import Path

from config import loads
from config.definitions import Permission
from jobsd.http.sde.callers import KNOWN_S
from jobsd.http.sde.rights import EDIT
from jobsd.http.sde.routes import TRIALS
from runners.sde.trying import COMMAND_S, CONNECT_S

PAGE = (Path(__file__).parents[4] / "docs" / "sde-api.md").read_text()


def test_the_file_on_the_page_is_valid(tmp_path):
    """It is taken as it stands; its systems have commands, its user may edit everything."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found = loads(text, file="jobs.yaml", folder=tmp_path)
    assert set(found.users[0].permissions) == set(EDIT.values())
    assert found.settings.encryption_key is not None
    assert list(found.sde_systems) == ["jira", "ldap"]


def test_the_numbers_and_names_on_the_page():
    """Time limits, places and permissions are those of the code."""
    assert f"at most {COMMAND_S:g} s, four at a time" in PAGE
    assert f"within {CONNECT_S:g} s" in " ".join(PAGE.split())
    assert (TRIALS, KNOWN_S) == (4, 300)
    assert [one for one in Permission if one.value.startswith("edit-") and f"`{one.value}`" not in PAGE] == []
