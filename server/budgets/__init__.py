"""Budgets at work: where they stand, whether a request fits, what is reserved, what is to be told."""

from server.budgets.breakers import Breakers, BudgetState
from server.budgets.decision import Answer, Line, Wish
from server.budgets.rules import default_rule

__all__ = ["Answer", "Breakers", "BudgetState", "Line", "Wish", "default_rule"]
