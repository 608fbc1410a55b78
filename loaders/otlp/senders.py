"""Who sent it, by what its exporter writes into the resource and the scope."""

import re

from loaders.otlp.batch import Attributes

_CODEX = re.compile(r"codex([_-](cli|cli_rs|exec|tui|app[_-]server|mcp[_-]server))?")


def service_of(resource: Attributes) -> str:
    name = resource.get("service.name")
    return name if isinstance(name, str) else ""


def is_claude_code(resource: Attributes, scope: str) -> bool:
    return scope.startswith("com.anthropic.claude_code") or service_of(resource) == "claude-code"


def is_codex(resource: Attributes) -> bool:
    return _CODEX.fullmatch(service_of(resource)) is not None


def is_openrouter(resource: Attributes) -> bool:
    return service_of(resource) == "openrouter" or "openrouter.trace.id" in resource
