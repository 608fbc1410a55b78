"""From the world to records: one module a source; `loaders.kinds` lists them. The package alone imports none."""

from loaders.item import LoadError
from loaders.loader import Loader, Task

__all__ = ["LoadError", "Loader", "Task"]
