"""From Create Job requests to definitions and back, and what is left of them when the inventory has changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config import loads
from config.definitions import Asset
from config.runs import JobType
from runners.ccs.definition import definition_of, group_names, judge, request_of, source_of
from runners.ccs.describing import details_of
from runners.ccs.wire import WireFaults, parse_create_job

WEB, GROUP = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "0000aaaa-1111-2222-3333-444455556666"
OTHER = "5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c"
CIS = "6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"
MADE = datetime(2026, 3, 7, 12, 0, 0, 250_000, tzinfo=UTC)
FILE = f"""
version: 1
collectors:
  linux: {{collect: [/bin/echo], evaluate: [/bin/echo]}}
assets: {{{WEB.upper()}: {{id: web-1, type: linux}}}}
standards: {{{CIS.upper()}: cis}}
asset_groups: {{{GROUP}: [web-1, {{id: web-2, type: linux}}]}}
jobs:
  - name: nightly
    run: {{collect: {{assets: [web-1, {{id: {OTHER.upper()}, type: linux}}], asset_groups: [{GROUP}], standards: [cis, own]}}}}
"""


@pytest.fixture
def configuration(tmp_path):
    """The file above."""
    return loads(FILE, file="jobs.yaml", folder=tmp_path)


def source(assets, schedule=None, **details):
    """What is kept of a request for these assets."""
    body = {
        "JobDetails": {
            "AssetsResolutionInfo": [{"Id": guid, "Type": kind} for guid, kind in assets],
            "JobName": "Weekly", "Standards": [CIS.upper(), OTHER], **details,
        },
        "JobType": "CollectionEvaluationJob",
    }  # fmt: skip
    if schedule is not None:
        body["JobDetails"]["Schedule"] = schedule
    return source_of(
        parse_create_job(body, weekday_codec="flags"), zone="Europe/Berlin", weekday_codec="flags", created_at=MADE
    )


def test_a_group_by_its_name_is_never_taken_for_a_host(configuration):
    """Also when the group is gone and Type is a collector's name: then it is an asset that nothing collects."""
    grouped = replace(configuration, asset_groups={"Web": configuration.asset_groups[GROUP]})
    body = {
        "JobDetails": {
            "AssetsResolutionInfo": [{"Id": "WEB", "Type": "linux"}], "JobName": "Weekly", "Standards": [CIS],
        },
        "JobType": "CollectionJob",
    }  # fmt: skip
    request = parse_create_job(body, names=group_names(grouped))
    judge(request, grouped)
    kept = source_of(request, zone="UTC", weekday_codec="dotnet", created_at=MADE)
    assert definition_of(kept, grouped).run.asset_groups == ("Web",)
    (lost,) = definition_of(kept, configuration).run.assets
    assert lost.type not in configuration.collectors
    with pytest.raises(WireFaults):
        parse_create_job(body, names=group_names(configuration))


def test_a_type_of_ccs_is_not_another_one_of_ccs(configuration):
    """Where the table says the type of an asset in CCS's words, no other word of CCS will do."""
    (collector,) = configuration.collectors.values()
    unix = replace(
        configuration,
        collectors={"symc-unix": collector},
        assets={WEB: Asset(id="web-1", type="symc-unix")},
    )
    judge(request_of(source([(WEB, "symc-unix")])), unix)
    with pytest.raises(WireFaults, match="symc-windows"):
        judge(request_of(source([(WEB, "symc-windows")])), unix)


def test_the_source_is_json_and_gives_the_request_back(configuration):
    """With the zone and the numbers of weekdays that were in force when the job was made."""
    kept = source([(WEB, "symc-x")], {"RunPeriodically": True, "RecurrenceType": 2, "WeeklyDay": 34})
    assert kept["created_at"] == "2026-03-07T12:00:00.250000+00:00"
    assert request_of(kept).wire() == kept["request"]
    schedule = definition_of(kept, configuration).schedule
    assert (schedule.zone, schedule.start) == ("Europe/Berlin", datetime(2026, 3, 7, 13, 0))
    assert sorted(day.name for day in schedule.rule.on) == ["FRIDAY", "MONDAY"]


def test_what_the_inventory_has_lost_becomes_an_asset_that_fails(configuration):
    """The definition stands whatever is missing: an asset's entry, a group, a collector, a standard's name."""
    kept = source([(WEB, "symc-x"), (GROUP, "symc-y")])
    judge(request_of(kept), configuration)
    before = definition_of(kept, configuration).run
    assert [(asset.id, asset.type) for asset in before.assets] == [("web-1", "linux")]
    assert (before.asset_groups, before.standards) == ((GROUP,), ("cis", OTHER))
    bare = replace(configuration, assets={}, asset_groups={}, collectors={}, standards={})
    after = definition_of(kept, bare).run
    assert [(asset.id, asset.type) for asset in after.assets] == [(WEB, "symc-x"), (GROUP, "symc-y")]
    assert (after.asset_groups, after.standards) == ((), (CIS, OTHER))
    with pytest.raises(WireFaults) as raised:
        judge(request_of(kept), bare)
    assert [fault.field for fault in raised.value.faults] == [
        f"AssetsResolutionInfo[{place}].Type" for place in (0, 1)
    ]
    assert all("there are no collectors" in fault.message for fault in raised.value.faults)


def test_two_ids_of_one_asset_are_one(configuration, tmp_path):
    """Each asset once, in the order of the request."""
    twice = replace(configuration, assets={**configuration.assets, OTHER: configuration.assets[WEB.upper()]})
    run = definition_of(source([(WEB, "linux"), (OTHER, "linux")]), twice).run
    assert [asset.id for asset in run.assets] == ["web-1"]
    assert run.type is JobType.COLLECTION_EVALUATION


def test_a_job_of_the_file_has_ids_that_stay(configuration):
    """Those of the tables, GUIDs that are names already, and else ones that are made from the names."""
    job = configuration.jobs["nightly"]
    details = details_of(job, job.run, configuration)
    assert [(asset.id, asset.type) for asset in details.assets] == [
        (WEB, "linux"), (OTHER, "linux"), (GROUP, "asset-group"),
    ]  # fmt: skip
    assert details.standards[0] == CIS
    assert details.standards[1] == "44b4bac3-da39-5040-b58f-d6c1ef54319d"
    assert details == details_of(job, job.run, configuration)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"incremental": timedelta(hours=25)}, {"IsIncremental": True, "IncrementalPeriod": 2}),
        ({"incremental": None}, {"IsIncremental": False}),
        ({"asset_timeout": timedelta(seconds=61)}, {"AssetTimeOut": 2}),
        ({"asset_timeout": None}, {}),
        ({"collection_timeout": timedelta(minutes=61)}, {"CollectionOnlyTimeOutHours": 1, "CollectionOnlyTimeOutMins": 1}),
    ],
)  # fmt: skip
def test_spans_are_rounded_up_to_what_the_api_can_say(configuration, changes, found):
    """Whole days and minutes; what is not limited is not there."""
    job = configuration.jobs["nightly"]
    wire = details_of(job, job.run.model_copy(update={"asset_timeout": None, **changes}), configuration).wire()
    names = (
        "IsIncremental",
        "IncrementalPeriod",
        "AssetTimeOut",
        "CollectionOnlyTimeOutHours",
        "CollectionOnlyTimeOutMins",
    )
    assert {name: wire[name] for name in names if name in wire} == {"IsIncremental": False, **found}
