"""Small pictures for pages: takes in an image file, gives out a JPEG, or a data URI that stands inside a page.

thumbnail(study.image_path(image_id), longest=320)      # 'data:image/jpeg;base64,...'
"""

import base64
import io
from pathlib import Path

from photojury.datasets.images import decode

LONGEST = 320
QUALITY = 78


def thumbnail(path: Path, *, longest: int = LONGEST, quality: int = QUALITY) -> str:
    """`jpeg` as a data URI (about 15 kB).

    Raises:
        OSError: the file is not there or cannot be decoded.
    """
    data = jpeg(path, longest=longest, quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def jpeg(path: Path, *, longest: int = LONGEST, quality: int = QUALITY) -> bytes:
    """The picture as people see it, its longer side at most `longest` pixels, as a JPEG without metadata.

    Raises:
        OSError: the file is not there or cannot be decoded.
    """
    small = decode(path, least=2 * longest)
    small.thumbnail((longest, longest))
    small.info.clear()
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
    return buffer.getvalue()
