from pathlib import Path

import pytest

from loaders.item import LoadError
from loaders.mapping import InstantOrigin, NamedOrigin, Origin, RunMapping, ZeroCost, read_mapping

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "mappings"


def read(tmp_path: Path, text: str) -> RunMapping:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)


def test_a_word_is_a_column_and_a_value_is_for_all_rows(tmp_path: Path) -> None:
    mapping = read(
        tmp_path,
        """\
source: nightly
session_id: [agent, 'no']
agent: agent
model: {column: model}
provider: {value: anthropic}
started_at: {column: start, unit: ms}
trigger: {column: kind, map: {manual: human, no: cron}}
zero_cost_is_unknown: {column: agent, in: [free-one]}
success_false: [no, "0"]
""",
    )

    assert mapping.session_id == ("agent", "no")
    assert mapping.agent == Origin(column="agent")
    assert mapping.model == Origin(column="model")
    assert mapping.provider == Origin(value="anthropic")
    assert mapping.started_at == InstantOrigin(column="start", unit="ms")
    assert mapping.trigger == NamedOrigin(column="kind", map={"manual": "human", "no": "cron"})
    assert isinstance(mapping.zero_cost_is_unknown, ZeroCost)
    assert mapping.zero_cost_is_unknown.among == ("free-one",)
    assert mapping.success_false == ("no", "0")


def test_one_column_may_name_the_session(tmp_path: Path) -> None:
    mapping = read(tmp_path, "source: s\nsession_id: run\nzero_cost_is_unknown: true\n")

    assert mapping.session_id == ("run",)
    assert mapping.zero_cost_is_unknown == "true"
    assert list(mapping.columns()) == [("session_id", "run")]


@pytest.mark.parametrize("name", ["openhands.yaml", "minimal.yaml"])
def test_the_examples_are_mappings(name: str) -> None:
    assert read_mapping(EXAMPLES / name).session_id


def test_every_key_that_the_minimal_example_offers_is_one(tmp_path: Path) -> None:
    lines = (EXAMPLES / "minimal.yaml").read_text().splitlines()
    offered = [line.removeprefix("# ") for line in lines if line.startswith("# ") and ": " in line.split("#")[1]]
    offered = [line for line in offered if line.split(":")[0] in RunMapping.model_fields]
    mapping = read(tmp_path, "\n".join(["source: s", "session_id: run_id", *offered]))

    assert len(offered) == len(RunMapping.model_fields) - 2
    assert mapping.success_true == ("passed", "ok")
    assert mapping.model_fields_set == set(RunMapping.model_fields)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("session_id: run\n", ":1: source: Field required"),
        ("source: s\nsession_id: []\n", ":2: session_id: Value should have at least 1 item"),
        ("source: s\nsession_id: run\nmodle: m\n", ":3: modle: Extra inputs are not permitted"),
        ("source: s\nsession_id: run\nagent: {columm: a}\n", ":3: agent.columm: Extra inputs are not permitted"),
        ("source: s\nsession_id: run\n\nagent: {}\n", ":4: agent: give the name of a column, or {value: ...}"),
        ("source: s\nsession_id: run\nagent: {column: a, value: b}\n", ":3: agent: give the name of a column"),
        (
            "source: s\nsession_id: run\nended_at: {column: a, unit: us}\n",
            ":3: ended_at.unit: Input should be 'ms' or 's'",
        ),
        ("source: s\nsession_id: run\nagent: {column: a, map: {x: y}}\n", ":3: agent.map: Extra inputs"),
        ("source: s\nsession_id: run\ntrigger: {column: t, map: {x: corn}}\n", "'corn' is not one of human, cron"),
        ("source: s\nsession_id: run\ntermination: {value: sucess}\n", "did you mean 'success'"),
        ("source: s\nsession_id: run\noutcome: {value: merged}\n", "a kind is written like PR_MERGED, got 'merged'"),
        ("source: my runs\nsession_id: run\n", ":1: source: String should match pattern"),
        ("source: s\nsource: t\n", ":2: 'source' is given twice"),
        ("source: s\n? [a]\n: b\n", ":2: a key must be a word"),
        ("source: s\nagent: [\n", ": is not YAML"),
        ("", ": is empty"),
        ("source: s\nsession_id: run\nagent: &a x\nmodel: *a\n", "anchors and aliases"),
    ],
)
def test_a_mistake_in_a_mapping_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LoadError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(str(tmp_path / "mapping.yaml"))
    assert said in str(raised.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(LoadError) as raised:
        read(tmp_path, "session_id: run\nagnet: a\nagent: {}\n")
    assert len(str(raised.value).splitlines()) == 3


def test_a_mapping_that_is_not_there_or_far_too_large_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be read"):
        read_mapping(tmp_path / "none.yaml")
    with pytest.raises(LoadError, match="over 1,000,000 bytes"):
        read(tmp_path, "# " + "x" * 1_000_001)
