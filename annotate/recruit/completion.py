"""Completion codes: what a rater hands in at Prolific to show that the work was finished here.

Takes in a study's mark (photojury.annotate.batches.study_id); gives out its code. The code is an HMAC under a
secret that derives from the user's salt, so nothing is stored: the worker site and the command that pays come
to the same code on their own, and nobody without the salt can guess it.

    >>> code(b"a secret", "0123456789ab")
    'AZFU3MMECLLR'
    >>> fits("azfu3mmecllr ", code(b"a secret", "0123456789ab"))
    True
"""

import base64
import hashlib
import hmac

from photojury.datasets.raters import read_salt

LENGTH = 12
"""Characters of a code, 5 bits each."""

COMPLETED = "completed"
"""The outcome of a rater who did the HIT."""

_LABEL = b"photojury: completion codes for Prolific"


def completion_code(study_mark: str) -> str:
    """The code of a study's finished HITs: upper-case letters and the digits 2 to 7.

    Args:
        study_mark: photojury.annotate.batches.study_id of the study.

    Raises:
        SettingsError: the user's salt cannot be read or made.
    """
    return code(_secret(), study_mark)


def code(secret: bytes, study_mark: str, outcome: str = COMPLETED) -> str:
    """The code for one outcome of one study: the first 60 bits of HMAC-SHA256, in base 32 (RFC 4648)."""
    digest = hmac.new(secret, f"{study_mark}\x1f{outcome}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii")[:LENGTH]


def fits(given: str | None, expected: str) -> bool:
    """Whether a rater handed in the expected code, in whatever case; takes the same time for any wrong one."""
    return hmac.compare_digest((given or "").strip().upper().encode(), expected.encode())


def _secret() -> bytes:
    return hmac.new(read_salt().encode(), _LABEL, hashlib.sha256).digest()
