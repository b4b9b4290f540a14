"""The curation page: pictures looked at and decided on by hand, on this machine alone."""
