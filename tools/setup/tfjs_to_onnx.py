"""Convert the embedding part of a tfjs MobileNet graph to ONNX.

Only the operations that `faceres` uses between its input and its pooled features are known; the heads behind
them (age, gender) are never reached, so they are not in the file that Shiming loads. Tensors are NCHW inside;
the input stays NHWC as published.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 9
ELEMENTWISE = {"Add": "Add", "Mul": "Mul", "Relu": "Relu", "Minimum": "Min", "Maximum": "Max"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}


def read_weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, NDArray[Any]]:
    """Return all constants; 16-bit weights are widened to float32, int32 to int64 as ONNX wants indices."""
    weights: dict[str, NDArray[Any]] = {}
    for group in manifest:
        buffer = b"".join((folder / name).read_bytes() for name in group["paths"])
        offset = 0
        for item in group["weights"]:
            stored = np.dtype(item.get("quantization", {}).get("dtype", item["dtype"]))
            count = int(np.prod(item["shape"])) if item["shape"] else 1
            values = np.frombuffer(buffer, stored, count, offset).reshape(item["shape"])
            offset += count * stored.itemsize
            weights[item["name"]] = values.astype(np.int64 if item["dtype"] == "int32" else np.float32)
    return weights


def _text(attribute: dict[str, Any]) -> str:
    return base64.b64decode(attribute["s"]).decode()


class Conversion:
    """Walks back from the wanted output and emits one ONNX node for each operation needed."""

    def __init__(self, nodes: list[dict[str, Any]], weights: dict[str, NDArray[Any]]) -> None:
        self.nodes = {node["name"]: node for node in nodes}
        self.weights = weights
        self.emitted: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.done: set[str] = set()

    def emit(self, name: str) -> str:
        """Emit `name` after everything that it needs; return the name of its NCHW result."""
        if name in self.done:
            return name
        node = self.nodes[name]
        inputs = [given.removesuffix(":0") for given in node.get("input", [])]
        match node["op"]:
            case "Const":
                return self._constant(name)
            case "Placeholder":
                self._add("Transpose", [name], f"{name}/nchw", perm=[0, 3, 1, 2])
                return f"{name}/nchw"
            case operation if operation in CONVOLUTIONS:
                self._convolution(name, node, inputs)
            case operation if operation in ELEMENTWISE:
                self._add(ELEMENTWISE[operation], [self.emit(given) for given in inputs], name)
            case "Mean":
                self._add("ReduceMean", [self.emit(inputs[0])], name, axes=[2, 3], keepdims=0)
            case operation:
                raise ValueError(f"no conversion for {operation}")
        self.done.add(name)
        return name

    def _constant(self, name: str) -> str:
        values = self.weights[name]
        self.constants[name] = values.reshape(1, -1, 1, 1) if values.ndim == 1 else values
        return name

    def _convolution(self, name: str, node: dict[str, Any], inputs: list[str]) -> None:
        kernel = self.weights[inputs[1]]
        depthwise = node["op"] == "DepthwiseConv2dNative"
        height, width, channels, _ = kernel.shape
        turned = kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1)
        if depthwise:
            turned = turned.reshape(-1, 1, height, width)
        self.constants[f"{name}/W"] = np.ascontiguousarray(turned)
        attributes = node["attr"]
        self._add(
            "Conv",
            [self.emit(inputs[0]), f"{name}/W"],
            name,
            strides=[int(step) for step in attributes["strides"]["list"]["i"][1:3]],
            dilations=[int(step) for step in attributes["dilations"]["list"]["i"][1:3]],
            group=channels if depthwise else 1,
            auto_pad="SAME_UPPER" if _text(attributes["padding"]) == "SAME" else "VALID",
        )

    def _add(self, operation: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.emitted.append(helper.make_node(operation, inputs, [output], name=output, **attributes))


def convert(graph: Path, *, output: str, target: Path) -> None:
    """Write the part of the tfjs `graph` (a `.json` beside its `.bin`) that ends in `output`."""
    content = json.loads(graph.read_text("utf-8"))
    weights = read_weights(content["weightsManifest"], graph.parent)
    conversion = Conversion(content["modelTopology"]["node"], weights)
    conversion.emit(output)
    model = helper.make_model(
        helper.make_graph(
            [*conversion.emitted, helper.make_node("Identity", [output], ["embedding"])],
            graph.stem,
            [helper.make_tensor_value_info("input_1", TensorProto.FLOAT, ["N", 224, 224, 3])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", 1024])],
            [numpy_helper.from_array(values, name) for name, values in conversion.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))
