"""What can go wrong with the store, in words for the one who asked."""


class StoreError(Exception):
    """The store cannot do what was asked: the message says what is wrong and what would be right."""


class StoreBusyError(StoreError):
    """Somebody else has the file open; only one process owns a store."""


class QueryError(StoreError):
    """A query that cannot be answered; `hint` says what would work, where that is known."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class QueryTimeout(StoreError):  # noqa: N818 - named for what happened; it is no mistake of the one who asked
    """A query that took longer than it was given, and was stopped."""
