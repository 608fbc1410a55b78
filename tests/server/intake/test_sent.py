"""What the audit knows of senders: a line at once, one for each minute, and nothing forgotten at the end."""

from pathlib import Path

import orjson

from server.access import Principal
from server.access.audit import Audit
from server.intake.questions import Verdict
from server.intake.sent import Sent


def test_what_came_after_the_first_body_of_a_minute_is_written_as_the_server_ends(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path)
    with audit.kept_going():
        sent = Sent(audit)
        with sent.kept_going():
            for size in (10, 20, 30):
                sent.told(Principal("collector"), "traces", size, Verdict(items=2, rejected=0))
    lines = [orjson.loads(line) for line in path.read_text().splitlines()]
    assert [(line["principal"], line["bodies"], line["bytes"], line["items"]) for line in lines] == [
        ("collector", 1, 10, 2),
        ("collector", 2, 50, 4),
    ]
