"""Adds a classifier to an extractor that came without one: random weights, the same every time.

    python classifier.py EXTRACTOR OUT

The score that it gives means nothing, but implementations of it must agree.
"""

import sys

import numpy as np
from safetensors.numpy import load_file, save_file

weights = load_file(sys.argv[1])
weights["classifier.weight"] = (np.random.RandomState(0).randn(1008, 2048) * 0.05).astype(np.float32)
save_file(weights, sys.argv[2])
