import json
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from starlette.applications import Starlette
from starlette.routing import Route

from semantic import load_catalog
from server.app import create_app
from server.assets import graphiql_file, graphiql_page
from server.settings import Settings
from tests.browser.driver import console_problems, sent_requests, until
from tests.server.conftest import NOW, RECORDS, REPOSITORY, load_into
from tests.serving import Serve, running
from tests.stores import new_store

pytestmark = pytest.mark.browser

QUERY_EDITOR = ".graphiql-query-editor .view-lines"
SMALL_EDITOR = ".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines"
RESPONSE = ".graphiql-response .view-lines"


@pytest.fixture
def graphql_url() -> Iterator[str]:
    """The address of the real server over a small store."""
    catalog = load_catalog((REPOSITORY / "metrics.yaml").read_text(), "metrics.yaml")
    with new_store() as store:
        load_into(store, RECORDS)
        with running(create_app(store, catalog, Settings(), lambda: NOW)) as url:
            yield url


@pytest.fixture
def page(browser: WebDriver, graphql_url: str) -> WebDriver:
    """The browser at GraphiQL, with the schema read and the first example open."""
    browser.get(f"{graphql_url}/graphiql")
    until(browser, lambda page: bool(editor_text(page)), "the editor shows a query")
    until(browser, lambda page: not page.find_elements(By.CSS_SELECTOR, ".graphiql-spin"), "the schema is read")
    return browser


def editor_text(page: WebDriver) -> str:
    """The whole text, also the part that is scrolled out of sight; empty until the editor is there."""
    if not lines(page, QUERY_EDITOR):
        return ""
    return text_of(page, "operation.graphql")


def text_of(page: WebDriver, document: str) -> str:
    script = "return __MONACO.editor.getModels().find(({uri}) => uri.path.endsWith(arguments[0])).getValue()"
    return str(page.execute_script(script, document))


def response_text(page: WebDriver) -> str:
    return lines(page, RESPONSE)


def lines(page: WebDriver, selector: str) -> str:
    """What an editor shows, without indentation."""
    text = "\n".join(element.text for element in page.find_elements(By.CSS_SELECTOR, selector))
    return "\n".join(line.strip() for line in text.splitlines())


def click(page: WebDriver, selector: str) -> None:
    page.find_element(By.CSS_SELECTOR, selector).click()


def type_into(page: WebDriver, selector: str, text: str) -> None:
    """The editors put the second bracket of a pair there at the first; typing it too only moves past it."""
    click(page, selector)
    ActionChains(page).send_keys(text).perform()


def suggestions(page: WebDriver) -> list[str]:
    rows = page.find_elements(By.CSS_SELECTOR, ".suggest-widget.visible .monaco-list-row .label-name")
    return [row.text for row in rows]


def panel_entries(page: WebDriver) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, "section[aria-label='Examples'] li button")


def open_tabs(page: WebDriver) -> list[str]:
    return [tab.text for tab in page.find_elements(By.CSS_SELECTOR, "[id^='graphiql-session-tab-']")]


def offered_examples(graphql_url: str) -> list[dict[str, str]]:
    with urlopen(f"{graphql_url}/graphiql/config.json") as response:
        return list(json.load(response)["examples"])


def storage(page: WebDriver) -> dict[str, str]:
    return dict(page.execute_script("return {...localStorage}"))


def stored_tabs(page: WebDriver) -> list[dict[str, object]]:
    return list(json.loads(storage(page)["graphiql:tabState"])["tabs"])


def test_the_page_loads_without_a_complaint_and_asks_nobody_but_its_own_server(
    page: WebDriver, graphql_url: str
) -> None:
    assert page.title == "Clawback"
    urls: list[str] = []

    def workers_run(page: WebDriver) -> bool:
        urls.extend(request.url for request in sent_requests(page))
        return {f"{graphql_url}/graphiql/{worker}.js" for worker in ("editor", "graphql", "json")} <= set(urls)

    until(page, workers_run, "the three workers are read")
    assert console_problems(page) == []
    assert f"{graphql_url}/graphql" in urls
    assert [url for url in urls if not url.startswith(f"{graphql_url}/graph")] == []


def test_the_first_visit_opens_the_first_example_beside_the_list_of_all(page: WebDriver, graphql_url: str) -> None:
    examples = offered_examples(graphql_url)
    assert [entry.text for entry in panel_entries(page)] == [example["name"] for example in examples]
    assert editor_text(page) == examples[0]["query"]


def test_running_the_first_example_shows_rows(page: WebDriver) -> None:
    click(page, "button[aria-label^='Execute query']")
    until(page, lambda page: '"rows": [' in response_text(page), "the response shows rows")
    assert '"model": "big"' in response_text(page)
    assert '"roi": 0.5714285714285714' in response_text(page)
    assert '"errors"' not in response_text(page)
    assert console_problems(page) == []


def test_the_prefix_of_a_field_is_completed(page: WebDriver) -> None:
    click(page, "button[aria-label='New tab']")
    until(page, lambda page: editor_text(page).strip() == "", "the new tab is empty")
    type_into(page, QUERY_EDITOR, "{ metrics { rows { mo")
    until(page, lambda page: "model" in suggestions(page), "the field is suggested")
    ActionChains(page).send_keys(Keys.TAB).perform()
    until(page, lambda page: "rows { model" in editor_text(page), "the suggestion is taken")
    assert console_problems(page) == []


def test_an_example_opens_in_a_tab_of_its_own_once(page: WebDriver, graphql_url: str) -> None:
    first, second = (example["query"] for example in offered_examples(graphql_url)[:2])
    panel_entries(page)[1].click()
    until(page, lambda page: editor_text(page) == second, "the second example is open")
    tabs = open_tabs(page)
    assert len(tabs) == 2
    panel_entries(page)[0].click()
    until(page, lambda page: editor_text(page) == first, "the first example is back")
    panel_entries(page)[1].click()
    until(page, lambda page: editor_text(page) == second, "the second example is back")
    assert open_tabs(page) == tabs


def test_a_reload_keeps_the_open_tabs(page: WebDriver, graphql_url: str) -> None:
    second = offered_examples(graphql_url)[1]["query"]
    panel_entries(page)[1].click()
    # GraphiQL stores a new tab at once and the text in it half a second later.
    until(page, lambda page: second in [tab.get("query") for tab in stored_tabs(page)], "both tabs are stored")
    page.refresh()
    until(page, lambda page: editor_text(page) == second, "the second example is open again")
    assert len(open_tabs(page)) == 2


def test_a_token_in_the_headers_is_sent_and_never_stored(page: WebDriver) -> None:
    click(page, "button[data-name='headers']")
    until(page, lambda page: page.find_element(By.CSS_SELECTOR, SMALL_EDITOR).is_displayed(), "the headers show")
    type_into(page, SMALL_EDITOR, '{"X-Token": "secret"}')
    click(page, "button[aria-label^='Execute query']")
    until(page, lambda page: '"rows": [' in response_text(page), "the response shows rows")
    assert "secret" in [request.headers.get("X-Token") for request in sent_requests(page)]
    click(page, "button[aria-label='New tab']")
    until(page, lambda page: len(stored_tabs(page)) == 2, "both tabs are stored")
    assert "graphiql:queries" in storage(page)
    assert "secret" not in " ".join(storage(page).values())


def test_prettify_lays_out_the_query_with_its_comment_and_the_variables(page: WebDriver) -> None:
    click(page, "button[aria-label='New tab']")
    until(page, lambda page: editor_text(page) == "", "the new tab is empty")
    type_into(page, QUERY_EDITOR, "# Why\n{metrics{rows{model}}}")
    click(page, "button[data-name='variables']")
    until(page, lambda page: page.find_element(By.CSS_SELECTOR, SMALL_EDITOR).is_displayed(), "the variables show")
    type_into(page, SMALL_EDITOR, '{"limit":[1,2]}')
    click(page, "button[aria-label^='Prettify query']")
    until(page, lambda page: editor_text(page).count("\n") > 2, "the query is laid out")
    assert editor_text(page) == "# Why\n{\n  metrics {\n    rows {\n      model\n    }\n  }\n}\n"
    assert text_of(page, "variables.json") == '{\n  "limit": [\n    1,\n    2\n  ]\n}'
    assert console_problems(page) == []


def test_a_page_that_cannot_read_its_configuration_says_so(browser: WebDriver, serve: Serve) -> None:
    routes = [Route("/graphiql", graphiql_page), Route("/graphiql/{name}", graphiql_file)]
    url = serve(Starlette(routes=routes))
    browser.get(f"{url}/graphiql")
    until(browser, lambda page: bool(page.find_elements(By.CSS_SELECTOR, "[role='alert']")), "there is an alert")
    assert browser.find_element(By.CSS_SELECTOR, "[role='alert']").text == (
        f"This page could not start: {url}/graphiql/config.json answered 404 Not Found. "
        "Is the server running? Reload to try again."
    )
