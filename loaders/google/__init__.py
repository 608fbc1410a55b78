"""The `google` loader: what Gemini and Vertex AI charged by day, out of the billing export in BigQuery.

Google has no API that says what calls used or cost. Its bill is exported into BigQuery, which is asked here; where the
export lies in files, the loader `focus` reads them.
"""

import re
from collections.abc import Iterator

from loaders.google.bill import REPULL, Bill
from loaders.google.query import ROOT, BigQuery
from loaders.item import Item, LoadError, Note
from loaders.loader import DAILY, Loader, Task
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Clock, Web, WebLimits

__all__ = ["LOADER", "read"]

_OPTIONS = ("url", "since", "project", "region")
_TABLE = re.compile(r"([a-z][a-z0-9-]{4,28}[a-z0-9])\.([A-Za-z0-9_]{1,200})\.([A-Za-z0-9_-]{1,200})", re.ASCII)
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", re.ASCII)
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}", re.ASCII)
_KEY = (
    "an access token, which lasts for an hour (such as `gcloud auth print-access-token` prints), of somebody who may "
    "run jobs in the project and read the table: roles BigQuery Job User and BigQuery Data Viewer"
)


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every day, service and kind of use that has changed since the last load; at the end where it ended.

    Raises:
        LoadError: at once for a table or an option that cannot be right; later where BigQuery refuses.
    """
    match = _TABLE.fullmatch(task.location.strip())
    if not match:
        raise LoadError(
            "the location is the table of the billing export, like my-project.billing.gcp_billing_export_v1_0A1B2C; "
            f"got {task.location[:200]!r}"
        )
    project = _fitting(task, "project", _PROJECT) or match[1]
    region, root = _fitting(task, "region", _REGION), task.options.get("url", ROOT).strip().rstrip("/")
    until = ReadUntil.parse(task.cursor, "|".join([root, match[0], task.options.get("since", "")]))
    web = Web(root, task.token, {"User-Agent": "clawback"}, clock or Clock(), limits or WebLimits())
    service = Service(f"BigQuery table {match[0]}", _KEY, task.token is not None)
    return Bill(BigQuery(web, service, project, region), match[0]).items(until, task)


def _fitting(task: Task, option: str, pattern: re.Pattern[str]) -> str | None:
    said = task.options.get(option)
    if said is not None and not pattern.fullmatch(said):
        raise LoadError(f"the option {option} cannot be {said[:100]!r}")
    return said


LOADER = Loader(
    "google",
    "what Gemini and Vertex AI charged, from the billing export in BigQuery, as project.dataset.table",
    read,
    is_path=False,
    options=_OPTIONS,
    schedule=DAILY,
    repull=REPULL,
)
