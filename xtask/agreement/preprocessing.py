"""How pictures reach FID's Inception: TensorFlow 1's bilinear scaling to 299x299, then (x - 128) / 128."""

import torch

SIDE = 299


def scaled(pictures):
    """[n, 3, height, width] in 0..255; output pixel i reads input i * side / 299, edges repeated."""
    height, width = pictures.shape[2:]
    theta = torch.eye(2, 3)
    theta[0, 2] = 1 / width - 1 / SIDE
    theta[1, 2] = 1 / height - 1 / SIDE
    theta = theta.expand(len(pictures), 2, 3)
    grid = torch.nn.functional.affine_grid(theta, (len(pictures), 3, SIDE, SIDE), align_corners=False)
    return torch.nn.functional.grid_sample(pictures, grid, "bilinear", "border", align_corners=False) / 128 - 1
