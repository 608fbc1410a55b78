"""The errors that a user can do something about: their message is the whole story."""

from loaders.item import LoadError
from semantic.errors import SemanticError
from store.errors import StoreError

told = (LoadError, SemanticError, StoreError, OSError)
