"""A model router that asks Clawback: a working example, of the standard library alone. docs/clients.md explains it."""

from examples.clients.router.asking import documents_of
from examples.clients.router.choice import Choice, careful, thompson
from examples.clients.router.purse import Purse, PurseSettings
from examples.clients.router.router import Decision, Router, RouterSettings
from examples.clients.router.telling import Permit

__all__ = [
    "Choice",
    "Decision",
    "Permit",
    "Purse",
    "PurseSettings",
    "Router",
    "RouterSettings",
    "careful",
    "documents_of",
    "thompson",
]
