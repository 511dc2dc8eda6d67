"""Calendars in the API and on the page: what is skipped and what was moved is shown."""

TEXT = """
version: 1
calendars:
  freeze: {dates: [{from: 2026-03-13, to: 2026-03-15}]}
jobs:
  - name: scan
    schedule:
      {start: 2026-01-01T03:30:00, weekly: {on: [friday]}, exclude: [freeze], on_exclude: next-day, on_closure: stop}
    run: {command: {argv: [/bin/true]}}
"""
WHY = 'calendar "freeze": closed until 2026-03-16T00:00:00Z; moved to 2026-03-16T03:30:00Z'


def test_excluded_and_moved_occurrences_are_shown(build) -> None:
    """A skipped occurrence has its reason and its new time, a moved one its old; the page says both.

    Rule: exclusions
    """
    house = build(text=TEXT)
    house.start()
    coming = house.get("/v1/jobs/scan/next?n=3")
    keys = ("fire_time", "excluded", "moved_to", "moved_from")
    assert [tuple(one[key] for key in keys) for one in coming] == [
        ("2026-03-13T03:30:00Z", WHY, "2026-03-16T03:30:00Z", None),
        ("2026-03-16T03:30:00Z", None, None, "2026-03-13T03:30:00Z"),
        ("2026-03-20T03:30:00Z", None, None, None),
    ]
    job = house.get("/v1/jobs/scan")
    assert job["next_fire_time"] == "2026-03-16T03:30:00Z"
    assert job["next_excluded"] == {"fire_time": "2026-03-13T03:30:00Z", "reason": WHY}
    assert job["schedule"] == house.get("/v1/explain/scan")["schedule"]
    assert (
        'moved to the next open day inside the calendar "freeze", where a run that is at work is stopped.'
        in job["schedule"]
    )
    page = house.http.get("/").text
    assert "<small>not Fri 2026-03-13 03:30:00 UTC: calendar" in page
    assert "closed until 2026-03-16T00:00:00Z" in page
