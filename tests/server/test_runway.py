"""The field `runway` and the command: a company with two models, two accounts, bills and a calendar, counted by hand.

As of 2026-03-31, 30 days: calls 10 a day (big) and 2 a day (small), machines 30 a day, and 12 of revenue a day.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from semantic import Caller, Catalog, load_catalog
from store import CashBalance, CashFlow, Charge, Price, PricedRequest, Request, Session, StagedRecord
from tests.server.conftest import REPOSITORY, Api, Json, Run, at, load_into, served
from tests.stores import new_store

AS_OF = date(2026, 3, 31)
ASKED_AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
FIRST = date(2026, 3, 1)


def call(key: str, day: date, model: str, usd: str | None, **fields: Any) -> PricedRequest:
    tokens = dict.fromkeys(("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"), 0)
    request = Request(
        request_key=key,
        source="test",
        provider="acme",
        model=model,
        started_at=at(f"{day}T10:00"),
        uncached_input_tokens=1_000_000,
        output_tokens=0,
        **tokens,
        **fields,
    )
    return PricedRequest(request, None if usd is None else Decimal(usd), "UNPRICED" if usd is None else "PRICED")


def price(model: str, usd: str, **fields: Any) -> Price:
    zero = dict.fromkeys(("cache_read", "cache_write_5m", "cache_write_1h", "output"), Decimal(0))
    return Price(
        price_id=f"{model}-{usd}-{fields.get('provider', 'acme')}",
        source="test",
        model=model,
        effective_from=at("2026-01-01"),
        input=Decimal(usd),
        **{"provider": "acme", **zero, **fields},
    )


def flow(name: str, kind: Any, usd: str, **fields: Any) -> CashFlow:
    return CashFlow(flow_id=name, source="test", kind=kind, amount_usd=Decimal(usd), **fields)


def balance(account: str, on: date, usd: str) -> CashBalance:
    return CashBalance(account=account, as_of_on=on, balance_usd=Decimal(usd), source="test")


def company() -> list[StagedRecord]:
    records: list[StagedRecord] = [
        balance("main", date(2026, 3, 30), "2000"),
        balance("main", date(2026, 4, 15), "1"),
        balance("reserve", date(2026, 3, 20), "1000"),
        balance("closed", date(2025, 1, 1), "0"),
        Charge(
            charge_id="machines",
            source="test",
            category="compute",
            amount_usd=Decimal(900),
            billed_usd=Decimal(1200),
            starts_on=FIRST,
            ends_on=AS_OF,
        ),
        Charge(
            charge_id="the same calls",
            source="test",
            category="inference",
            amount_usd=Decimal(360),
            starts_on=FIRST,
            ends_on=AS_OF,
        ),
        flow("seed", "funding", "500", occurred_on=date(2026, 3, 25), account="reserve"),
        price("big", "10"),
        price("small", "2"),
        price("two-sold", "1"),
        price("two-sold", "3", provider="other"),
    ]
    for number in range(30):
        day = FIRST + timedelta(days=number)
        records += [
            Session(session_id=f"s{number}", source="test", started_at=at(f"{day}T09:00")),
            call(f"b{number}", day, "big", "10", session_id=f"s{number}"),
            call(f"c{number}", day, "small", "2", session_id=f"s{number}"),
            flow(f"sales {day}", "revenue", "12", occurred_on=day),
        ]
    return records


@pytest.fixture(scope="module")
def company_api(catalog: Catalog) -> Iterator[Api]:
    with new_store() as store:
        load_into(store, company(), ASKED_AT)
        yield Api(catalog, store, now=ASKED_AT)


def runway(api: Api, selection: str, arguments: str = "") -> Json:
    return dict(api.data(f'{{ runway(asOf: "{AS_OF}"{arguments}) {{ {selection} }} }}')["runway"])


def under(api: Api, scenario: str, selection: str = "netBurnDailyUsd") -> Json:
    [found] = runway(api, f"scenarios {{ {selection} }}", f", scenario: {{{scenario}}}")["scenarios"]
    return dict(found)


def refused(api: Api, arguments: str, selection: str = "status") -> tuple[str, str]:
    [error] = api.ask(f'{{ runway(asOf: "{AS_OF}"{arguments}) {{ {selection} }} }}')["errors"]
    return error["extensions"]["code"], error["message"]


def test_burn_is_gross_and_net_and_a_bill_for_the_same_calls_is_not_added(company_api: Api) -> None:
    told = runway(
        company_api, "grossBurnDailyUsd netBurnDailyUsd cashUsd cashKnownOn cashOldestOn runwayDays basisDays"
    )
    assert told == {
        "grossBurnDailyUsd": "42",
        "netBurnDailyUsd": "30",
        "cashUsd": "3000",
        "cashKnownOn": "2026-03-30",
        "cashOldestOn": "2026-03-20",
        "runwayDays": "100",
        "basisDays": 30,
    }


def test_on_the_cash_basis_a_bill_counts_as_it_asks_for(company_api: Api) -> None:
    told = runway(company_api, "grossBurnDailyUsd drivers { name dailyUsd share }", ", basis: CASH")
    assert told["grossBurnDailyUsd"] == "52"
    assert {d["name"]: d["dailyUsd"] for d in told["drivers"]} == {"compute": "40", "inference": "12", "revenue": "-12"}


def test_an_account_of_long_ago_makes_the_cash_stale_and_is_rolled_forward(company_api: Api) -> None:
    told = runway(company_api, "flags rolledForward { cashUsd status runwayDays depletionDate }")
    assert told["flags"] == ["STALE_CASH"]
    assert told["rolledForward"] == {
        "cashUsd": "3170",
        "status": "OK",
        "runwayDays": "105.666666666667",
        "depletionDate": "2026-07-15",
    }, "3000 + 500 of funding - 11 days at 30"


def test_the_metrics_say_the_same_as_the_field(company_api: Api) -> None:
    told = runway(company_api, "cashUsd netBurnMonthlyUsd grossBurnMonthlyUsd depletionDate")
    [row] = company_api.rows("cash burnRate netBurnRate depletionDate revenue funding", f'asOf: "{AS_OF}"')
    assert row == {
        "cash": told["cashUsd"],
        "burnRate": told["grossBurnMonthlyUsd"],
        "netBurnRate": told["netBurnMonthlyUsd"],
        "depletionDate": told["depletionDate"],
        "revenue": "360",
        "funding": "500",
    }


@pytest.mark.parametrize(
    ("scenario", "net"),
    [
        ('agentsFactor: "2"', "42"),
        ('agentsFactor: "0"', "18"),
        ('priceChange: "-0.5"', "24"),
        ('modelSwap: [{from: "big", to: "small"}]', "22"),
        ('modelSwap: [{from: "big", to: "small", tokenMultiplier: "1.5"}]', "23"),
        ('modelSwap: [{from: "big", to: "two-sold", provider: "other"}]', "23"),
        ('sessionsPerDay: "3"', "54"),
        ('sessionsPerDay: "3", priceChange: "-0.5"', "36"),
        ('modelSwap: [{from: "big", to: "small"}], agentsFactor: "2"', "26"),
    ],
)
def test_a_scenario_changes_what_calls_cost(company_api: Api, scenario: str, net: str) -> None:
    assert under(company_api, scenario) == {"netBurnDailyUsd": net}


def test_a_swap_takes_the_price_that_a_load_would_take(catalog: Catalog) -> None:
    """A line of a published list counts after one's own, also where it became known later; names in any case match."""
    published = replace(price("small", "9"), price_id="published", source="library:list", known_at=at("2026-03-20"))
    with new_store() as store:
        load_into(store, [*company(), published])
        api = Api(catalog, store, now=ASKED_AT)
        assert under(api, 'modelSwap: [{from: "big", to: "small"}]') == {"netBurnDailyUsd": "22"}
        assert under(api, 'modelSwap: [{from: "big", to: "SMALL"}]') == {"netBurnDailyUsd": "22"}


def test_a_hire_is_paid_each_month_and_funding_comes_once(company_api: Api) -> None:
    hired = under(
        company_api,
        'hire: [{monthlyUsd: "600", startsOn: "2026-04-30"}]',
        "depletionDate isWalked walk { on closingUsd }",
    )
    closing = {day["on"]: day["closingUsd"] for day in hired["walk"]}
    assert (closing["2026-04-29"], closing["2026-04-30"], closing["2026-05-30"]) == ("2130", "1500", "0")
    assert (hired["depletionDate"], hired["isWalked"]) == ("2026-05-30", True)
    funded = under(company_api, 'funding: [{amountUsd: "300", on: "2026-05-01"}]', "runwayDays depletionDate")
    assert funded == {"runwayDays": "110", "depletionDate": "2026-07-19"}


def test_several_scenarios_stand_beside_what_is(company_api: Api) -> None:
    told = runway(
        company_api,
        "name runwayDays scenarios { name runwayDays }",
        ', scenarios: [{name: "a", agentsFactor: "2"}, {agentsFactor: "1"}]',
    )
    assert told["runwayDays"] == "100"
    assert told["scenarios"] == [
        {"name": "a", "runwayDays": "71.428571428571"},
        {"name": "scenario 2", "runwayDays": "100"},
    ]


def test_agents_that_the_cash_affords_with_the_interval_of_their_cost(company_api: Api) -> None:
    told = runway(
        company_api, 'agentsAffordable(months: ["2", "12"]) { status maxSessionsPerDay low high fixedDailyUsd }'
    )
    # 3000 / 60.875 days - 18 of bills less revenue, at 12 a session; every session costs the same.
    assert told["agentsAffordable"] == [
        {
            "status": "OK",
            "maxSessionsPerDay": "2.606776180698",
            "low": "2.606776180698",
            "high": "2.606776180698",
            "fixedDailyUsd": "18",
        },
        {
            "status": "NOT_REACHABLE_AT_ZERO_VOLUME",
            "maxSessionsPerDay": None,
            "low": None,
            "high": None,
            "fixedDailyUsd": "18",
        },
    ]


def test_the_sentence_says_it_all(company_api: Api) -> None:
    assert runway(company_api, "sentence")["sentence"] == (
        "Runway 3.3 months (p10 3.3, p90 3.3), until 2026-07-09; cash as of 2026-03-30, net burn 913.12 USD a month."
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (", horizonDays: 0", "BAD_LIMIT", "horizonDays must be 1 to 36,525, not 0"),
        (", horizonDays: 99999", "BAD_LIMIT", "horizonDays must be 1 to 36,525"),
        (', scenario: {funding: [{amountUsd: "1", on: "2026-03-31"}]}', "BAD_SCENARIO", "is in the cash already"),
        (', scenario: {hire: [{monthlyUsd: "1", startsOn: "2026-03-01"}]}', "BAD_SCENARIO", "is in the burn already"),
        (
            ', scenario: {hire: [{monthlyUsd: "-1", startsOn: "2026-05-01"}]}',
            "BAD_SCENARIO",
            "monthlyUsd must be from 0",
        ),
        (', scenario: {agentsFactor: "-1"}', "BAD_SCENARIO", "agentsFactor must be from 0 to 1000, not -1"),
        (', scenario: {priceChange: "-1.1"}', "BAD_SCENARIO", "priceChange must be from -1 to 100, not -1.1"),
        (', scenario: {agentsFactor: "1", sessionsPerDay: "1"}', "BAD_SCENARIO", "give one of them"),
        (', scenario: {modelSwap: [{from: "big", to: "nosuch"}]}', "UNPRICED", "no price of 'nosuch' is in force"),
        (', scenario: {modelSwap: [{from: "nosuch", to: "big"}]}', "UNKNOWN_MODEL", "no call to 'nosuch'"),
        (
            ', scenario: {modelSwap: [{from: "big", to: "small"}, {from: "big", to: "small"}]}',
            "BAD_SCENARIO",
            "names a model twice",
        ),
        (', scenario: {modelSwap: [{from: "big", to: "two-sold"}]}', "AMBIGUOUS", "is sold by acme, other; name"),
        (", scenarios: [" + "{}, " * 21 + "]", "TOO_LARGE", "21 scenarios were asked; at most 20"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(company_api: Api, arguments: str, code: str, said: str) -> None:
    told = refused(company_api, arguments)
    assert told[0] == code
    assert said in told[1]


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ("percentiles(as: {values: [0, 0.5]}) { status }", "values are 1 to 99 numbers above 0 and below 1"),
        ("percentiles(as: {paths: 1}) { status }", "paths must be 100 to 20,000"),
        ("walk(first: -1) { on }", "first must be 0 to 3,660 days"),
        ('agentsAffordable(months: ["0"]) { status }', "months are 1 to 20 numbers above 0"),
        ("agentsAffordable(months: []) { status }", "months are 1 to 20 numbers above 0"),
    ],
)
def test_every_number_that_is_asked_is_bounded(company_api: Api, selection: str, said: str) -> None:
    assert said in refused(company_api, "", selection)[1]


def test_not_a_number_is_no_number(company_api: Api) -> None:
    body = company_api.ask(f'{{ runway(asOf: "{AS_OF}", scenario: {{agentsFactor: "NaN"}}) {{ status }} }}')
    assert "a Decimal is a number below 10^25" in body["errors"][0]["message"]


@pytest.mark.parametrize(
    "change",
    ['agentsFactor: "2"', 'sessionsPerDay: "200"', 'priceChange: "-0.3"', 'modelSwap: [{from: "big", to: "small"}]'],
)
def test_a_scenario_of_a_company_without_data_has_no_data(catalog: Catalog, change: str) -> None:
    with new_store() as store:
        found = runway(
            Api(catalog, store, now=ASKED_AT),
            "status scenarios { name status drivers { name } }",
            f", scenario: {{{change}}}",
        )
    assert found == {"status": "NO_DATA", "scenarios": [{"name": "scenario 1", "status": "NO_DATA", "drivers": []}]}


def test_a_day_to_come_is_refused_because_its_days_without_spend_would_lengthen_the_runway(company_api: Api) -> None:
    [error] = company_api.ask('{ runway(asOf: "2026-04-02") { status } }')["errors"]
    assert error["extensions"]["code"] == "BAD_TIME"
    assert error["message"] == "asOf must be from 1970-01-01 to today, 2026-04-01, not 2026-04-02"


def test_a_call_of_unknown_cost_makes_the_runway_an_upper_bound(catalog: Catalog) -> None:
    with new_store() as store:
        load_into(store, [*company(), call("x", date(2026, 3, 9), "ghost", None)], ASKED_AT)
        told = runway(Api(catalog, store, now=ASKED_AT), "flags isUpperBound unknownRequests sentence")
    assert told["flags"] == ["STALE_CASH", "LOWER_BOUND"]
    assert (told["isUpperBound"], told["unknownRequests"]) == (True, 1)
    assert told["sentence"].startswith("Runway at most 3.3 months")


@pytest.mark.parametrize(
    ("loaded", "flags"), [("2026-03-30T23:59", ["STALE_CASH", "STALE_SPEND"]), ("2026-03-31T00:00", ["STALE_CASH"])]
)
def test_days_that_no_load_has_seen_are_told_and_are_not_days_without_spend(
    catalog: Catalog, loaded: str, flags: list[str]
) -> None:
    with new_store() as store:
        load_into(store, company(), at(loaded))
        told = runway(Api(catalog, store, now=ASKED_AT), "flags callsKnownUntil sentence")
    assert (told["flags"], told["callsKnownUntil"]) == (flags, f"{loaded}:00Z")
    assert ("calls known only until 2026-03-30 23:59 UTC" in told["sentence"]) == ("STALE_SPEND" in flags)


def test_a_source_that_was_last_loaded_long_before_the_basis_leaves_spend_stale(catalog: Catalog) -> None:
    with new_store() as store:
        load_into(store, company(), ASKED_AT)
        late = Api(catalog, store, now=datetime(2026, 7, 1, tzinfo=UTC))
        assert "STALE_SPEND" in late.data('{ runway(asOf: "2026-06-30") { flags } }')["runway"]["flags"]


def test_a_flow_of_long_ago_does_not_stretch_the_days_of_which_burn_is_a_mean(catalog: Catalog) -> None:
    days = [AS_OF - timedelta(days=n) for n in (1, 2, 3)]
    records = [
        *(call(f"r {day}", day, "big", "10") for day in days),
        *(flow(f"sales {day}", "revenue", "4", occurred_on=day) for day in days),
        flow("an old one", "revenue", "0.01", occurred_on=date(2026, 1, 5)),
        balance("main", AS_OF, "600"),
    ]
    with new_store() as store:
        load_into(store, records, ASKED_AT)
        api = Api(catalog, store, now=ASKED_AT)
        told = runway(api, "basisDays flags grossBurnDailyUsd netBurnDailyUsd grossBurnMonthlyUsd netBurnMonthlyUsd")
        [row] = api.rows("burnRate netBurnRate", f'asOf: "{AS_OF}"')
    assert told == {
        "basisDays": 3,
        "flags": ["SHORT_HISTORY"],
        "grossBurnDailyUsd": "10",
        "netBurnDailyUsd": "6",
        "grossBurnMonthlyUsd": "304.375",
        "netBurnMonthlyUsd": "182.625",
    }
    assert row == {"burnRate": "304.375", "netBurnRate": "182.625"}, "the metrics say the same"


def test_of_flows_alone_the_days_begin_with_the_first_of_them(catalog: Catalog) -> None:
    with new_store() as store:
        load_into(store, [flow("rent", "expense", "-40", occurred_on=AS_OF - timedelta(days=4))], ASKED_AT)
        api = Api(catalog, store, now=ASKED_AT)
        assert runway(api, "basisDays grossBurnDailyUsd") == {"basisDays": 4, "grossBurnDailyUsd": "10"}
        [row] = api.rows("burnRate", f'asOf: "{AS_OF}"')
    assert row == {"burnRate": "304.375"}


def credits_of(vendor: str) -> Charge:
    return Charge(
        charge_id="top-up",
        source="test",
        category="credits",
        amount_usd=Decimal(600),
        starts_on=FIRST,
        ends_on=date(2027, 3, 1),
        vendor=vendor,
    )


def test_credits_whose_use_nobody_knows_were_paid_for_all_the_same(catalog: Catalog) -> None:
    asked = "grossBurnDailyUsd isUpperBound"
    with new_store() as store:
        load_into(store, [*company(), credits_of("voices")], ASKED_AT)
        api = Api(catalog, store, now=ASKED_AT)
        paid, accrued = runway(api, asked, ", basis: CASH"), runway(api, asked)
    assert paid == {"grossBurnDailyUsd": "72", "isUpperBound": False}
    assert accrued == {"grossBurnDailyUsd": "42", "isUpperBound": True}


@pytest.mark.parametrize(
    "change",
    ['modelSwap: [{from: "big", to: "small"}]', 'sessionsPerDay: "1"', 'agentsFactor: "2"', 'priceChange: "0.1"'],
)
def test_on_the_cash_basis_calls_that_credits_paid_for_are_not_changed(catalog: Catalog, change: str) -> None:
    with new_store() as store:
        load_into(store, [*company(), credits_of("acme")], ASKED_AT)
        api = Api(catalog, store, now=ASKED_AT)
        told = refused(api, f", basis: CASH, scenario: {{{change}}}")
        assert runway(api, "status", f", scenario: {{{change}}}") == {"status": "OK"}
    assert (told[0], "on the basis ACCRUAL" in told[1]) == ("PREPAID", True)


def test_a_caller_who_sees_a_part_of_the_rows_is_told_no_runway(catalog: Catalog, company_api: Api) -> None:
    policy = "\npolicies:\n  own_calls: {model: requests, rows: 'agent = :caller.agent', unless: [cfo]}\n"
    narrowed = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8") + policy)
    lead = Api(narrowed, company_api.store, caller=Caller(frozenset({"finance"}), {"agent": "main"}), now=ASKED_AT)
    assert refused(lead, "")[0] == "NOT_ALLOWED"
    finance = Api(narrowed, company_api.store, caller=Caller(frozenset({"finance", "cfo"})), now=ASKED_AT)
    assert runway(finance, "runwayDays") == {"runwayDays": "100"}


FLOWS = "flow_id,kind,amount_usd,occurred_on\nsales,revenue,15,2026-03-30\n"
CASH = "account,as_of_on,balance_usd\nmain,2026-03-31,1000\n"
CHARGES = "charge_id,category,amount_usd,starts_on,ends_on\nm,compute,315,2026-03-01,2026-03-31\n"


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Run:
    for kind, text in (("flows", FLOWS), ("cash", CASH), ("charges", CHARGES)):
        (tmp_path / f"{kind}.csv").write_text(text)
        assert run("load", kind, f"{kind}.csv").code == 0
    return run


def test_the_command_says_how_long_the_cash_lasts_and_what_would_be(filled: Run, tmp_path: Path) -> None:
    asked = ("runway", "--as-of", "2026-03-31")
    told = filled(*asked, "--funding", "300@2026-05-01", "--percentiles")
    assert told.code == 0, told.err
    assert "Runway 3.3 months" in told.out
    lines = filled(*asked, "--funding", "300@2026-05-01", "--format", "csv").out.splitlines()
    assert lines[0].startswith("name,status,flags,cashUsd,cashKnownOn,basisDays")
    assert lines[1] == ",OK,,1000,2026-03-31,30,319.59375,304.375,100,3.285420944559,2026-07-09"
    assert lines[2].endswith(",130,4.271047227926,2026-08-08")
    forms = [("--percentiles", "--format", form) for form in ("json", "csv", "table")]
    alone = [filled(*asked, *form).out for form in forms]
    with served(tmp_path / "store.duckdb"):
        assert [filled(*asked, *form).out for form in forms] == alone


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--price", "30"), "--price is written like -30%, not '30'"),
        (("--hire", "12000"), "--hire is written like 12000@2027-01-01, not '12000'"),
        (("--hire", "12000@tomorrow"), "--hire takes a day such as 2026-03-01, not 'tomorrow'"),
        (("--agents", "many"), "--agents is written like 2x, not 'many'"),
        (("--swap", "opus"), "--swap is written like opus=sonnet"),
        (("--funding", "5@2026-03-01"), "is in the cash already"),
    ],
)
def test_an_option_that_cannot_be_read_says_how_it_is_written(filled: Run, option: tuple[str, str], said: str) -> None:
    told = filled("runway", "--as-of", "2026-03-31", *option)
    assert told.code == 1
    assert said in told.err


def test_funding_that_is_in_a_balance_is_not_added_to_it_again(catalog: Catalog) -> None:
    records: list[StagedRecord] = [
        balance("forgotten", date(2026, 1, 10), "1000"),
        balance("main", date(2026, 3, 30), "600000"),
        flow("round", "funding", "500000", occurred_on=date(2026, 2, 1), account="main"),
        flow("somewhere", "funding", "200000", occurred_on=date(2026, 2, 1)),
        flow("late", "funding", "70", occurred_on=date(2026, 3, 31), account="main"),
        flow("rent", "expense", "-30", occurred_on=date(2026, 3, 1)),
    ]
    with new_store() as store:
        load_into(store, records)
        told = runway(Api(catalog, store, now=ASKED_AT), "netBurnDailyUsd rolledForward { cashUsd }")
    assert told == {"netBurnDailyUsd": "1", "rolledForward": {"cashUsd": "600990"}}


def test_a_purchase_of_credits_is_cash_also_where_nobody_knows_their_use(catalog: Catalog) -> None:
    bought = Charge(
        charge_id="credits",
        source="test",
        category="credits",
        vendor="speech",
        amount_usd=Decimal(600),
        starts_on=FIRST,
        ends_on=date(2027, 3, 1),
    )
    with new_store() as store:
        load_into(store, [bought, balance("main", date(2026, 3, 30), "2000")])
        api = Api(catalog, store, now=ASKED_AT)
        told = runway(api, "grossBurnDailyUsd unknownRequests runwayDays", ", basis: CASH")
        accrued = runway(api, "status flags")
    assert told == {"grossBurnDailyUsd": "20", "unknownRequests": 0, "runwayDays": "100"}
    assert accrued == {"status": "UNPRICED", "flags": ["LOWER_BOUND"]}


def test_calls_that_credits_paid_for_are_not_taken_out_of_a_cash_burn_that_lacks_them(catalog: Catalog) -> None:
    days = [date(2026, 3, number) for number in (1, 2)]
    bought = Charge(
        charge_id="credits",
        source="test",
        category="credits",
        vendor="acme",
        amount_usd=Decimal(600),
        starts_on=date(2026, 2, 1),
        ends_on=date(2027, 2, 1),
    )
    records: list[StagedRecord] = [bought, balance("main", date(2026, 3, 30), "2000"), price("small", "1")]
    for day in days:
        records.append(Session(session_id=f"s{day}", source="test", started_at=at(f"{day}T09:00")))
        records.append(call(f"c{day}", day, "big", "30", session_id=f"s{day}"))
    with new_store() as store:
        load_into(store, records)
        api = Api(catalog, store, now=ASKED_AT)
        for scenario in ('modelSwap: [{from: "big", to: "small"}]', 'sessionsPerDay: "0"'):
            asked = f'{{ runway(asOf: "{AS_OF}", basis: %s, scenario: {{{scenario}}}) {{ scenarios {{ status }} }} }}'
            assert api.codes(asked % "CASH") == ["PREPAID"]
            assert "errors" not in api.ask(asked % "ACCRUAL")
        (affordable,) = runway(api, 'agentsAffordable(months: ["6"]) { status maxSessionsPerDay }', ", basis: CASH")[
            "agentsAffordable"
        ]
    assert affordable == {"status": "PREPAID", "maxSessionsPerDay": None}
