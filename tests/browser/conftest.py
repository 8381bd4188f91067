"""A real browser before the real server, on the test database."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Locator, Page, expect, sync_playwright

from local.embedded import free_port
from tests.gunicorn import AS_IN_PRODUCTION, gunicorn

CHROMIUM = Path("/usr/bin/chromium")
# No first-run pages and no calls home: whatever the browser fetches, our pages made it fetch.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse"
WIDE = pytest.param((1440, 900), id="wide")
NARROW = (390, 844)
PATIENCE = 30_000  # milliseconds; a slow machine may take its time
expect.set_options(timeout=PATIENCE)


def follow(link: Locator) -> None:
    """Click what leads to another page, and wait until the scripts of that one listen."""
    with link.page.expect_navigation():
        link.click()


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[str]:
    """The address of a web server that serves the test database, as far as it is committed."""
    with gunicorn(*AS_IN_PRODUCTION, workers=1) as serving:
        yield serving.url


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a browser, in which each test has a profile of its own."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: apt-get install chromium ({CHROMIUM} is missing)")
    address = f"http://127.0.0.1:{(port := free_port())}"
    folder = tmp_path_factory.mktemp("chromium")
    where = [f"--remote-debugging-port={port}", f"--user-data-dir={folder}"]
    command = [str(CHROMIUM), "--headless", *ARGUMENTS, *where]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(f"{address}/json/version", process)
            yield address
        finally:
            process.terminate()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, "chromium ended"
        try:
            with urllib.request.urlopen(url):  # noqa: S310
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("chromium did not start")


@pytest.fixture
def administrator(committed: None) -> User:
    return User.objects.create_superuser("root", password=PASSWORD)


@pytest.fixture
def refused() -> list[str]:
    """Ends of addresses that a test knows to be refused."""
    return []


@pytest.fixture(params=[WIDE, pytest.param(NARROW, id="narrow", marks=pytest.mark.soak)])
def page(
    server: str,
    chromium: str,
    administrator: User,
    refused: list[str],
    request: pytest.FixtureRequest,
) -> Iterator[Page]:
    """An empty page of a browser that is logged in.

    The test fails on an error of the console or a request that fails.
    While it is open the test's thread has an event loop: make data before, look at it after.
    """
    client = Client()
    client.force_login(administrator)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    width, height = request.param
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium)
        context = browser.new_context(base_url=server, viewport={"width": width, "height": height})
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}]
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on(
            "console",
            lambda said: (
                troubles.append(said.text)
                if said.type in ("error", "warning")
                and not said.location["url"].endswith(tuple(refused))
                else None
            ),
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "requestfailed",
            lambda failed: (
                troubles.append(f"{failed.url} failed")
                if failed.failure != "net::ERR_ABORTED"  # the next key was typed before the answer
                else None
            ),
        )
        page.on(
            "response",
            lambda got: (
                troubles.append(f"{got.url}: {got.status}")
                if got.status >= 400 and not got.url.endswith(tuple(refused))
                else None
            ),
        )
        yield page
        page.wait_for_load_state()  # the address of a page is right before the page is there
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
    assert troubles == []
