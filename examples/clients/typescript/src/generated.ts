/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { Decimal } from './scalars.js';
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Why a request is allowed or denied. */
export type AdmissionReason =
  /** What is spent, held and asked for is at most the limit. */
  | 'WITHIN_LIMIT'
  /** What is spent, held and asked for is more than the limit. */
  | 'WOULD_EXCEED'
  /** What is spent and held has come to the limit. */
  | 'LIMIT_REACHED'
  /** It would be denied, but its trigger is never stopped. */
  | 'EXEMPT'
  /** Nobody knows what it may cost; the budget says whether its trigger may do that. */
  | 'UNPRICED_POLICY'
  /** No budget that stops requests is about it. */
  | 'NO_LIMIT';

/** ORPHAN where the parent is not known, CYCLE where it is a descendant; null where all is well */
export type Ancestry =
  | 'ORPHAN'
  | 'CYCLE';

/** Conditions on one value; all of them hold. */
export type AncestryFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: Ancestry | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: Ancestry | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<Ancestry> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<Ancestry> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Whether a call belongs to a session that is known */
export type Attribution =
  | 'ATTRIBUTED'
  | 'NO_SESSION_ID'
  | 'UNKNOWN_SESSION';

/** Conditions on one value; all of them hold. */
export type AttributionFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: Attribution | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: Attribution | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<Attribution> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<Attribution> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Conditions on one value; all of them hold. */
export type BooleanFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: boolean | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: boolean | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** What a budget does at its limit. */
export type BudgetAction =
  | 'ALERT'
  | 'BLOCK';

/** Whether a request fits. */
export type BudgetDecision =
  | 'ALLOW'
  | 'DENY';

/** What a budget counts: everything, or each member of a kind. */
export type BudgetScope =
  | 'GLOBAL'
  | 'AGENT'
  | 'MODEL'
  | 'TRIGGER'
  | 'SESSION';

/** Of a breaker. */
export type BudgetState =
  /** Spend is below the limit. */
  | 'CLOSED'
  /** The limit is reached; a limit of 0 is reached from the start. */
  | 'OPEN';

/** What started the session of a request. */
export type BudgetTrigger =
  | 'HUMAN'
  | 'CRON'
  | 'SUBAGENT'
  | 'HEARTBEAT'
  | 'WEBHOOK'
  | 'API'
  | 'UNKNOWN';

/** How a call ended */
export type CallStatus =
  | 'OK'
  | 'ERROR'
  | 'ABORTED';

/** Conditions on one value; all of them hold. */
export type CallStatusFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: CallStatus | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: CallStatus | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<CallStatus> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<CallStatus> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** What was paid for */
export type Category =
  | 'COMPUTE'
  | 'STORAGE'
  | 'NETWORK'
  | 'SOFTWARE'
  | 'PEOPLE'
  | 'INFERENCE'
  | 'SUBSCRIPTION'
  | 'CREDITS'
  | 'OTHER';

/** Conditions on one value; all of them hold. */
export type CategoryFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: Category | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: Category | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<Category> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<Category> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** How the cost of a call is known */
export type CostStatus =
  | 'BILLED'
  | 'REPORTED'
  | 'INCLUDED'
  | 'PRICED'
  | 'UNPRICED'
  | 'MISSING_USAGE';

/** Conditions on one value; all of them hold. */
export type CostStatusFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: CostStatus | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: CostStatus | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<CostStatus> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<CostStatus> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Where sums of spend have the money of this use: as credits, or already as calls or a charge of its vendor */
export type CountedAs =
  | 'CREDITS'
  | 'REQUESTS'
  | 'CHARGES';

/** Conditions on one value; all of them hold. */
export type CountedAsFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: CountedAs | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: CountedAs | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<CountedAs> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<CountedAs> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Which rows count. Conditions beside each other all hold. */
export type FilterInput = {
  /** The bank account */
  readonly account?: StringFilter | null | undefined;
  /** The agent that ran */
  readonly agent?: StringFilter | null | undefined;
  /** ORPHAN where the parent is not known, CYCLE where it is a descendant; null where all is well */
  readonly ancestry?: AncestryFilter | null | undefined;
  /** Whether a call belongs to a session that is known */
  readonly attribution?: AttributionFilter | null | undefined;
  /** How a call ended */
  readonly callStatus?: CallStatusFilter | null | undefined;
  /** What was paid for */
  readonly category?: CategoryFilter | null | undefined;
  /** How the cost of a call is known */
  readonly costStatus?: CostStatusFilter | null | undefined;
  /** Where sums of spend have the money of this use: as credits, or already as calls or a charge of its vendor */
  readonly countedAs?: CountedAsFilter | null | undefined;
  /** What the money is for */
  readonly flowKind?: FlowKindFilter | null | undefined;
  /** Whether no known session started it */
  readonly isRoot?: BooleanFilter | null | undefined;
  /** The model; of a session, the one with most of its own cost */
  readonly model?: StringFilter | null | undefined;
  /** The outcome that decided, such as PR_MERGED */
  readonly outcome?: StringFilter | null | undefined;
  /** The provider; of a session, that of its model */
  readonly provider?: StringFilter | null | undefined;
  /** Whether the bill for the day says the same; PENDING without a bill, INCLUDED where a plan covers all calls */
  readonly reconciliationStatus?: ReconciliationStatusFilter | null | undefined;
  /** The call itself, however often it was written down */
  readonly requestKey?: StringFilter | null | undefined;
  /** The session at the top: the one that started it, or that started the one that did */
  readonly rootSession?: StringFilter | null | undefined;
  /** What started the session at the top; unknown where nobody knows what was above that */
  readonly rootTrigger?: RootTriggerFilter | null | undefined;
  /** Productive, idle or failed once it has ended; pending until then; unknown where its source has no outcomes */
  readonly sessionClass?: SessionClassFilter | null | undefined;
  /** The session itself */
  readonly sessionId?: StringFilter | null | undefined;
  /** Where the rows come from */
  readonly source?: StringFilter | null | undefined;
  /** The kind of work, such as a benchmark or a queue */
  readonly taskClass?: StringFilter | null | undefined;
  /** What came of the task; none where the session had no task */
  readonly taskResult?: TaskResultFilter | null | undefined;
  /** What started the session */
  readonly trigger?: TriggerFilter | null | undefined;
  /** Who was paid */
  readonly vendor?: StringFilter | null | undefined;
  /** The hour of the day, 0 to 23 */
  readonly timeHour?: IntegerFilter | null | undefined;
  /** The day of the week, 1 for Monday to 7 */
  readonly timeWeekday?: IntegerFilter | null | undefined;
  /** The day of the month, 1 to 31 */
  readonly timeDay?: IntegerFilter | null | undefined;
  /** The day of the year, 1 to 366 */
  readonly timeDayOfYear?: IntegerFilter | null | undefined;
  /** The week of the year as ISO 8601 counts, 1 to 53 */
  readonly timeWeek?: IntegerFilter | null | undefined;
  /** The month, 1 to 12 */
  readonly timeMonth?: IntegerFilter | null | undefined;
  /** The quarter, 1 to 4 */
  readonly timeQuarter?: IntegerFilter | null | undefined;
  /** The year */
  readonly timeYear?: IntegerFilter | null | undefined;
  /** All of these hold. */
  readonly and?: ReadonlyArray<FilterInput> | null | undefined;
  /** At least one of these holds. */
  readonly or?: ReadonlyArray<FilterInput> | null | undefined;
  /** This does not hold. */
  readonly not?: FilterInput | null | undefined;
};

/** What the money is for */
export type FlowKind =
  | 'REVENUE'
  | 'FUNDING'
  | 'EXPENSE'
  | 'OTHER';

/** Conditions on one value; all of them hold. */
export type FlowKindFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: FlowKind | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: FlowKind | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<FlowKind> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<FlowKind> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Of a reservation. */
export type HoldState =
  /** The request is in flight; its maximum counts. */
  | 'HELD'
  /** Nobody settled it in time; it counts no more, unless it is settled late. */
  | 'EXPIRED'
  /** The request is over; what it has cost counts until the data has it. */
  | 'SETTLED'
  /** The request came to nothing. */
  | 'RELEASED';

/** Conditions on one value; all of them hold. */
export type IntegerFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: number | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: number | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<number> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<number> | null | undefined;
  /** Greater than this. */
  readonly gt?: number | null | undefined;
  /** Greater than this, or equal. */
  readonly gte?: number | null | undefined;
  /** Less than this. */
  readonly lt?: number | null | undefined;
  /** Less than this, or equal. */
  readonly lte?: number | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Whether the bill for the day says the same; PENDING without a bill, INCLUDED where a plan covers all calls */
export type ReconciliationStatus =
  | 'MATCH'
  | 'UNDER_COMPUTED'
  | 'OVER_COMPUTED'
  | 'PENDING'
  | 'INCLUDED';

/** Conditions on one value; all of them hold. */
export type ReconciliationStatusFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: ReconciliationStatus | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: ReconciliationStatus | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<ReconciliationStatus> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<ReconciliationStatus> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** What stands behind the ROI of a group. */
export type RoiStatus =
  /** The whole truth. */
  | 'OK'
  /** Over the resolved sessions whose cost is known; of others it is not. */
  | 'PARTIAL'
  /** There is a value, and too little behind it for an interval. */
  | 'INSUFFICIENT_SAMPLE'
  /** Null: it would divide by a cost of 0. The success rate and the cost are told. */
  | 'ZERO_COST'
  /** Null: of no resolved session the cost is known. */
  | 'COST_UNKNOWN'
  /** Null: no task has succeeded or failed so far. */
  | 'NO_DECIDED_TASKS'
  /** Null: there are none; the posterior is the prior. */
  | 'NO_SESSIONS';

/** What started the session at the top; unknown where nobody knows what was above that */
export type RootTrigger =
  | 'HUMAN'
  | 'CRON'
  | 'SUBAGENT'
  | 'HEARTBEAT'
  | 'WEBHOOK'
  | 'API'
  | 'UNKNOWN';

/** Conditions on one value; all of them hold. */
export type RootTriggerFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: RootTrigger | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: RootTrigger | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<RootTrigger> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<RootTrigger> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** What answered for a model: the narrowest of these with at least one resolved session. */
export type RouteBasis =
  /** The model's sessions at the task class. */
  | 'CELL'
  /** All sessions of the model, whatever the task class. */
  | 'MODEL'
  /** No session of the model: what is pooled over all models of the task class, or over all. */
  | 'PRIOR';

/** How far an answer can be relied on. */
export type RoutingStatus =
  /** Of the newest data. */
  | 'FRESH'
  /** The data has changed since; the next snapshot is on its way. */
  | 'STALE'
  /** Older than the server's limit (CLAWBACK_ROUTING_MAX_AGE_S), because none could be computed since. */
  | 'EXPIRED'
  /** There is none yet: every model is answered by a prior without any data. */
  | 'NOT_COMPUTED';

/** Productive, idle or failed once it has ended; pending until then; unknown where its source has no outcomes */
export type SessionClass =
  | 'PRODUCTIVE'
  | 'IDLE'
  | 'FAILED'
  | 'PENDING'
  | 'UNKNOWN';

/** Conditions on one value; all of them hold. */
export type SessionClassFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: SessionClass | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: SessionClass | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<SessionClass> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<SessionClass> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** Conditions on one value; all of them hold. */
export type StringFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: string | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: string | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<string> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<string> | null | undefined;
  /** Has this text in it, in the same case. */
  readonly contains?: string | null | undefined;
  /** Begins with this text, in the same case. */
  readonly startsWith?: string | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** What came of the task; none where the session had no task */
export type TaskResult =
  | 'SUCCESS'
  | 'FAILURE'
  | 'PENDING'
  | 'NONE';

/** Conditions on one value; all of them hold. */
export type TaskResultFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: TaskResult | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: TaskResult | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<TaskResult> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<TaskResult> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

/** What started the session */
export type Trigger =
  | 'HUMAN'
  | 'CRON'
  | 'SUBAGENT'
  | 'HEARTBEAT'
  | 'WEBHOOK'
  | 'API'
  | 'UNKNOWN';

/** Conditions on one value; all of them hold. */
export type TriggerFilter = {
  /** Equal; null means that there is no value. */
  readonly eq?: Trigger | null | undefined;
  /** Not equal, or no value; null means that there is a value. */
  readonly ne?: Trigger | null | undefined;
  /** One of these. */
  readonly in?: ReadonlyArray<Trigger> | null | undefined;
  /** None of these, or no value. */
  readonly notIn?: ReadonlyArray<Trigger> | null | undefined;
  /** Whether there is no value. */
  readonly isNull?: boolean | null | undefined;
};

export type BudgetsQueryVariables = Exact<{
  budgetId?: string | null | undefined;
}>;


export type BudgetsQuery = { readonly budgets: ReadonlyArray<{ readonly budgetId: string, readonly scope: BudgetScope, readonly action: BudgetAction, readonly limitUsd: Decimal, readonly standings: ReadonlyArray<{ readonly member: string | null, readonly spentUsd: Decimal, readonly heldUsd: Decimal, readonly limitUsd: Decimal, readonly isLowerBound: boolean, readonly state: BudgetState, readonly window: { readonly label: string, readonly startsAt: string, readonly endsAt: string }, readonly forecast: { readonly projectedUsd: Decimal | null, readonly isBreach: boolean, readonly breachAt: string | null } }> }> };

export type CostPerSessionByDayQueryVariables = Exact<{
  range: string;
  zone?: string | null | undefined;
}>;


export type CostPerSessionByDayQuery = { readonly metrics: { readonly truncated: boolean, readonly asOf: string, readonly rows: ReadonlyArray<{ readonly time: string | null, readonly sessions: number | null, readonly sessionCost: Decimal | null, readonly costPerSession: Decimal | null, readonly evidence: { readonly status: string, readonly n: number, readonly unknown: number } }>, readonly totals: { readonly sessions: number | null, readonly sessionCost: Decimal | null, readonly costPerSession: Decimal | null } } | null };

export type CostPerSessionByModelQueryVariables = Exact<{
  where?: FilterInput | null | undefined;
  limit?: number | null | undefined;
}>;


export type CostPerSessionByModelQuery = { readonly metrics: { readonly truncated: boolean, readonly rows: ReadonlyArray<{ readonly model: string | null, readonly costPerSession: Decimal | null, readonly sessionCost: Decimal | null, readonly sessions: number | null, readonly roi: number | null, readonly evidence: { readonly status: string } }> } | null };

export type ModelRoiQueryVariables = Exact<{
  where?: FilterInput | null | undefined;
  range?: string | null | undefined;
}>;


export type ModelRoiQuery = { readonly roi: { readonly truncated: boolean, readonly dataVersion: number, readonly rows: ReadonlyArray<{ readonly model: string | null, readonly resolved: number, readonly successRate: number | null, readonly costPerSession: Decimal | null, readonly costPerSuccess: Decimal | null, readonly roi: number | null, readonly notDistinguishableFrom: ReadonlyArray<string>, readonly status: RoiStatus, readonly decisionGrade: boolean, readonly reasons: ReadonlyArray<string>, readonly successRateInterval: { readonly low: number, readonly high: number } | null, readonly roiInterval: { readonly low: number, readonly high: number } | null }> } };

export type RouteQueryVariables = Exact<{
  taskClass?: string | null | undefined;
  models?: ReadonlyArray<string> | string | null | undefined;
}>;


export type RouteQuery = { readonly routing: { readonly snapshotId: number | null, readonly ageSeconds: number | null, readonly status: RoutingStatus, readonly models: ReadonlyArray<{ readonly model: string, readonly basis: RouteBasis, readonly resolved: number, readonly costPerSession: Decimal | null, readonly decisionGrade: boolean, readonly notDistinguishableByRoi: ReadonlyArray<string>, readonly posterior: { readonly alpha: number, readonly beta: number, readonly low: number, readonly high: number }, readonly costPerSessionInterval: { readonly low: Decimal, readonly high: Decimal } | null }> } };

export type RunwayQueryVariables = Exact<{
  asOf?: string | null | undefined;
}>;


export type RunwayQuery = { readonly runway: { readonly sentence: string, readonly status: string, readonly flags: ReadonlyArray<string>, readonly cashUsd: Decimal | null, readonly cashKnownOn: string | null, readonly grossBurnMonthlyUsd: Decimal | null, readonly netBurnMonthlyUsd: Decimal | null, readonly runwayMonths: Decimal | null, readonly depletionDate: string | null } };

export type MayISpendQueryVariables = Exact<{
  trigger: BudgetTrigger;
  agent?: string | null | undefined;
  model?: string | null | undefined;
  session?: string | null | undefined;
  maxUsd?: string | null | undefined;
}>;


export type MayISpendQuery = { readonly mayISpend: { readonly decision: BudgetDecision, readonly reason: AdmissionReason, readonly budgetId: string | null, readonly leftUsd: Decimal | null, readonly isStale: boolean } };

export type ReserveMutationVariables = Exact<{
  trigger: BudgetTrigger;
  agent?: string | null | undefined;
  model?: string | null | undefined;
  session?: string | null | undefined;
  maxUsd?: string | null | undefined;
  ttlSeconds?: number | null | undefined;
}>;


export type ReserveMutation = { readonly reserve: { readonly decision: BudgetDecision, readonly reason: AdmissionReason, readonly budgetId: string | null, readonly leftUsd: Decimal | null, readonly hold: { readonly holdId: string, readonly expiresAt: string } | null } };

export type SettleMutationVariables = Exact<{
  holdId: string;
  actualUsd: string;
  requestKey?: string | null | undefined;
}>;


export type SettleMutation = { readonly settle: { readonly holdId: string, readonly state: HoldState, readonly actualUsd: Decimal | null } };

export type ReleaseMutationVariables = Exact<{
  holdId: string;
}>;


export type ReleaseMutation = { readonly release: { readonly holdId: string, readonly state: HoldState } };

export type WatchBudgetsSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type WatchBudgetsSubscription = { readonly budgets: ReadonlyArray<{ readonly budgetId: string, readonly standings: ReadonlyArray<{ readonly member: string | null, readonly spentUsd: Decimal, readonly heldUsd: Decimal, readonly limitUsd: Decimal, readonly state: BudgetState }> }> };

export type WatchCostsSubscriptionVariables = Exact<{
  where?: FilterInput | null | undefined;
}>;


export type WatchCostsSubscription = { readonly metrics: { readonly dataVersion: number, readonly rows: ReadonlyArray<{ readonly model: string | null, readonly costPerSession: Decimal | null, readonly sessions: number | null }> } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const BudgetsDocument = new TypedDocumentString(`
    query Budgets($budgetId: String) {
  budgets(budgetId: $budgetId) {
    budgetId
    scope
    action
    limitUsd
    standings {
      member
      window {
        label
        startsAt
        endsAt
      }
      spentUsd
      heldUsd
      limitUsd
      isLowerBound
      state
      forecast {
        projectedUsd
        isBreach
        breachAt
      }
    }
  }
}
    `, {"hash":"sha256:81ef1f7e2326ad1d04f447b0835b4757dce46970778ed4605a1340d0d84cbc6f"}) as unknown as TypedDocumentString<BudgetsQuery, BudgetsQueryVariables>;
export const CostPerSessionByDayDocument = new TypedDocumentString(`
    query CostPerSessionByDay($range: String!, $zone: String) {
  metrics(time: {range: $range}, zone: $zone) {
    rows {
      time(grain: DAY)
      sessions
      sessionCost
      costPerSession
      evidence(metric: COST_PER_SESSION) {
        status
        n
        unknown
      }
    }
    totals {
      sessions
      sessionCost
      costPerSession
    }
    truncated
    asOf
  }
}
    `, {"hash":"sha256:edea0cf1b96b6a351894c019c47d3a6a39bba3bfd0f61e032d2c22af3a7d2f8b"}) as unknown as TypedDocumentString<CostPerSessionByDayQuery, CostPerSessionByDayQueryVariables>;
export const CostPerSessionByModelDocument = new TypedDocumentString(`
    query CostPerSessionByModel($where: FilterInput, $limit: Int) {
  metrics(where: $where, limit: $limit) {
    rows {
      model
      costPerSession
      sessionCost
      sessions
      roi
      evidence(metric: COST_PER_SESSION) {
        status
      }
    }
    truncated
  }
}
    `, {"hash":"sha256:1ea5f4691927d4f04836f6c4720df2f183fe0570eab6a85718037c806f4c7067"}) as unknown as TypedDocumentString<CostPerSessionByModelQuery, CostPerSessionByModelQueryVariables>;
export const ModelRoiDocument = new TypedDocumentString(`
    query ModelRoi($where: FilterInput, $range: String) {
  roi(by: [MODEL], where: $where, range: $range) {
    rows {
      model
      resolved
      successRate
      successRateInterval {
        low
        high
      }
      costPerSession
      costPerSuccess
      roi
      roiInterval {
        low
        high
      }
      notDistinguishableFrom
      status
      decisionGrade
      reasons
    }
    truncated
    dataVersion
  }
}
    `, {"hash":"sha256:8e724bd04b3a61ea7b8c4844dc27c72203fc5bbdce127882a2569cda60564847"}) as unknown as TypedDocumentString<ModelRoiQuery, ModelRoiQueryVariables>;
export const RouteDocument = new TypedDocumentString(`
    query Route($taskClass: String, $models: [String!]) {
  routing(taskClass: $taskClass, models: $models) {
    snapshotId
    ageSeconds
    status
    models {
      model
      basis
      resolved
      posterior {
        alpha
        beta
        low
        high
      }
      costPerSession
      costPerSessionInterval {
        low
        high
      }
      decisionGrade
      notDistinguishableByRoi
    }
  }
}
    `, {"hash":"sha256:f371d56602fa9ef0ccc4cbde0c8fd3fe4524451ab4bb2658222ce76f8e5751db"}) as unknown as TypedDocumentString<RouteQuery, RouteQueryVariables>;
export const RunwayDocument = new TypedDocumentString(`
    query Runway($asOf: Date) {
  runway(asOf: $asOf) {
    sentence
    status
    flags
    cashUsd
    cashKnownOn
    grossBurnMonthlyUsd
    netBurnMonthlyUsd
    runwayMonths
    depletionDate
  }
}
    `, {"hash":"sha256:4457e71af6d6ade5a5cbcb649f04eafccbdb6a729482d7bb0a21915dfff08c62"}) as unknown as TypedDocumentString<RunwayQuery, RunwayQueryVariables>;
export const MayISpendDocument = new TypedDocumentString(`
    query MayISpend($trigger: BudgetTrigger!, $agent: String, $model: String, $session: String, $maxUsd: Decimal) {
  mayISpend(
    trigger: $trigger
    agent: $agent
    model: $model
    session: $session
    maxUsd: $maxUsd
  ) {
    decision
    reason
    budgetId
    leftUsd
    isStale
  }
}
    `, {"hash":"sha256:7566891f2adc34059db86fa47b7e99ea83e29728549a99a22b20124f0b718c17"}) as unknown as TypedDocumentString<MayISpendQuery, MayISpendQueryVariables>;
export const ReserveDocument = new TypedDocumentString(`
    mutation Reserve($trigger: BudgetTrigger!, $agent: String, $model: String, $session: String, $maxUsd: Decimal, $ttlSeconds: Int = 600) {
  reserve(
    trigger: $trigger
    agent: $agent
    model: $model
    session: $session
    maxUsd: $maxUsd
    ttlSeconds: $ttlSeconds
  ) {
    decision
    reason
    budgetId
    leftUsd
    hold {
      holdId
      expiresAt
    }
  }
}
    `, {"hash":"sha256:eb1b5e35a8075ebc24ecbbb663508a83401b8cc71db19eb0ff0fe8a271cd82d3"}) as unknown as TypedDocumentString<ReserveMutation, ReserveMutationVariables>;
export const SettleDocument = new TypedDocumentString(`
    mutation Settle($holdId: String!, $actualUsd: Decimal!, $requestKey: String) {
  settle(holdId: $holdId, actualUsd: $actualUsd, requestKey: $requestKey) {
    holdId
    state
    actualUsd
  }
}
    `, {"hash":"sha256:87f1a6346e4a01ff8ca5057bf3d3423ee9bf9b5567e1e60dd11b010dce53d96f"}) as unknown as TypedDocumentString<SettleMutation, SettleMutationVariables>;
export const ReleaseDocument = new TypedDocumentString(`
    mutation Release($holdId: String!) {
  release(holdId: $holdId) {
    holdId
    state
  }
}
    `, {"hash":"sha256:c9504520a19af88fc08c2deded944553020f673fc4e93a44d9638a94e5da7963"}) as unknown as TypedDocumentString<ReleaseMutation, ReleaseMutationVariables>;
export const WatchBudgetsDocument = new TypedDocumentString(`
    subscription WatchBudgets {
  budgets {
    budgetId
    standings {
      member
      spentUsd
      heldUsd
      limitUsd
      state
    }
  }
}
    `, {"hash":"sha256:02a9386d384174fcf172d04b5425345a05655c18257dd456c5decf02e52a3c7c"}) as unknown as TypedDocumentString<WatchBudgetsSubscription, WatchBudgetsSubscriptionVariables>;
export const WatchCostsDocument = new TypedDocumentString(`
    subscription WatchCosts($where: FilterInput) {
  metrics(where: $where) {
    rows {
      model
      costPerSession
      sessions
    }
    dataVersion
  }
}
    `, {"hash":"sha256:09ddb5d353c731cf2b4cfeedc89ee27142aa854506911023a0f134f36aad8e63"}) as unknown as TypedDocumentString<WatchCostsSubscription, WatchCostsSubscriptionVariables>;
