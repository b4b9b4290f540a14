"""Image networks that a paper's head stands on: pictures in, a grid of features out.

Takes in a backbone's name; gives out a module. `prepare` is the part without learned weights, done once for
each picture; the module itself goes from that to (n, channels, grid, grid). Weights are never fetched from
the network.

    >>> backbone = build("small", weights="none")
    >>> backbone(backbone.prepare(torch.rand(2, 3, 256, 256))).shape
    torch.Size([2, 16, 4, 4])
"""

from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.nn import functional

from photojury.errors import InputError, unknown_name

VGG16_FILE = "vgg16-397923af.pth"
"""torchvision's ImageNet weights of VGG16, as torch's cache names them."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Channel mean and standard deviation in RGB that torchvision's weights were trained with."""


class Backbone(nn.Module):
    """What a head needs to know of a backbone: its channels, and how its pictures are made ready."""

    channels: int

    def prepare(self, images: torch.Tensor) -> torch.Tensor:
        """What is computed once per picture, from (n, 3, size, size) RGB in [0, 1]."""
        return images

    def calibrate(self, prepared: torch.Tensor) -> None:
        """Look at all prepared training pictures once, before training."""


class Vgg16(Backbone):
    """VGG16's conv1_1 to pool5 (Simonyan and Zisserman 2015): 512 channels, 7 x 7 at 224 pixels."""

    channels = 512

    def __init__(self) -> None:
        super().__init__()
        self.layers = torchvision.models.vgg16(weights=None).features
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layers((images - self.get_buffer("mean")) / self.get_buffer("std"))
        return features


class Small(Backbone):
    """A compact net for CPUs and small studies: a fixed first layer, then some hundred learned weights.

    A net that starts at random does not learn to see blur or noise from fifty pictures. So its first layer is
    fixed (`measures`) and only two 1 x 1 convolutions learn from it. While training, each measure of each
    picture is shifted by normal noise of `jitter` standard deviations, as another photograph would shift it.
    """

    channels = 16

    def __init__(self, jitter: float = 0.0) -> None:
        super().__init__()
        self.jitter = jitter
        self.register_buffer("mean", torch.zeros(1, MEASURES, 1, 1))
        self.register_buffer("std", torch.ones(1, MEASURES, 1, 1))
        self.layers = nn.Sequential(
            nn.Conv2d(MEASURES, self.channels, 1),
            nn.ReLU(),
            nn.Conv2d(self.channels, self.channels, 1),
            nn.ReLU(),
        )

    def prepare(self, images: torch.Tensor) -> torch.Tensor:
        """The (n, 20, 4, 4) measures."""
        return measures(images)

    def calibrate(self, prepared: torch.Tensor) -> None:
        """Take the mean and deviation of each measure over the training pictures, to standardise with."""
        self.get_buffer("mean").copy_(prepared.mean((0, 2, 3), keepdim=True))
        self.get_buffer("std").copy_(prepared.std((0, 2, 3), keepdim=True) + 1e-6)

    def forward(self, prepared: torch.Tensor) -> torch.Tensor:
        inputs = (prepared - self.get_buffer("mean")) / self.get_buffer("std")
        if self.training and self.jitter:
            inputs = inputs + self.jitter * torch.randn_like(inputs[:, :, :1, :1])
        features: torch.Tensor = self.layers(inputs)
        return features


SCALES = 3
GRID = 4
MEASURES = 5 + 5 * SCALES
CRUSHED, BLOWN = 0.03, 0.97
"""Lightness below and above which a pixel counts as lost in shadow or in light."""


def measures(images: torch.Tensor) -> torch.Tensor:
    """What the net `Small` is shown of a picture, in each cell of a 4 x 4 grid.

    Lightness (mean and spread), share of crushed and of blown pixels, and saturation; and at full, half and quarter size five statistics of the lightness x normalised by its
    local mean and deviation, which hardly depend on what is shown but on how sharp and noisy it is (after
    Mittal, Moorthy, Bovik 2012, "No-Reference Image Quality Assessment in the Spatial Domain"): log of the
    local deviation, correlation of straight and of diagonal neighbours, E|x|^2 / E x^2, and E x^2.

    Args:
        images: (n, 3, size, size) RGB in [0, 1], size at least 64.

    Returns:
        (n, 20, 4, 4); a mirrored picture gives the mirrored measures.
    """
    red, green, blue = images.unbind(1)
    light = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)  # ITU-R BT.601 luma
    saturation = (images.amax(1) - images.amin(1)).unsqueeze(1)
    means = _cells(torch.cat([light, light < CRUSHED, light > BLOWN, saturation], dim=1))
    spread = (_cells(light**2) - means[:, :1] ** 2).clamp_min(0).sqrt()
    found = [means, spread]
    for _ in range(SCALES):
        found.append(_texture(light))
        light = functional.avg_pool2d(light, 2)
    return torch.cat(found, dim=1)


def measures_of(image: torch.Tensor) -> torch.Tensor:
    """`measures` of one picture, (3, size, size) to (20, 4, 4); top-level, so that workers can be sent it."""
    return measures(image.unsqueeze(0)).squeeze(0)


def _texture(light: torch.Tensor) -> torch.Tensor:
    """The five statistics of one scale: (n, 1, h, w) to (n, 5, 4, 4)."""
    mean = _blur(light)
    deviation = (_blur(light**2) - mean**2).clamp_min(0).sqrt()
    x = (light - mean) / (deviation + 0.01)
    energy = _cells(x**2) + 1e-3
    straight = _cells(x[..., 1:] * x[..., :-1]) + _cells(x[..., 1:, :] * x[..., :-1, :])
    diagonal = _cells(x[..., 1:, 1:] * x[..., :-1, :-1]) + _cells(x[..., 1:, :-1] * x[..., :-1, 1:])
    shape = _cells(x.abs()) ** 2 / energy
    local = _cells((deviation + 0.005).log())
    return torch.cat([local, straight / energy, diagonal / energy, shape, energy], dim=1)


def _cells(maps: torch.Tensor) -> torch.Tensor:
    return functional.adaptive_avg_pool2d(maps, GRID)


def _blur(light: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(functional.pad(light, [3, 3, 3, 3], mode="reflect"), 7, 1)


def build(name: str, *, weights: str, jitter: float = 0.0) -> Backbone:
    """Make a backbone.

    Args:
        name: vgg16 or small.
        weights: "imagenet" (torchvision's file in torch's cache), "none" (random), or a file's path; `small`
            has none to load.
        jitter: of `Small`.

    Raises:
        InputError: an unknown name, or weights that are not there or do not fit.
    """
    if name == "small":
        return Small(jitter)
    if name != "vgg16":
        raise unknown_name("backbone", name, ("vgg16", "small"))
    backbone = Vgg16()
    if weights != "none":
        state = vgg16_weights(weights, otherwise="train with --backbone small")
        features = {
            key.removeprefix("features."): value for key, value in state.items() if "features." in key
        }
        load_weights(backbone.layers, features, weights)
    return backbone


def vgg16_weights(weights: str, *, otherwise: str) -> dict[str, torch.Tensor]:
    """The state of torchvision's VGG16 from its cache ("imagenet") or a file, never from the network.

    Args:
        weights: "imagenet" or a file's path.
        otherwise: what can be done without weights, for the error's sentence.

    Raises:
        InputError: the file is not there, or holds no weights.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / VGG16_FILE
    path = cached if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise InputError(
            f"the weights of VGG16 are not at {path}; put torchvision's {VGG16_FILE} there, name another place "
            f"with --weights FILE, or {otherwise}"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    # A file that is something else makes torch raise almost anything (KeyError, UnpicklingError, ...).
    except Exception as error:  # noqa: BLE001
        raise InputError(f"{path} holds no torch weights ({type(error).__name__})") from None
    if not isinstance(state, dict):
        raise InputError(f"{path} holds no state of a network, but a {type(state).__name__}")
    return state


def load_weights(module: nn.Module, state: dict[str, torch.Tensor], source: str) -> None:
    """Load a state into a module, or say that it is of another network."""
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"the weights {source} are of another network: {str(error).splitlines()[0]}"
        ) from None
