"""How often the 80 % band of the depletion date holds the truth, by burn process and method. Prints one table.

PYTHONPATH=. python benchmarks/coverage.py [COMPANIES a process, default 2000] [of which by the bootstrap, default 400]
"""

import sys
from collections.abc import Callable
from math import ceil, inf, isfinite

from finance.depletion import Outlook, quantiles
from tests.finance.companies import PROCESSES, companies

BAND = (0.1, 0.9)
SEED = 20260221
METHODS: dict[str, Callable[[Outlook], list[float]]] = {
    "STUDENT": lambda outlook: quantiles(outlook, BAND, "STUDENT"),
    "NORMAL": lambda outlook: quantiles(outlook, BAND, "NORMAL"),
    "NORMAL without the mean's error": lambda outlook: quantiles(outlook, BAND, "NORMAL", has_mean_error=False),
    "BLOCK_BOOTSTRAP": lambda outlook: quantiles(outlook, BAND, "BLOCK_BOOTSTRAP", paths=400),
}


def held(outlook: Outlook, truth: int, method: str) -> bool:
    """Whether the truth is within the dates of the band, both ends among them."""
    early, late = (ceil(round(days, 6)) if isfinite(days) else inf for days in METHODS[method](outlook))
    return early <= truth <= late


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    drawn = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    print(f"Companies whose true date is within the 80 % band; {count:,} a process, {drawn:,} by the bootstrap\n")
    print("| daily net burn | " + " | ".join(METHODS) + " |")
    print("| --- |" + " --- |" * len(METHODS))
    for name, process in PROCESSES.items():
        hits = dict.fromkeys(METHODS, 0)
        for number, company in enumerate(companies(process, count, SEED)):
            for method in METHODS:
                if method != "BLOCK_BOOTSTRAP" or number < drawn:
                    hits[method] += held(company.outlook, company.truth, method)
        shares = (hits[m] / (drawn if m == "BLOCK_BOOTSTRAP" else count) for m in METHODS)
        print(f"| {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)


if __name__ == "__main__":
    main()
