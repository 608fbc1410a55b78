"""`LOADERS`: every kind of source that is supported. Whoever imports this imports all of them."""

from loaders import (
    agent_json,
    anthropic,
    brave,
    budgets,
    cash,
    charges,
    claude_code,
    codex,
    elevenlabs,
    flows,
    focus,
    github,
    google,
    langfuse,
    litellm,
    openai,
    openclaw,
    openrouter,
    outcomes,
    prices,
    responses,
    runs,
    scores,
    workq,
    xai,
)
from loaders import credits as credit_use  # the word is a builtin of Python's prompt
from loaders.openrouter import logs as openrouter_logs

LOADERS = {
    module.LOADER.name: module.LOADER
    for module in (
        openclaw,
        claude_code,
        codex,
        agent_json,
        responses,
        runs,
        litellm,
        langfuse,
        github,
        openrouter,
        openrouter_logs,
        anthropic,
        openai,
        workq,
        outcomes,
        scores,
        prices,
        charges,
        focus,
        xai,
        google,
        credit_use,
        elevenlabs,
        brave,
        cash,
        flows,
        budgets,
    )
}
