"""A request that is refused before anything of it runs, with its code and what HTTP says to it."""

from collections.abc import Mapping


class RefusalError(Exception):
    """`status` is that of HTTP. None where the request is GraphQL and only its document or its cost is refused: then
    the media type decides, as it does for a document that is not valid.
    """

    def __init__(
        self, status: int | None, message: str, code: str = "BAD_REQUEST", headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.headers = headers or {}
        super().__init__(message)
