"""`photojury doctor`: what this machine has of what photojury can use."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

import click

from photojury.options import json_option

NEEDED = (
    "requests", "boto3", "flickrapi", "numpy", "pandas", "scipy", "statsmodels", "sqlalchemy", "pyarrow",
    "pillow", "simplejpeg", "imagehash", "scikit-image", "scikit-learn", "matplotlib", "starlette", "uvicorn", "torch", "torchvision",
    "streamlit",
)  # fmt: skip
OPTIONAL = {"psycopg": "studies in PostgreSQL", "av": "key frames of films", "tensorboard": "training curves"}

# What each key opens; only whether it is set is ever shown.
KEYS = {
    "FLICKR_API_KEY": "collecting from Flickr (new keys are for paying members of Flickr)",
    "FLICKR_API_SECRET": "collecting from Flickr",
    "GOOGLE_API_KEY": "collecting from Google, whose API ends on 2027-01-01",
    "GOOGLE_CSE_ID": "collecting from Google: the id of your search engine",
    "OPENVERSE_CLIENT_ID": "more calls an hour to Openverse, which also answers without",
    "OPENVERSE_CLIENT_SECRET": "more calls an hour to Openverse",
    "PROLIFIC_TOKEN": "raters from Prolific",
    "AWS_ACCESS_KEY_ID": "a marketplace or S3 that asks for it",
    "AWS_SECRET_ACCESS_KEY": "a marketplace or S3 that asks for it",
    "AWS_ENDPOINT_URL_MTURK": "a marketplace other than the study's",
    "PHOTOJURY_SALT": "hiding worker ids; a file of yours is made on first use instead",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "firefox")

Row = tuple[str, str, bool]


@click.command(epilog="Example: photojury doctor")
@json_option
def doctor(as_json: bool) -> None:
    """Say what is installed, which keys are set (never their values), and what is missing."""
    sections = {
        "Python": [("python", platform.python_version(), True), ("processors", str(os.cpu_count()), True)],
        "Packages": [_package(name, "") for name in NEEDED],
        "Optional": [_package(name, use) for name, use in OPTIONAL.items()],
        "Machine": [_gpu(), _video(), _weights(), _browser()],
        "Keys": [_key(name, use) for name, use in KEYS.items()],
    }
    missing = [name for name, _, ok in sections["Packages"] if not ok]
    if as_json:
        import json

        found = {title: {name: text for name, text, _ in rows} for title, rows in sections.items()}
        click.echo(json.dumps({**found, "missing": missing}, indent=2))
    else:
        for title, rows in sections.items():
            click.echo(click.style(title, bold=True))
            for name, text, ok in rows:
                click.echo(f"  {'✓' if ok else '–'} {name:24} {text}")
        click.echo("\nEverything needed is here." if not missing else f"\nMissing: {', '.join(missing)}.")
    if missing:
        raise click.exceptions.Exit(1)


def _package(name: str, use: str) -> Row:
    try:
        return name, importlib.metadata.version(name), True
    except importlib.metadata.PackageNotFoundError:
        return name, f"not installed{': ' + use if use else ''}", False


def _key(name: str, use: str) -> Row:
    there = bool(os.environ.get(name))
    return name, "set" if there else f"not set; for {use}", there


def _gpu() -> Row:
    try:
        import torch
    except ImportError:
        return "GPU", "unknown: torch is not installed", False
    if not torch.cuda.is_available():
        return "GPU", "none; training runs on the CPU", False
    return "GPU", ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())), True


def _video() -> Row:
    if importlib.util.find_spec("av") is None:
        return "film decoding", 'not there; pip install "photojury[video]"', False
    import av

    return "film decoding", f"PyAV {av.__version__} with {len(av.codecs_available)} codecs", True


def _weights() -> Row:
    import contextlib

    folder = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")) / "hub" / "checkpoints"
    found: list[str] = []
    with contextlib.suppress(OSError):
        found = sorted(path.name for path in folder.iterdir() if path.suffix == ".pth")
    return (
        "ImageNet weights",
        ", ".join(found) or f"none in {folder}; photojury downloads none: put torchvision's file there",
        bool(found),
    )


def _browser() -> Row:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    return "browser", path or "none found; needed to rate by hand and for browser tests", path is not None
