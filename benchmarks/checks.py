"""Collect's checks on real photographs and edited copies: precision and recall of each, at study.toml's defaults.

    python benchmarks/checks.py                     # 72 photos, 27 kinds of copies of each, 70 drawings: 1 minute
    python benchmarks/checks.py --quick             # 72 photos, 30 copies: some seconds
    python benchmarks/checks.py --photos ~/Pictures # other photographs, all of them taken to be good

Every copy has a check that it must fail, or none. Precision: of the pictures that fail a check, those that had to;
recall: of those that have to, the ones that do. A darkened or flattened copy may fail contrast and blur, too: that is
as true of it. The default thresholds were chosen on these same photos (docs/checks.md), so this table shows
how well they can do, not what strangers' pictures will bring.

Below, under "why": the same pictures by what is in common use, as the area under the ROC curve.
"""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from photojury.collect.checks import blur, decoding, graphics, noise, scales
from photojury.collect.checks.looking import look
from photojury.collect.checks.rules import RULES
from photojury.sections import ChecksSection, CollectSection

Picture = Image.Image
Rng = np.random.Generator
PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "photos"
SHOWN = 800  # pixels: copies are made of photos of this longer side, as sources send them
QUALITY = 87


@dataclass(frozen=True)
class Edit:
    """A way to make a copy, the check that it must fail (None: it must pass), and those that it may fail, too."""

    name: str
    make: Callable[[Picture, Rng], Picture | bytes]
    must: str | None = None
    may: frozenset[str] = field(default_factory=frozenset)


def jpeg(picture: Picture, quality: int = QUALITY, **options: object) -> bytes:
    """A picture as a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def png(picture: Picture) -> bytes:
    """A picture as a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def scaled(picture: Picture, longest: int) -> Picture:
    """A picture whose longer side has so many pixels."""
    share = longest / max(picture.size)
    size = (round(picture.width * share), round(picture.height * share))
    return picture.resize(size, Image.Resampling.LANCZOS)


def blurred(sigma: float) -> Callable[[Picture, Rng], Picture]:
    return lambda picture, rng: picture.filter(ImageFilter.GaussianBlur(sigma))


def moved(across: int, down: int, steps: int) -> Callable[[Picture, Rng], Picture]:
    """A camera that moved while the shutter was open."""

    def make(picture: Picture, rng: Rng) -> Picture:
        pixels = np.asarray(picture).astype(np.float32)
        shifts = [np.roll(pixels, (down * k, across * k), (0, 1)) for k in range(steps)]
        return Image.fromarray(np.mean(shifts, axis=0).astype(np.uint8))

    return make


def noisy(sigma: float, quality: int = QUALITY) -> Callable[[Picture, Rng], bytes]:
    def make(picture: Picture, rng: Rng) -> bytes:
        pixels = np.asarray(picture) + rng.normal(0, sigma, (picture.height, picture.width, 3))
        return jpeg(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), quality)

    return make


def lit(factor: float) -> Callable[[Picture, Rng], Picture]:
    return lambda picture, rng: ImageEnhance.Brightness(picture).enhance(factor)


def washed(share: float) -> Callable[[Picture, Rng], Picture]:
    """So much of the distance from white is left."""
    return lambda picture, rng: Image.blend(Image.new("RGB", picture.size, "white"), picture, share)


def flattened(share: float) -> Callable[[Picture, Rng], Picture]:
    return lambda picture, rng: ImageEnhance.Contrast(picture).enhance(share)


def framed(border: tuple[int, int, int, int], colour: str) -> Callable[[Picture, Rng], Picture]:
    return lambda picture, rng: ImageOps.expand(picture, border, colour)


def bokeh(picture: Picture, rng: Rng) -> Picture:
    """All out of focus but the ninth of the picture that has most detail."""
    edges = np.asarray(picture.convert("L").filter(ImageFilter.FIND_EDGES)).astype(np.float32)
    width, height = picture.width // 3, picture.height // 3
    cells = edges[: height * 3, : width * 3].reshape(3, height, 3, width).mean(axis=(1, 3))
    down, across = divmod(int(cells.argmax()), 3)
    box = (across * width, down * height, (across + 1) * width, (down + 1) * height)
    soft = picture.filter(ImageFilter.GaussianBlur(6))
    soft.paste(picture.crop(box), box)
    return soft


def cut_out(picture: Picture, rng: Rng) -> bytes:
    """A round picture on a ground that can be seen through."""
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, *picture.size), fill=255)
    picture = picture.copy()
    picture.putalpha(mask)
    return png(picture)


def turned(picture: Picture, rng: Rng) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(picture, exif=exif)


def as_webp(picture: Picture, rng: Rng) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=80)
    return file.getvalue()


_FADED = frozenset({"contrast", "blur"})

EDITS = (
    Edit("resized to 640", lambda picture, rng: scaled(picture, 640)),
    Edit("enlarged to 1000", lambda picture, rng: scaled(picture, 1000)),
    Edit("recompressed at 30", lambda picture, rng: jpeg(picture, 30)),
    Edit("black and white", lambda picture, rng: picture.convert("L")),
    Edit(
        "a third cropped",
        lambda picture, rng: ImageOps.crop(picture, min(picture.size) // 10),
        may=frozenset({"resolution"}),
    ),
    Edit("turned by EXIF", turned),
    Edit("WebP", as_webp),
    Edit("bokeh", bokeh),
    Edit("noise 5", noisy(5)),
    Edit("blur 1.5", blurred(1.5), "blur"),
    Edit("blur 2", blurred(2), "blur"),
    Edit("blur 3", blurred(3), "blur"),
    Edit("moved 9 pixels", moved(1, 0, 9), "blur"),
    Edit("moved 11 aslant", moved(1, 1, 8), "blur"),
    Edit("noise 15", noisy(15), "noise"),
    Edit("noise 20", noisy(20), "noise"),
    Edit("noise 30 at 75", noisy(30, 75), "noise"),
    Edit("15 % of its light", lit(0.15), "dark", _FADED),
    Edit("30 % of its light", lit(0.3), "dark", _FADED),
    Edit("20 % from white", washed(0.2), "bright", _FADED),
    Edit("10 % of its contrast", flattened(0.1), "contrast", frozenset({"dark", "blur"})),
    Edit("white frame", framed((10, 10, 10, 10), "white"), "borders"),
    Edit("black frame", framed((20, 20, 20, 20), "black"), "borders"),
    Edit("letterbox", framed((0, 60, 0, 60), "black"), "borders"),
    Edit("card with caption", framed((20, 20, 20, 90), "#f4f0e8"), "borders"),
    Edit("round cut-out", cut_out, "alpha", frozenset({"graphic"})),
    Edit("thumbnail", lambda picture, rng: scaled(picture, 240), "resolution"),
)


def _colours(rng: Rng, number: int) -> list[tuple[int, int, int]]:
    return [(int(r), int(g), int(b)) for r, g, b in rng.integers(0, 256, (number, 3))]


def chart(rng: Rng) -> Picture:
    picture = Image.new("RGB", (900, 600), "white")
    draw = ImageDraw.Draw(picture)
    for bar, colour in enumerate(_colours(rng, 8)):
        draw.rectangle((80 + bar * 95, 520 - int(rng.integers(50, 450)), 150 + bar * 95, 520), fill=colour)
    draw.line((60, 520, 860, 520), fill="black", width=2)
    draw.text((300, 20), "Sales by quarter", font=ImageFont.load_default(32), fill="black")
    return picture


def page(rng: Rng) -> Picture:
    words = ("lorem", "ipsum", "dolor", "sit", "amet", "consectetur")
    picture = Image.new("RGB", (700, 900), "#fdfcf5")
    draw = ImageDraw.Draw(picture)
    for line in range(60, 850, 26):
        text = " ".join(words[int(word)] for word in rng.integers(0, 6, 9))
        draw.text((60, line), text, font=ImageFont.load_default(18), fill="#222222")
    return picture


def cartoon(rng: Rng) -> Picture:
    ground, *fills = _colours(rng, 26)
    picture = Image.new("RGB", (800, 600), ground)
    draw = ImageDraw.Draw(picture)
    for fill in fills:
        x, y, width, height = (int(v) for v in rng.integers((0, 0, 30, 30), (800, 600, 250, 250)))
        draw.ellipse((x, y, x + width, y + height), fill=fill, outline="black", width=4)
    return picture


def banner(rng: Rng) -> Picture:
    first, last = np.array(_colours(rng, 2))
    part = np.linspace(0, 1, 600)[:, None, None]
    rows = np.broadcast_to(first * (1 - part) + last * part, (600, 800, 3))
    picture = Image.fromarray(rows.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.text((100, 250), "BIG SALE 50%", font=ImageFont.load_default(90), fill="white")
    draw.rectangle((100, 380, 700, 460), fill="#dd0000")
    return picture


def screenshot(rng: Rng) -> Picture:
    picture = Image.new("RGB", (1280, 800), "#eceff1")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 260, 800), fill="#37474f")
    for row in range(14):
        draw.text(
            (20, 40 + row * 52), f"Item {rng.integers(999)}", font=ImageFont.load_default(20), fill="#cfd8dc"
        )
    for card in range(18):
        x, y = 300 + card % 3 * 320, 60 + card // 3 * 120
        draw.rounded_rectangle((x, y, x + 290, y + 90), 12, fill="white", outline="#b0bec5")
        draw.text(
            (x + 20, y + 30), f"Title {rng.integers(999)}", font=ImageFont.load_default(20), fill="#333333"
        )
    return picture


def regions(rng: Rng) -> Picture:
    centres, fills = rng.integers(0, 400, (60, 2)), rng.integers(60, 255, (60, 3))
    y, x = np.mgrid[:400, :500]
    nearest = np.argmin((x[..., None] - centres[:, 0] * 1.25) ** 2 + (y[..., None] - centres[:, 1]) ** 2, -1)
    return Image.fromarray(fills[nearest].astype(np.uint8)).resize((1000, 800), Image.Resampling.NEAREST)


def strokes(rng: Rng) -> Picture:
    picture = Image.new("RGB", (800, 800), "white")
    draw = ImageDraw.Draw(picture)
    for points in rng.integers(0, 800, (40, 12)).tolist():
        draw.line(points, fill="black", width=int(rng.integers(1, 6)))
    return picture


DRAWINGS = (chart, page, cartoon, banner, screenshot, regions, strokes)


@dataclass(frozen=True)
class Seen:
    """One picture with the checks that it fails, beside those that it must and may fail."""

    name: str
    photo: str
    fails: frozenset[str]
    must: str | None
    may: frozenset[str]


def verdicts(data: bytes, section: ChecksSection) -> frozenset[str]:
    """The checks that a file fails."""
    measures = look(data, CollectSection()).measures
    limits = {name: rule.limit(section) for name, rule in RULES.items() if name in measures}
    return frozenset(
        name
        for name, limit in limits.items()
        if limit is not None and (measures[name] < limit if RULES[name].least else measures[name] > limit)
    )


def photographs(folder: Path) -> list[tuple[str, bytes]]:
    """Name and bytes of every JPEG in a folder."""
    found = [(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.jp*g"))]
    if not found:
        raise click.ClickException(f"{folder} holds no JPEG; name a folder of photographs with --photos")
    return found


def shown(data: bytes) -> Picture:
    """A photo as sources send it: RGB, 800 pixels at most."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    return scaled(picture, SHOWN) if max(picture.size) > SHOWN else picture


def collection(photos: Sequence[tuple[str, bytes]], quick: bool) -> Iterator[Seen]:
    """The photos, then copies: of each photo every kind, or (quick) 30 of photos that are drawn by lot."""
    section = ChecksSection()
    for name, data in photos:
        yield Seen("the photos", name, verdicts(data, section), None, frozenset())
    rng = np.random.default_rng(1)
    for number, edit in enumerate(EDITS):
        chosen = [photos[int(rng.integers(len(photos)))]] if quick else photos
        for name, data in chosen:
            made = edit.make(shown(data), np.random.default_rng([2, number]))
            file = made if isinstance(made, bytes) else jpeg(made)
            yield Seen(edit.name, name, verdicts(file, section), edit.must, edit.may)
    for draw in DRAWINGS[:3] if quick else DRAWINGS:
        for copy in range(1 if quick else 10):
            picture = draw(np.random.default_rng([3, copy]))
            # Half of them as sources send them: smaller, compressed.
            file = jpeg(scaled(picture, 600), 75) if copy % 2 else jpeg(picture, 90)
            yield Seen(f"drawn: {draw.__name__}", "", verdicts(file, section), "graphic", frozenset())


@dataclass(frozen=True)
class Score:
    """How a check did: pictures that had to fail it, those of them that did, and those that failed it wrongly."""

    must: int
    caught: int
    wrongly: int
    wrongly_photos: int

    @property
    def precision(self) -> float:
        return self.caught / (self.caught + self.wrongly) if self.caught + self.wrongly else float("nan")

    @property
    def recall(self) -> float:
        return self.caught / self.must if self.must else float("nan")


def score(seen: Sequence[Seen], check: str) -> Score:
    """Precision and recall of one check; a picture that may fail it counts neither way."""
    must = [one for one in seen if one.must == check]
    wrongly = [one for one in seen if check in one.fails and one.must != check and check not in one.may]
    return Score(
        must=len(must),
        caught=sum(check in one.fails for one in must),
        wrongly=len(wrongly),
        wrongly_photos=sum(one.name == "the photos" for one in wrongly),
    )


def scores(seen: Sequence[Seen]) -> dict[str, Score]:
    """Of every check that some picture had to fail."""
    return {check: score(seen, check) for check in RULES if any(one.must == check for one in seen)}


def kinds(seen: Sequence[Seen]) -> Iterator[str]:
    """A line for each kind of picture: how many fail what they must, and what else."""
    for name in dict.fromkeys(one.name for one in seen):
        group = [one for one in seen if one.name == name]
        must = group[0].must
        right = sum(must in one.fails if must else not one.fails for one in group)
        others = [check for one in group for check in sorted(one.fails - one.may) if check != must]
        wrong = ", ".join(f"{others.count(check)} {check}" for check in dict.fromkeys(others))
        yield f"{name:<22} {must or 'none':<11} {right:>4} of {len(group):<4} {wrong}"


def roc_area(bad: Sequence[float], good: Sequence[float]) -> float:
    """The chance that a bad picture's value is above a good one's."""
    return float(np.mean(np.array(bad)[:, None] > np.array(good)[None]))


def laplacian(work: npt.NDArray[np.uint8]) -> float:
    """The 95th percentile over 8 x 8 tiles of the variance of the Laplacian."""
    g = work.astype(np.int16)
    bends = g[1:-1, 2:] + g[1:-1, :-2] + g[2:, 1:-1] + g[:-2, 1:-1] - 4 * g[1:-1, 1:-1]
    return float(np.percentile(scales.tile_energies(bends), 95))


def sharpness(work: npt.NDArray[np.uint8]) -> float:
    return blur.sharpness(work, noise=0.0)


def immerkaer(luma: npt.NDArray[np.uint8]) -> float:
    """Immerkaer's estimate of the whole picture."""
    g = luma.astype(np.int16)
    across = g[:, 2:] - 2 * g[:, 1:-1] + g[:, :-2]
    return float(np.abs(across[2:] - 2 * across[1:-1] + across[:-2]).mean() * np.sqrt(np.pi / 2) / 6)


def common_colours(picture: Picture) -> float:
    """The share of the ten commonest colours at 200 pixels."""
    small = picture.convert("RGB").resize(scaled(picture, 200).size, Image.Resampling.NEAREST)
    counts = small.getcolors(small.width * small.height) or []
    return sum(sorted((count for count, _ in counts), reverse=True)[:10]) / (small.width * small.height)


def luma_of(file: bytes) -> npt.NDArray[np.uint8]:
    return decoding.decode(file, CollectSection()).luma


def why(photos: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    """What is in common use beside what is used here, on the same pictures."""
    pictures = [shown(data) for _, data in photos]
    rng = np.random.default_rng(4)
    sharp = [luma_of(jpeg(picture)) for picture in pictures]
    for sigma in (1.0, 1.5, 2.0):
        soft = [luma_of(jpeg(blurred(sigma)(picture, rng))) for picture in pictures]
        for name, measure in (("variance of the Laplacian", laplacian), ("sharpness", sharpness)):
            area = roc_area(*([measure(scales.work(one)) for one in group] for group in (sharp, soft)))
            yield f"blur {sigma}: {name:<40} {area:.3f}"
    for sigma in (10, 15):
        loud = [decoding.decode(noisy(sigma)(picture, rng), CollectSection()).luma for picture in pictures]
        for name, told in (("Immerkaer's noise", immerkaer), ("noise without texture", noise.noise)):
            area = roc_area(*([told(one) for one in group] for group in (loud, sharp)))
            yield f"noise {sigma}: {name:<39} {area:.3f}"
    drawn = [draw(np.random.default_rng([3, copy])) for draw in DRAWINGS for copy in range(10)]
    files = [jpeg(picture, 75) for picture in drawn]
    reopened = [Image.open(io.BytesIO(file)) for file in files]
    for kind, group in (("colour", pictures), ("grey", [picture.convert("L") for picture in pictures])):
        area = roc_area(*([common_colours(one) for one in many] for many in (reopened, group)))
        yield f"drawn, photos in {kind + ':':<7} ten commonest colours           {area:.3f}"
        works = ([luma_of(file) for file in files], [luma_of(jpeg(one)) for one in group])
        area = roc_area(*([graphics.drawn(scales.work(one)) for one in many] for many in works))
        yield f"drawn, photos in {kind + ':':<7} alike neighbours and hard edges {area:.3f}"


def speed(photos: Sequence[tuple[str, bytes]]) -> str:
    """Milliseconds of processor time for one look at pictures of 800 pixels, in one thread."""
    files = [jpeg(shown(data)) for _, data in photos]
    files = [file for file in files if max(Image.open(io.BytesIO(file)).size) == SHOWN]
    times = []
    for file in files * 5:
        started = time.thread_time()
        look(file, CollectSection())
        times.append(time.thread_time() - started)
    size = sum(map(len, files)) / len(files) / 1000
    return f"a look at {SHOWN} pixels, {size:.0f} kB: median {np.median(times) * 1000:.2f} ms of one core"


@click.command()
@click.option(
    "--photos", type=click.Path(path_type=Path, file_okay=False), default=PHOTOS, show_default=False
)
@click.option("--quick", is_flag=True, help="30 copies instead of 27 of each photo and 70 drawings.")
def main(photos: Path, quick: bool) -> None:
    """Precision and recall of the checks."""
    files = photographs(photos)
    started = time.perf_counter()
    seen = list(collection(files, quick))
    click.echo(f"{len(files)} photos, {len(seen) - len(files)} copies and drawings, all at the defaults")
    click.echo(f"\n{'picture':<22} must fail     rightly   and fail, wrongly")
    for line in kinds(seen):
        click.echo(line)
    click.echo("\ncheck        must fail  caught  wrongly  (photos)  precision  recall")
    for check, got in scores(seen).items():
        click.echo(
            f"{check:<12} {got.must:>9} {got.caught:>7} {got.wrongly:>8} {got.wrongly_photos:>9}"
            f" {got.precision:>10.3f} {got.recall:>7.3f}"
        )
    if not quick:
        click.echo("\nwhy: area under the ROC curve")
        for line in why(files):
            click.echo(line)
    click.echo(f"\n{speed(files)}")
    click.echo(f"{time.perf_counter() - started:.0f} s, Pillow {PIL.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
