"""When and where things happen in the example company: its cron jobs, heartbeats, chat channels and agents."""

from dataclasses import dataclass
from typing import Literal

from server.demo.cast import Work
from server.demo.habits import BACKUP, DIGEST, SWEEP, TICKET_SWEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A cron job of OpenClaw. Without work it only wakes its agent's main session, and its runs have no session."""

    id: str
    name: str
    agent: str
    schedule: tuple[tuple[str, str | int], ...]
    minutes: tuple[int, ...]
    """The minutes of each day (UTC) at which the schedule fires."""
    work: Work | None
    first_day: int = 0
    """Index of the day on which somebody switched it on."""


JOBS = (
    Job(
        id="inbox-sweep",
        name="Inbox sweep",
        agent="xavier",
        schedule=(("kind", "every"), ("everyMs", 20 * 60_000)),
        minutes=tuple(range(0, 1440, 20)),
        work=SWEEP,
        first_day=18,
    ),
    Job(
        id="ticket-sweep",
        name="Ticket sweep",
        agent="robin",
        schedule=(("kind", "cron"), ("expr", "5 6-20/2 * * *"), ("tz", "UTC")),
        minutes=tuple(range(6 * 60 + 5, 21 * 60, 120)),
        work=TICKET_SWEEP,
    ),
    Job(
        id="morning-digest",
        name="Morning digest",
        agent="main",
        schedule=(("kind", "cron"), ("expr", "0 7 * * *"), ("tz", "UTC")),
        minutes=(7 * 60,),
        work=DIGEST,
    ),
    Job(
        id="backup-check",
        name="Backup check",
        agent="xavier",
        schedule=(("kind", "cron"), ("expr", "30 2 * * *"), ("tz", "UTC")),
        minutes=(2 * 60 + 30,),
        work=BACKUP,
    ),
    Job(
        id="standup-reminder",
        name="Stand-up reminder",
        agent="main",
        schedule=(("kind", "cron"), ("expr", "50 8 * * *"), ("tz", "UTC")),
        minutes=(8 * 60 + 50,),
        work=None,
    ),
)

HEARTBEAT_MINUTES = tuple(range(8 * 60, 18 * 60, 30))


@dataclass(frozen=True, slots=True)
class Channel:
    """A place where people talk with `main`; each new conversation there resets the session before."""

    key: str
    source: str
    chat_type: Literal["direct", "group", "channel"]
    topic: str | None = None


CHANNELS = (
    Channel("main", "telegram", "direct"),
    Channel("telegram:direct:70011", "telegram", "direct"),
    Channel("discord:channel:5521", "discord", "channel"),
    Channel("telegram:group:-100930:topic:42", "telegram", "group", topic="42"),
)
AGENTS = ("main", "amadeus", "xavier", "scout", "robin")
