"""Patience: how often and how slowly a call is made again after throttling, a server's fault or a cut connection.

Takes in what botocore says of an attempt; gives out the pause before the next one, or None for no next one.
botocore's own "standard" mode stops asking once its quota of retries is used up, which a marketplace that
throttles every third call brings about after some hundred calls; so it is told to try once, and this decides.

Asking again is safe for every call that photojury makes: HITs, extensions and bonuses carry a
UniqueRequestToken, which botocore sends again unchanged, and for the rest the state is looked at after an error.

    >>> patience = Patience(attempts=3, absent=2, first=0.5, longest=20.0)
    >>> patience.pause(1) <= 0.5 <= patience.pause(2) * 2
    True
"""

import logging
import random
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

log = logging.getLogger(__name__)

_STATUSES = (429, 500, 502, 503, 504)
# MTurk's are ServiceFault and ThrottlingException; the rest is what AWS services call the latter (botocore).
_BUSY = (
    "ServiceFault",
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
)
_ABSENT = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError)
_CUT = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)


@dataclass(frozen=True)
class Patience:
    """How a client bears faults; an instance is botocore's handler of its event `needs-retry`.

    Attributes:
        attempts: calls in all, where the marketplace throttles, fails or cuts the connection.
        absent: calls in all, where nothing answers at the address.
        first: seconds that the first pause has at most; each further one has twice as many.
        longest: seconds that no pause exceeds.
    """

    attempts: int
    absent: int
    first: float
    longest: float

    def __call__(
        self,
        attempts: int,
        response: tuple[Any, dict[str, Any]] | None,
        caught_exception: Exception | None,
        **_of_the_event: object,
    ) -> float | None:
        """Seconds to wait before the next attempt; None: what came is the call's answer."""
        allowed = self._allowed(response, caught_exception)
        if attempts >= allowed:
            return None
        seconds = self.pause(attempts)
        if seconds > 2:
            log.info("the marketplace is busy; asking again in %.0f s", seconds)
        return seconds

    def pause(self, attempts: int) -> float:
        """The pause after so many attempts: half of it is fixed, half random, so that clients part ways."""
        most = min(self.longest, self.first * 2.0 ** (attempts - 1))
        return most * random.uniform(0.5, 1)

    def _allowed(self, response: tuple[Any, dict[str, Any]] | None, error: Exception | None) -> int:
        if isinstance(error, _ABSENT):
            return self.absent
        if isinstance(error, _CUT):
            return self.attempts
        if response is None:
            return 1
        http, parsed = response
        code = parsed.get("Error", {}).get("Code")
        return self.attempts if http.status_code in _STATUSES or code in _BUSY else 1
