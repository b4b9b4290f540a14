"""Small pictures that stand inside a page: takes in an image file, gives out a JPEG data URI.

thumbnail(study.image_path(image_id), longest=320)      # 'data:image/jpeg;base64,...'
"""

import base64
import io
from pathlib import Path

from photojury.datasets.images import decode

LONGEST = 320
QUALITY = 78


def thumbnail(path: Path, *, longest: int = LONGEST) -> str:
    """The picture as people see it, its longer side at most `longest` pixels, as a data URI (about 15 kB).

    Raises:
        OSError: the file is not there or cannot be decoded.
    """
    picture = decode(path)
    picture.thumbnail((longest, longest))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
