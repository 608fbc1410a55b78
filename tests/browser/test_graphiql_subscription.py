from collections.abc import AsyncIterator

import pytest
import strawberry
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL

from server.assets import Example, graphiql_config, graphiql_file, graphiql_page
from tests.browser.driver import console_problems, sent_requests, until
from tests.serving import Serve

pytestmark = pytest.mark.browser


@strawberry.type
class Query:
    data_version: int = 7


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def data_version_moved(self) -> AsyncIterator[int]:
        for version in (7, 8):
            yield version


def test_a_subscription_shows_what_the_server_pushes(browser: WebDriver, serve: Serve) -> None:
    graphql = GraphQL(strawberry.Schema(Query, subscription=Subscription), graphql_ide=None)
    examples = [Example("Data version", "# Data version\nsubscription DataVersion {\n  dataVersionMoved\n}\n")]
    app = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Route("/graphiql", graphiql_page),
            Route("/graphiql/config.json", graphiql_config(examples, endpoint="/graphql")),
            Route("/graphiql/{name}", graphiql_file),
        ]
    )
    url = serve(app)
    browser.get(f"{url}/graphiql")
    until(browser, lambda page: bool(page.find_elements(By.CSS_SELECTOR, ".view-line")), "the editor shows a query")
    browser.find_element(By.CSS_SELECTOR, "button[aria-label^='Execute query']").click()
    until(browser, lambda page: '"dataVersionMoved": 8' in response_text(page), "the last push is shown")
    assert f"{url.replace('http', 'ws')}/graphql" in [request.url for request in sent_requests(browser)]
    assert console_problems(browser) == []


def response_text(page: WebDriver) -> str:
    return page.find_element(By.CSS_SELECTOR, ".graphiql-response .view-lines").text
