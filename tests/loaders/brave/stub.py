"""Brave Search: the state of two windows in the headers of every answer, and a 429 where one is used up."""

from dataclasses import dataclass

from tests.loaders.http_stub import Asked, Reply
from tests.loaders.scripted import Scripted, place, said

TOKEN = "BSA0123456789abcdefghij"


@dataclass
class Brave(Scripted):
    limit: int = 15_000
    used: int = 789
    burst_left: int = 50
    searches: int = 0

    def key(self) -> tuple[str, str]:
        return "x-subscription-token", TOKEN

    def usual(self, asked: Asked) -> Reply:
        if place(asked) != "/res/v1/web/search":
            return said(404, {"type": "ErrorResponse", "error": {"detail": "Not Found"}})
        is_refused = not self.burst_left or (self.limit and self.used >= self.limit)
        if not is_refused:
            self.searches += 1
            self.used += 1
            self.burst_left -= 1
        left = max(self.limit - self.used, 0)
        reply = said(
            429 if is_refused else 200,
            {"type": "ErrorResponse", "error": {"code": "RATE_LIMITED"}} if is_refused else {"type": "search"},
            X_RateLimit_Limit=f"50, {self.limit}",
            X_RateLimit_Policy=f"50;w=1, {self.limit};w=2592000",
            X_RateLimit_Remaining=f"{self.burst_left}, {left}",
            X_RateLimit_Reset="1, 1036800",
        )
        self.burst_left = 50
        return reply
