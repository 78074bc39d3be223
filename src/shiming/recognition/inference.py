"""Engines that run model files: loaded once, one thread a call, shared by all threads of the process.

One call never uses more than one core: two proofs at a time then use two cores, and the time of one
proof does not depend on who else is being served.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiming.recognition.measurements import ModelUse
from shiming.recognition.model_files import ModelFile, ModelFiles

Tensor = NDArray[Any]
#: Called after each inference with the model's name, its seconds and the same inference as a bare call.
InferenceObserver = Callable[[str, float, Callable[[], object]], None]


def _no_observer(_name: str, _seconds: float, _bare: Callable[[], object]) -> None:
    return


class OnnxModel:
    """A model run by ONNX Runtime on the CPU."""

    def __init__(self, file: ModelFile, observer: InferenceObserver = _no_observer) -> None:
        import onnxruntime  # noqa: PLC0415 - half a second; only when a model is really run

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.use: ModelUse = file.use
        self._session = onnxruntime.InferenceSession(
            str(file.path), options, providers=["CPUExecutionProvider"]
        )
        self._observer = observer
        self.input_names: tuple[str, ...] = tuple(node.name for node in self._session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(node.name for node in self._session.get_outputs())

    def run(self, feeds: Mapping[str, Tensor], outputs: tuple[str, ...] = ()) -> list[Tensor]:
        """Run the model once; without `outputs`, all of them in the model's order."""
        wanted, given = list(outputs) or None, dict(feeds)
        started = time.perf_counter()
        result: list[Tensor] = self._session.run(wanted, given)
        self._observer(self.use.name, time.perf_counter() - started, lambda: self._session.run(wanted, given))
        return result

    def __call__(self, tensor: Tensor) -> list[Tensor]:
        """Run a model with one input."""
        return self.run({self.input_names[0]: tensor})


class LiteRtModel:
    """A `.tflite` model run by LiteRT. Interpreters hold state, so each running call borrows one."""

    def __init__(self, file: ModelFile, observer: InferenceObserver = _no_observer) -> None:
        self.use: ModelUse = file.use
        self._content = file.path.read_bytes()
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._observer = observer
        self._idle.put(self._new_interpreter())

    def _new_interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - loaded with the first model

        with _without_native_messages():
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            interpreter.allocate_tensors()
        return interpreter

    def __call__(self, tensor: Tensor) -> list[Tensor]:
        """Run the model once on its single input; returns copies of all outputs in the model's order."""
        try:
            interpreter = self._idle.get_nowait()
        except queue.Empty:
            interpreter = self._new_interpreter()
        try:
            started = time.perf_counter()
            result = _invoke(interpreter, tensor)
            self._observer(self.use.name, time.perf_counter() - started, lambda: _invoke(interpreter, tensor))
        finally:
            self._idle.put(interpreter)
        return result


_STDERR = 2
_native_messages = threading.Lock()


@contextmanager
def _without_native_messages() -> Iterator[None]:
    """Keep LiteRT's "Created XNNPACK delegate" off the user's screen; it has no switch for that line."""
    with _native_messages:
        kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            os.close(nowhere)


def _invoke(interpreter: Any, tensor: Tensor) -> list[Tensor]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
    interpreter.invoke()
    return [
        np.asarray(interpreter.get_tensor(output["index"])) for output in interpreter.get_output_details()
    ]


class ModelRuntime:
    """Loads engines on first use and keeps them; one a process, built in `entrypoints.wiring`."""

    def __init__(self, files: ModelFiles, observer: InferenceObserver | None = None) -> None:
        self.files = files
        self.observer: InferenceObserver = observer or _no_observer
        self._onnx: dict[str, OnnxModel] = {}
        self._litert: dict[str, LiteRtModel] = {}
        self._lock = threading.Lock()

    def onnx(self, name: str) -> OnnxModel:
        """Return the engine of an ONNX model; raises `Unavailable` if its file is missing or altered."""
        with self._lock:
            if name not in self._onnx:
                self._onnx[name] = OnnxModel(self.files.get(name), self.observer)
            return self._onnx[name]

    def litert(self, name: str) -> LiteRtModel:
        """Return the engine of a LiteRT model; raises `Unavailable` if its file is missing or altered."""
        with self._lock:
            if name not in self._litert:
                self._litert[name] = LiteRtModel(self.files.get(name), self.observer)
            return self._litert[name]
