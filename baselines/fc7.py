"""VGG16's fc7, the features that paper 1 draws its pairs with (section 3.2).

Takes in pictures and ImageNet weights, gives out 4,096 numbers for each: the second fully connected layer
after its ReLU, not normalised (who draws pairs does that).

    >>> describe = fc7_model("imagenet", "cpu")        # doctest: +SKIP
    >>> describe([picture]).shape                      # doctest: +SKIP
    (1, 4096)
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image

from photojury.baselines.backbones import IMAGENET_MEAN, IMAGENET_STD, load_weights, vgg16_weights
from photojury.baselines.devices import device_name

SIZE = 224


def fc7_model(weights: str, device: str) -> Callable[[Sequence[Image.Image]], NDArray[np.float32]]:
    """A function from n pictures to their (n, 4096) fc7.

    Args:
        weights: "imagenet" (torchvision's file in torch's cache) or a file's path.
        device: auto, cpu or cuda.

    Raises:
        InputError: the weights are not there or do not fit.
    """
    state = vgg16_weights(weights, otherwise="use --model classical, which needs none")
    network = torchvision.models.vgg16(weights=None)
    load_weights(network, state, weights)
    network.classifier = network.classifier[:5]  # Linear, ReLU, Dropout, Linear, ReLU
    where = torch.device(device_name(device))
    network.to(where).eval()

    def describe(pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            features: NDArray[np.float32] = network(_inputs(pictures).to(where)).float().cpu().numpy()
        return features

    return describe


def _inputs(pictures: Sequence[Image.Image]) -> torch.Tensor:
    """(n, 3, 224, 224), normalised as torchvision's weights want it; warped, so that nothing is cut off."""
    small = np.stack([np.array(p.resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for p in pictures])
    images = torch.from_numpy(small).permute(0, 3, 1, 2).float() / 255
    return (images - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
