"""Programs that add up the usage in the same transcripts: how each is asked, and what it says it found.

`README.md` says how they are installed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Reader:
    name: str
    program: str
    """Its path below the directory of the peers."""
    arguments: Callable[[Path, str], list[str]]
    """Of a home and of whose transcripts are read, claude or openclaw."""
    output_tokens: Callable[[Any], int]
    """What its answer says."""
    reads: tuple[str, ...] = ("claude", "openclaw")


READERS = (
    Reader(
        "ccusage",
        "readers/node_modules/@ccusage/ccusage-linux-x64/bin/ccusage",
        lambda _, whose: [whose, "daily", "--json", "--offline"],
        lambda answer: answer["totals"]["outputTokens"],
    ),
    Reader(
        "tokscale",
        "readers/node_modules/@tokscale/cli-linux-x64-gnu/bin/tokscale",
        lambda home, whose: ["models", "--json", "--no-spinner", "-c", whose, "--home", str(home)],
        lambda answer: answer["totalOutput"],
    ),
    Reader(
        "aiburn",
        "aiburn/bin/aiburn",
        lambda _, whose: ["daily", "--json", f"--{whose}"],
        lambda answer: sum(group["output"] for group in answer["groups"]),
        reads=("claude",),
    ),
)


def said(reader: Reader, answer: bytes) -> int | None:
    """The output tokens that it found; None where it gave no answer."""
    try:
        return reader.output_tokens(json.loads(answer))
    except (ValueError, KeyError, TypeError):
        return None
