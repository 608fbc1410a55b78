/** The subscription's side of the client, against the protocol's own reference server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocket, WebSocketServer } from "ws";
import { ClawbackError, Live, TypedDocumentString } from "../src/index.js";

type Counted = { readonly counted: number };
const COUNTED = new TypedDocumentString<Counted, { to: number }>("subscription Counted($to: Int!) { counted(to: $to) }");

async function* counted({ to }: { to: number }): AsyncGenerator<Counted> {
  for (let n = 1; n <= to; n++) {
    if (n > 2) throw new Error("it counts to two");
    yield { counted: n };
  }
}

async function live(token: string | undefined, use: (live: Live) => Promise<void>): Promise<void> {
  const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(sockets, "listening");
  const served = useServer(
    {
      schema: buildSchema("type Query { a: Int } type Subscription { counted(to: Int!): Int! }"),
      roots: { subscription: { counted } },
      onConnect: ({ connectionParams }) => connectionParams?.["Authorization"] === "Bearer secret",
    },
    sockets,
  );
  const url = `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`;
  const client = new Live({ url, token, webSocketImpl: WebSocket, retryAttempts: 0 });
  try {
    await use(client);
  } finally {
    await client.close();
    await served.dispose();
    sockets.close();
  }
}

test("a subscription gives what comes, in order, until it is complete", async () => {
  await live("secret", async (client) => {
    const seen: number[] = [];
    for await (const answer of client.watch(COUNTED, { to: 2 })) seen.push(answer.counted);
    assert.deepEqual(seen, [1, 2]);
  });
});

test("a subscription that fails on its way is told so", async () => {
  await live("secret", async (client) => {
    const all = async (): Promise<void> => {
      for await (const _ of client.watch(COUNTED, { to: 3 }));
    };
    await assert.rejects(all(), /it counts to two|Internal server error|4500/i);
  });
});

test("a document that is refused has its code", async () => {
  await live("secret", async (client) => {
    const wrong = new TypedDocumentString<Counted, { to: number }>("subscription { other }");
    const first = client.watch(wrong, { to: 1 }).next();
    await assert.rejects(first, (error: unknown) => error instanceof ClawbackError && error.code === "UNKNOWN");
  });
});

test("without the token there is no connection", async () => {
  await live(undefined, async (client) => {
    await assert.rejects(client.watch(COUNTED, { to: 1 }).next(), (error: unknown) => {
      assert.equal((error as { code?: number }).code, 4403);
      return true;
    });
  });
});
