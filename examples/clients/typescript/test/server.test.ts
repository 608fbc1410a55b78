/** Against a real server with the demo's data. `python -m tests.clients` starts it and says what the CLI answers. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { env } from "node:process";
import { test } from "node:test";
import { WebSocket } from "ws";
import {
  BudgetsDocument,
  Clawback,
  ClawbackError,
  CostPerSessionByDayDocument,
  CostPerSessionByModelDocument,
  Live,
  MayISpendDocument,
  ModelRoiDocument,
  ReleaseDocument,
  ReserveDocument,
  RouteDocument,
  RunwayDocument,
  SettleDocument,
  TypedDocumentString,
} from "../src/index.js";

/** What `clawback query ... --format json` printed for the same questions: rows by the name of the question. */
interface Expected {
  readonly url: string;
  readonly range: string;
  /** Whether the server has loaded persisted-documents.json. */
  readonly documents: boolean;
  /** Whether its schema has subscriptions. */
  readonly subscriptions: boolean;
  readonly by_model: readonly Record<string, unknown>[];
  readonly by_day: readonly Record<string, unknown>[];
}

const expected: Expected | undefined = env["CLAWBACK_EXPECTED"]
  ? (JSON.parse(await readFile(env["CLAWBACK_EXPECTED"], "utf8")) as Expected)
  : undefined;
const skip = expected ? false : "python -m tests.clients runs this with a server";
const served = (): Expected => expected ?? assert.fail("there is no server");
const clawback = (): Clawback => new Clawback({ url: served().url, token: env["CLAWBACK_TOKEN"] });

test("costs by model are those of the command line, to the last digit", { skip }, async () => {
  const { metrics } = await clawback().ask(CostPerSessionByModelDocument);
  const rows = metrics?.rows.map((row) => ({
    model: row.model,
    cost_per_session: row.costPerSession,
    session_cost: row.sessionCost,
    sessions: row.sessions,
    roi: row.roi,
  }));
  assert.deepEqual(rows, served().by_model);
  assert.ok(rows && rows.length > 3);
});

test("costs by day are those of the command line, to the last digit", { skip }, async () => {
  const { metrics } = await clawback().ask(CostPerSessionByDayDocument, { range: served().range, zone: "UTC" });
  const rows = metrics?.rows.map((row) => ({
    time: row.time,
    sessions: row.sessions,
    session_cost: row.sessionCost,
    cost_per_session: row.costPerSession,
  }));
  assert.deepEqual(rows, served().by_day);
});

test("the ROI of each model comes with what stands behind it", { skip }, async () => {
  const { roi } = await clawback().ask(ModelRoiDocument, {});
  const graded = roi.rows.filter((row) => row.decisionGrade);
  assert.ok(graded.length > 0);
  for (const row of graded) {
    assert.ok(row.roiInterval && row.roi !== null && row.roiInterval.low <= row.roi && row.roi <= row.roiInterval.high);
    assert.ok(row.resolved >= 30);
  }
});

test("a router is told a status and a row for each model that it named", { skip }, async () => {
  const models = ["claude-haiku-4-5", "never-seen"];
  const { routing } = await clawback().ask(RouteDocument, { models });
  assert.deepEqual(routing.models.map((route) => route.model), models);
  assert.equal(routing.models[1]?.basis, "PRIOR");
});

test("the runway has a status and a sentence", { skip }, async () => {
  const { runway } = await clawback().ask(RunwayDocument, {});
  assert.ok(runway.sentence.length > 0);
  assert.match(runway.cashUsd ?? "", /^\d+(\.\d+)?$/);
});

test("what is reserved is held until it is settled or released", { skip }, async () => {
  const asks = clawback();
  const held = async (): Promise<number> => {
    const { budgets } = await asks.ask(BudgetsDocument, { budgetId: "daily" });
    return Number(budgets[0]?.standings[0]?.heldUsd ?? 0);
  };
  const before = await held();
  const { mayISpend } = await asks.ask(MayISpendDocument, { trigger: "CRON", maxUsd: "0.25" });
  assert.deepEqual([mayISpend.decision, mayISpend.reason], ["ALLOW", "WITHIN_LIMIT"]);
  const first = await asks.ask(ReserveDocument, { trigger: "CRON", maxUsd: "0.25" });
  const second = await asks.ask(ReserveDocument, { trigger: "CRON", maxUsd: "0.5" });
  assert.equal(await held(), before + 0.75);
  const settled = await asks.ask(SettleDocument, { holdId: first.reserve.hold?.holdId ?? "", actualUsd: "0.000000000001" });
  assert.deepEqual([settled.settle.state, settled.settle.actualUsd], ["SETTLED", "0.000000000001"]);
  await asks.ask(ReleaseDocument, { holdId: second.reserve.hold?.holdId ?? "" });
  assert.equal(await held(), before);
});

test("what the schema does not have is refused with a code", { skip }, async () => {
  const wrong = new TypedDocumentString<unknown, Record<string, never>>("{ nothing }");
  await assert.rejects(clawback().ask(wrong), (error: unknown) => {
    assert.ok(error instanceof ClawbackError);
    assert.deepEqual([error.code, error.isPassing], ["INVALID_QUERY", false]);
    return true;
  });
});

test("documents are known by their ids", { skip: skip || !served().documents }, async () => {
  const asks = new Clawback({ url: served().url, token: env["CLAWBACK_TOKEN"], persisted: true });
  const { metrics } = await asks.ask(CostPerSessionByModelDocument);
  assert.equal(metrics?.rows.length, served().by_model.length);
});

interface Held {
  readonly budgets: readonly { readonly budgetId: string; readonly standings: readonly { readonly heldUsd: string }[] }[];
}
const WATCH = new TypedDocumentString<Held, Record<string, never>>("subscription { budgets { budgetId standings { heldUsd } } }");

test("a reservation is pushed to whoever watches the budgets", { skip: skip || !served().subscriptions }, async () => {
  const url = served().url.replace(/^http/, "ws");
  const live = new Live({ url, token: env["CLAWBACK_TOKEN"], webSocketImpl: WebSocket, retryAttempts: 0 });
  const reserve = async (): Promise<string> =>
    (await clawback().ask(ReserveDocument, { trigger: "CRON", maxUsd: "0.125" })).reserve.hold?.holdId ?? "";
  try {
    let [first, hold] = [Number.NaN, ""];
    for await (const { budgets } of live.watch(WATCH, {})) {
      const held = Number(budgets.find(({ budgetId }) => budgetId === "daily")?.standings[0]?.heldUsd ?? 0);
      if (Number.isNaN(first)) [first, hold] = [held, await reserve()];
      if (held === first + 0.125) break;
    }
    await clawback().ask(ReleaseDocument, { holdId: hold });
  } finally {
    await live.close();
  }
});
