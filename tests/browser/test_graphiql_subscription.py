"""GraphiQL with a token typed in, and a subscription whose rows change while loads are stored."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys as Key
from selenium.webdriver.remote.webelement import WebElement
from starlette.requests import Request
from starlette.routing import Route

from semantic import Catalog, load_catalog
from server.access import OPERATOR
from server.app import create_app
from server.assets import Example, graphiql_config, graphiql_file, graphiql_page, load_examples
from server.settings import Settings
from store import Store
from tests.browser.driver import console_problems, sent_requests, until
from tests.server.conftest import NOW, RECORDS, REPOSITORY, load_into
from tests.server.live.conftest import Keys, app_of, live_over, one_more_session
from tests.serving import running
from tests.stores import new_store

pytestmark = pytest.mark.browser

TOKEN = "the-operators-own"
EXAMPLES = load_examples(REPOSITORY / "examples/subscriptions")
SESSIONS = """# Sessions
subscription { metrics(where: {agent: {eq: "main"}}) { rows { agent sessions } dataVersion } }
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog((REPOSITORY / "metrics.yaml").read_text(), "metrics.yaml")


async def examples_for(request: Request) -> list[Example]:
    """One for everybody, and one for whoever shows the token."""
    ours = [Example("Version", "# Version\n{ dataVersion }\n")]
    shown = request.headers.get("authorization") == f"Bearer {TOKEN}"
    return [Example("Sessions", SESSIONS), *(ours if shown else ())]


@dataclass(frozen=True)
class Site:
    url: str
    store: Store
    keys: Keys


@pytest.fixture
def site(catalog: Catalog) -> Iterator[Site]:
    """GraphiQL over a server that asks for a token."""
    with new_store() as store:
        load_into(store, RECORDS)
        keys = Keys({TOKEN: OPERATOR})
        app = app_of(live_over(catalog, store), keys)
        app.routes.extend(
            [
                Route("/graphiql", graphiql_page),
                Route("/graphiql/config.json", graphiql_config(examples_for, "/graphql")),
                Route("/graphiql/{name}", graphiql_file),
            ]
        )
        with running(app) as url:
            yield Site(url, store, keys)


def type_token(page: WebDriver, token: str) -> None:
    field = page.find_element(By.CSS_SELECTOR, ".clawback-token input")
    field.send_keys(Key.CONTROL, "a", Key.NULL, Key.DELETE, token, Key.ENTER)


def response(page: WebDriver) -> str:
    return page.find_element(By.CSS_SELECTOR, ".graphiql-response .view-lines").text


def execute(page: WebDriver) -> None:
    page.find_element(By.CSS_SELECTOR, "button[aria-label^='Execute query']").click()


def opened(browser: WebDriver, url: str) -> WebDriver:
    browser.get(f"{url}/graphiql")
    until(browser, lambda page: bool(page.find_elements(By.CSS_SELECTOR, ".view-line")), "the editor shows a query")
    return browser


def test_rows_of_a_subscription_change_while_loads_are_stored(browser: WebDriver, site: Site) -> None:
    page = opened(browser, site.url)
    type_token(page, TOKEN)
    execute(page)
    until(page, lambda page: '"sessions": 2' in response(page), "the first answer is shown")
    for number in (3, 4, 5):
        one_more_session(site.store, number)
        until(page, lambda page: f'"sessions": {number}' in response(page), "the new answer is shown")  # noqa: B023
    assert f"{site.url.replace('http', 'ws')}/graphql" in [request.url for request in sent_requests(page)]
    page.find_element(By.CSS_SELECTOR, "button[aria-label^='Stop query']").click()


def test_a_token_is_sent_with_queries_and_kept_for_the_tab_alone(browser: WebDriver, site: Site) -> None:
    page = opened(browser, site.url)
    until(page, lambda page: bool(console_problems(page)), "introspection without a token is refused")
    type_token(page, TOKEN)
    until(page, lambda page: not page.find_elements(By.CSS_SELECTOR, ".graphiql-spin"), "the schema is read")
    sent = [request for request in sent_requests(page) if request.url == f"{site.url}/graphql"]
    assert list(dict.fromkeys(request.headers.get("Authorization") for request in sent)) == [None, f"Bearer {TOKEN}"]
    stored = page.execute_script("return [{...sessionStorage}, {...localStorage}]")
    assert stored[0] == {"clawback:token": TOKEN}
    assert TOKEN not in str(stored[1])
    assert TOKEN not in page.current_url
    page.refresh()
    until(page, lambda page: bool(page.find_elements(By.CSS_SELECTOR, ".view-line")), "the editor is back")
    sent = [request for request in sent_requests(page) if request.url == f"{site.url}/graphql"]
    assert {request.headers.get("Authorization") for request in sent} == {f"Bearer {TOKEN}"}
    type_token(page, "")
    assert page.execute_script("return {...sessionStorage}") == {}


def entries(page: WebDriver) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, "section[aria-label='Examples'] li button")


def examples(page: WebDriver) -> list[str]:
    return [one.text for one in entries(page)]


def entry(page: WebDriver, name: str) -> WebElement:
    return next(one for one in entries(page) if one.text == name)


def enabled(page: WebDriver, name: str) -> bool:
    return name in [one.text for one in entries(page) if one.is_enabled()]


def chosen(page: WebDriver) -> list[str]:
    return [one.text for one in entries(page) if one.get_attribute("aria-current") == "true"]


def test_the_examples_are_those_of_the_token_that_is_typed_in(browser: WebDriver, site: Site) -> None:
    page = opened(browser, site.url)
    until(page, lambda page: examples(page) == ["Sessions"], "the examples of everybody are listed")
    type_token(page, TOKEN)
    until(page, lambda page: examples(page) == ["Sessions", "Version"], "those of the token are")
    type_token(page, "")
    until(page, lambda page: examples(page) == ["Sessions"], "they are gone with it")


def test_a_wrong_token_is_told_with_the_code_that_closed_the_socket(browser: WebDriver, site: Site) -> None:
    page = opened(browser, site.url)
    type_token(page, "wrong")
    execute(page)
    until(page, lambda page: "4401 this token is not known" in response(page), "the reason is shown")


def test_an_open_server_needs_no_token(browser: WebDriver, catalog: Catalog) -> None:
    with new_store() as store:
        load_into(store, RECORDS)
        with running(create_app(store, catalog, Settings(live_interval_ms=50), lambda: NOW)) as url:
            page = opened(browser, url)
            until(page, lambda page: enabled(page, EXAMPLES[0].name), "the example can be chosen")
            entry(page, EXAMPLES[0].name).click()
            until(page, lambda page: chosen(page) == [EXAMPLES[0].name], "the example is open")
            execute(page)
            until(page, lambda page: '"model": "big"' in response(page), "the answer is shown")
            load_into(store, [])
            until(page, lambda page: '"dataVersion": 2' in response(page), "the new version is shown")
            assert console_problems(page) == []
