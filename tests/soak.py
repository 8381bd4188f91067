"""A pytest plugin (-p tests.soak): which tests `make soak` adds to `make test`, and how large.

@pytest.mark.soak                 with --soak or --full alone
@pytest.mark.rounds(1, soak=20)   always; the fixture `rounds` is 1, with --soak or --full 20

--soak runs these tests and no others, --full all tests.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak", action="store_true", help="run the soak tests, and those of `rounds` in full"
    )
    parser.addoption(
        "--full", action="store_true", help="run every test, and those of `rounds` in full"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: runs in `make soak` and `make test-all`")
    config.addinivalue_line(
        "markers", "rounds(small, soak=large): how often or how much, in `make test` and in full"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("full"):
        return
    is_soak = config.getoption("soak")
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        marked = item.get_closest_marker("soak") is not None
        sized = item.get_closest_marker("rounds") is not None
        wanted = marked or sized if is_soak else not marked
        (kept if wanted else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a test does what it does, or how much."""
    marker = request.node.get_closest_marker("rounds")
    assert marker, "mark the test with @pytest.mark.rounds(small, soak=large)"
    [small] = marker.args
    large = marker.kwargs["soak"]
    in_full = request.config.getoption("soak") or request.config.getoption("full")
    return int(large if in_full else small)
