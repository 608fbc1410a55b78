"""`/loads`: somebody asks the server that owns the store to load something.

The command line shows the key of the notice beside the store, which only the owner of the store can read: whoever has
it could as well load into the file itself, so he may name any source. Who has a token with the role `ingest` or `admin`
may name the sources of the server's own file, and is told no more of a load than how it went.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loaders import LoadError
from loaders.kinds import LOADERS
from loaders.sources import Source, source_of
from server.access import DeniedError, Identify, Principal
from server.access.audit import Audit
from server.access.owner import shows_key
from server.bodies import BodyTooLargeError, whole_body
from server.jobs import Job, JobRefusedError, Jobs, place_of

MAX_BODY_BYTES = 100_000
INGEST = "ingest"
CLOSE = {"Connection": "close"}
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Wish(BaseModel):
    """What is to be loaded; with the name that the file of sources gives it, where it does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = ""
    location: str = Field("", max_length=4096)
    name: str | None = None
    options: dict[str, str] = Field(default_factory=dict)
    token: str | None = Field(None, max_length=10_000, repr=False)
    is_due_only: bool = False
    """Whether it is loaded only where its schedule says so."""


def load_routes(
    jobs: Jobs, key: str, identify: Identify, audit: Audit | None = None, body_timeout_s: float = 5.0
) -> list[Route]:
    """`key` is that of the notice; `identify` tells who else asks."""

    async def start(request: Request) -> Response:
        try:
            asker = _asker(request, key, identify)
            wish = Wish.model_validate(orjson.loads(await whole_body(request.receive, MAX_BODY_BYTES, body_timeout_s)))
            source = _source(jobs, wish) if asker is None else _named(jobs, wish)
            job = jobs.start_if_due(source, wish.token) if wish.is_due_only else jobs.start(source, wish.token)
        except DeniedError as denied:
            return _told(denied.status, str(denied), denied.headers)
        except BodyTooLargeError:
            return _told(413, f"the body has more than {MAX_BODY_BYTES:,} bytes", CLOSE)
        except TimeoutError:
            return _told(408, f"the body did not arrive within {body_timeout_s:g} s", CLOSE)
        except ClientDisconnect:
            return _told(400, "the client left before its body was there")
        except JobRefusedError as error:
            return _told(409, str(error))
        except (LoadError, orjson.JSONDecodeError) as error:
            return _told(400, str(error))
        except ValidationError as error:
            return _told(400, "; ".join(f"{m['loc']}: {m['msg']}" for m in error.errors(include_input=False)))
        if audit is not None:
            audit.happened("load", asker.name if asker else "operator", source=wish.name or wish.kind)
        if job is None:
            return JSONResponse({"number": 0, "state": "not due"}, headers=HEADERS)
        return JSONResponse(shown(job) if asker is None else _outline(job), status_code=202, headers=HEADERS)

    async def show(request: Request) -> Response:
        try:
            asker = _asker(request, key, identify)
        except DeniedError as denied:
            return _told(denied.status, str(denied), denied.headers)
        job = jobs.job(request.path_params["number"])
        if job is None or (asker is not None and job.source not in jobs.sources):
            return _told(404, "there is no such job")
        return JSONResponse(shown(job) if asker is None else _outline(job), headers=HEADERS)

    return [Route("/loads", start, methods=["POST"]), Route("/loads/{number:int}", show, methods=["GET"])]


def _asker(request: Request, key: str, identify: Identify) -> Principal | None:
    """None for the command line of the store's owner. `DeniedError` for whoever may not ask for loads."""
    if shows_key(request, key):
        return None
    principal = identify(request)
    if principal.is_anybody:  # a web page could ask so, too: it needs no answer to do harm
        raise DeniedError(401, "loads are for the command line of whoever owns the store, or for a token with `ingest`")
    if principal.roles is not None and INGEST not in principal.roles:
        scope = {"WWW-Authenticate": 'Bearer realm="clawback", error="insufficient_scope"'}
        raise DeniedError(403, f"loads need the role `{INGEST}`, which {principal.name} does not have", scope)
    return principal


def _named(jobs: Jobs, wish: Wish) -> Source:
    """A source of the server's own file, by its name alone: where it is and how it is read is not the asker's."""
    if wish.name is None or wish.kind or wish.location or wish.options or wish.token:
        raise LoadError('a token loads what the server\'s file of sources names: send {"name": "..."}')
    found = next((source for source in jobs.sources if source.name == wish.name), None)
    if found is None:
        raise LoadError(f"the server's file of sources names no '{wish.name}'")
    return found


def _outline(job: Job) -> dict[str, Any]:
    """How a load went, without what it read or where: its error and its rejections quote that."""
    report = asdict(job.report) if job.report else {}
    counts = {name: value for name, value in report.items() if isinstance(value, int)}
    error = "the operator can see why" if job.error else None
    return {"number": job.number, "name": job.source.name, "state": job.state, "counts": counts, "error": error}


def shown(job: Job) -> dict[str, Any]:
    """A job as JSON."""
    report = asdict(job.report) if job.report else None
    return {
        "number": job.number,
        "source": job.source.loader.name,
        "location": job.source.location,
        "state": job.state,
        "read_bytes": job.read_bytes,
        "total_bytes": job.total_bytes,
        "report": report,
        "error": job.error,
    }


def _source(jobs: Jobs, wish: Wish) -> Source:
    if wish.kind not in LOADERS or not wish.location:
        raise LoadError("give a kind and a location")
    asked = source_of(wish.kind, wish.location, wish.options)
    if wish.name is None:
        return asked
    found = next((source for source in jobs.sources if source.name == wish.name), None)
    if found is None or (place_of(found), found.options) != (place_of(asked), asked.options):
        raise LoadError(
            f"the server knows no source '{wish.name}' of this kind and place; start it again after sources.yaml has "
            "changed, in the same directory"
        )
    return found


def _told(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=HEADERS | dict(headers or {}))
