"""Exact and near duplicates on real photographs and edited copies of them: precision and recall, at the defaults.

    python benchmarks/copies.py                     # 72 photos, 29 edits of each: some 3 minutes
    python benchmarks/copies.py --quick             # every sixth photo: some seconds
    python benchmarks/copies.py --photos ~/Pictures # other photographs, all of them taken to be different

Pictures go the way of every source: intake, hash, `find_duplicates`. For each edit the photographs and their edited
copies are in one study. Three kinds of edits: copies, which are to be found; shots, as a second press of the
shutter makes them, of which only series can tell (docs/duplicates.md); and others, which are not to be found. Wrong
are pairs of different photographs, whatever the edit. At last all photographs and copies are in one study.

The squares: what hashes and thumbnails are worth where pictures have little in them. The photographs, cut into
squares of 32, 64 and 128 pixels, are some 50,000 little pictures; whatever pairs two of different photographs is wrong.
"""

import io
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import scipy.fft
from PIL import Image, ImageEnhance, ImageOps

from photojury.collect.alike.duplicates import Duplicates, find_duplicates
from photojury.collect.alike.thumbnails import SIDE
from photojury.collect.checks.looking import look
from photojury.collect.intake import examine, record
from photojury.datasets.hamming import near_pairs
from photojury.datasets.store import Study, create_study
from photojury.sections import BurstsSection, ChecksSection, CollectSection

Picture = Image.Image
PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "photos"
DEFAULTS = ChecksSection()


@dataclass(frozen=True)
class Edit:
    """A way to make another file of a photograph; kind is copy, shot or other."""

    kind: str
    name: str
    make: Callable[[Picture], bytes]


def coded(picture: Picture, format: str = "JPEG", quality: int = 90) -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    picture.save(file, format, quality=quality)
    return file.getvalue()


def scaled(picture: Picture, longest: int) -> Picture:
    """The picture with this longer side, in pixels."""
    share = longest / max(picture.size)
    size = tuple(max(1, round(side * share)) for side in picture.size)
    return picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def cropped(picture: Picture, share: float) -> Picture:
    """Without this share of width and height on each side."""
    width, height = picture.size
    left, top = round(width * share), round(height * share)
    return picture.crop((left, top, width - left, height - top))


def shot(picture: Picture, share: float) -> Picture:
    """The scene from a hand that moved: each corner of the frame moves by up to this share of it, twice."""
    rng = np.random.default_rng(round(share * 1e6) + picture.width)
    width, height = picture.size
    corners = np.array([(0, 0), (0, 1), (1, 1), (1, 0)], float)
    inwards = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)], float)
    corners += inwards * rng.uniform(0, 2 * share, (4, 2))
    return picture.transform(
        picture.size,
        Image.Transform.QUAD,
        (corners * (width, height)).ravel().tolist(),
        Image.Resampling.BICUBIC,
    )


def resized(longest: int, picture: Picture) -> bytes:
    """The picture with this longer side."""
    return coded(scaled(picture, longest))


def recompressed(quality: int, picture: Picture) -> bytes:
    """The picture as a JPEG of this quality."""
    return coded(picture, quality=quality)


def trimmed(share: float, picture: Picture) -> bytes:
    """The picture without this share on each side."""
    return coded(cropped(picture, share))


def exposed(factor: float, picture: Picture) -> bytes:
    """The picture with its brightness times this."""
    return coded(ImageEnhance.Brightness(picture).enhance(factor))


def moved(share: float, picture: Picture) -> bytes:
    """A shot from a hand that moved."""
    return coded(shot(picture, share))


def edits() -> Iterator[Edit]:
    """All edits, of little change first."""
    for longest in (640, 320, 150):
        yield Edit("copy", f"resized to {longest} px", partial(resized, longest))
    yield Edit("copy", "enlarged twice", lambda p: coded(scaled(p, 2 * max(p.size))))
    for quality in (80, 60, 30, 10):
        yield Edit("copy", f"JPEG quality {quality}", partial(recompressed, quality))
    yield Edit("copy", "PNG", lambda p: coded(p, "PNG"))
    yield Edit("copy", "WebP quality 50", lambda p: coded(p, "WEBP", 50))
    yield Edit("copy", "GIF, 128 colours", lambda p: coded(p.quantize(128), "GIF"))
    for share in (0.005, 0.01, 0.02):
        yield Edit("copy", f"cropped {share:.1%} a side", partial(trimmed, share))
    for factor in (0.7, 1.2, 1.5):
        yield Edit("copy", f"brightness x {factor}", partial(exposed, factor))
    yield Edit("copy", "contrast x 1.4", lambda p: coded(ImageEnhance.Contrast(p).enhance(1.4)))
    yield Edit("copy", "colour x 2", lambda p: coded(ImageEnhance.Color(p).enhance(2)))
    yield Edit("copy", "grey", lambda p: coded(p.convert("L")))
    yield Edit("copy", "320 px, quality 60", lambda p: coded(scaled(p, 320), quality=60))
    for share in (0.005, 0.02, 0.04, 0.08):
        yield Edit("shot", f"frame moved {share:.1%}", partial(moved, share))
    yield Edit("other", "mirrored", lambda p: coded(ImageOps.mirror(p)))
    yield Edit("other", "turned by 90 degrees", lambda p: coded(p.transpose(Image.Transpose.ROTATE_90)))
    yield Edit("other", "cropped 20% a side", partial(trimmed, 0.2))
    yield Edit("other", "squeezed by 5 %", lambda p: coded(p.resize((round(p.width * 0.95), p.height))))


def take(study: Study, files: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """Take files in under their names; the image id of each that is stored, and of no duplicate."""
    outcomes = [
        ({"source": "urls", "source_id": name, "seen_at": 0.0}, examine(study, data)) for name, data in files
    ]
    with study.writing() as connection:
        states = record(connection, outcomes)
    return {
        name: outcome.look.facts.image_id
        for (name, _), (_, outcome), state in zip(files, outcomes, states, strict=True)
        if state == "stored" and outcome.look
    }


def compared(study: Study) -> Duplicates:
    """What `collect check` would mark."""
    with study.engine.connect() as connection:
        return find_duplicates(study, connection)


def new_study(folder: Path) -> Study:
    """An empty study, gone with its folder; every size is taken."""
    return create_study(folder / "study", "copies")


def near_by_hash(study: Study, photos: dict[str, str], copies: dict[str, str]) -> int:
    """How many copies have a hash within the distance of their photograph's."""
    frame = study.read("images").set_index("image_id")["phash"]
    bits = [
        (int(frame[photos[name]], 16) ^ int(frame[copies[name]], 16)).bit_count()
        for name in photos
        if name in copies
    ]
    return sum(bit <= DEFAULTS.near_duplicate_distance for bit in bits)


def score(edit: Edit, photos: dict[str, Picture], originals: dict[str, bytes]) -> tuple[int, int, int, int]:
    """Copies made, near by their hash alone, found, and wrong pairs."""
    with tempfile.TemporaryDirectory() as folder:
        study = new_study(Path(folder))
        known = take(study, [(f"{name}", data) for name, data in originals.items()])
        made = take(study, [(f"copy of {name}", edit.make(picture)) for name, picture in photos.items()])
        copies = {name.removeprefix("copy of "): image for name, image in made.items()}
        name_of = {image: name for names in (known, copies) for name, image in names.items()}
        pairs = compared(study).pairs
        right = sum(name_of[pair.image_id] == name_of[pair.other_id] for pair in pairs)
        near = near_by_hash(study, known, copies)
        study.close()
    return len(copies), near, right, len(pairs) - right


def exact(originals: dict[str, bytes]) -> str:
    """The same bytes under other names, and different bytes."""
    with tempfile.TemporaryDirectory() as folder:
        study = new_study(Path(folder))
        first = take(study, list(originals.items()))
        again = take(study, [(f"again {name}", data) for name, data in originals.items()])
        study.close()
    total = len(originals)
    return (
        f"exact duplicates: {total - len(again)} of {total} found (recall {1 - len(again) / total:.3f}), "
        f"{total - len(first)} of {total} different files taken for one"
    )


def together(photos: dict[str, Picture], originals: dict[str, bytes], chosen: Sequence[Edit]) -> str:
    """All photographs with all their copies: one of each is to stay."""
    with tempfile.TemporaryDirectory() as folder:
        study = new_study(Path(folder))
        files = list(originals.items())
        for edit in chosen:
            files += [(f"{name}|{edit.name}", edit.make(picture)) for name, picture in photos.items()]
        name_of = {image: name.partition("|")[0] for name, image in take(study, files).items()}
        start = time.perf_counter()
        found = compared(study)
        seconds = time.perf_counter() - start
        study.close()
    right = sum(name_of[pair.image_id] == name_of[pair.other_id] for pair in found.pairs)
    wanted = len(name_of) - len(photos)
    return (
        f"all together: {len(name_of)} pictures in {seconds:.1f} s, {len(found.pairs)} marked, "
        f"precision {right / max(1, len(found.pairs)):.3f}, recall {right / wanted:.3f}; "
        f"{len(found.rejected)} near by their hash and no copies"
    )


def neighbours(photos: dict[str, Picture], originals: dict[str, bytes]) -> list[str]:
    """Lines: which pictures `collect series` takes for neighbours in a series, if their times allow it."""
    first = {name: _phash(data) for name, data in originals.items()}
    limit = BurstsSection().distance
    pairs = [(one ^ other).bit_count() for one, other in itertools.combinations(first.values(), 2)]
    near = sum(bits <= limit for bits in pairs)
    share = near / len(pairs)
    lines = [
        f"series: hashes at most {limit} bits apart have, of different photographs, {share:.2%} of the pairs"
    ]
    for share in (0.02, 0.04, 0.08, 0.12):
        apart = [first[name] ^ _phash(moved(share, picture)) for name, picture in photos.items()]
        lines.append(
            f"    of shots with the frame moved by up to {share:.0%}: {sum(bits.bit_count() <= limit for bits in apart)} of {len(apart)}"
        )
    return lines


def _phash(data: bytes) -> int:
    return int(look(data, CollectSection()).phash or "", 16)


def squares(photos: Sequence[Picture]) -> list[str]:
    """Lines of the table of squares: by how much is in them, pairs of different photographs that are near."""
    tiles, photo_of = [], []
    for number, photo in enumerate(photos):
        grey = np.asarray(photo.convert("L"), np.float32)
        for factor in (1, 2, 4):
            found = _tiles(grey, factor)
            tiles.append(found)
            photo_of += [number] * len(found)
    thumbnails = np.concatenate(tiles)
    owner = np.array(photo_of)
    spread = thumbnails.std(axis=(1, 2))
    units = thumbnails.reshape(len(thumbnails), -1)
    units = units - units.mean(axis=1, keepdims=True)
    units /= np.linalg.norm(units, axis=1, keepdims=True) + 1e-6
    lines = ["deviation  squares  pairs within 4 bits   a million    correlated over .8    .9   .95   .98"]
    for low, high in ((0, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 256)):
        rows = np.flatnonzero((spread >= low) & (spread < high))
        counts = np.zeros(5, int)
        for batch in near_pairs(_hashes(thumbnails[rows]), DEFAULTS.near_duplicate_distance):
            left, right = rows[batch.left], rows[batch.right]
            apart = owner[left] != owner[right]
            left, right = left[apart], right[apart]
            correlation = np.vecdot(units[left], units[right])
            counts += [len(left), *((correlation > least).sum() for least in (0.8, 0.9, 0.95, 0.98))]
        share = 1e6 * counts[0] / max(1, len(rows) * (len(rows) - 1) // 2)
        lines.append(
            f"{low:>4} to {high:<3} {len(rows):>7,} {counts[0]:>20,} {share:>11.2f}"
            + f"{counts[1]:>22}{counts[2]:>6}{counts[3]:>6}{counts[4]:>6}"
        )
    return lines


def _tiles(grey: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    """(n, 32, 32): squares of 32 * factor pixels, averaged."""
    side = SIDE * factor
    rows, columns = grey.shape[0] // side, grey.shape[1] // side
    whole = grey[: rows * side, : columns * side].reshape(rows, SIDE, factor, columns, SIDE, factor)
    tiles: npt.NDArray[np.float32] = whole.mean(axis=(2, 5)).transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE)
    return tiles


def _hashes(thumbnails: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """imagehash's phash of (n, 32, 32) pictures: which of the 8 x 8 lowest frequencies exceed their median."""
    low = scipy.fft.dctn(thumbnails, axes=(1, 2))[:, :8, :8].reshape(len(thumbnails), 64)
    bits = low > np.median(low, axis=1, keepdims=True)
    packed = np.packbits(bits, axis=1)
    return packed.view(np.uint64).ravel()


@click.command()
@click.option("--photos", "folder", type=click.Path(path_type=Path, exists=True), default=PHOTOS)
@click.option("--quick", is_flag=True, help="Every sixth photo: shows that the script works.")
def main(folder: Path, quick: bool) -> None:
    """Print precision and recall of exact and near duplicates."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    originals = {path.name: path.read_bytes() for path in (paths[::6] if quick else paths)}
    photos = {name: Image.open(io.BytesIO(data)).convert("RGB") for name, data in originals.items()}
    click.echo(exact(originals))
    click.echo(f"near duplicates of {len(photos)} photographs, each edit in a study of its own:")
    click.echo("kind   edit                      made  near by hash  found  recall  wrong pairs")
    totals: dict[str, list[int]] = {}
    chosen = list(edits())
    for edit in chosen:
        made, near, right, wrong = score(edit, photos, originals)
        click.echo(
            f"{edit.kind:6} {edit.name:24} {made:>5} {near:>13} {right:>6} {right / made:>7.3f} {wrong:>12}"
        )
        total = totals.setdefault(edit.kind, [0, 0, 0])
        totals[edit.kind] = [old + new for old, new in zip(total, (made, right, wrong), strict=True)]
    made, right, wrong = totals["copy"]
    false = totals["other"][1] + sum(total[2] for total in totals.values())
    click.echo(
        f"copies: recall {right / made:.3f} ({right} of {made}); precision {right / (right + false):.3f} "
        f"({false} of the others and of different photographs were taken for copies)"
    )
    click.echo(together(photos, originals, [edit for edit in chosen if edit.kind == "copy"]))
    click.echo("\n".join(neighbours(photos, originals)))
    click.echo("\n".join(squares(list(photos.values()))))


if __name__ == "__main__":
    main()
