"""OpenClaw's cron files: `jobs.json`, and a log for each job with one line for each finished run."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date

from server.demo.cast import Ending
from server.demo.messages import FAILURES, Json, reply
from server.demo.session import DAY, MINUTE, PlannedSession, midnight_ms
from server.demo.timetable import Job

_ERRORS: dict[Ending, str] = {"error": FAILURES["error"], "timeout": "cron: job execution timed out"}


def jobs_file(jobs: Iterable[tuple[Job, Sequence[Json]]], days: Sequence[date]) -> Json:
    """`jobs` with the lines of their logs, oldest first."""
    return {"version": 1, "jobs": [_job(job, log[-1], midnight_ms(days[job.first_day])) for job, log in jobs]}


def run_log(job: Job, runs: Iterable[PlannedSession], days: Iterable[date]) -> list[Json]:
    """A job without work of its own wakes the main session: its lines have no session, and some runs are skipped."""
    if job.work is None:
        return [_wake(job, day) for day in days]
    return [_run(job, run) for run in runs]


def _run(job: Job, run: PlannedSession) -> Json:
    error = _ERRORS.get(run.fate.ending)
    result: dict[str, object] = (
        {"status": "error", "error": error} if error else {"status": "ok", "summary": reply(run, 1)}
    )
    if run.twist == "mirrored" and not error:
        result |= {"delivered": True, "deliveryStatus": "delivered"}
    return {
        "ts": run.ended_ms + 40,
        "jobId": job.id,
        "action": "finished",
        **result,
        "sessionId": run.session_id,
        "sessionKey": f"{run.key}:run:{run.session_id}",
        "runAtMs": run.started_ms,
        "durationMs": run.ended_ms - run.started_ms,
        "nextRunAtMs": _next_run_ms(job, run.started_ms),
        "model": run.work.model.name,
        "provider": run.work.model.provider,
        **({"usage": _usage(run)} if run.calls else {}),
    }


def _usage(run: PlannedSession) -> Json:
    """As incomplete as the real one: no cache tokens, and the total is the last prompt."""
    return {
        "input_tokens": sum(call.tokens.input for call in run.calls),
        "output_tokens": sum(call.tokens.output for call in run.calls),
        "total_tokens": run.calls[-1].tokens.prompt,
    }


def _wake(job: Job, day: date) -> Json:
    at_ms = midnight_ms(day) + job.minutes[0] * MINUTE + 30
    is_skipped = day.toordinal() % 9 == 0
    result = {"status": "skipped", "error": "requests-in-flight"} if is_skipped else {"status": "ok"}
    times = {"runAtMs": at_ms, "durationMs": 12, "nextRunAtMs": _next_run_ms(job, at_ms)}
    return {"ts": at_ms + 12, "jobId": job.id, "action": "finished", **result, **times}


def _next_run_ms(job: Job, after_ms: int) -> int:
    today_ms = after_ms - after_ms % DAY
    later = bisect_right(job.minutes, (after_ms - today_ms) // MINUTE)
    if later == len(job.minutes):
        return today_ms + DAY + job.minutes[0] * MINUTE
    return today_ms + job.minutes[later] * MINUTE


def _job(job: Job, last: Json, created_ms: int) -> Json:
    if job.work is None:
        target: dict[str, object] = {
            "sessionTarget": "main",
            "wakeMode": "next-heartbeat",
            "payload": {"kind": "systemEvent", "text": "Stand-up in ten minutes."},
        }
    else:
        model = f"{job.work.model.provider}/{job.work.model.name}"
        turn = {"kind": "agentTurn", "message": job.work.asks[0], "model": model}
        target = {
            "sessionTarget": "isolated",
            "wakeMode": "now",
            "payload": turn | {"timeoutSeconds": job.work.timeout_seconds},
            "delivery": {"mode": "announce" if "mirrored" in job.work.twists else "none"},
        }
    return {
        "id": job.id,
        "agentId": job.agent,
        "name": job.name,
        "enabled": True,
        "createdAtMs": created_ms,
        "updatedAtMs": created_ms,
        "schedule": dict(job.schedule),
        **target,
        "state": {
            "lastRunAtMs": last["runAtMs"],
            "lastRunStatus": last["status"],
            "lastDurationMs": last["durationMs"],
            "nextRunAtMs": last["nextRunAtMs"],
        },
    }
