/** Asks a Clawback server: typed documents in, typed answers out, one error class. Needs `fetch` (Node.js 20). */

import { ClawbackError, type Told } from "./errors.js";
import type { TypedDocumentString } from "./generated.js";
import { readJson, UnsafeNumberError } from "./scalars.js";

const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

export interface Options {
  /** Such as http://127.0.0.1:8321/graphql */
  readonly url: string;
  /** `clawback token create` prints one. Left out where the server is open on this machine. */
  readonly token?: string | undefined;
  /** For the whole answer, its last byte included. */
  readonly timeoutMs?: number;
  /** Sends the id of a document instead of its text; the server has loaded persisted-documents.json. */
  readonly persisted?: boolean;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Variables may be left out where none is required. */
export type Arguments<V> = {} extends V
  ? [variables?: V, options?: AskOptions]
  : [variables: V, options?: AskOptions];

export class Clawback {
  readonly #options: Required<Omit<Options, "token">> & Pick<Options, "token">;

  constructor(options: Options) {
    this.#options = { timeoutMs: 10_000, persisted: false, token: undefined, ...options };
  }

  /**
   * The answer to a whole operation. Where any part of it failed, a `ClawbackError` is thrown and nothing is returned:
   * a total without one of its parts looks like a number.
   */
  async ask<R, V>(document: TypedDocumentString<R, V>, ...[variables, options]: Arguments<V>): Promise<R> {
    const limit = AbortSignal.timeout(options?.timeoutMs ?? this.#options.timeoutMs);
    const signal = options?.signal ? AbortSignal.any([options.signal, limit]) : limit;
    try {
      const response = await fetch(this.#options.url, {
        method: "POST",
        headers: this.#headers(),
        body: JSON.stringify({ ...this.#named(document), variables: variables ?? {} }),
        signal,
        redirect: "error",
      });
      return read<R>(response, await response.text());
    } catch (error) {
      throw options?.signal?.aborted ? error : known(error, limit.aborted);
    }
  }

  #headers(): Record<string, string> {
    const { token } = this.#options;
    return {
      "Content-Type": "application/json",
      Accept: ACCEPT,
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
  }

  #named<R, V>(document: TypedDocumentString<R, V>): { documentId: string } | { query: string } {
    return this.#options.persisted ? { documentId: idOf(document) } : { query: document.toString() };
  }
}

/** The `sha256:` id under which the manifest has a document. */
export function idOf<R, V>(document: TypedDocumentString<R, V>): string {
  const id: unknown = document.__meta__?.["hash"];
  if (typeof id !== "string") throw new TypeError("the document was generated without persisted documents");
  return id;
}

function read<R>(response: Response, text: string): R {
  const { data, errors } = envelope(response, text);
  const [first] = errors ?? [];
  if (first) {
    throw new ClawbackError(first.extensions?.code ?? "UNKNOWN", first.message, {
      status: response.status,
      retryAfterS: retryAfter(response.headers.get("retry-after")),
      errors,
    });
  }
  if (!response.ok || data === undefined || data === null) throw badAnswer(response);
  return data as R;
}

interface Envelope {
  readonly data?: unknown;
  readonly errors?: readonly Told[];
}

function envelope(response: Response, text: string): Envelope {
  try {
    const body = readJson(text);
    if (isEnvelope(body)) return body;
  } catch (error) {
    if (error instanceof UnsafeNumberError) throw error;
    throw badAnswer(response, error);
  }
  throw badAnswer(response);
}

function isEnvelope(body: unknown): body is Envelope {
  if (typeof body !== "object" || body === null) return false;
  const { errors } = body as { errors?: unknown };
  return errors === undefined || (Array.isArray(errors) && errors.every(isTold));
}

function isTold(error: unknown): error is Told {
  return typeof error === "object" && error !== null && typeof (error as { message?: unknown }).message === "string";
}

/** Something between us and the server, such as a proxy, may answer in its place. */
function badAnswer(response: Response, cause?: unknown): ClawbackError {
  return new ClawbackError("BAD_ANSWER", `status ${response.status} with something that is not an answer in GraphQL`, {
    status: response.status,
    retryAfterS: retryAfter(response.headers.get("retry-after")),
    cause,
  });
}

/** Seconds; the form with a date is not one that Clawback sends. */
function retryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}

function known(error: unknown, isTimeout: boolean): unknown {
  if (error instanceof ClawbackError) return error;
  if (error instanceof UnsafeNumberError) return new ClawbackError("BAD_ANSWER", error.message, { cause: error });
  if (isTimeout) return new ClawbackError("CLIENT_TIMEOUT", "no answer within the time limit", { cause: error });
  if (error instanceof TypeError) return new ClawbackError("UNREACHABLE", "the server cannot be reached", { cause: error });
  return error;
}
