"""The PyTorch peer's generator as an ONNX file, random weights and all, for runtimes that read those.

    python3 r3gan_onnx.py --preset cifar10 --batch 1 --out cifar10.onnx

Inputs: z [batch, 64] and, for a conditional preset, y [batch, classes], one-hot. Output: x [batch, 3, side, side].
"""
import argparse, warnings
import torch
from r3gan_torch import Generator, PRESETS


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--preset', choices=PRESETS, default='demo32'); a.add_argument('--batch', type=int, default=1); a.add_argument('--out', required=True)
    o = a.parse_args()
    torch.manual_seed(0)
    z, w, c, k, classes = PRESETS[o.preset]
    G = Generator(z, w, c, k, classes, False).eval()
    # Weights that begin as zeros would be stored once for all, and additions of zeros left out: no trained file is so light.
    for weight in G.parameters():
        if not weight.any(): torch.nn.init.normal_(weight, 0, 0.02)
    inputs = {'z': torch.randn(o.batch, z)}
    if classes: inputs['y'] = torch.nn.functional.one_hot(torch.arange(o.batch) % classes, classes).float()
    with warnings.catch_warnings():
        # The exporter that writes from a trace needs no further package, and calls itself old.
        warnings.simplefilter('ignore')
        torch.onnx.export(G, tuple(inputs.values()), o.out, input_names=list(inputs), output_names=['x'], opset_version=17, dynamo=False)


if __name__ == '__main__':
    main()
