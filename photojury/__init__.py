"""photojury turns a question about pictures into a rated image dataset and a trained model."""

from pathlib import Path

__version__ = "0.1.0"

# Installed, the five folders sit inside this one; in a source checkout they sit beside it.
_here = Path(__file__).parent
if not (_here / "collect").is_dir():
    __path__.append(str(_here.parent))
