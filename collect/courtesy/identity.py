"""Who asks: the User-Agent of every request, so that a site can see what it is and whom to write to."""

import requests

from photojury import __version__
from photojury.settings import Settings


def user_agent(settings: Settings) -> str:
    """The User-Agent, in the form that Wikimedia's policy asks for: name/version (contact) library/version."""
    contact = settings.study.contact.strip() or "no contact given"
    # A header holds Latin-1 without line breaks.
    contact = "".join(c for c in contact if c.isprintable()).encode("ascii", "ignore").decode()
    return f"photojury/{__version__} ({contact}) requests/{requests.__version__}"
