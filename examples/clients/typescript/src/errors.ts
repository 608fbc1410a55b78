/** What can go wrong, told by a stable code. */

/** One entry of `errors` of an answer. */
export interface Told {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string; readonly [name: string]: unknown };
}

/** Of the client itself; every other code is the server's `extensions.code`. */
export type ClientCode = "CLIENT_TIMEOUT" | "UNREACHABLE" | "BAD_ANSWER";

/** The same question may be answered later, or elsewhere: nothing is wrong with it. */
const PASSING: ReadonlySet<string> = new Set(["CLIENT_TIMEOUT", "UNREACHABLE", "TIMEOUT"]);
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface Circumstances {
  /** Of HTTP; left out where there was no answer. */
  readonly status?: number | undefined;
  /** Seconds that the server asks to wait. */
  readonly retryAfterS?: number | undefined;
  readonly errors?: readonly Told[] | undefined;
  readonly cause?: unknown;
}

export class ClawbackError extends Error {
  override readonly name = "ClawbackError";
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterS: number | undefined;
  /** All that the server told; `code` and `message` are the first one's. */
  readonly errors: readonly Told[];

  constructor(code: ClientCode | (string & {}), message: string, circumstances: Circumstances = {}) {
    super(message, { cause: circumstances.cause });
    this.code = code;
    this.status = circumstances.status;
    this.retryAfterS = circumstances.retryAfterS;
    this.errors = circumstances.errors ?? [];
  }

  /** Whether asking again can help. A mutation that may have arrived is not to be repeated for that: see docs/clients.md. */
  get isPassing(): boolean {
    return PASSING.has(this.code) || PASSING_STATUS.has(this.status ?? 0);
  }
}
