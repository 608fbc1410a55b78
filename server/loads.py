"""`/loads`: the command line asks the server that owns the store to load something. Only who may read the notice may.

The key is in the notice beside the store, which only the owner of the store can read: whoever has it could as well load
into the file itself.
"""

from dataclasses import asdict
from secrets import compare_digest
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loaders import LoadError
from loaders.kinds import LOADERS
from loaders.sources import Source, source_of
from server.jobs import Job, JobRefusedError, Jobs, place_of

MAX_BODY_BYTES = 100_000
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Wish(BaseModel):
    """What is to be loaded; with the name that the file of sources gives it, where it does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    location: str = Field(max_length=4096)
    name: str | None = None
    options: dict[str, str] = Field(default_factory=dict)
    token: str | None = Field(None, max_length=10_000, repr=False)
    is_due_only: bool = False
    """Whether it is loaded only where its schedule says so."""


def load_routes(jobs: Jobs, key: str) -> list[Route]:
    async def start(request: Request) -> Response:
        if refusal := _refusal(request, key):
            return refusal
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _told(413, f"the body has more than {MAX_BODY_BYTES:,} bytes")
        try:
            wish = Wish.model_validate(orjson.loads(bytes(body)))
            source = _source(jobs, wish)
            job = jobs.start_if_due(source, wish.token) if wish.is_due_only else jobs.start(source, wish.token)
            if job is None:
                return JSONResponse({"number": 0, "state": "not due"}, headers=HEADERS)
        except JobRefusedError as error:
            return _told(409, str(error))
        except (LoadError, orjson.JSONDecodeError) as error:
            return _told(400, str(error))
        except ValidationError as error:
            return _told(400, "; ".join(f"{m['loc']}: {m['msg']}" for m in error.errors(include_input=False)))
        return JSONResponse(shown(job), status_code=202, headers=HEADERS)

    async def show(request: Request) -> Response:
        if refusal := _refusal(request, key):
            return refusal
        job = jobs.job(request.path_params["number"])
        return JSONResponse(shown(job), headers=HEADERS) if job else _told(404, "there is no such job")

    return [Route("/loads", start, methods=["POST"]), Route("/loads/{number:int}", show, methods=["GET"])]


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


def _refusal(request: Request, key: str) -> Response | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and compare_digest(given.encode(), key.encode()):
        return None
    return _told(401, "loads are for the command line of whoever owns the store")


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


def _told(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=HEADERS)
