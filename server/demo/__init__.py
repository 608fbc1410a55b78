"""The example company of `make demo`: sixty days of OpenClaw in its real formats, with bills, cash, outcomes, prices.

Everything follows from one plan (`plan.py`), drawn from a seeded generator. What is true about it (`truth.py`) is
computed from the plan alone, so that the whole pipeline can be checked against it.
"""

from server.demo.home import DemoHome, write_home
from server.demo.truth import Expected

__all__ = ["DemoHome", "Expected", "write_home"]
