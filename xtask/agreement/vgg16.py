"""A VGG16 with weights that any program can make, and what PyTorch makes of pictures with it.

    python vgg16.py features OUT   makes tests/fixtures/vgg16/features.safetensors
    python vgg16.py weights OUT    the weights as torchvision saves them, for torch-fidelity and `r3gan import`

No package brings the trained weights. These have the variance that keeps activations at their size (He et al. 2015); value
i of layer l, counted from 0, comes from a hash of both.
"""

import sys
import tempfile

import numpy as np
import torch
import torchvision
from safetensors.numpy import save_file
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16

from features import pictures


def hashed(count, layer):
    """In -0.5..0.5, 24 bits."""
    h = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(layer * 40503)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    return (h >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24) - np.float32(0.5)


def weights():
    values = {}
    network = torchvision.models.vgg16(init_weights=False)
    for name, old in network.state_dict().items():
        layer = len(values) // 2
        if name.endswith("weight"):
            scale = np.float32(np.sqrt(24 / old[0].numel()))
        else:
            layer, scale = layer + 100, np.float32(0.1)
        values[name] = torch.from_numpy(hashed(old.numel(), layer) * scale).reshape(old.shape)
    return values


@torch.inference_mode()
def main():
    what, out = sys.argv[1:]
    if what == "weights":
        torch.save(weights(), out)
        return
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(weights(), file.name)
        network = FeatureExtractorVGG16("vgg16", ["fc2_relu"], feature_extractor_weights_path=file.name)
    features = {}
    for count, side in ((3, 32), (1, 224)):
        x = torch.from_numpy(pictures(count, side)).permute(0, 3, 1, 2)
        (features[f"of_{side}"],) = (values.numpy() for values in network(x))
    save_file(features, out)


if __name__ == "__main__":
    main()
