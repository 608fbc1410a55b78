import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from server.assets import (
    FILES,
    MEDIA_TYPES,
    PAGE,
    Example,
    accepts_gzip,
    graphiql_asset,
    graphiql_config,
    graphiql_file,
    graphiql_page,
    load_examples,
)

EXAMPLES = [Example("ROI by model", "# ROI by model\n{ metrics { rows { model roi } } }\n")]


async def examples_for(request: Request) -> list[Example]:
    return EXAMPLES


@pytest.fixture
def client() -> TestClient:
    return TestClient(
        Starlette(
            routes=[
                Route("/graphiql", graphiql_page),
                Route("/graphiql/config.json", graphiql_config(examples_for, endpoint="/graphql")),
                Route("/graphiql/{name:path}", graphiql_file),
            ]
        )
    )


def test_every_built_file_has_a_media_type_and_every_media_type_a_file() -> None:
    assert sorted(path.name.removesuffix(".gz") for path in FILES.iterdir()) == sorted(MEDIA_TYPES)


def test_the_built_files_take_less_than_two_and_a_half_megabytes() -> None:
    assert sum(path.stat().st_size for path in FILES.iterdir()) < 2_500_000


def test_the_packed_files_carry_no_time_so_that_a_rebuild_gives_the_same_bytes() -> None:
    packed = [path.read_bytes() for path in FILES.glob("*.gz")]
    assert {data[4:8] for data in packed} == {bytes(4)}


def test_the_bundle_loads_no_code_and_no_style_from_elsewhere() -> None:
    foreign = re.compile(rb"""(?:import\(|importScripts\(|@import |url\()\s*["']?(?:https?:)?//""")
    assert [path.name for path in FILES.glob("*.gz") if foreign.search(gzip.decompress(path.read_bytes()))] == []


@pytest.mark.parametrize("path", ["", ".", "..", "../assets.py", "app.js.gz", "./app.js", "/etc/passwd", "APP.JS"])
def test_a_name_that_is_not_on_the_list_is_no_asset(path: str) -> None:
    assert graphiql_asset(path) is None


@pytest.mark.parametrize("path", ["%2e%2e/assets.py", "..%2f..%2fpyproject.toml", "app.js%00", "nothing.js"])
def test_a_request_for_another_file_is_answered_404(client: TestClient, path: str) -> None:
    answer = client.get(f"/graphiql/{path}")
    assert (answer.status_code, answer.text) == (404, "There is no such file.\n")


def test_a_client_that_takes_gzip_gets_the_stored_bytes(client: TestClient) -> None:
    answer = client.get("/graphiql/app.css", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == (FILES / "app.css.gz").stat().st_size
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"


def test_a_client_that_does_not_take_gzip_gets_the_same_text_unpacked(client: TestClient) -> None:
    answer = client.get("/graphiql/app.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == gzip.decompress((FILES / "app.css.gz").read_bytes())


def test_a_file_that_is_stored_plain_is_never_called_gzip(client: TestClient) -> None:
    answer = client.get("/graphiql/LICENSES.txt", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert "graphiql 5" in answer.text


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("x-gzip-like", False),
    ],
)
def test_gzip_is_taken_where_the_header_allows_it(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_a_client_that_has_the_file_is_told_so_and_sent_nothing(client: TestClient) -> None:
    etag = client.get("/graphiql/app.js").headers["etag"]
    again = client.get("/graphiql/app.js", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    changed = client.get("/graphiql/app.js", headers={"If-None-Match": 'W/"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize("path", ["", "/config.json", "/app.js", "/nothing"])
def test_every_answer_is_fenced_in(client: TestClient, path: str) -> None:
    headers = client.get(f"/graphiql{path}").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-store" if path == "/config.json" else "no-cache")


class References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.addresses += [address for name in ("src", "href") if (address := given.get(name))]
        handlers = [name for name in given if name.startswith("on") or name == "style"]
        self.inline += handlers + ([tag] if tag == "style" or (tag == "script" and "src" not in given) else [])


def test_the_page_is_called_clawback_and_names_only_files_that_exist(client: TestClient) -> None:
    answer = client.get("/graphiql")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Clawback</title>" in answer.text
    page = References()
    page.feed(PAGE)
    assert page.inline == []
    assert page.addresses == ["graphiql/icon.svg", "graphiql/app.css", "graphiql/app.js"]
    assert [client.get(f"/{address}").status_code for address in page.addresses] == [200, 200, 200]


def test_the_configuration_names_the_endpoint_and_the_examples(client: TestClient) -> None:
    answer = client.get("/graphiql/config.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "endpoint": "/graphql",
        "examples": [{"name": "ROI by model", "query": "# ROI by model\n{ metrics { rows { model roi } } }\n"}],
    }


def test_examples_come_in_the_order_of_their_files_named_by_their_first_line(tmp_path: Path) -> None:
    (tmp_path / "20-burn.graphql").write_text("# Burn and runway \n# per month\n{ runway { days } }\n")
    (tmp_path / "10-roi.graphql").write_text("#ROI by model\n{ metrics { rows { roi } } }\n")
    (tmp_path / "README.md").write_text("no example")
    assert load_examples(tmp_path) == [
        Example("ROI by model", "#ROI by model\n{ metrics { rows { roi } } }\n"),
        Example("Burn and runway", "# Burn and runway \n# per month\n{ runway { days } }\n"),
    ]


@pytest.mark.parametrize("text", ["{ metrics { rows { roi } } }\n", "#\n# late title\n", ""])
def test_an_example_without_a_title_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roi.graphql"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(f"{path}:1: an example begins with its title in a comment")):
        load_examples(tmp_path)
