"""The plan of the sixty days: which session starts when, with which calls, how it ends and what comes of it.

Fates and twists are dealt from shuffled decks, so that their shares hold and each of them happens, whatever the dates.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from random import Random
from typing import NamedTuple, TypeVar
from uuid import UUID

from server.demo.calls import calls
from server.demo.cast import LOST, RESOLVED, RUNNING, Fate, Trigger, Twist, Work
from server.demo.habits import CHAT, CODING_OPUS, CODING_SONNET, HEARTBEAT, LOOK_UPS, TRIAGE
from server.demo.session import DAY, MINUTE, PlannedSession, midnight_ms
from server.demo.timetable import CHANNELS, HEARTBEAT_MINUTES, JOBS, Channel, Job

DAYS = 60
DAYS_WITHOUT_RESPONSE_IDS = 20
DAYS_TO_GIVE_UP = 4
"""A session that still counts as running after so long is lost."""
HOUR = 60 * MINUTE
T = TypeVar("T")
Card = tuple[Fate, Twist]


class Stage(NamedTuple):
    rng: Random
    days: tuple[date, ...]

    def uuid(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def within(self, day: date, first_hour: int, last_hour: int) -> int:
        return midnight_ms(day) + self.rng.randrange(first_hour * HOUR, last_hour * HOUR)

    def deck(self, cards: Sequence[T]) -> Iterator[T]:
        while True:
            yield from self.rng.sample(cards, len(cards))

    def cards(self, work: Work) -> Iterator[Card]:
        return zip(self.deck(work.fates), self.deck(work.twists), strict=True)


def days_until(last_day: date) -> tuple[date, ...]:
    return tuple(last_day - timedelta(days=n) for n in reversed(range(DAYS)))


def plan(last_day: date) -> tuple[PlannedSession, ...]:
    """All sessions of the sixty UTC days that end with `last_day`, by start."""
    rng = Random(20260204)  # noqa: S311 - an example that must come out the same each time, not a secret
    stage = Stage(rng, days_until(last_day))
    chats, coding = list(_chats(stage)), list(_coding(stage))
    sessions = chain(
        chain.from_iterable(_runs(stage, job, job.work) for job in JOBS if job.work),
        _heartbeats(stage),
        chats,
        _forks(stage, [chat for chat in chats if chat.twist == "forked" and chat.channel and not chat.channel.topic]),
        coding,
        _triage(stage),
        _look_ups(stage, [*chats[::4], *(task for task in coding[::3] if task.calls)]),
        [_still_running(stage)],
    )
    return tuple(sorted(sessions, key=lambda session: (session.started_ms, session.session_id)))


def _session(
    stage: Stage,
    work: Work,
    card: Card,
    agent: str,
    key: str,
    trigger: Trigger,
    started_ms: int,
    *,
    job: Job | None = None,
    channel: Channel | None = None,
    spawned_by: PlannedSession | None = None,
    forked_from: PlannedSession | None = None,
) -> PlannedSession:
    fate, twist = card
    made = calls(stage.rng, work, fate, twist, started_ms)
    ended_ms = made[-1].ended_ms + 400 if made else started_ms + 2_000
    is_pull_request = fate.outcome in {"PR_MERGED", "PR_CLOSED"}
    return PlannedSession(
        session_id=stage.uuid(),
        agent=agent,
        key=f"agent:{agent}:{key}",
        trigger=trigger,
        work=work,
        fate=fate,
        twist=twist,
        started_ms=started_ms,
        ended_ms=ended_ms,
        calls=made,
        settled_ms=ended_ms + (stage.rng.randrange(HOUR, 5 * DAY) if is_pull_request else 0),
        records_response_ids=started_ms >= midnight_ms(stage.days[DAYS_WITHOUT_RESPONSE_IDS]),
        job=job,
        channel=channel,
        spawned_by=spawned_by,
        forked_from=forked_from,
    )


def _runs(stage: Stage, job: Job, work: Work) -> Iterator[PlannedSession]:
    cards = stage.cards(work)
    for day in stage.days[job.first_day :]:
        for minute in job.minutes:
            started = midnight_ms(day) + minute * MINUTE + stage.rng.randint(80, 900)
            yield _session(stage, work, next(cards), job.agent, f"cron:{job.id}", "cron", started, job=job)


def _heartbeats(stage: Stage) -> Iterator[PlannedSession]:
    cards = stage.cards(HEARTBEAT)
    for day in stage.days:
        for minute in HEARTBEAT_MINUTES:
            started = midnight_ms(day) + minute * MINUTE + stage.rng.randint(80, 900)
            yield _session(stage, HEARTBEAT, next(cards), "main", "main:heartbeat", "heartbeat", started)


def _chats(stage: Stage) -> Iterator[PlannedSession]:
    cards = stage.cards(CHAT)
    for day in stage.days:
        for channel in CHANNELS if day.weekday() < 5 else CHANNELS[:1]:
            for first_hour, last_hour in stage.rng.sample([(8, 12), (13, 17)], stage.rng.randint(0, 2)):
                started = stage.within(day, first_hour, last_hour)
                yield _session(stage, CHAT, next(cards), "main", channel.key, "human", started, channel=channel)


def _forks(stage: Stage, chats: Sequence[PlannedSession]) -> Iterator[PlannedSession]:
    """Threads that go on from a chat after its first answer, with a copy of what was said until then."""
    for number, chat in enumerate(chats, start=1):
        assert chat.channel
        answered_ms = next(call.ended_ms for call in chat.calls if call.stop == "stop")
        key, started, channel = f"{chat.channel.key}:thread:{8800 + number}", answered_ms + 20_000, chat.channel
        card: Card = (RESOLVED, "plain")
        yield _session(stage, CHAT, card, "main", key, "human", started, channel=channel, forked_from=chat)


def _coding(stage: Stage) -> Iterator[PlannedSession]:
    """Tasks of both models: most come from labelled issues, every fourth is started by hand."""
    opus, sonnet = stage.cards(CODING_OPUS), stage.cards(CODING_SONNET)
    issue = 400
    for day in stage.days:
        count = (stage.rng.randint(5, 7), stage.rng.randint(7, 10)) if day.weekday() < 5 else (1, 2)
        for work, cards, tasks in ((CODING_OPUS, opus, count[0]), (CODING_SONNET, sonnet, count[1])):
            for _ in range(tasks):
                issue += 1
                by_hand = issue % 4 == 0
                key = f"dashboard:{stage.uuid()}" if by_hand else f"hook:github:issue-{issue}"
                trigger: Trigger = "human" if by_hand else "webhook"
                yield _session(stage, work, next(cards), "amadeus", key, trigger, stage.within(day, 7, 19))


def _triage(stage: Stage) -> Iterator[PlannedSession]:
    cards = stage.cards(TRIAGE)
    for day in stage.days:
        for _ in range(stage.rng.randint(4, 8)):
            fate, twist = next(cards)
            if fate is LOST and day > stage.days[-DAYS_TO_GIVE_UP]:
                fate = RESOLVED
            key, started = f"hook:{stage.uuid()}", stage.within(day, 6, 22)
            yield _session(stage, TRIAGE, (fate, twist), "robin", key, "webhook", started)


def _look_ups(stage: Stage, parents: Sequence[PlannedSession]) -> Iterator[PlannedSession]:
    works, cards = stage.deck(LOOK_UPS), {work.model: stage.cards(work) for work in LOOK_UPS}
    for parent in parents:
        work, key, started = next(works), f"subagent:{stage.uuid()}", parent.calls[0].ended_ms + 500
        card = next(cards[work.model])
        yield _session(stage, work, card, "scout", key, "subagent", started, spawned_by=parent)


def _still_running(stage: Stage) -> PlannedSession:
    started = midnight_ms(stage.days[-1]) + DAY - 12 * MINUTE
    key = f"dashboard:{stage.uuid()}"
    return _session(stage, CODING_OPUS, (RUNNING, "plain"), "amadeus", key, "human", started)
