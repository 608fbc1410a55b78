/** Subscriptions over graphql-transport-ws: an answer each time the data has moved. */

import { createClient, type Client } from "graphql-ws";
import { ClawbackError, type Told } from "./errors.js";
import type { TypedDocumentString } from "./generated.js";

export interface LiveOptions {
  /** Such as ws://127.0.0.1:8321/graphql */
  readonly url: string;
  readonly token?: string | undefined;
  /** Node.js has a WebSocket of its own from 22 on; before that, give the one of the package `ws`. */
  readonly webSocketImpl?: unknown;
  /** How often a connection that broke is opened again, with growing pauses. */
  readonly retryAttempts?: number;
}

export class Live {
  readonly #client: Client;

  constructor({ url, token, webSocketImpl, retryAttempts = 5 }: LiveOptions) {
    this.#client = createClient({
      url,
      retryAttempts,
      lazy: true,
      ...(webSocketImpl === undefined ? {} : { webSocketImpl }),
      ...(token === undefined ? {} : { connectionParams: { Authorization: `Bearer ${token}` } }),
    });
  }

  /** Ends when the server completes it, or with `break` in a `for await`. Errors are thrown as `ClawbackError`. */
  async *watch<R, V extends Record<string, unknown>>(
    document: TypedDocumentString<R, V>,
    variables: V,
  ): AsyncGenerator<R, void, undefined> {
    const answers = this.#client.iterate<R>({ query: document.toString(), variables });
    try {
      for await (const { data, errors } of answers) {
        if (errors?.[0]) throw told(errors);
        if (data !== undefined && data !== null) yield data;
      }
    } catch (error) {
      throw Array.isArray(error) ? told(error as readonly Told[]) : error;
    }
  }

  async close(): Promise<void> {
    await this.#client.dispose();
  }
}

function told(errors: readonly Told[]): ClawbackError {
  const code = errors[0]?.extensions?.code ?? "UNKNOWN";
  return new ClawbackError(code, errors[0]?.message ?? "the subscription failed", { errors });
}
