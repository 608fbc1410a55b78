/** What JSON has no exact type for. */

declare const exactly: unique symbol;

/**
 * Money: exact, in plain notation, as text. It is a type of its own so that `a + b`, which would join the digits, and
 * `Number(a)`, which would round them, do not slip in unseen. Give it to a decimal library, or compare it as text.
 */
export type Decimal = string & { readonly [exactly]: "Decimal" };

export class UnsafeNumberError extends Error {}

/**
 * JSON as the server writes it. A count beyond 2^53 would be rounded without a word, so it is refused
 * (`UnsafeNumberError`); no number of Clawback's own is that large before nine quadrillion tokens.
 */
export function readJson(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => {
    if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new UnsafeNumberError(`${key} is a whole number beyond 2^53, which JavaScript cannot hold`);
    }
    return value;
  });
}
