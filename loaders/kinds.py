"""`LOADERS`: every kind of source that is supported. Whoever imports this imports all of them."""

from loaders import (
    agent_json,
    budgets,
    calls,
    cash,
    charges,
    claude_code,
    codex,
    flows,
    focus,
    github,
    openclaw,
    otlp,
    outcomes,
    prices,
    responses,
    runs,
    scores,
    workq,
)
from loaders import credits as credit_use  # the word is a builtin of Python's prompt

LOADERS = {
    module.LOADER.name: module.LOADER
    for module in (
        openclaw,
        claude_code,
        codex,
        agent_json,
        responses,
        otlp,
        calls,
        runs,
        github,
        workq,
        outcomes,
        scores,
        prices,
        charges,
        focus,
        credit_use,
        cash,
        flows,
        budgets,
    )
}
