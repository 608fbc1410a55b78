"""The file of sources: what it may say, what it must not, and that its secrets are elsewhere."""

from datetime import timedelta
from pathlib import Path

import pytest

from loaders import LoadError
from loaders.sources import read_sources

GOOD = """
sources:
  agents:
    loader: openclaw
    location: home
    schedule: "*/5 * * * *"
    zone: Europe/Berlin
    keeps_days: 2
  evals:
    loader: runs
    location: /data/runs.jsonl
    options: {mapping: mappings/evals.yaml}
  bank:
    loader: cash
    location: cash.csv
    token_env: BANK_TOKEN
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sources.yaml"
    path.write_text(text)
    return path


def test_a_source_has_its_loader_its_place_and_its_rhythm(tmp_path: Path) -> None:
    agents, evals, bank = read_sources(write(tmp_path, GOOD))
    assert (agents.name, agents.loader.name, agents.location) == ("agents", "openclaw", str(tmp_path / "home"))
    assert (agents.schedule, str(agents.zone), agents.keeps) == ("*/5 * * * *", "Europe/Berlin", timedelta(days=2))
    assert (evals.location, evals.options) == (
        "/data/runs.jsonl",
        {"mapping": str(tmp_path / "mappings/evals.yaml")},
    )
    assert (bank.schedule, bank.keeps) == ("17 5 * * *", None)


def test_a_token_is_read_where_it_is_kept_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    text = "sources: {b: {loader: cash, location: c.csv, token_file: secret}}"
    (of_file,) = read_sources(write(tmp_path, text))
    assert of_file.token({}) == "s3cret"
    assert "s3cret" not in repr(of_file)
    *_, of_environment = read_sources(write(tmp_path, GOOD))
    assert of_environment.token({"BANK_TOKEN": " t "}) == "t"
    with pytest.raises(LoadError, match="source bank: the environment variable BANK_TOKEN is not set"):
        of_environment.token({})
    (tmp_path / "secret").unlink()
    with pytest.raises(LoadError, match="source b: the token cannot be read from"):
        of_file.token({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: {a: {loader: opencalw, location: x}}", "there is no loader 'opencalw'; did you mean 'openclaw'?"),
        ("sources: {a: {loader: cash, location: ''}}", "location"),
        ("sources: {a: {loader: cash}}", "location: Field required"),
        ("sources: {a: {loader: cash, location: x, secret: y}}", "secret: Extra inputs are not permitted"),
        ("sources: {a: {loader: cash, location: x, schedule: daily}}", "'daily' is no schedule such as"),
        ("sources: {a: {loader: cash, location: x, zone: Berlin}}", "'Berlin' is no time zone such as Europe/Berlin"),
        ("sources: {a: {loader: cash, location: x, options: {depth: 3}}}", "cash has no option 'depth'"),
        ("sources: {a: {loader: cash, location: x, token_env: A, token_file: b}}", "token_env or token_file, not both"),
        ("sources: {all: {loader: cash, location: x}}", "'all' is a word of the command line"),
        ("sources: {runs: {loader: cash, location: x}}", "'runs' is a word of the command line"),
        ("sources: {a: {loader: cash, location: x}, b: {loader: cash, location: x}}", "'a' and 'b' are one place"),
        ("sources: {a: {loader: cash, location: x}, a: {loader: cash, location: y}}", "'a' is given twice"),
        ("sources: {A B: {loader: cash, location: x}}", "should match pattern"),
        ("sources: {a: {loader: cash, location: x}, b: {loader: cash, location: ./x}}", "'a' and 'b' are one place"),
        (
            "sources: {a: {loader: cash, location: ~nobody-here/x}}",
            "Could not determine home directory.; write the path out",
        ),
        ("sources: {}", "names no source"),
        ('sources: {a: {loader: cash, location: x, schedule: "* * * * * *"}}', "it has 5 fields, from minutes on"),
        ("sources: [", "is not YAML"),
        ("", "is empty"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(LoadError) as refused:
        read_sources(path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{path}:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "sources:\n  a: {loader: x, location: y}\n  b: {loader: cash}\n")
    with pytest.raises(LoadError) as refused:
        read_sources(path)
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == [f"{path}:2", f"{path}:3"]


def test_only_a_source_that_goes_on_from_where_it_was_has_something_to_read_once_more(tmp_path: Path) -> None:
    text = "sources: {{shop: {{loader: {}, location: acme/shop, repull_days: 3}}}}"
    (source,) = read_sources(write(tmp_path, text.format("github")))
    assert (source.location, source.repull) == ("acme/shop", timedelta(days=3))
    with pytest.raises(LoadError, match="cash reads everything each time; repull_days has no meaning for it"):
        read_sources(write(tmp_path, text.format("cash")))
