"""Troubles: why a file did not come, and whether another try may bring it.

Takes in an error of requests or urllib3; gives out a `NotNow` with the rule and the sentence for the candidate's row.

    >>> network_trouble(TimeoutError(), Limits()).rule
    'too_slow'
"""

import requests
import urllib3.exceptions

from photojury.collect.download.connections import Limits


class NoPicture(Exception):
    """There is no picture to have, for good; `state` as in `candidates`."""

    def __init__(self, state: str, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.state, self.rule, self.reason = state, rule, reason


class NotNow(Exception):
    """Another try may bring it.

    Attributes:
        after: seconds that the host asked to wait, if it did.
        of_host: whether it speaks of the host, and not of this file.
        busy: the host asked for fewer requests; this is no failed try.
    """

    def __init__(
        self, rule: str, reason: str, *, after: float | None = None, of_host: bool = False, busy: bool = False
    ) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason
        self.after, self.of_host, self.busy = after, of_host, busy


def network_trouble(error: Exception, limits: Limits) -> NotNow:
    """What a failed request means; requests wraps urllib3's errors, which say it."""
    cause = error
    if isinstance(error, requests.RequestException) and error.args and isinstance(error.args[0], Exception):
        cause = error.args[0]
    if isinstance(cause, urllib3.exceptions.MaxRetryError) and cause.reason is not None:
        cause = cause.reason
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return NotNow("dns", "its host's name is not known", of_host=True)
    if isinstance(cause, urllib3.exceptions.SSLError):
        return NotNow("tls", f"its host could not prove who it is: {_brief(cause)}", of_host=True)
    # In urllib3 2 this is one of its timeouts, whatever went wrong.
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return NotNow("connection", f"its host cannot be reached: {_brief(cause)}", of_host=True)
    if isinstance(cause, urllib3.exceptions.ConnectTimeoutError):
        return NotNow("timeout", f"its host did not answer in {limits.connect:g} s", of_host=True)
    if isinstance(cause, urllib3.exceptions.TimeoutError | TimeoutError):
        return NotNow("too_slow", "it came too slowly, or stopped coming", of_host=True)
    if isinstance(cause, urllib3.exceptions.IncompleteRead) or "IncompleteRead" in str(cause):
        return NotNow("incomplete", "the file ended before its end")
    if isinstance(cause, urllib3.exceptions.DecodeError):
        return NotNow("damaged", "the server's compression of it cannot be undone")
    return NotNow("connection", f"the connection failed: {_brief(cause)}", of_host=True)


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text.rsplit(": ", 1)[-1] or type(error).__name__)[:200]
