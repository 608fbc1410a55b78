import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import focus
from loaders.item import Ignored, LoadError, Location, Rejected, WholePart
from tests.loaders.focus.conftest import NOW, ROW, load, total, write
from tests.stores import new_store

OWNER = "123456789012"
USE = ROW | {"BillingAccountId": OWNER, "EffectiveCost": "10"}
MORE = USE | {"ResourceId": "i-2", "EffectiveCost": "5"}
NEXT_DAY = USE | {"ChargePeriodStart": "2026-11-20T00:00:00Z", "ChargePeriodEnd": "2026-11-21T00:00:00Z"}
BUCKET = "s3://bills/exports/main"
EXPORT = "/providers/Microsoft.Billing/billingAccounts/77/providers/Microsoft.CostManagement/exports/daily"


def aws(root: Path, *files: str, period: str = "2026-11", owner: str = OWNER, **content: object) -> Path:
    """A manifest as AWS Data Exports lays it beside the data."""
    path = root / "metadata" / f"billing_period={period}" / "main-Manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "executionId": "9b6b32ef",
        "exportArn": f"arn:aws:bcm-data-exports:us-east-1:{owner}:export/main-1",
        "columns": [{"name": "BilledCost", "type": "decimal"}],
        "dataFiles": [f"{BUCKET}/data/billing_period={period}/{file}" for file in files],
        "additionalOutputFiles": [],
    }
    path.write_text(json.dumps(written | content))
    return path


def azure(run: Path, *files: str, at: str, resource: str = EXPORT, rows: int | None = None) -> Path:
    """A manifest as Azure Cost Management lays it into the folder of a run."""
    path = run / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "manifestVersion": "2024-04-01",
        "dataRowCount": rows,
        "exportConfig": {"exportName": "daily", "resourceId": resource, "type": "FocusCost"},
        "runInfo": {"submittedTime": at, "startDate": "2026-11-01T00:00:00"},
        "blobs": [{"blobName": f"costs/daily/20261101-20261130/{run.name}/{file}"} for file in files],
    }
    path.write_text(json.dumps(content))
    return path


def data(root: Path, name: str, *rows: Mapping[str, str], period: str = "2026-11") -> Path:
    return write(root / "data" / f"billing_period={period}" / name, *rows)


def test_only_the_files_that_the_manifest_names_are_read(tmp_path: Path) -> None:
    old, new = "2026-11-20T00:00:00.000Z-1", "2026-11-21T00:00:00.000Z-2"
    for run in (old, new):
        data(tmp_path, f"{run}/main-00001.csv.gz", USE)
    data(tmp_path, f"{new}/main-00002.csv.gz", MORE)
    manifest = aws(tmp_path, f"{new}/main-00001.csv.gz", f"{new}/main-00002.csv.gz")

    items = list(focus.read(tmp_path, now=NOW))
    stale = tmp_path / "data" / "billing_period=2026-11" / old / "main-00001.csv.gz"
    assert items[:2] == [
        Ignored(Location(str(stale)), "is not named by a manifest"),
        Ignored(Location(str(manifest)), "is not a table"),
    ]
    with new_store() as store:
        assert load(store, tmp_path).stored == 2
        assert total(store) == Decimal(15)


def test_the_manifest_of_the_account_itself_replaces_its_whole_period(tmp_path: Path) -> None:
    with new_store() as store:
        data(tmp_path, "main-00001.csv.gz", USE, MORE, NEXT_DAY)
        data(tmp_path, "main-00001.csv.gz", USE | {"BillingPeriodStart": "2026-10-01T00:00:00Z"}, period="2026-10")
        aws(tmp_path, "main-00001.csv.gz")
        aws(tmp_path, "main-00001.csv.gz", period="2026-10")
        assert load(store, tmp_path).removed == 0
        assert total(store) == Decimal(35)

        data(tmp_path, "main-00001.csv.gz", MORE)
        assert load(store, tmp_path).removed == 2
        assert total(store) == Decimal(15)
        assert load(store, tmp_path).removed == 0


def test_the_export_of_a_member_of_the_organization_removes_nothing_of_the_bill_of_all(tmp_path: Path) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "all.csv", USE, MORE))
        data(tmp_path / "member", "main-00001.csv.gz", MORE)
        aws(tmp_path / "member", "main-00001.csv.gz", owner="999999999999")
        assert load(store, tmp_path / "member").removed == 0
        assert load(store, tmp_path / "member", whole="periods").removed == 1


def test_a_file_that_is_named_and_not_there_ends_the_load(tmp_path: Path) -> None:
    data(tmp_path, "main-00001.csv.gz", USE)
    aws(tmp_path, "main-00001.csv.gz", "main-00002.csv.gz")

    with pytest.raises(LoadError, match=r"names .*main-00002\.csv\.gz, which is not below .*; copy the whole export"):
        focus.read(tmp_path, now=NOW)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "s3://bills/../../../etc/passwd.csv",
        "data/../../up.csv",
        "data\\..\\up.csv",
        "a\x00.csv",
        "//",
    ],
)
def test_a_name_that_leads_out_of_the_export_ends_the_load(tmp_path: Path, name: str) -> None:
    data(tmp_path, "main-00001.csv.gz", USE)
    aws(tmp_path, dataFiles=[f"{BUCKET}/data/billing_period=2026-11/main-00001.csv.gz", name])

    with pytest.raises(LoadError, match="which leads out of the export; it may only name files in it"):
        focus.read(tmp_path, now=NOW)


def test_an_absolute_name_is_looked_for_below_the_directory_only(tmp_path: Path) -> None:
    outside = write(tmp_path / "secret.csv", USE)
    aws(tmp_path / "export", dataFiles=[str(outside)])

    with pytest.raises(LoadError, match="which is not below"):
        focus.read(tmp_path / "export", now=NOW)


def test_a_link_out_of_the_directory_is_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.csv", USE)
    for root in (tmp_path / "named", tmp_path / "lone"):
        (root / "data").mkdir(parents=True)
        (root / "data" / "link.csv").symlink_to(secret)
    aws(tmp_path / "named", dataFiles=["data/link.csv"])
    write(tmp_path / "lone" / "data" / "own.csv", MORE)

    with pytest.raises(LoadError, match=r"link\.csv: is a link to .*secret\.csv, which is outside"):
        focus.read(tmp_path / "named", now=NOW)
    items = list(focus.read(tmp_path / "lone" / "data", now=NOW, whole="periods"))
    assert isinstance(items[0], Rejected)
    assert items[0].reason.startswith("is a link to")
    assert not [item for item in items if isinstance(item, WholePart)]


@pytest.mark.parametrize("text", ["{", "[]", "\xff", '{"dataFiles": [1]}', '{"blobs": {"a": 1}}', "[" * 5000])
def test_a_manifest_that_cannot_be_read_ends_the_load(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.csv", USE)
    (tmp_path / "main-Manifest.json").write_bytes(text.encode("latin-1"))

    with pytest.raises(LoadError, match=r"the manifest .*copy the export again"):
        focus.read(tmp_path, now=NOW)


def test_two_exports_that_both_have_the_whole_bill_are_not_added(tmp_path: Path) -> None:
    for name in ("focus", "again"):
        data(tmp_path / name, "main-00001.csv.gz", USE)
        aws(tmp_path / name, "main-00001.csv.gz", exportArn=f"arn:aws:bcm-data-exports:us-east-1:{OWNER}:export/{name}")

    with pytest.raises(LoadError, match=f"states the bill of AWS to {OWNER} from 2026-11-01, which .* states too"):
        list(focus.read(tmp_path, now=NOW))


def test_a_file_that_two_manifests_name_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "main-00001.csv.gz", USE)
    aws(tmp_path, "main-00001.csv.gz")
    aws(tmp_path, "main-00001.csv.gz", period="2026-10")

    with pytest.raises(LoadError, match=r"names .*main-00001\.csv\.gz, which .* names too"):
        focus.read(tmp_path, now=NOW)


def test_the_newest_run_of_an_azure_export_counts_and_replaces_the_days_that_it_has(tmp_path: Path) -> None:
    runs = tmp_path / "daily" / "20261101-20261130"
    with new_store() as store:
        write(runs / "run-b" / "part_0_0001.csv", USE, MORE, NEXT_DAY)
        azure(runs / "run-b", "part_0_0001.csv", at="2026-11-20T02:00:00.1234567Z", rows=3)
        assert load(store, tmp_path).stored == 3

        write(runs / "run-a" / "part_0_0001.csv", USE)
        azure(runs / "run-a", "part_0_0001.csv", at="2026-11-21T02:00:00.1234567Z", rows=1)
        assert load(store, tmp_path).removed == 1
        assert total(store) == Decimal(20)  # the next day has no row in the new run, which may be of some days only


@pytest.mark.parametrize(
    "resource",
    [
        "/subscriptions/5/providers/Microsoft.CostManagement/exports/daily",
        "/providers/Microsoft.Billing/billingAccounts/7/invoiceSections/3/providers/Microsoft.CostManagement/exports/x",
        "",
    ],
)
def test_an_azure_export_of_less_than_the_account_removes_nothing(tmp_path: Path, resource: str) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "other.csv", MORE))
        write(tmp_path / "run" / "part_0_0001.csv", USE)
        azure(tmp_path / "run", "part_0_0001.csv", at="2026-11-21T02:00:00Z", resource=resource)
        assert load(store, tmp_path / "run").removed == 0


def test_a_manifest_that_counts_other_rows_is_rejected_and_lets_nothing_be_removed(tmp_path: Path) -> None:
    write(tmp_path / "part_0_0001.csv", USE)
    path = azure(tmp_path, "part_0_0001.csv", at="2026-11-21T02:00:00Z", rows=2)

    *_, last = focus.read(tmp_path, now=NOW)
    reason = "the manifest counts 2 rows and its files have 1; copy the export again"
    assert last == Rejected(Location(str(path)), reason)


def test_two_runs_of_one_age_are_refused(tmp_path: Path) -> None:
    for run in ("a", "b"):
        write(tmp_path / run / "part_0_0001.csv", USE)
        azure(tmp_path / run, "part_0_0001.csv", at="2026-11-21T02:00:00Z")

    with pytest.raises(LoadError, match="neither says that it is the later one; keep only the one that counts"):
        focus.read(tmp_path, now=NOW)


def test_a_manifest_of_something_else_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", USE)
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')

    assert next(iter(focus.read(tmp_path, now=NOW))) == Ignored(
        Location(str(tmp_path / "manifest.json")), "is not a table"
    )
    assert focus.paths(tmp_path) == [tmp_path / "a.csv"]
