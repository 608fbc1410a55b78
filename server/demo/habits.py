"""Who works in the example company, on which models, at what and when: the whole story of the demo as data.

`xavier` sweeps an inbox around the clock on the dearest model and finds next to nothing; `robin` does the same kind of
work on a small one. `amadeus` codes on two models, `scout` looks things up for others, `main` talks with people.
"""

from dataclasses import replace

from server.demo.cast import (
    ABORTED,
    CLOSED,
    FAILED,
    FIXED,
    GPT,
    GROK,
    HAIKU,
    IDLE,
    LOST,
    MERGED,
    OPUS,
    QWEN,
    RESOLVED,
    SILENT,
    SONNET,
    TIMEOUT,
    UNANSWERED,
    UNWRITTEN,
    Twist,
    Work,
)

CHAT_TWISTS: tuple[Twist, ...] = (
    *("plain",) * 14,
    *("rewound", "rewound", "mirrored", "mirrored", "forked", "backed up", "overloaded"),
)
OPUS_TWISTS: tuple[Twist, ...] = (
    *("plain",) * 43,
    *("overloaded", "overloaded", "compacted", "compacted", "traced", "long"),
)

SWEEP = Work(
    model=OPUS,
    calls=(2, 2),
    context=(56_000, 66_000),
    fresh=(700, 1_500),
    output=(50, 110),
    seconds=(4, 12),
    fates=(IDLE,) * 191 + (RESOLVED,) * 5 + (FAILED, TIMEOUT, TIMEOUT, UNWRITTEN),
    asks=("Go through the shared inbox and act on whatever is new.",),
    replies=("Filed two invoices and answered one sender.",),
    idle_reply="NO_REPLY",
)
TICKET_SWEEP = Work(
    model=HAIKU,
    calls=(2, 3),
    context=(14_000, 18_000),
    fresh=(600, 1_400),
    output=(60, 160),
    seconds=(2, 5),
    fates=(IDLE,) * 24 + (RESOLVED,) * 14 + (FAILED, TIMEOUT),
    asks=("Look for tickets that nobody has touched for a day.",),
    replies=("Two tickets were waiting; I nudged their owners.",),
    idle_reply="NO_REPLY",
)
DIGEST = Work(
    model=GPT,
    calls=(3, 4),
    context=(9_000, 12_000),
    fresh=(1_500, 4_000),
    output=(300, 700),
    seconds=(5, 15),
    fates=(RESOLVED,) * 29 + (FAILED,),
    twists=("mirrored",),
    asks=("Write the morning digest and send it.",),
    replies=("Digest sent: yesterday in six lines.",),
)
BACKUP = Work(
    model=QWEN,
    calls=(2, 2),
    context=(2_000, 3_000),
    fresh=(200, 600),
    output=(40, 120),
    seconds=(10, 30),
    fates=(RESOLVED,) * 19 + (FAILED,),
    twists=("plain",),
    asks=("Check that last night's backup can be restored.",),
    replies=("The backup restores and its checksums agree.",),
)
HEARTBEAT = Work(
    model=HAIKU,
    calls=(1, 1),
    context=(8_000, 9_500),
    fresh=(150, 400),
    output=(6, 9),
    seconds=(1, 3),
    fates=(SILENT,),
    twists=("plain",),
    asks=("Heartbeat: read HEARTBEAT.md and see whether anything needs you. If not, answer HEARTBEAT_OK.",),
    idle_reply="HEARTBEAT_OK",
)
CHAT = Work(
    model=SONNET,
    turns=(2, 5),
    calls=(1, 3),
    context=(8_000, 14_000),
    fresh=(300, 1_800),
    output=(80, 420),
    seconds=(3, 15),
    fates=(RESOLVED,) * 35 + (SILENT,) * 3 + (ABORTED, FAILED),
    twists=CHAT_TWISTS,
    asks=(
        "Which invoices are still open?",
        "And the one from the printer?",
        "Draft an answer, please.",
        "Thanks, book it.",
    ),
    replies=("Three are open; the oldest is nine days late.", "It was paid on Monday.", "Here is a draft.", "Booked."),
    tool="read",
)
CODING_OPUS = Work(
    model=OPUS,
    calls=(8, 12),
    context=(12_000, 20_000),
    fresh=(1_900, 4_400),
    output=(220, 600),
    seconds=(8, 40),
    fates=(MERGED,) * 30 + (FIXED,) * 9 + (CLOSED,) * 7 + (IDLE, FAILED, TIMEOUT, ABORTED),
    twists=OPUS_TWISTS,
    asks=("The importer loses the last row of some files: find out why and open a pull request.",),
    replies=("Opened a pull request with the fix and a test that failed before.",),
    timeout_seconds=900,
)
CODING_SONNET = Work(
    model=SONNET,
    calls=(4, 7),
    context=(9_000, 14_000),
    fresh=(1_600, 3_600),
    output=(250, 650),
    seconds=(6, 25),
    fates=(MERGED,) * 26 + (FIXED,) * 9 + (CLOSED,) * 11 + (IDLE, FAILED, TIMEOUT, ABORTED),
    asks=("Rename the export column and adapt its tests; open a pull request.",),
    replies=("Opened a pull request with the rename; all tests pass.",),
    timeout_seconds=900,
)
TRIAGE = Work(
    model=HAIKU,
    calls=(1, 3),
    context=(6_000, 9_000),
    fresh=(400, 1_600),
    output=(80, 240),
    seconds=(2, 6),
    fates=(RESOLVED,) * 84 + (IDLE,) * 10 + (SILENT, FAILED, UNANSWERED, UNANSWERED, UNWRITTEN, LOST),
    asks=("A customer wrote: the report does not load since this morning.",),
    replies=("Known fault, linked to its ticket; the customer has an answer.",),
)
LOOK_UP = Work(
    model=HAIKU,
    calls=(3, 5),
    context=(5_000, 9_000),
    fresh=(1_500, 5_000),
    output=(150, 500),
    seconds=(4, 14),
    fates=(RESOLVED,) * 16 + (SILENT, SILENT, TIMEOUT, ABORTED),
    asks=("Find out which releases of the parser change how empty fields are read.",),
    replies=("Two releases do; the notes and links are above.",),
    tool="web_fetch",
)
LOOK_UP_GPT = replace(LOOK_UP, model=GPT)
LOOK_UP_GROK = replace(LOOK_UP, model=GROK, fates=(RESOLVED,), twists=("plain",))
LOOK_UPS = (LOOK_UP,) * 18 + (LOOK_UP_GPT,) * 11 + (LOOK_UP_GROK,)
