"""The one decode: what is refused with which rule, what is found out about the rest (faults of the facts page)."""

import io
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from photojury.collect.checks.containers import trailing
from photojury.collect.checks.decoding import Decoded, decode
from photojury.collect.checks.looking import look
from photojury.datasets.images import Unusable
from photojury.sections import CollectSection

LIMITS = CollectSection()


def saved(picture: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def grain(size: tuple[int, int] = (300, 200), mode: str = "RGB") -> Image.Image:
    """A picture with something in every pixel, smooth enough for JPEG to keep it."""
    small = (size[0] // 8 + 1, size[1] // 8 + 1)
    pixels = random.Random(1).randbytes(small[0] * small[1] * 3)
    return Image.frombytes("RGB", small, pixels).resize(size, Image.Resampling.BICUBIC).convert(mode)


def refused(data: bytes, limits: CollectSection = LIMITS) -> str:
    with pytest.raises(Unusable) as caught:
        look(data, limits)
    assert "\n" not in str(caught.value)
    return caught.value.rule


def as_pillow(data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Pillow's luminance of a file, as it is stored."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims so many pixels, and whose few bytes hold none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(12_000, 12_000), (30_000, 2_000), (20_000, 100)])
def test_bombs_are_refused_by_their_header(size: tuple[int, int]) -> None:
    """Too many pixels, or too long a side, are refused before any pixel takes memory (fault 1)."""
    tracemalloc.start()
    assert refused(bomb(*size)) == "too_many_pixels"
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_truncated_jpegs_are_refused(share: float, progressive: bool) -> None:
    """A JPEG that stops early is damaged, wherever it stops (fault 4)."""
    whole = saved(grain(), progressive=progressive)
    look(whole, LIMITS)
    assert refused(whole[: int(len(whole) * share)]) == "damaged"
    assert refused(whole[:-2]) == "damaged"


def test_changed_bytes_in_mid_file_are_found() -> None:
    """Bytes that Pillow decodes into a wrong picture without a word are refused (fault 5)."""
    whole = saved(grain((800, 533)), quality=90)
    changed = bytearray(whole)
    changed[len(whole) // 2 : len(whole) // 2 + 40] = bytes([0xFF, 0xD0] * 20)
    Image.open(io.BytesIO(changed)).load()
    assert refused(bytes(changed)) == "damaged"


def test_an_endless_progressive_jpeg_is_refused() -> None:
    """A small file of thousands of scans would keep a decoder busy for minutes."""
    whole = saved(grain(), progressive=True)
    start = whole.rindex(b"\xff\xda")
    assert refused(whole[:-2] + whole[start:-2] * 2_000 + b"\xff\xd9") == "damaged"


@pytest.mark.parametrize(
    ("data", "rule", "word"),
    [
        (b"", "empty", "empty"),
        (b"<!DOCTYPE html><html><body>no such photo</body></html>", "not_an_image", "web page"),
        (b"  <html></html>", "not_an_image", "web page"),
        (b"just text", "not_an_image", "not an image"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "format", "svg"),
        (b"\0\0\0\x20ftypheic\0\0\0\0" + b"\0" * 50, "format", "heic"),
        (b"\xff\xd8\xff\xe0 nothing more", "damaged", "damaged"),
    ],
)
def test_what_is_no_picture_is_told_apart(data: bytes, rule: str, word: str) -> None:
    """Empty files, web pages, other formats and broken headers each have a rule (faults 7, 9, 28)."""
    assert refused(data) == rule
    with pytest.raises(Unusable, match=word):
        look(data, LIMITS)


@pytest.mark.parametrize("format", ["AVIF", "TIFF", "ICO"])
def test_formats_that_pillow_could_read_are_not_let_in(format: str) -> None:
    """Only the formats of the list reach a decoder (fault 28)."""
    assert refused(saved(grain(), format)) == "format"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_the_format_is_read_from_the_bytes(format: str) -> None:
    """Names play no part: the bytes tell the format (fault 10), and the luminance is Pillow's."""
    data = saved(grain(), format)
    decoded = decode(data, LIMITS)
    assert decoded.facts.format == format.lower()
    assert np.abs(decoded.luma.astype(int) - as_pillow(data).astype(int)).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_size_and_the_hash(orientation: int) -> None:
    """Width, height and hash are of the picture as shown (fault 21)."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(grain((320, 200)), "PNG", exif=exif)
    upright = saved(ImageOps.exif_transpose(Image.open(io.BytesIO(data))), "PNG")
    turned, shown = look(data, LIMITS), look(upright, LIMITS)
    assert (turned.facts.width, turned.facts.height) == (shown.facts.width, shown.facts.height)
    assert turned.phash == shown.phash


@pytest.mark.parametrize("size", [(300, 200), (1200, 900), (4000, 3000)])
def test_cmyk_is_decoded_and_told(size: tuple[int, int]) -> None:
    """A CMYK JPEG of Adobe's inverted kind is as light as Pillow shows it, and is flagged (fault 22)."""
    data = saved(grain(size).convert("CMYK"))
    decoded = decode(data, LIMITS)
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB").convert("L"))
    assert decoded.cmyk and look(data, LIMITS).measures["cmyk"] == 1
    assert abs(decoded.luma.mean() - shown.mean()) < 1
    assert refused(data[: len(data) // 2]) == "damaged"


def test_a_wide_gamut_is_told() -> None:
    """sRGB's own profile is nothing to tell; one with wider primaries is (fault 23)."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert "profile" not in look(saved(grain(), icc_profile=srgb), LIMITS).measures
    # Display P3's primaries in the profile's own XYZ of D50 (ICC registry, "Display P3").
    wide = bytearray(srgb)
    for tag, xyz in (
        (b"rXYZ", (0.51512, 0.2412, -0.00105)),
        (b"gXYZ", (0.29198, 0.69225, 0.04189)),
        (b"bXYZ", (0.1571, 0.06657, 0.78407)),
    ):
        at = int.from_bytes(wide[wide.index(tag) + 4 : wide.index(tag) + 8])
        wide[at + 8 : at + 20] = b"".join(round(value * 65536).to_bytes(4, signed=True) for value in xyz)
    found = look(saved(grain(), icc_profile=bytes(wide)), LIMITS).measures["profile"]
    # The triangle of P3's published xy (0.680 0.320, 0.265 0.690, 0.150 0.060) over sRGB's, both at D65.
    assert found == pytest.approx(0.1520 / 0.1121, rel=0.05)
    assert "profile" not in look(saved(grain(), icc_profile=b"not a profile"), LIMITS).measures


def test_sixteen_bits_are_scaled() -> None:
    """A 16-bit grey PNG is as light as its 8-bit copy, not clipped (fault 24)."""
    grey = np.asarray(grain(mode="L"))
    deep = saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    assert np.abs(decode(deep, LIMITS).luma.astype(int) - grey).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_measured_on_white(mode: str) -> None:
    """A fully transparent picture is white, all of it can be seen through (fault 25); an opaque one is neither."""
    clear = saved(Image.new("RGBA", (200, 150), (10, 20, 30, 0)).convert(mode), "PNG", **_clear(mode))
    decoded = decode(clear, LIMITS)
    assert decoded.alpha == 1 and decoded.luma.min() == 255
    assert decode(saved(grain().convert("RGBA"), "PNG"), LIMITS).alpha == 0


def _clear(mode: str) -> dict[str, object]:
    return {"transparency": bytes(256)} if mode == "P" else {}


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_animations_are_refused(format: str) -> None:
    """More than one frame is no still picture (fault 26)."""
    frames = [grain(), ImageOps.mirror(grain())]
    assert refused(saved(frames[0], format, save_all=True, append_images=frames[1:])) == "animated"


def test_a_tracking_pixel_is_too_small() -> None:
    """A 1 x 1 GIF is refused for its size (fault 27)."""
    assert refused(saved(Image.new("L", (1, 1)), "GIF")) == "too_small"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_what_follows_the_picture_is_counted(format: str) -> None:
    """Bytes after the end are kept and counted, so that a polyglot can be seen (fault 30)."""
    data = saved(grain(), format)
    assert "trailing" not in look(data, LIMITS).measures
    assert look(data + b"PK\x03\x04" * 25, LIMITS).measures["trailing"] == 100


def test_a_thumbnail_in_exif_is_not_taken_for_the_end() -> None:
    """The end-of-image marker of an embedded thumbnail ends nothing."""
    small = saved(grain((64, 48)))
    segment = b"\xff\xe1" + (len(small) + 2).to_bytes(2) + small
    data = saved(grain())
    assert trailing(data[:2] + segment + data[2:] + b"tail", "jpeg") == 4


def test_large_jpegs_are_halved_while_decoding() -> None:
    """A photo of 4000 pixels is measured at 1000, with the luminance that Pillow's own reduction gives."""
    data = saved(grain((4000, 2600)))
    decoded = decode(data, LIMITS)
    assert decoded.luma.shape == (650, 1000)
    reduced = np.asarray(Image.open(io.BytesIO(data)).convert("L").reduce(4))
    assert np.abs(decoded.luma.astype(int) - reduced).mean() < 1
    assert (decoded.facts.width, decoded.facts.height) == (4000, 2600)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (7, 5), (64, 3000), (39, 39)])
def test_odd_sizes_are_measured(size: tuple[int, int]) -> None:
    """What is too small for a measure goes without it; nothing fails."""
    limits = CollectSection(min_side=1)
    found: Decoded = decode(saved(grain(size), "PNG"), limits)
    assert found.luma.size
    measures = look(saved(grain(size), "PNG"), limits).measures
    assert measures["resolution"] == min(size)
    assert all(np.isfinite(value) for value in measures.values())
