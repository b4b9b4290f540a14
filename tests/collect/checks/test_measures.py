"""The measures against closed forms, numpy and imagehash, and what must not disturb them."""

import io
from pathlib import Path

import imagehash
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter, ImageOps

from photojury.collect.checks import hashing, scales
from photojury.collect.checks.blur import sharpness
from photojury.collect.checks.borders import framed
from photojury.collect.checks.exposure import exposure
from photojury.collect.checks.graphics import drawn
from photojury.collect.checks.looking import look
from photojury.collect.checks.noise import noise
from photojury.sections import CollectSection

Luma = npt.NDArray[np.uint8]
LIMITS = CollectSection()
RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def photos(shared: Path) -> list[Path]:
    """24 of the real photographs."""
    return sorted((shared / "data" / "photos").glob("*.jpg"))[::3]


def levels(values: npt.NDArray[np.float64]) -> Luma:
    return values.clip(0, 255).round().astype(np.uint8)


def waves(pixels: float) -> Luma:
    """Waves of this length across and down, 320 x 320, of amplitude 60 each."""
    at = np.arange(320) * 2 * np.pi / pixels
    return levels(128 + 60 * np.sin(at)[None, :] + 60 * np.sin(at + 0.4)[:, None])


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def blur_of(picture: Image.Image) -> float:
    return look(jpeg(picture), LIMITS).measures["blur"]


@pytest.mark.parametrize("length", [6.5, 10.0, 20.0])
def test_sharpness_of_waves(length: float) -> None:
    """Waves of frequency w have second differences of (2 cos w - 2) times themselves; halving doubles w and leaves cos(w/2)."""
    w = 2 * np.pi / length
    fine = (2 * np.cos(w) - 2) ** 2 * 60**2 / 2
    coarse = ((2 * np.cos(2 * w) - 2) * np.cos(w / 2)) ** 2 * 60**2 / 2
    assert sharpness(waves(length), 0) == pytest.approx(fine / (coarse + 50), rel=0.05)


def test_sharpness_does_not_depend_on_contrast(photos: list[Path]) -> None:
    """Half the contrast leaves a photo as sharp."""
    for path in photos[:6]:
        picture = Image.open(path).convert("L")
        flat = picture.point(lambda level: level // 2 + 64)
        assert blur_of(flat) == pytest.approx(blur_of(picture), rel=0.15)


def test_noise_is_not_sharpness() -> None:
    """White noise of variance s2 alone measures 6 s2 over 6 s2 / 4, plus the floor; told of it, less than what is kept."""
    loud = levels(128 + RNG.normal(0, 20, (320, 400)))
    assert sharpness(loud, 0) == pytest.approx(6 * 400 / (6 * 100 + 50), rel=0.15)
    quiet = levels(128 + RNG.normal(0, 5, (320, 400)))
    assert sharpness(quiet, 0) > 1
    assert sharpness(quiet, 5) < 0.4
    assert sharpness(quiet, 6) == 0


def test_the_size_that_a_photo_comes_in_plays_no_part(photos: list[Path]) -> None:
    """From 480 to 1600 pixels a photo stays within a quarter of its sharpness."""
    for path in photos[:6]:
        picture = Image.open(path).convert("RGB")
        large = picture.resize((1600, round(1600 / picture.width * picture.height)), Image.Resampling.LANCZOS)
        found = [
            blur_of(large.resize((width, large.height * width // 1600), Image.Resampling.LANCZOS))
            for width in (480, 640, 800, 1024)
        ]
        assert max(found) / min(found) < 1.5, path.name


def test_blur_lowers_sharpness_step_by_step(photos: list[Path]) -> None:
    """More blur, less sharpness, in every photo; so does motion along one axis."""
    for path in photos[::3]:
        picture = Image.open(path).convert("RGB")
        found = [blur_of(picture)]
        found += [blur_of(picture.filter(ImageFilter.GaussianBlur(sigma))) for sigma in (1.5, 3)]
        assert found[0] > found[1] > found[2], path.name
        pixels = np.asarray(picture).astype(float)
        moved = np.mean([np.roll(pixels, shift, axis=1) for shift in range(9)], axis=0)
        assert blur_of(Image.fromarray(moved.astype(np.uint8))) < 0.75 * found[0], path.name


@pytest.mark.parametrize("sigma", [8.0, 12.0, 25.0])
def test_noise_is_told_in_levels(sigma: float) -> None:
    """On an even ground, and on waves, white noise of known deviation is found to a tenth."""
    even = np.full((533, 800), 128.0)
    steps = 128 + 50 * np.sin(np.arange(800) / 15)[None, :] + 0 * even
    for ground in (even, steps):
        assert noise(levels(ground + RNG.normal(0, sigma, even.shape))) == pytest.approx(sigma, rel=0.1)


def test_texture_is_not_noise(photos: list[Path]) -> None:
    """No photo measures more than the default allows, though foliage answers to Immerkaer's mask alone with 10."""
    limit = 7.0
    for path in photos:
        assert look(path.read_bytes(), LIMITS).measures.get("noise", 0) < limit, path.name


def test_noise_is_measured_where_it_is_seen() -> None:
    """A picture of 3200 pixels is halved twice before: a quarter of its noise is left."""
    picture = levels(128 + RNG.normal(0, 40, (2400, 3200)))
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    assert look(file.getvalue(), LIMITS).measures["noise"] == pytest.approx(10, rel=0.1)


def test_exposure_is_percentiles(photos: list[Path]) -> None:
    """The levels are numpy's percentiles, to one level; clipped pixels are counted."""
    for path in photos[:8]:
        picture = scales.work(np.asarray(Image.open(path).convert("L")))
        found = exposure(picture)
        low, dark, light = np.percentile(picture, [1, 5, 99])
        assert abs(found.dark - light) <= 1 and abs(found.bright - dark) <= 1
        assert abs(found.contrast - (light - low)) <= 2
        assert found.clipped == pytest.approx(np.mean((picture <= 3) | (picture >= 252)))


def test_a_drawing_is_even_with_hard_edges() -> None:
    """A chessboard of 20-pixel fields: 19 of 20 neighbours are alike, all difference is in edges. A slope has no edge."""
    fields = (np.indices((400, 400)) // 20).sum(axis=0) % 2 * np.uint8(255)
    assert drawn(fields.astype(np.uint8)) == pytest.approx(380 / 399)
    slope = np.tile(np.arange(256, dtype=np.uint8), (200, 1))
    assert drawn(slope) == 0
    assert drawn(slope.T.copy()) == 0


def test_drawings_do_not_depend_on_how_they_lie(photos: list[Path]) -> None:
    """On its side, a picture is as much a drawing."""
    picture = np.asarray(Image.open(photos[0]).convert("L"))
    assert drawn(picture) == pytest.approx(drawn(np.ascontiguousarray(picture.T)))


@pytest.mark.parametrize("colour", [0, 128, 255])
@pytest.mark.parametrize(
    ("border", "share"),
    [((0, 40, 0, 40), 80 / 280), ((50, 0, 50, 0), 1 / 4), ((20, 20, 20, 80), 1 - 300 * 200 / (340 * 300))],
)
def test_bars_are_measured(border: tuple[int, int, int, int], share: float, colour: int) -> None:
    """A letterbox, pillars, and a card with room for a caption: their share of the area is the one drawn."""
    picture = Image.fromarray(levels(RNG.uniform(40, 100, (200, 300))))
    found = framed(np.asarray(ImageOps.expand(picture, border, colour)))
    assert found.share == pytest.approx(share, abs=1e-6)
    assert found.inner.shape == (200, 300)


def test_even_sides_are_no_bars() -> None:
    """A subject before black, one bar alone, and bars of two colours are no frame."""
    subject = np.zeros((200, 300), np.uint8)
    subject[60:140, 100:200] = RNG.integers(50, 200, (80, 100))
    one_side = levels(RNG.uniform(40, 200, (200, 300)))
    one_side[:30] = 0
    two_colours = one_side.copy()
    two_colours[-30:] = 255
    for picture in (subject, one_side, two_colours, np.zeros((200, 300), np.uint8)):
        assert framed(picture).share == 0
        assert framed(picture).inner.shape == (200, 300)


def test_black_bars_are_no_underexposure() -> None:
    """Exposure is of what is between the bars."""
    picture = Image.fromarray(levels(RNG.uniform(40, 200, (200, 800)))).convert("RGB")
    tall = jpeg(ImageOps.expand(picture, (0, 400, 0, 400), "black"))
    measures = look(tall, LIMITS).measures
    assert measures["borders"] == pytest.approx(0.8, abs=0.01)
    assert measures["clipped"] < 0.05


def test_the_hash_is_imagehashs_bit_for_bit(photos: list[Path]) -> None:
    """Of the same grey picture, also of even and of symmetric ones, where bits hang on exact zeros."""
    pictures = [np.asarray(Image.open(path).convert("L")) for path in photos]
    pictures += [np.full((90, 120), level, np.uint8) for level in (0, 7, 255)]
    half = RNG.integers(0, 256, (64, 40), dtype=np.uint8)
    pictures += [np.hstack([half, half[:, ::-1]]), np.vstack([half, half[::-1]]), half[:1, :1]]
    for picture in pictures:
        expected = str(imagehash.phash(hashing.small(Image.fromarray(picture))))
        assert hashing.phash(picture, 1) == expected


def test_the_hash_is_near_imagehashs_of_the_file(photos: list[Path]) -> None:
    """Of the file itself, imagehash differs by two bits at most, by less than one on average."""
    distances = []
    for path in photos:
        found = look(path.read_bytes(), LIMITS).phash
        assert found is not None and len(found) == 16
        distances.append(imagehash.hex_to_hash(found) - imagehash.phash(Image.open(path)))
    assert max(distances) <= 2
    assert np.mean(distances) < 1
