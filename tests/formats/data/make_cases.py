"""What the scripts that make .cases files share: data that is the same in every run, and the encoding."""
import struct

import numpy as np

TYPES = {np.dtype(np.float32): (0, np.float32), np.dtype(np.bool_): (2, np.int64)}


def rng(name):
    return np.random.default_rng(sum(name.encode()) * 7919)


def small_ints(name, *dims):
    """Floats that are small integers: their sums of products are exact in any order."""
    return rng(name).integers(-4, 5, size=dims).astype(np.float32)


def reals(name, *dims):
    return (rng(name).standard_normal(dims) * 2).astype(np.float32)


def f32(*values):
    return np.array(values, dtype=np.float32)


def i64(*values):
    return np.array(values, dtype=np.int64)


def write_string(blob):
    data = blob.encode() if isinstance(blob, str) else blob
    return struct.pack("<I", len(data)) + data


def write_tensor(name, array):
    code, kind = TYPES.get(array.dtype, (1, np.int64))
    head = write_string(name) + struct.pack("<BI", code, array.ndim) + struct.pack(f"<{array.ndim}q", *array.shape)
    return head + np.ascontiguousarray(array).astype(kind).tobytes()
