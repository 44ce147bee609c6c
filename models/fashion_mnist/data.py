"""Fashion-MNIST for PyTorch: reading, preprocessing, augmentation. Used by all networks of models/ that learn it."""

import gzip
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")  # of Debian's dataset-fashion-mnist
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
HELD_OUT = 5000  # the last images of the training set: never trained on
MAX_SHIFT = 2  # pixels, augmentation


def read_idx(path):
    """One idx.gz file of unsigned bytes as an array: 2 zero bytes, type 8, rank, big-endian sizes, data."""
    with gzip.open(path, "rb") as file:
        raw = file.read()
    if raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: not an idx file of unsigned bytes")
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, part):
    images = torch.from_numpy(read_idx(folder / f"{part}-images-idx3-ubyte.gz").copy()).unsqueeze(1)
    labels = torch.from_numpy(read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(np.int64))
    return images, labels


def preprocess(images):
    """uint8 [N,1,28,28] -> float [N,1,28,28] in [0,1]. Whoever runs the exported network does the same."""
    return images.float() / 255


def augment(images, generator):
    """Mirrors one half of the images and shifts each by up to MAX_SHIFT pixels in both directions, zeros coming in."""
    n, _, height, width = images.shape
    mirrored = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
    images = torch.where(mirrored, images.flip(3), images)
    padded = F.pad(images, [MAX_SHIFT] * 4).squeeze(1)
    dy, dx = torch.randint(0, 2 * MAX_SHIFT + 1, (2, n, 1, 1), generator=generator)
    rows = dy + torch.arange(height).view(1, -1, 1)
    cols = dx + torch.arange(width).view(1, 1, -1)
    return padded[torch.arange(n).view(-1, 1, 1), rows, cols].unsqueeze(1)
