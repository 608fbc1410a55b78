"""Who asks: a principal, and how a connection shows which one it is."""

from server.access.identify import DeniedError, Identify, everybody
from server.access.principal import OPERATOR, Principal

__all__ = ["OPERATOR", "DeniedError", "Identify", "Principal", "everybody"]
