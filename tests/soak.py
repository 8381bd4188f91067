"""A pytest plugin (-p tests.soak): which tests `make soak` adds to `make test`, and how large.

@pytest.mark.soak                 with --soak alone
@pytest.mark.rounds(1, soak=20)   in both; the fixture `rounds` is 1, with --soak 20

--soak runs these tests and no others.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak", action="store_true", help="run the soak tests, and those of `rounds` in full"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: runs in `make soak` alone")
    config.addinivalue_line(
        "markers", "rounds(small, soak=large): how often or how much, in `make test` and in full"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
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
    return int(large if request.config.getoption("soak") else small)
