"""The model calls of one planned session: how the prompt grows, how long they take and how the last one ends."""

from random import Random

from server.demo.cast import Fate, Model, Twist, Work
from server.demo.session import MINUTE, Call, Tokens


def calls(rng: Random, work: Work, fate: Fate, twist: Twist, started_ms: int) -> tuple[Call, ...]:
    if fate.trace != "calls":
        return ()
    at = started_ms + rng.randint(300, 900)
    made: list[Call] = []
    if twist == "overloaded":
        made.append(Call(work.model, at, at + 600, Tokens(), "error"))
        at += 3_000
    context = rng.randint(*work.context) + (170_000 if twist == "long" else 0)
    for _ in range(rng.randint(*work.turns)):
        count = rng.randint(*work.calls)
        for position in range(count):
            fresh = rng.randint(*work.fresh)
            tokens = _tokens(rng, work.model, context, fresh, rng.randint(*work.output))
            ended = at + 1_000 * rng.randint(*work.seconds) + rng.randint(0, 999)
            made.append(Call(work.model, at, ended, tokens, "stop" if position == count - 1 else "toolUse"))
            context += fresh
            at = ended + rng.randint(600, 4_000)
        at += rng.randint(1, 6) * MINUTE
    made[-1] = _last(made[-1], fate, started_ms + 1_000 * work.timeout_seconds)
    return tuple(made)


def _tokens(rng: Random, model: Model, context: int, fresh: int, output: int) -> Tokens:
    match model.caching:
        case "written":
            return Tokens(rng.randint(3, 12), context, fresh, output)
        case "automatic":
            return Tokens(fresh, context, 0, output)
        case "none":
            return Tokens(context + fresh, 0, 0, output)


def _last(call: Call, fate: Fate, deadline_ms: int) -> Call:
    match fate.ending:
        case "success":
            return call
        case "error":
            return call._replace(ended_ms=call.started_ms + 600, tokens=Tokens(), stop="error")
        case "timeout":
            return call._replace(ended_ms=max(call.ended_ms, deadline_ms), stop="aborted")
        case "aborted":
            return call._replace(stop="aborted")
        case "lost" | "running":
            return call._replace(stop="toolUse")
