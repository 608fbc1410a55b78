"""How sure a share is: intervals for a proportion of which only some cases were seen."""

from math import sqrt
from statistics import NormalDist


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float] | None:
    """The score interval of a share of `n` cases (Wilson 1927), from 0 to 1; None where there are no cases.

    It keeps near its level for few cases and for shares near 0 and 1, where the usual plus and minus does not. Raises
    `ValueError` for counts that are none and for a level that is not between 0 and 1.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be from 0 to n = {n}, got {successes}")
    if not 0 < level < 1:
        raise ValueError(f"the level must be between 0 and 1, got {level}")
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    middle = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    low = 0.0 if successes == 0 else (middle - half) / whole
    high = 1.0 if successes == n else (middle + half) / whole
    return low, high
