"""What the client makes of every kind of answer; the other side is a small server that says what the test needs."""

import json
import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clawback_client import BudgetTrigger, ClawbackClient
from clawback_client.clawback_base import ClawbackError, documents_of

MANIFEST = Path(__file__).parents[1] / "persisted-documents.json"
SETTLED = '{"data":{"settle":{"holdId":"h","state":"SETTLED","actualUsd":"0.000000000001"}}}'


class Stub(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    body = "{}"
    headers: dict[str, str]
    drips = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.headers = {}
        self.seen: list[tuple[dict[str, str], Any]] = []
        self.ending = threading.Event()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((dict(self.headers), asked))
        body = self.server.body.encode()
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not self.server.drips:
            self.wfile.write(body)
        for byte in body if self.server.drips else b"":
            self.wfile.write(bytes([byte]))
            if self.server.ending.wait(0.05):
                return

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def answering(body: str, status: int = 200, *, drips: bool = False, **headers: str) -> Iterator[Stub]:
    with Stub() as stub:
        stub.body, stub.status, stub.drips = body, status, drips
        stub.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        thread = threading.Thread(target=stub.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield stub
        finally:
            stub.ending.set()
            stub.shutdown()
            thread.join()


def client(stub: Stub, **options: Any) -> ClawbackClient:
    return ClawbackClient(f"http://127.0.0.1:{stub.server_port}/graphql", **options)


class ClientTest(unittest.TestCase):
    def failure(self, stub: Stub, **options: Any) -> ClawbackError:
        with client(stub, **options) as clawback, self.assertRaises(ClawbackError) as caught:
            clawback.settle("h", Decimal("0.21"))
        return caught.exception

    def test_money_is_a_decimal_with_all_its_digits(self) -> None:
        with answering(SETTLED) as stub, client(stub) as clawback:
            self.assertEqual(clawback.settle("h", Decimal("1E-12")).settle.actual_usd, Decimal("0.000000000001"))
            self.assertEqual(stub.seen[0][1]["variables"], {"holdId": "h", "actualUsd": "0.000000000001"})

    def test_money_that_came_as_a_number_is_refused(self) -> None:
        with (
            answering(SETTLED.replace('"0.000000000001"', "0.1")) as stub,
            client(stub) as clawback,
            self.assertRaisesRegex(ValueError, "money is text"),
        ):
            clawback.settle("h", Decimal(0))

    def test_the_token_goes_in_its_header(self) -> None:
        with answering(SETTLED) as stub, client(stub, token="secret") as clawback:
            clawback.settle("h", Decimal(0))
            self.assertEqual(stub.seen[0][0]["Authorization"], "Bearer secret")

    def test_what_is_left_out_is_not_sent(self) -> None:
        may = '{"decision":"ALLOW","reason":"NO_LIMIT","budgetId":null,"leftUsd":null,"isStale":false}'
        with answering(f'{{"data":{{"mayISpend":{may}}}}}') as stub, client(stub) as clawback:
            clawback.may_i_spend(BudgetTrigger.CRON)
            self.assertEqual(stub.seen[0][1]["variables"], {"trigger": "CRON"})

    def test_a_persisted_document_is_asked_for_by_its_id(self) -> None:
        documents = documents_of(MANIFEST)
        with answering(SETTLED) as stub, client(stub, documents=documents) as clawback:
            clawback.settle("h", Decimal(0))
            asked = stub.seen[0][1]
        self.assertEqual((asked["documentId"], asked.get("query")), (documents["Settle"], None))

    def test_an_error_is_known_by_its_code(self) -> None:
        body = '{"data":null,"errors":[{"message":"too slow","extensions":{"code":"TIMEOUT"}}]}'
        with answering(body) as stub:
            error = self.failure(stub)
        self.assertEqual((error.code, error.message, error.is_passing), ("TIMEOUT", "too slow", True))

    def test_a_server_that_is_busy_says_how_long_to_wait(self) -> None:
        body = '{"errors":[{"message":"later","extensions":{"code":"RATE_LIMITED"}}]}'
        with answering(body, 429, Retry_After="3") as stub:
            error = self.failure(stub)
        self.assertEqual(
            (error.code, error.status, error.retry_after_s, error.is_passing), ("RATE_LIMITED", 429, 3, True)
        )

    def test_what_is_not_an_answer_is_told_as_such(self) -> None:
        for body in ("", "null", "[]", "{}", '{"data":null}', '{"errors":"no"}', '{"errors":[1]}', "{", "<html>"):
            with self.subTest(body), answering(body) as stub:
                self.assertEqual(self.failure(stub).code, "BAD_ANSWER")

    def test_an_answer_that_drips_is_given_up_at_the_time_limit(self) -> None:
        with answering(SETTLED, drips=True) as stub:
            self.assertEqual(self.failure(stub, timeout_s=0.2).code, "CLIENT_TIMEOUT")

    def test_nobody_at_the_address_is_told_as_such(self) -> None:
        with ClawbackClient("http://127.0.0.1:1/graphql") as clawback, self.assertRaises(ClawbackError) as caught:
            clawback.runway()
        self.assertEqual((caught.exception.code, caught.exception.is_passing), ("UNREACHABLE", True))


if __name__ == "__main__":
    unittest.main()
