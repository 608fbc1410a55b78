"""From the world to records: one module a source. `LOADERS` is the list of what is supported."""

from loaders import cash, charges, claude_code, focus, openclaw, outcomes, prices, runs
from loaders.item import LoadError
from loaders.loader import Loader, Task

LOADERS = {
    module.LOADER.name: module.LOADER
    for module in (openclaw, claude_code, runs, prices, charges, focus, cash, outcomes)
}

__all__ = ["LOADERS", "LoadError", "Loader", "Task"]
