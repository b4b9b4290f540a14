"""Containers: where a picture ends in its file, and what follows it there.

Takes in a file's bytes; gives out a count of bytes. What follows is shown by no browser, but a file can so be a
picture and something else at once (a polyglot), or carry a second picture, a film or a camera's notes.

    >>> trailing(data, "jpeg")                      # doctest: +SKIP
    0
"""

MAX_SCANS = 100
"""Of a JPEG. Progressive ones have about 10; a small file of thousands keeps a decoder busy for minutes
(libjpeg-turbo, "Two Issues with the JPEG Standard", and its djpeg -maxscans)."""

_END_OF_IMAGE = b"\xff\xd9"


def trailing(data: bytes, format: str) -> int:
    """How many bytes follow the end of the picture; 0 for formats whose end is not looked for (gif, bmp).

    A JPEG that ends as JPEGs do is not searched: a second one behind the first goes unseen.
    """
    if format == "jpeg" and data.endswith(_END_OF_IMAGE):
        return 0
    end = {"jpeg": _jpeg_end, "png": _png_end, "webp": _webp_end}.get(format)
    return max(0, len(data) - end(data)) if end else 0


def scans(data: bytes) -> int:
    """How many scans a JPEG has at most: thumbnails in its EXIF are counted, too."""
    return data.count(b"\xff\xda")


def _jpeg_end(data: bytes) -> int:
    """Behind the end-of-image marker (ITU-T T.81, annex B): segments are jumped over, for thumbnails lie in them."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        # Any number of 0xFF may stand before a marker.
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4])
    # From the first scan on, 0xFF in coded data is followed by 0 or a restart marker, never by 0xD9.
    found = data.find(_END_OF_IMAGE, at)
    return len(data) if found < 0 else found + 2


def _png_end(data: bytes) -> int:
    """Behind the IEND chunk (PNG specification, 5.3): length, type, data and checksum of each chunk."""
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4])
        if kind == b"IEND":
            return at
    return len(data)


def _webp_end(data: bytes) -> int:
    """Behind the RIFF chunk, which is padded to an even length (WebP container specification)."""
    size = int.from_bytes(data[4:8], "little")
    return 8 + size + size % 2
