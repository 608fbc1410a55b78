import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders import runs
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.mapping import RunMapping, read_mapping
from store import Outcome, Request, Session

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]

MAPPING = """\
source: lab
session_id: [agent, run]
agent: agent
model: model
provider: {value: anthropic}
task_class: task
parent_session_id: parent
trigger: {column: kind, map: {manual: human, nightly: cron}}
started_at: start
ended_at: {column: end_ms, unit: ms}
termination: state
cost_usd: cost
success: ok
"""
LINE: dict[str, object] = {
    "agent": "a1",
    "run": 7,
    "model": "m",
    "task": "tests",
    "parent": None,
    "kind": "nightly",
    "start": "2026-02-20T10:00:00+01:00",
    "end_ms": 1771578600500,
    "state": "success",
    "cost": 0.1,
    "ok": True,
}


def mapping_of(tmp_path: Path, text: str) -> RunMapping:
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    return read_mapping(path)


def read(tmp_path: Path, mapping: str, *lines: str, name: str = "runs.jsonl") -> list[Item]:
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return list(runs.read(path, mapping_of(tmp_path, mapping), now=NOW))


def line_with(**changed: object) -> str:
    return json.dumps({**LINE, **changed})


def records(item: Item) -> tuple[Session, Request, *tuple[Outcome, ...]]:
    assert isinstance(item, Parsed)
    session, request, *outcomes = item.records
    assert isinstance(session, Session)
    assert isinstance(request, Request)
    return session, request, *[outcome for outcome in outcomes if isinstance(outcome, Outcome)]


def test_a_line_is_a_session_its_total_and_its_outcome(tmp_path: Path) -> None:
    [item] = read(tmp_path, MAPPING, line_with())

    started_at, ended_at = datetime(2026, 2, 20, 9, tzinfo=UTC), datetime(2026, 2, 20, 9, 10, 0, 500_000, tzinfo=UTC)
    assert item == Parsed(
        Location(str(tmp_path / "runs.jsonl"), 1),
        (
            Session(
                session_id="a1/7",
                source="lab",
                observed_at=ended_at,
                agent="a1",
                trigger="cron",
                trigger_rule="mapping",
                trigger_confidence=70,
                task_class="tests",
                model="m",
                started_at=started_at,
                ended_at=ended_at,
                termination="success",
                termination_rule="mapping",
                termination_confidence=70,
            ),
            Request(
                request_key="lab:run:a1/7",
                source="lab",
                scope="session",
                session_id="a1/7",
                agent="a1",
                provider="anthropic",
                model="m",
                started_at=started_at,
                ended_at=ended_at,
                reported_usd=Decimal("0.1"),
            ),
            Outcome(
                outcome_id="lab:a1/7",
                source="lab",
                session_id="a1/7",
                kind="RUN",
                is_success=True,
                occurred_at=ended_at,
            ),
        ),
    )


def test_the_least_mapping_gives_a_finished_session_whose_cost_is_unknown(tmp_path: Path) -> None:
    [item] = read(tmp_path, "source: s\nsession_id: id\n", '{"id": "x", "cost": 5}')

    session, request, *outcomes = records(item)
    assert (session.termination, session.termination_confidence, session.trigger) == ("unknown", 10, None)
    assert request.reported_usd is None
    assert outcomes == []


@pytest.mark.parametrize(
    ("rule", "cost", "reported"),
    [
        ("false", "0", Decimal(0)),
        ("true", "0", None),
        ("true", "0.00", None),
        ("true", "-0.0", None),
        ("true", "0.01", Decimal("0.01")),
        ("{column: agent, in: [a1]}", "0", None),
        ("{column: agent, in: [a2]}", "0", Decimal(0)),
        ("false", "null", None),
        ("false", "34.732634666666634", Decimal("34.732634666667")),
        ("false", "1e-3", Decimal("0.001")),
        ("false", '"0.25"', Decimal("0.25")),
        ("false", "1e-400000000", Decimal(0)),
    ],
)
def test_a_cost_is_exact_and_zero_can_mean_unknown(
    tmp_path: Path, rule: str, cost: str, reported: Decimal | None
) -> None:
    text = f"source: s\nsession_id: id\ncost_usd: cost\nzero_cost_is_unknown: {rule}\n"
    [item] = read(tmp_path, text, f'{{"id": "x", "agent": "a1", "cost": {cost}}}')

    assert records(item)[1].reported_usd == reported


@pytest.mark.parametrize(
    ("keys", "line", "kind", "is_success"),
    [
        ("success: ok", {"ok": True}, "RUN", True),
        ("success: ok", {"ok": False}, "RUN", False),
        ("success: ok", {"ok": None}, "UNKNOWN", None),
        ("success: ok\nsuccess_true: ['1']\nsuccess_false: ['0']", {"ok": 1}, "RUN", True),
        ("success: ok\nsuccess_true: [Passed]", {"ok": " PASSED "}, "RUN", True),
        ("outcome: what", {"what": "PR_MERGED"}, "PR_MERGED", None),
        ("outcome: what\nsuccess: ok", {"what": "PR_MERGED", "ok": True}, "PR_MERGED", True),
        ("outcome: what\nsuccess: ok", {"what": None, "ok": False}, "RUN", False),
        ("outcome: what\nsuccess: ok", {"what": "", "ok": None}, "UNKNOWN", None),
    ],
)
def test_an_outcome_has_the_kind_and_the_success_that_the_line_states(
    tmp_path: Path, keys: str, line: dict[str, object], kind: str, is_success: bool | None
) -> None:
    [item] = read(tmp_path, f"source: s\nsession_id: id\n{keys}\n", json.dumps({"id": "x", **line}))

    [outcome] = records(item)[2:]
    assert (outcome.kind, outcome.is_success) == (kind, is_success)


def test_an_empty_outcome_is_none_where_no_column_says_success(tmp_path: Path) -> None:
    [item] = read(tmp_path, "source: s\nsession_id: id\noutcome: what\n", '{"id": "x", "what": ""}')

    assert len(records(item)) == 2


def test_an_empty_termination_says_nothing_about_the_end(tmp_path: Path) -> None:
    [item] = read(tmp_path, MAPPING, line_with(state="", end_ms=None))

    session = records(item)[0]
    assert (session.termination, session.termination_rule, session.termination_confidence) == (None, None, 0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"run": None}, "run must be text, got empty"),
        ({"run": ["x"]}, "run must be text, got ['x']"),
        ({"run": "\ud800"}, "half of a surrogate pair"),
        ({"agent": "a\x00"}, "must not contain a NUL character"),
        ({"kind": "weekly"}, "kind is 'weekly', which the mapping does not translate; add it under `map`"),
        ({"state": "done"}, "state must be one of success, error, timeout, aborted, lost, unknown, got 'done'"),
        ({"start": "2026-02-20T10:00:00"}, "start has no zone: add the offset"),
        (
            {"start": 1771578000},
            "start must be an instant like 2026-02-28T09:30:00Z; a number since 1970 needs its unit",
        ),
        ({"start": "2026-02-20T11:00:00Z"}, "is before started_at"),
        ({"end_ms": 1771578600500000}, "end_ms is not within the years 1 to 9999"),
        ({"end_ms": 17715786005000}, "end_ms is in the future (read as 2531-"),
        ({"end_ms": "soon"}, "end_ms must be a number of ms since 1970-01-01, got 'soon'"),
        ({"cost": -0.01}, "cost must not be negative"),
        ({"cost": "1,5"}, "no thousands separator"),
        ({"cost": True}, "cost must be a plain amount in USD"),
        ({"ok": "maybe"}, "ok must be one of true, false, got 'maybe'"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_would_be_right(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    [bad, good] = read(tmp_path, MAPPING, line_with(**changed), line_with(run=8))

    assert isinstance(bad, Rejected)
    assert said in bad.reason
    assert isinstance(good, Parsed)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": 1', "is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"id": "x", "cost": NaN}', "NaN is not a number; write null where a value is unknown"),
        ('{"id": "x", "cost": 1e400}', "must be an amount below 1e+15 USD"),
        ('{"id": "x", "cost": 1e999999999999999999999}', "is not JSON"),
        ('{"id": "x", "cost": 1e400000000}', "must be an amount below 1e+15 USD"),
        ('{"id": ' + "[" * 100_000, "is nested too deeply"),
        ('{"id": ' + "9" * 5000 + "}", "is not JSON"),
    ],
)
def test_hostile_json_is_rejected_and_the_next_line_is_read(tmp_path: Path, line: str, said: str) -> None:
    [bad, good] = read(tmp_path, "source: s\nsession_id: id\ncost_usd: cost\n", line, '{"id": "y", "cost": 1}')

    assert isinstance(bad, Rejected)
    assert said in bad.reason
    assert len(bad.raw) <= 2000
    assert isinstance(good, Parsed)


def test_a_session_that_is_told_twice_is_a_conflict_unless_it_says_the_same(tmp_path: Path) -> None:
    items = read(tmp_path, MAPPING, line_with(), line_with(note="not mapped"), line_with(cost=0.2))

    path = tmp_path / "runs.jsonl"
    assert isinstance(items[0], Parsed)
    assert items[1] == Ignored(Location(str(path), 2), "repeats an earlier row")
    assert isinstance(items[2], Rejected)
    assert items[2].reason == f"session 'a1/7' is already given at {path}:1 with other values: remove one of the two"


def test_columns_that_join_to_one_name_are_told_apart(tmp_path: Path) -> None:
    items = read(
        tmp_path, "source: s\nsession_id: [a, b]\nagent: a\n", '{"a": "x/y", "b": "z"}', '{"a": "x", "b": "y/z"}'
    )

    assert [type(item) for item in items] == [Parsed, Rejected]


def test_a_column_that_the_file_lacks_stops_the_load_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(LoadError) as raised:
        read(tmp_path, MAPPING.replace("cost_usd: cost", "cost_usd: costs"), line_with())
    assert str(raised.value) == (
        f"{tmp_path / 'runs.jsonl'}: cost_usd of the mapping reads column 'costs', which is not there; did you mean "
        "'cost'?; the file has agent, run, model, task, parent, kind, start, end_ms, state, cost, ok"
    )


def test_a_key_of_json_counts_if_one_of_the_first_thousand_lines_has_it(tmp_path: Path) -> None:
    lines = [f'{{"id": "r{number}"}}' for number in range(1, 1001)]
    mapping = "source: s\nsession_id: id\ncost_usd: cost\n"

    assert len(read(tmp_path, mapping, *lines[:999], '{"id": "last", "cost": 1}')) == 1000
    with pytest.raises(LoadError, match="reads column 'cost', which is not there"):
        read(tmp_path, mapping, *lines, '{"id": "too late", "cost": 1}')


def test_a_log_without_lines_gives_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, MAPPING) == []


def test_csv_gzip_and_parquet_say_the_same_as_json(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, MAPPING)
    [expected] = read(tmp_path, MAPPING, line_with())
    text = "agent,run,model,task,parent,kind,start,end_ms,state,cost,ok\n"
    text += "a1,7,m,tests,,nightly,2026-02-20T09:00:00Z,1771578600500,success,0.1,true\n"
    (tmp_path / "runs.csv").write_text(text)
    (tmp_path / "runs.csv.gz").write_bytes(gzip.compress(text.encode()))
    parquet = tmp_path / "agent=x" / "runs[1]*.parquet"
    parquet.parent.mkdir()
    write_parquet(
        parquet,
        "SELECT 'a1' AS agent, 7 AS run, 'm' AS model, 'tests' AS task, NULL::VARCHAR AS parent, 'nightly' AS kind, "
        "make_timestamptz(1771578000000000) AS start, 1771578600500::BIGINT AS end_ms, 'success' AS state, "
        "0.1::DECIMAL(38, 12) AS cost, true AS ok",
    )

    for path in (tmp_path / "runs.csv", tmp_path / "runs.csv.gz", parquet):
        [item] = runs.read(path, mapping, now=NOW)
        assert records(item) == records(expected), path


def write_parquet(path: Path, query: str) -> None:
    plain = path.with_name("plain.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{plain}' (FORMAT parquet)")
    plain.rename(path)


def test_parquet_costs_in_floating_point_are_read_as_they_are_printed(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    write_parquet(
        path, "SELECT * FROM (VALUES ('a', 0.1::DOUBLE), ('b', 'nan'::DOUBLE), ('c', NULL)) AS runs (id, cost)"
    )

    first, second, third = runs.read(path, mapping_of(tmp_path, "source: s\nsession_id: id\ncost_usd: cost\n"), now=NOW)
    assert records(first)[1].reported_usd == Decimal("0.1")
    assert isinstance(second, Rejected)
    assert second.location == Location(str(path), 2)
    assert second.reason == "cost must be a plain amount in USD like 1234.50, got nan"
    assert records(third)[1].reported_usd is None


def test_a_parquet_timestamp_without_a_zone_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    write_parquet(path, "SELECT 'a' AS id, TIMESTAMP '2026-02-20 09:00:00' AS start")

    [item] = runs.read(path, mapping_of(tmp_path, "source: s\nsession_id: id\nstarted_at: start\n"), now=NOW)
    assert isinstance(item, Rejected)
    assert item.reason.startswith("start has no zone: add the offset")


def test_ids_and_instants_of_parquet_are_read_as_they_are_typed(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    write_parquet(path, "SELECT uuid '7b1f0d52-3c7e-4b51-9a44-0e2f5c9d1a10' AS id, 1771578000.5::DOUBLE AS start")
    told: list[int] = []

    mapping = mapping_of(tmp_path, "source: s\nsession_id: id\nstarted_at: {column: start, unit: s}\n")
    [item] = runs.read(path, mapping, now=NOW, on_bytes=told.append)
    session = records(item)[0]
    assert session.session_id == "7b1f0d52-3c7e-4b51-9a44-0e2f5c9d1a10"
    assert session.started_at == datetime(2026, 2, 20, 9, 0, 0, 500_000, tzinfo=UTC)
    assert told == [path.stat().st_size]


def test_lines_before_a_cut_in_an_archive_are_read_and_the_cut_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl.gz"
    lines = "".join(f'{{"id": "{number * 7919 % 10007}"}}\n' for number in range(2000))
    path.write_bytes(gzip.compress(lines.encode())[:-1000])

    items = list(runs.read(path, mapping_of(tmp_path, "source: s\nsession_id: id\n"), now=NOW))
    assert {type(item) for item in items[:-1]} == {Parsed}
    assert isinstance(items[-1], Rejected)
    assert items[-1].reason.startswith("the archive is cut off")


def test_a_file_that_is_not_parquet_stops_the_load(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    path.write_text("id,cost\n")

    with pytest.raises(LoadError, match=r"runs\.parquet: cannot be read as Parquet"):
        runs.read(path, mapping_of(tmp_path, "source: s\nsession_id: id\n"), now=NOW)


@pytest.mark.golden
def test_the_sessions_of_the_golden_idle_case_are_read_as_they_are_meant(
    shared: Callable[[str], Path], tmp_path: Path
) -> None:
    path = shared("golden/cases/G08_idle_waste/sessions.csv")
    words = ("session_id", "parent_session_id", "trigger", "started_at", "ended_at", "termination", "outcome")
    same = "".join(f"{word}: {word}\n" for word in words)
    mapping = mapping_of(tmp_path, f"source: golden\n{same}cost_usd: own_cost_usd\n")

    found = [records(item) for item in runs.read(path, mapping, now=NOW)]
    kinds = {session.session_id: [outcome.kind for outcome in outcomes] for session, _, *outcomes in found}
    assert len(kinds) == 12
    assert (kinds["w04"], kinds["w05"], kinds["w08"]) == (["PR_MERGED"], ["IDLE_EXIT"], [])
    assert [session.session_id for session, *_ in found if session.termination is None] == ["w12"]
    assert sum(request.reported_usd or 0 for _, request, *_ in found) == Decimal("3.50")


@pytest.mark.real
def test_every_run_of_the_openhands_index_is_read(shared: Callable[[str], Path]) -> None:
    mapping = read_mapping(ROOT / "examples" / "mappings" / "openhands.yaml")
    name = "openhands-index/runs.jsonl.gz"
    expected = json.loads(shared("real-data/EXPECTED.json").read_text(), parse_float=Decimal)[name]
    read_runs, resolved, unknown = Counter[str](), Counter[str](), Counter[str]()
    cost: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in runs.read(shared(f"real-data/{name}"), mapping, now=NOW):
        session, request, *outcomes = records(item)
        for group in (session.agent or "", session.task_class or ""):
            read_runs[group] += 1
            resolved[group] += outcomes[0].is_success is True
            unknown[group] += outcomes[0].is_success is None
            cost[group] += request.reported_usd or 0
        assert request.reported_usd is None or session.agent != "acp-codex"

    groups = {group["agent"]: group for group in expected["by_agent"]}
    groups |= {group["benchmark"]: group for group in expected["by_benchmark"]}
    assert read_runs == {name: group["runs"] for name, group in groups.items()}
    assert resolved == {name: group["resolved"] for name, group in groups.items()}
    assert unknown == {name: group["unknown"] for name, group in groups.items()}
    assert sum(group["runs"] for group in expected["by_agent"]) == 51_451
    for name, group in groups.items():
        # Each cost is kept to twelve places, so a sum may be off by half of the last one per run.
        assert abs(cost[name] - Decimal(group["cost"])) <= group["runs"] * Decimal("5e-13"), name
