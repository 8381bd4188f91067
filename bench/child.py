"""python -m bench.child MODULE CALLS: the rows of one module as lines of JSON, for `make bench`.

Ends in order, and stops what it started, when it is told to (SIGTERM).
"""

import importlib
import json
import os
import signal
import sys
from dataclasses import asdict


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    name, calls = sys.argv[1:]
    # Whatever else is printed meanwhile is no row.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for row in importlib.import_module(f"bench.{name}").rows(int(calls)):
        print(json.dumps(asdict(row)), file=answers, flush=True)


if __name__ == "__main__":
    main()
