"""The keys that the login service publishes (JWKS), fetched off the path of requests."""

import logging
from functools import lru_cache
from threading import BoundedSemaphore, Event, Lock, Thread

import jwt
from rest_framework.exceptions import APIException

logger = logging.getLogger("replytics.api")

# Seconds.
KEYS_MAX_AGE = 300
COOL_DOWN = 30  # between two fetches, whatever came of the first and whoever asks
FETCH_TIMEOUT = 3
FIRST_FETCH = 2  # that a request waits, when a process has fetched nothing yet
# Requests that wait for that at once; others get 503, so that threads stay free.
MAX_WAITING = 2
# Of a key, by its own alg, or its kty and crv. A published oct key would be a secret known to all.
ALGORITHMS = ("ES256", "RS256", "EdDSA")


class LoginServiceUnavailable(APIException):
    """The keys are not known, and the login service does not tell them now."""

    status_code = 503
    default_detail = "The login service does not answer. Send the request again."
    wait = 5  # seconds, for Retry-After


class PublishedKeys:
    """The keys of one address. What was fetched last is used until a newer fetch succeeds."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_TIMEOUT)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._is_current = False  # the last fetch succeeded
        self._is_cooling = False
        self._first_fetch = Event()
        self._wanted = Event()
        self._waiting = BoundedSemaphore(MAX_WAITING)
        # One thread fetches, so there is one fetch at a time. It ends with the process.
        Thread(target=self._keep_fetching, name="published keys", daemon=True).start()

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key; None when it is not published. Raises LoginServiceUnavailable.

        An unknown key is looked for once more, in the background, after the cool-down.
        """
        self._wait_for_the_first_fetch()
        if (key := self._keys.get(key_id)) is not None:
            return key
        is_known_for_sure = self._is_current and self._is_cooling
        self._wanted.set()
        if is_known_for_sure:
            return None
        raise LoginServiceUnavailable

    def _wait_for_the_first_fetch(self) -> None:
        if not self._first_fetch.is_set() and self._waiting.acquire(blocking=False):
            try:
                self._first_fetch.wait(FIRST_FETCH)
            finally:
                self._first_fetch.set()  # nobody waits again
                self._waiting.release()

    def _keep_fetching(self) -> None:
        pause = Event()  # never set
        while True:
            self._wanted.clear()
            self._fetch()
            self._is_cooling = True
            self._first_fetch.set()
            pause.wait(COOL_DOWN)
            self._is_cooling = False
            if self._is_current:
                self._wanted.wait(KEYS_MAX_AGE - COOL_DOWN)

    def _fetch(self) -> None:
        try:
            found = self._client.get_signing_keys()
        except Exception as error:  # noqa: BLE001 - whatever it publishes, the thread goes on
            logger.error("the login service gave no keys: %s: %s", type(error).__name__, error)
            self._is_current = False
            return
        self._keys = {str(key.key_id): key for key in found if key.algorithm_name in ALGORITHMS}
        self._is_current = True


def published_keys(url: str) -> PublishedKeys:
    """The same of each address, for all threads."""
    with _making:
        return _made(url)


_making = Lock()
_made = lru_cache(maxsize=4)(PublishedKeys)
