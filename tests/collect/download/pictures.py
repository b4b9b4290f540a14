"""Pictures that tests are served: good ones, and the broken and odd ones of the fault list."""

import functools
import gzip
import io
import random
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms


def photo(seed: int = 0, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """An RGB picture of blurred noise, which no rule rejects for being flat."""
    small = Image.frombytes("RGB", (40, 30), random.Random(seed).randbytes(40 * 30 * 3))
    return small.resize(size, Image.Resampling.BICUBIC)


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def jpeg(seed: int = 0, size: tuple[int, int] = (320, 240)) -> bytes:
    return saved(photo(seed, size), "JPEG", quality=90)


def marked(jpeg: bytes, text: str) -> bytes:
    """The same JPEG with a comment, so that its bytes are other ones (ITU T.81, B.2.4.5)."""
    comment = text.encode()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]


def png(seed: int = 0) -> bytes:
    return saved(photo(seed), "PNG")


@functools.cache
def bomb() -> bytes:
    """A PNG of 12,000 x 12,000 pixels in some 400 KB, written row by row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = 12_000
    packer = zlib.compressobj(1)
    rows = [packer.compress(bytes(3 * side + 1)) for _ in range(side)] + [packer.flush()]
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(rows)) + chunk(b"IEND", b"")
    )


def corrupted() -> bytes:
    """A JPEG with changed bytes in the middle of its scan, its beginning and end in order."""
    data = bytearray(jpeg(5, (640, 480)))
    middle = len(data) // 2
    data[middle : middle + 64] = random.Random(5).randbytes(64).replace(b"\xff", b"\xfe")
    return bytes(data)


def rotated() -> bytes:
    """320 x 240 as stored, 240 x 320 as shown: EXIF orientation 6."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(photo(21), "JPEG", exif=exif)


def cmyk() -> bytes:
    return saved(photo(22).convert("CMYK"), "JPEG")


def wide_gamut() -> bytes:
    """A JPEG with a colour profile of ProPhoto's primaries, which hold far more than sRGB."""
    return saved(photo(23), "JPEG", icc_profile=_profile())


def deep_png() -> bytes:
    """A 16-bit grey ramp from black to white."""
    row = b"".join(struct.pack("<H", value * 257) for value in range(256))
    return saved(Image.frombytes("I;16", (256, 256), row * 256), "PNG")


def transparent_png() -> bytes:
    picture = photo(25).convert("RGBA")
    picture.putalpha(0)
    return saved(picture, "PNG")


def animated(format: str) -> bytes:
    return saved(photo(26), format, save_all=True, append_images=[photo(27)], duration=100)


def pixel_gif() -> bytes:
    return saved(Image.new("P", (1, 1)), "GIF")


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>'
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(500)


def avif() -> bytes:
    return b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1miafMA1B" + bytes(500)


def polyglot() -> bytes:
    """A JPEG with a ZIP archive's end behind its own."""
    return jpeg(30) + b"PK\x05\x06" + bytes(18)


def gzip_bomb() -> bytes:
    """A JPEG's first bytes and 20 MB of zeros, in 20 KB."""
    return gzip.compress(jpeg(29)[:1000] + bytes(20_000_000))


def _profile() -> bytes:
    """sRGB's profile with the primaries of ProPhoto RGB (ROMM, ISO 22028-2, adapted to D50) in its place."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.79767, 0.28804, 0.0),
        b"gXYZ": (0.13519, 0.71188, 0.0),
        b"bXYZ": (0.03134, 0.00009, 0.82491),
    }
    count = struct.unpack(">I", data[128:132])[0]
    for at in range(132, 132 + 12 * count, 12):
        name, place, _ = struct.unpack(">4sII", data[at : at + 12])
        if name in primaries:
            numbers = [round(value * 65536) for value in primaries[name]]
            data[place + 8 : place + 20] = struct.pack(">3i", *numbers)
    return bytes(data)
