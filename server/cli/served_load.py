"""A load that the server does which owns the store: asked for, watched to its end, told as if it were one's own."""

import os
import time
from typing import Any

from loaders import LoadError
from loaders.sources import Source
from server.cli.exchange import exchange
from server.cli.notice import Server
from server.cli.progress import Progress
from store import LoadReport, StoreError

_PAUSE_S = 0.1


def load_at(
    server: Server, source: Source, token: str | None, *, is_named: bool, is_due_only: bool = False
) -> LoadReport | None:
    """What came of the load; None where it was not due. Raises `LoadError` in the words of the load that failed."""
    wish = _described(source) | ({"name": source.name} if is_named else {})
    wish |= {"token": token} if token else {}
    wish |= {"is_due_only": True} if is_due_only else {}
    job = _answer(server, "/loads", wish)
    if job["state"] == "not due":
        return None
    while job["state"] == "waiting" or (job["state"] == "running" and not job["read_bytes"]):
        time.sleep(_PAUSE_S)
        job = _answer(server, f"/loads/{job['number']}")
    with Progress(job["total_bytes"], source.name) as progress:
        progress.advance(job["read_bytes"])
        while job["state"] == "running":
            time.sleep(_PAUSE_S)
            earlier, job = job, _answer(server, f"/loads/{job['number']}")
            progress.advance(max(0, job["read_bytes"] - earlier["read_bytes"]))
    if job["state"] == "failed":
        raise LoadError(job["error"])
    report = job["report"]
    return LoadReport(
        **report
        | {
            "rejections": tuple((where, why) for where, why in report["rejections"]),
            "ignored_by_rule": tuple((rule, count) for rule, count in report["ignored_by_rule"]),
            "warnings": tuple(report["warnings"]),
        }
    )


def _described(source: Source) -> dict[str, Any]:
    """Paths are absolute: the server may have been started elsewhere."""
    options = {name: _placed(value) if name in source.loader.paths else value for name, value in source.options.items()}
    location = _placed(source.location) if source.loader.is_path else source.location
    return {"kind": source.loader.name, "location": location, "options": options}


def _placed(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links stay as they are


def _answer(server: Server, path: str, wish: object = None) -> Any:
    answer = exchange(f"{server.url}{path}", wish, key=server.key)
    if isinstance(answer, dict) and "number" in answer:
        return answer
    if isinstance(answer, dict) and "error" in answer:
        raise LoadError(str(answer["error"]))
    raise StoreError(f"the server at {server.url} owns the store and does not load; is it of another version?")
