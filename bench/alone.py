"""python -m bench.X: the rows of one module, on a database of its own."""

import argparse
import os
from collections.abc import Callable, Iterator

from bench.data import filled_database
from bench.database import environment, running_cluster
from bench.rows import Row, print_rows


def run_alone(name: str, rows: Callable[[int], Iterator[Row]], description: str | None) -> None:
    """The module's rows() beside as many calls as --calls says."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=description)
    parser.add_argument("--calls", type=int, default=50_000, help="in the database")
    calls = parser.parse_args().calls
    with running_cluster(), filled_database(f"bench_{name}", calls) as database:
        os.environ |= environment(database)
        print_rows(rows(calls))
