"""The image store: original bytes in files named by their sha256, written so that a crash leaves no half file.

Takes in bytes; gives out an `ImageFacts` and a path. What is stored is what was given, to the bit; orientation
and colour are put right when a picture is shown or decoded.

    >>> image_path(Path("images"), "ab" + "0" * 62, "jpeg").as_posix()[:20]
    'images/ab/ab00000000'
"""

import hashlib
import io
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from photojury.errors import InputError

EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif", "bmp": "bmp", "tiff": "tif"}
"""File name extension by stored format; a format that is not here is not stored."""

MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
}
"""What a browser is told, by extension; TIFF is missing, since browsers do not show it."""

# Formats that raters' browsers show; TIFF is read by Pillow but shown by none.
_SHOWN = ("jpeg", "png", "webp", "gif", "bmp")


class Unusable(InputError):
    """A file that raters cannot be shown as a picture; `rule` names the kind of reason, for counting."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class ImageFacts:
    """What one decode tells about a picture; width and height in pixels as shown (EXIF orientation applied)."""

    image_id: str
    format: str
    width: int
    height: int
    bytes: int
    taken_at: str | None


def image_id(data: bytes) -> str:
    """The id of an image: the sha256 of its bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def image_path(folder: Path, image_id: str, format: str) -> Path:
    """Where the bytes of an image lie below the images folder: ab/abcd….jpg."""
    return folder / image_id[:2] / f"{image_id}.{EXTENSIONS[format]}"


def inspect(data: bytes, *, max_megapixels: float, min_side: int) -> ImageFacts:
    """Decode a picture once, whole, and tell its facts.

    Args:
        data: the file's bytes.
        max_megapixels: more are refused before they are decoded.
        min_side: pixels; a shorter side is refused.

    Raises:
        InputError: one sentence why it is not a picture that raters can be shown.
    """
    if not data:
        raise InputError("the file is empty")
    try:
        with warnings.catch_warnings():
            # Our own limit speaks before Pillow's bomb warning; other warnings concern metadata that is not used.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                return _facts(picture, data, max_megapixels, min_side)
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"it has more pixels than the limit of {max_megapixels:g} megapixels") from None
    except UnidentifiedImageError:
        raise InputError("it is not an image that can be read, whatever its name says") from None
    # Pillow's decoders raise anything from SyntaxError to struct.error on broken files.
    except Exception as error:  # noqa: BLE001
        raise InputError(f"the image is damaged: {_sentence(error)}") from None


def decode(path: Path) -> Image.Image:
    """The picture as people see it: EXIF orientation applied, 8-bit RGB, transparency on white."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as picture:
            return to_rgb(ImageOps.exif_transpose(picture))


def to_rgb(picture: Image.Image) -> Image.Image:
    """8-bit RGB from any mode; transparency on white, 16-bit grey scaled down."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        # Pillow clips 16-bit values to 255 instead of scaling them.
        picture = picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")


def store_image(folder: Path, data: bytes, facts: ImageFacts) -> Path:
    """Write an image's bytes to their place: a temporary file, fsync, rename. Written before: left alone."""
    path = image_path(folder, facts.image_id, facts.format)
    if path.exists() and path.stat().st_size == len(data):
        return path
    write_atomically(path, data)
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes private files; a web server may have to read these
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _facts(picture: Image.Image, data: bytes, max_megapixels: float, min_side: int) -> ImageFacts:
    name = (picture.format or "").lower()
    name = "jpeg" if name == "mpo" else name  # a phone's multi-picture JPEG is shown as its first picture
    if name not in _SHOWN:
        raise InputError(
            f"its format, {name or 'unknown'}, is not shown by browsers; convert it to JPEG or PNG"
        )
    megapixels = picture.width * picture.height / 1e6
    if megapixels > max_megapixels:
        raise InputError(
            f"it has {megapixels:.1f} megapixels; the limit is {max_megapixels:g} (collect.max_megapixels)"
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":
        raise InputError(f"it is animated ({frames} frames); raters judge still pictures")
    if min(picture.size) < min_side:
        raise InputError(
            f"its shorter side is {min(picture.size)} pixels; at least {min_side} are needed (collect.min_side)"
        )
    exif = picture.getexif()
    picture.load()
    turned = exif.get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
    width, height = (picture.height, picture.width) if turned else picture.size
    taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    return ImageFacts(image_id(data), name, width, height, len(data), str(taken) if taken else None)


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
