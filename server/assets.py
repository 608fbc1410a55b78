"""The GraphiQL page: the files that scripts/graphiql bundled, the headers that fence them in, the example queries.

All of it comes from this package and the policy lets nothing else in, so the page works with no network.
"""

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

FILES = Path(__file__).parent / "graphiql"

# The only names that are served. A path from a request is looked up here and never joined to a directory.
MEDIA_TYPES = {
    "LICENSES.txt": "text/plain; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "codicon.ttf": "font/ttf",
    "editor.js": "text/javascript; charset=utf-8",
    "graphql.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "json.js": "text/javascript; charset=utf-8",
}

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # the editor places its lines with style attributes and sheets of its own
    "img-src": "'self' data:",  # the editor's style sheet holds its squiggles as data
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}

# "no-cache" stores and asks again each time: the names carry no hash, and a 304 costs one short answer.
GRAPHIQL_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{directive} {sources}" for directive, sources in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

# It depends on who asks, and nothing between him and the server may keep it.
CONFIG_HEADERS = {"Cache-Control": "no-store"}

# References are relative to /graphiql, so that the page also works below a prefix that a proxy adds.
PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Clawback</title>
    <link rel="icon" type="image/svg+xml" href="graphiql/icon.svg">
    <link rel="stylesheet" href="graphiql/app.css">
    <script type="module" src="graphiql/app.js"></script>
  </head>
  <body>
    <div id="graphiql">
      <p role="status">Loading the query editor …</p>
      <noscript><p>The query editor needs JavaScript. The API itself does not: POST a query to /graphql.</p></noscript>
    </div>
  </body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is stored; `body` is gzip where `gzipped` says so. `etag` is weak: it holds for both encodings."""

    body: bytes
    media_type: str
    etag: str
    gzipped: bool


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    query: str


def graphiql_asset(path: str) -> Asset | None:
    return _stored(path) if path in MEDIA_TYPES else None


@cache
def _stored(name: str) -> Asset:
    packed = FILES / f"{name}.gz"
    gzipped = packed.exists()
    body = (packed if gzipped else FILES / name).read_bytes()
    return Asset(body, MEDIA_TYPES[name], f'W/"{hashlib.sha256(body).hexdigest()[:32]}"', gzipped)


async def graphiql_page(request: Request) -> Response:
    return Response(PAGE, media_type="text/html", headers=GRAPHIQL_HEADERS)


async def graphiql_file(request: Request) -> Response:
    asset = graphiql_asset(request.path_params["name"])
    if asset is None:
        return PlainTextResponse("There is no such file.\n", status_code=404, headers=GRAPHIQL_HEADERS)
    headers = {**GRAPHIQL_HEADERS, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    known = request.headers.get("if-none-match", "").split(",")
    if asset.etag in (tag.strip() for tag in known):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if asset.gzipped:
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
    return Response(body, media_type=asset.media_type, headers=headers)


def graphiql_config(examples_for: Callable[[Request], Awaitable[Sequence[Example]]], endpoint: str) -> Endpoint:
    """What /graphiql/config.json answers: where to send queries, and the queries to offer to whoever asks."""

    async def config(request: Request) -> Response:
        body = orjson.dumps({"endpoint": endpoint, "examples": list(await examples_for(request))})
        return Response(body, media_type="application/json", headers=GRAPHIQL_HEADERS | CONFIG_HEADERS)

    return config


def load_examples(directory: Path) -> list[Example]:
    """The *.graphql files in the order of their names; the first line of each is a comment, which is its title."""
    return [_example(path) for path in sorted(directory.iterdir()) if path.suffix == ".graphql"]


def _example(path: Path) -> Example:
    query = path.read_text(encoding="utf-8")
    title = re.match(r"#[ \t]*(\S.*)", query)
    if title is None:
        raise ValueError(f"{path}:1: an example begins with its title in a comment, such as '# ROI by model'")
    return Example(title[1].rstrip(), query)


def accepts_gzip(accept_encoding: str) -> bool:
    """RFC 9110, section 12.5.3: a coding is acceptable if it or * is listed with a weight above 0; the name wins."""
    weights = dict(_weighted(part) for part in accept_encoding.lower().split(","))
    return weights.get("gzip", weights.get("*", False))


def _weighted(part: str) -> tuple[str, bool]:
    coding, _, weight = part.partition(";")
    return coding.strip(), re.fullmatch(r"q=0(\.0*)?", weight.strip()) is None
