"""Keys of the marketplace's requester accounts: secrets derived from the user's salt, never kept anywhere.

>>> len(secret_of("PJEXAMPLE", salt="a salt"))
40
"""

import base64
import hashlib
import hmac


def own_key(salt: str) -> tuple[str, str]:
    """Access key id and secret key of the study's own account, which photojury's own commands sign with."""
    digest = hmac.new(salt.encode(), b"photojury marketplace, own key", hashlib.sha256).hexdigest()
    key_id = "PJ" + digest[:18].upper()
    return key_id, secret_of(key_id, salt)


def secret_of(key_id: str, salt: str) -> str:
    """The secret key of a key id: 40 characters, as AWS's are."""
    digest = hmac.new(salt.encode(), f"photojury marketplace, {key_id}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()[:40]
