"""The errors that a user can do something about, and how each is told: what is wrong, where, what would be right."""

from pydantic import ValidationError

from loaders.item import LoadError
from semantic.errors import SemanticError
from server.alerts.settings import SettingsError
from store.errors import StoreError

TOLD = (LoadError, SemanticError, SettingsError, StoreError, OSError, ValidationError)


def message_of(error: Exception) -> str:
    """One line a mistake; a setting is told under the name of its environment variable."""
    if not isinstance(error, ValidationError):
        return str(error)
    lines = []
    for mistake in error.errors():
        name = "_".join(str(part) for part in mistake["loc"]).upper()
        lines.append(f"CLAWBACK_{name}: {mistake['msg']}, got {mistake['input']!r}" if name else mistake["msg"])
    return "\n".join(lines)
