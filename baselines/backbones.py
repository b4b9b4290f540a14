"""Image networks that a paper's head stands on: RGB in [0, 1] in, a grid of features out.

Takes in a backbone's name; gives out a module from (n, 3, size, size) float32 to (n, channels, grid, grid),
which does its own normalisation. Weights are never fetched from the network.

    >>> backbone = build("small", weights="none")
    >>> backbone(torch.rand(2, 3, 128, 128)).shape
    torch.Size([2, 32, 8, 8])
"""

from collections.abc import Callable
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
"""Channel mean and standard deviation that torchvision's weights were trained with."""


class Backbone(nn.Module):
    """A module that knows how many channels it gives out and at which size it likes its pictures."""

    channels: int
    size: int


class Vgg16(Backbone):
    """VGG16's conv1_1 to pool5 (Simonyan and Zisserman 2015): 512 channels, 7 x 7 at 224 pixels.

    Normalised with ImageNet's mean and deviation in RGB, as torchvision's weights want it.
    """

    channels = 512
    size = 224

    def __init__(self) -> None:
        super().__init__()
        self.layers = torchvision.models.vgg16(weights=None).features
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        normalised = (images - self.get_buffer("mean")) / self.get_buffer("std")
        features: torch.Tensor = self.layers(normalised)
        return features


class Small(Backbone):
    """A compact net for CPUs and small studies: a fixed first layer, then 4,000 learned weights.

    A net that starts at random cannot learn to see blur or noise from fifty pictures. So the first layer
    is fixed: in each cell of an 8 x 8 grid it measures the lightness, two colour-opponent channels and
    the saturation (their means), the spread of lightness, the share of crushed and of blown pixels,
    and, at three scales, the logarithm of the mean horizontal, vertical and Laplacian detail.
    Two convolutions (1 x 1, then 3 x 3) learn from these 18 measures, standardised by batch norm.
    """

    channels = 32
    size = 192
    grid = 8

    def __init__(self) -> None:
        super().__init__()
        self.standardise = nn.BatchNorm2d(16, affine=False)
        self.learned = nn.Sequential(
            nn.Conv2d(16, 32, 1), nn.ReLU(), nn.Conv2d(32, self.channels, 3, padding=1), nn.ReLU()
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.learned(self.standardise(measures(images, self.grid)))
        return features


def measures(images: torch.Tensor, grid: int) -> torch.Tensor:
    """The fixed first layer of `Small`: (n, 3, h, w) RGB in [0, 1] to (n, 16, grid, grid)."""
    red, green, blue = images.unbind(1)
    light = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)  # ITU-R BT.601 luma
    colour = torch.stack([red - green, (red + green) / 2 - blue, images.amax(1) - images.amin(1)], dim=1)
    clipped = torch.cat([light < 0.03, light > 0.97], dim=1).float()
    pooled = functional.adaptive_avg_pool2d(torch.cat([light, light**2, colour, clipped], dim=1), grid)
    mean, square, rest = pooled[:, :1], pooled[:, 1:2], pooled[:, 2:]
    spread = (square - mean**2).clamp_min(0).sqrt()
    found = [mean, spread, rest]
    for _ in range(3):
        found.append(functional.adaptive_avg_pool2d(_detail(light), grid).add(1e-3).log())
        light = functional.avg_pool2d(light, 2)
    return torch.cat(found, dim=1)


def _detail(light: torch.Tensor) -> torch.Tensor:
    """Absolute horizontal, vertical and Laplacian differences: (n, 1, h, w) to (n, 3, h - 2, w - 2)."""
    centre = light[:, :, 1:-1, 1:-1]
    left, right = light[:, :, 1:-1, :-2], light[:, :, 1:-1, 2:]
    above, below = light[:, :, :-2, 1:-1], light[:, :, 2:, 1:-1]
    laplacian = left + right + above + below - 4 * centre
    return torch.cat([right - left, below - above, laplacian], dim=1).abs()
