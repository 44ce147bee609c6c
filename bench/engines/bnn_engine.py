"""This engine, through the C interface of libbnn.so (engine/include/bnn/bnn.h). The input comes as NCHW, as the other
engines' does; a network of NHWC images gets it transposed once.

Options: "library", the path of libbnn.so.
"""

import array
import ctypes
import os
from collections.abc import Callable

_MAX_RANK = 8
_LAYOUT_NHWC = 2


class _Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 1020)]


class _ModelOptions(ctypes.Structure):
    """The first fields of bnn_model_options: struct_size tells the library that these are all."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("batch", ctypes.c_int64),
        ("threads", ctypes.c_int32),
        ("max_isa", ctypes.c_char_p),
    ]


class _TensorInfo(ctypes.Structure):
    """The first fields of bnn_tensor_info."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("rank", ctypes.c_int32),
        ("dims", ctypes.c_int64 * _MAX_RANK),
        ("bytes", ctypes.c_size_t),
        ("layout", ctypes.c_int),
    ]


class _Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]


def _open_library(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    handle = ctypes.c_void_p
    error = ctypes.POINTER(_Error)
    info = ctypes.POINTER(_TensorInfo)
    buffers = ctypes.POINTER(_Buffer)
    signatures = {
        "bnn_version": (ctypes.c_char_p, []),
        "bnn_cpu_isa": (ctypes.c_char_p, []),
        "bnn_model_load": (
            ctypes.c_int,
            [ctypes.c_char_p, ctypes.POINTER(_ModelOptions), ctypes.POINTER(handle), error],
        ),
        "bnn_model_num_inputs": (ctypes.c_size_t, [handle]),
        "bnn_model_num_outputs": (ctypes.c_size_t, [handle]),
        "bnn_model_input_info": (ctypes.c_int, [handle, ctypes.c_size_t, info, error]),
        "bnn_model_output_info": (ctypes.c_int, [handle, ctypes.c_size_t, info, error]),
        "bnn_session_create": (ctypes.c_int, [handle, ctypes.c_void_p, ctypes.POINTER(handle), error]),
        "bnn_session_run": (
            ctypes.c_int,
            [handle, buffers, ctypes.c_size_t, buffers, ctypes.c_size_t, error],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


class Engine:
    """One model with one session. Its input and output are buffers of this object, so that a run copies nothing."""

    def __init__(self, model: str, threads: int, options: dict[str, str]) -> None:
        self._library = _open_library(options["library"])
        self._error = _Error()
        self._memory: list[ctypes.Array[ctypes.c_char]] = []  # what the buffers point to
        self._model = ctypes.c_void_p()
        self._session = ctypes.c_void_p()
        model_options = _ModelOptions(ctypes.sizeof(_ModelOptions), 1, threads, None)
        self._check(
            self._library.bnn_model_load(
                os.fsencode(model), ctypes.byref(model_options), ctypes.byref(self._model), ctypes.byref(self._error)
            )
        )
        self._check(
            self._library.bnn_session_create(
                self._model, None, ctypes.byref(self._session), ctypes.byref(self._error)
            )
        )
        self._inputs, infos = self._buffers(self._library.bnn_model_num_inputs, self._library.bnn_model_input_info)
        self._outputs, _ = self._buffers(self._library.bnn_model_num_outputs, self._library.bnn_model_output_info)
        if len(self._inputs) != 1:
            raise ValueError(f"{model} has {len(self._inputs)} inputs, expected 1")
        self.version = self._library.bnn_version().decode()
        self.detail = self._library.bnn_cpu_isa().decode()
        self.input_floats = self._inputs[0].bytes // 4
        self._channels = infos[0].dims[3] if infos[0].layout == _LAYOUT_NHWC else 0  # of NHWC

    def set_input(self, data: bytes) -> None:
        if self._channels:
            planes = array.array("f", data)
            pixels = len(planes) // self._channels
            image = array.array("f", bytes(len(data)))
            for c in range(self._channels):
                image[c :: self._channels] = planes[c * pixels : (c + 1) * pixels]
            data = image.tobytes()
        ctypes.memmove(self._inputs[0].data, data, len(data))

    def run(self) -> None:
        status = self._library.bnn_session_run(
            self._session, self._inputs, len(self._inputs), self._outputs, len(self._outputs), self._error
        )
        if status != 0:
            self._check(status)

    def output(self) -> bytes:
        return b"".join(ctypes.string_at(buffer.data, buffer.bytes) for buffer in self._outputs)

    def _check(self, status: int) -> None:
        if status != 0:
            raise RuntimeError(self._error.message.decode())

    def _buffers(
        self, count: Callable[..., int], describe: Callable[..., int]
    ) -> "tuple[ctypes.Array[_Buffer], list[_TensorInfo]]":
        buffers = (_Buffer * count(self._model))()
        infos = []
        for i, buffer in enumerate(buffers):
            info = _TensorInfo(struct_size=ctypes.sizeof(_TensorInfo))
            self._check(describe(self._model, i, ctypes.byref(info), ctypes.byref(self._error)))
            memory = ctypes.create_string_buffer(info.bytes)
            self._memory.append(memory)
            buffer.data = ctypes.addressof(memory)
            buffer.bytes = info.bytes
            infos.append(info)
        return buffers, infos
