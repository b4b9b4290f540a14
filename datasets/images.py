"""The image store: original bytes in files named by their sha256, written so that a crash leaves no half file.

Takes in bytes; gives out an `ImageFacts` and a path. What is stored is what was given, to the bit; orientation
and colour are put right when a picture is shown or decoded.

    >>> image_path(Path("images"), "ab" + "0" * 62, "jpeg").as_posix()[:20]
    'images/ab/ab00000000'
"""

import hashlib
import io
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

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

MAX_SIDE = 16_384
"""Pixels; the largest texture of common graphics hardware (WebGL's MAX_TEXTURE_SIZE), so what browsers can draw."""

# Formats that every browser shows, as Pillow names them; no other decoder is let near a stranger's bytes.
_OPENED = ("JPEG", "PNG", "WEBP", "GIF", "BMP")

# What the first bytes of files say, for the sentence that a rejected one gets.
_RECOGNISED: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("jpeg", lambda data: data.startswith(b"\xff\xd8\xff")),
    ("png", lambda data: data.startswith(b"\x89PNG")),
    ("gif", lambda data: data.startswith(b"GIF8")),
    ("webp", lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP"),
    ("tiff", lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))),
    (
        "heic",
        lambda data: data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"),
    ),
    ("avif", lambda data: data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis")),
    ("jxl", lambda data: data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL "))),
    ("svg", lambda data: b"<svg" in data[:1024].lower()),
    ("psd", lambda data: data.startswith(b"8BPS")),
    ("ico", lambda data: data.startswith(b"\0\0\1\0")),
)


class Unusable(InputError):
    """A file that raters cannot be shown as a picture; `rule` names the kind of reason, for counting."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class _Quiet:
    """No warnings while any thread is inside: `warnings.catch_warnings` alone is not safe among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._caught.__exit__(None, None, None)


_QUIET = _Quiet()


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
        Unusable: one sentence why it is not a picture that raters can be shown.
    """
    with opened(data, max_megapixels=max_megapixels, min_side=min_side) as picture:
        facts = facts_of(picture, data)
        picture.load()
    return facts


@contextmanager
def opened(data: bytes, *, max_megapixels: float, min_side: int) -> Iterator[ImageFile.ImageFile]:
    """A picture whose header is read and within the limits; none of its pixels is decoded yet.

    What goes wrong in the body of the `with`, where it is decoded, is told as damage.

    Raises:
        Unusable: one sentence why it is not a picture that raters can be shown.
    """
    if not data:
        raise Unusable("empty", "the file is empty")
    try:
        # Our own limits speak before Pillow's bomb warning; other warnings concern metadata that is not used.
        with _QUIET, Image.open(io.BytesIO(data), formats=_OPENED) as picture:
            _within_limits(picture, max_megapixels, min_side)
            yield picture
    except Unusable:
        raise
    except Image.DecompressionBombError:
        raise Unusable(
            "too_many_pixels", f"it has more pixels than the limit of {max_megapixels:g} megapixels"
        ) from None
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    # Pillow's decoders raise anything from SyntaxError to struct.error on broken files.
    except Exception as error:  # noqa: BLE001
        raise Unusable("damaged", f"the image is damaged: {_sentence(error)}") from None


def facts_of(picture: Image.Image, data: bytes) -> ImageFacts:
    """The facts of an opened picture; of JPEGs only the header is read, PNGs may keep EXIF behind their pixels."""
    exif = picture.getexif()
    width, height = picture.size
    if exif.get(ExifTags.Base.Orientation) in (5, 6, 7, 8):
        width, height = height, width
    taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) if exif else None
    return ImageFacts(
        image_id(data), _format(picture), width, height, len(data), str(taken) if taken else None
    )


def decode(path: Path, *, least: int | None = None) -> Image.Image:
    """The picture as people see it: EXIF orientation applied, 8-bit RGB, transparency on white.

    Args:
        path: the file.
        least: pixels that are enough for each side; a JPEG is then decoded at the smallest scale (1/1 to 1/8)
            that has them, which is several times faster for large files.

    Raises:
        OSError: the file is not there or cannot be decoded.
    """
    with _QUIET, Image.open(path) as picture:
        if least:
            picture.draft("RGB", (least, least))
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
    try:
        if path.stat().st_size == len(data):
            return path
    except FileNotFoundError:
        pass
    write_atomically(path, data)
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, even after a power cut."""
    # Plain strings and descriptors: a downloader does this hundreds of times a second.
    temporary = f"{path.parent}/.{path.name}-{os.urandom(6).hex()}.part"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, memoryview(data)[written:])
            os.fchmod(descriptor, 0o644)  # whatever the umask is: a web server may have to read it
            _to_disk(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# The bytes and the size, without the times; macOS has only the other.
_to_disk: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


def _within_limits(picture: ImageFile.ImageFile, max_megapixels: float, min_side: int) -> None:
    megapixels = picture.width * picture.height / 1e6
    if megapixels > max_megapixels:
        raise Unusable(
            "too_many_pixels",
            f"it has {megapixels:.1f} megapixels; the limit is {max_megapixels:g} (collect.max_megapixels)",
        )
    if max(picture.size) > MAX_SIDE:
        raise Unusable(
            "too_many_pixels",
            f"its longer side is {max(picture.size)} pixels; browsers show {MAX_SIDE} at most",
        )
    if min(picture.size) < min_side:
        raise Unusable(
            "too_small",
            f"its shorter side is {min(picture.size)} pixels; at least {min_side} are needed (collect.min_side)",
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":
        raise Unusable("animated", f"it is animated ({frames} frames); raters judge still pictures")


def _format(picture: Image.Image) -> str:
    # A phone's multi-picture JPEG (MPO) is shown as its first picture.
    return "jpeg" if picture.format == "MPO" else (picture.format or "").lower()


def _unidentified(data: bytes) -> Unusable:
    start = data[:512].lstrip().lower()
    for format, found in _RECOGNISED:
        if found(data):
            if format.upper() in _OPENED:
                return Unusable("damaged", "the image is damaged: its header cannot be read")
            return Unusable(
                "format",
                f"its format, {format}, is not shown by browsers everywhere; convert it to JPEG or PNG",
            )
    if start.startswith((b"<!doctype html", b"<html")):
        return Unusable(
            "not_an_image", "it is a web page, not an image that can be read, whatever its name says"
        )
    return Unusable("not_an_image", "it is not an image that can be read, whatever its name says")


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
