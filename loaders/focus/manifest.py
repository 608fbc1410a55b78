"""The list of files that AWS and Azure write beside an export, once all of them are there.

AWS: `dataFiles` of addresses in S3, one manifest for each billing period of one export. Azure: `blobs` with a
`blobName` each, one manifest for each run of an export, over the dates of `runInfo`. Neither is read in further than
that: where a field is not of this form, nothing follows from it.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from loaders.item import LoadError, Rejected
from loaders.openclaw.values import FieldError, Object, parse
from loaders.source import Limits, read_document

Extent = Literal["periods", "days", "no"]
"""What an export has all of: the billing periods, the days that it has charges of, or nobody knows."""

_LIMITS = Limits(document_bytes=16 * 2**20)
_AWS_EXPORT = re.compile(r"arn:aws[\w-]*:bcm-data-exports:[\w-]*:(\d{12}):export/.+", re.ASCII)
_ADDRESS = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/]*/?")
_WHOLE_ACCOUNT = re.compile(
    r"/?providers/Microsoft\.Billing/billingAccounts/[^/]+(/billingProfiles/[^/]+)?"
    r"/providers/Microsoft\.CostManagement/exports/[^/]+",
    re.IGNORECASE,
)
"""An export of a subscription or an invoice section has a part of the bill, under the account of the whole."""


@dataclass(frozen=True, slots=True)
class Manifest:
    path: Path
    names: tuple[str, ...]
    """Of the files, as the vendor's storage knows them, without the bucket."""
    extent: Extent
    owner: str | None
    """The only billing account whose bill it has all of; None where that is settled already."""
    rows: int | None
    run_of: tuple[str, ...]
    """What it is a run of: of several manifests with the same, only the newest counts."""
    age: str
    """Orders the runs."""


def read_manifest(path: Path) -> Manifest | None:
    """None for a file that names no files of an export.

    Raises:
        LoadError: it cannot be read, or it names a file outside of its export.
    """
    document = read_document(path, str(path), limits=_LIMITS)
    if isinstance(document, Rejected):
        raise LoadError(f"{path}: the manifest {document.reason}; copy the export again")
    try:
        content = parse(document.removeprefix(b"\xef\xbb\xbf"))
    except FieldError as error:
        raise LoadError(
            f"{path}: the manifest {error}; copy the export again, or take the file away if it is something else"
        ) from error
    listed = content.get("dataFiles") or content.get("blobs")
    if not listed:
        return None
    stated = [_stated(file) for file in listed] if isinstance(listed, list) else [None]
    names = tuple(dict.fromkeys(_within(path, name) for name in stated if name is not None))
    if None in stated:
        raise LoadError(f"{path}: the manifest must list the files of an export by name; copy the export again")
    return _azure(path, names, content) if "blobs" in content else _aws(path, names, content)


def _stated(file: object) -> str | None:
    name = file.get("blobName") if isinstance(file, dict) else file
    return name if isinstance(name, str) and name.strip() else None


def _within(path: Path, name: str) -> str:
    key = _ADDRESS.sub("", name, count=1).lstrip("/")
    if ".." in PurePosixPath(key).parts or "\\" in key or "\x00" in key or not PurePosixPath(key).parts:
        raise LoadError(
            f"{path}: the manifest names {ascii(name)[:200]}, which leads out of the export; "
            "it may only name files in it"
        )
    return key


def _aws(path: Path, names: tuple[str, ...], content: Object) -> Manifest:
    """A member of an organization exports its own use under the account that pays for all: not the whole bill."""
    arn = content.get("exportArn")
    export = _AWS_EXPORT.fullmatch(arn) if isinstance(arn, str) else None
    folders = PurePosixPath(names[0]).parts[:-1]
    period = next((folder for folder in folders if folder.casefold().startswith("billing_period=")), str(path.parent))
    return Manifest(
        path=path,
        names=names,
        extent="periods" if export else "no",
        owner=export[1] if export else None,
        rows=None,
        run_of=("aws", export[0] if export else "", period),
        age=folders[-1] if folders else "",
    )


def _azure(path: Path, names: tuple[str, ...], content: Object) -> Manifest:
    run, export = _inner(content, "runInfo"), _inner(content, "exportConfig")
    resource, rows = str(export.get("resourceId") or ""), content.get("dataRowCount")
    return Manifest(
        path=path,
        names=names,
        extent="days" if _WHOLE_ACCOUNT.fullmatch(resource) else "no",
        owner=None,
        rows=rows if isinstance(rows, int) and not isinstance(rows, bool) else None,
        run_of=("azure", resource or str(export.get("exportName")), str(run.get("startDate") or path.parent)),
        age=str(run.get("submittedTime") or ""),
    )


def _inner(content: Object, field: str) -> Object:
    value = content.get(field)
    return value if isinstance(value, dict) else {}
