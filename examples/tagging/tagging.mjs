// Tags every call of a TypeScript or JavaScript client with the session that is under way: copy this into your project.
//
//   const client = new OpenAI({ baseURL: `${proxy}/openai/v1`, fetch: tagged() });
//   await session({ id: "run-42", agent: "scout" }, () => client.responses.create({ ... }));
//
// The clients of OpenAI and Anthropic take `fetch`; so does the Vercel AI SDK. What runs inside a session keeps it over
// every await. The headers are for `clawback proxy`, which takes them off before a call goes on.
import { AsyncLocalStorage } from "node:async_hooks";

const current = new AsyncLocalStorage();

/** @template T @param {{id: string, agent?: string}} tags @param {() => T} run @returns {T} */
export const session = (tags, run) => current.run(tags, run);

/** @param {typeof fetch} send @returns {typeof fetch} */
export const tagged = (send = fetch) => (input, init = {}) => {
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  const tags = current.getStore();
  if (tags) headers.set("X-OpenClaw-Session-Id", tags.id);
  if (tags?.agent) headers.set("X-OpenClaw-Agent-Id", tags.agent);
  return send(input, { ...init, headers });
};
