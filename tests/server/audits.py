"""The audits of the npm package graphql-http against `clawback serve`: `python -m tests.server.audits`.

Needs Node.js 20 and `npm ci --prefix scripts/audits`. The exit code is 0 only where every audit is ok.
"""

import subprocess
import sys

from tests.server.conftest import REPOSITORY
from tests.server.process import serving


def main() -> int:
    with serving() as server:
        audit = subprocess.run(["node", "audit.mjs", f"{server.url}/graphql"], cwd=REPOSITORY / "scripts/audits")
    return audit.returncode


if __name__ == "__main__":
    sys.exit(main())
