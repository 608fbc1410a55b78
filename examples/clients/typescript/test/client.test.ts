/** What the client makes of every kind of answer; the other side is a small server that says what the test needs. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Clawback, ClawbackError, idOf, RunwayDocument, SettleDocument } from "../src/index.js";

type Answerer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function against(answer: Answerer, ask: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => answer(request, response, body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const says =
  (status: number, body: string, headers: Record<string, string> = {}): Answerer =>
  (_request, response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
  };

const failure = (url: string, options: { timeoutMs?: number } = {}): Promise<ClawbackError> =>
  new Clawback({ url, ...options }).ask(RunwayDocument).then(
    () => assert.fail("it was answered"),
    (error: unknown) => {
      assert.ok(error instanceof ClawbackError, String(error));
      return error;
    },
  );

test("an answer comes back with money as text", async () => {
  const body = '{"data":{"runway":{"status":"OK","flags":[],"sentence":"","cashUsd":"21350.000000000001"}}}';
  await against(says(200, body), async (url) => {
    const answer = await new Clawback({ url }).ask(RunwayDocument, {});
    assert.equal(answer.runway.cashUsd, "21350.000000000001");
  });
});

test("the request has the document, its variables and the token, and asks for GraphQL's own media type", async () => {
  const seen: { authorization: string | undefined; accept: string | undefined; body: unknown }[] = [];
  const answer: Answerer = (request, response, body) => {
    const { authorization, accept } = request.headers;
    seen.push({ authorization, accept, body: JSON.parse(body) });
    says(200, '{"data":{"settle":{"holdId":"h","state":"SETTLED","actualUsd":"0.21"}}}')(request, response, body);
  };
  await against(answer, async (url) => {
    await new Clawback({ url, token: "secret" }).ask(SettleDocument, { holdId: "h", actualUsd: "0.21" });
  });
  assert.equal(seen[0]?.authorization, "Bearer secret");
  assert.match(seen[0].accept ?? "", /^application\/graphql-response\+json/);
  assert.deepEqual(seen[0].body, {
    query: SettleDocument.toString(),
    variables: { holdId: "h", actualUsd: "0.21" },
  });
});

test("a persisted document is asked for by its id alone", async () => {
  let body: unknown;
  const answer: Answerer = (request, response, text) => {
    body = JSON.parse(text);
    says(200, '{"data":{"runway":{}}}')(request, response, text);
  };
  await against(answer, async (url) => {
    await new Clawback({ url, persisted: true }).ask(RunwayDocument);
  });
  assert.match(idOf(RunwayDocument), /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(body, { documentId: idOf(RunwayDocument), variables: {} });
});

test("an error is known by its code, also where data came with it", async () => {
  const body = '{"data":{"runway":null},"errors":[{"message":"too slow","path":["runway"],"extensions":{"code":"TIMEOUT"}}]}';
  await against(says(200, body), async (url) => {
    const error = await failure(url);
    assert.deepEqual([error.code, error.message, error.isPassing], ["TIMEOUT", "too slow", true]);
    assert.deepEqual(error.errors[0]?.path, ["runway"]);
  });
});

test("a wrong question is not one that may pass later", async () => {
  const body = '{"errors":[{"message":"no","extensions":{"code":"INVALID_QUERY"}}]}';
  await against(says(400, body), async (url) => {
    const error = await failure(url);
    assert.deepEqual([error.code, error.status, error.isPassing], ["INVALID_QUERY", 400, false]);
  });
});

test("a server that is busy says how long to wait", async () => {
  const body = '{"errors":[{"message":"later","extensions":{"code":"RATE_LIMITED"}}]}';
  await against(says(429, body, { "Retry-After": "3" }), async (url) => {
    const error = await failure(url);
    assert.deepEqual([error.code, error.status, error.retryAfterS, error.isPassing], ["RATE_LIMITED", 429, 3, true]);
  });
});

test("a proxy's page is not an answer", async () => {
  await against(says(502, "<html>Bad gateway</html>"), async (url) => {
    const error = await failure(url);
    assert.deepEqual([error.code, error.status, error.isPassing], ["BAD_ANSWER", 502, true]);
  });
});

for (const body of ["", "null", "[]", '{"data":null}', "{}", '{"errors":"no"}', '{"errors":[1]}', "{"]) {
  test(`${JSON.stringify(body)} is not an answer`, async () => {
    await against(says(200, body), async (url) => {
      assert.equal((await failure(url)).code, "BAD_ANSWER");
    });
  });
}

test("a count that JavaScript would round is refused", async () => {
  await against(says(200, '{"data":{"runway":{"tokens":9007199254740993}}}'), async (url) => {
    const error = await failure(url);
    assert.equal(error.code, "BAD_ANSWER");
    assert.match(error.message, /tokens is a whole number beyond 2\^53/);
  });
});

test("an answer whose end does not come is given up at the time limit", async () => {
  const half: Answerer = (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write('{"data":');
  };
  await against(half, async (url) => {
    assert.equal((await failure(url, { timeoutMs: 100 })).code, "CLIENT_TIMEOUT");
  });
});

test("nobody at the address is told as such", async () => {
  const error = await failure("http://127.0.0.1:1/graphql");
  assert.deepEqual([error.code, error.isPassing], ["UNREACHABLE", true]);
});

test("who gives up himself gets his own reason", async () => {
  const ending = new AbortController();
  const silent: Answerer = () => ending.abort(new Error("the user left"));
  await against(silent, async (url) => {
    await assert.rejects(new Clawback({ url }).ask(RunwayDocument, {}, { signal: ending.signal }), /the user left|abort/i);
  });
});
