"""A learned descriptor finds candidates with the platform's own model, and never leaves the process."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import importlib.util
import json
import logging
import pickle
import sys

import numpy as np
import pytest

from staydown.fingerprint import UnknownFormat
from staydown.matching.errors import DescriptorsDiffer, ModelUnusable, OnnxRuntimeMissing
from staydown.matching.learned import (
    CANDIDATE_SIMILARITY,
    PACKAGE,
    PACKAGED_MODELS,
    LearnedDescriptor,
    LearnedModel,
    candidates,
)
from staydown.matching.second_look_pool import SecondLookPool
from tests.staydown.matching.scenes import jpeg, pixels, scene
from tests.staydown.matching.tiny_onnx import FLOAT, UINT8, mean_colour

BYTES_MODEL = mean_colour(UINT8, ["batch", "height", "width", 3], axes=[1, 2])
FLOAT_MODEL = mean_colour(FLOAT, [1, 3, 32, 32], axes=[2, 3])


def _of(colour):
    return np.full((40, 60, 3), colour, np.uint8)


RED, BLUE, PINK = _of((255, 0, 0)), _of((0, 0, 255)), _of((255, 0, 180))


def test_descriptors_of_alike_pictures_are_near_and_of_others_far():
    # Given a model that describes a picture by its mean colour
    model = LearnedModel(BYTES_MODEL)
    red, blue, pink = (model.describe(picture) for picture in (RED, BLUE, PINK))

    # Then the cosines are those of the colours
    assert red.similarity(red) == pytest.approx(1)
    assert red.similarity(blue) == pytest.approx(0)
    assert red.similarity(pink) == pytest.approx(255 / np.hypot(255, 180), abs=1e-2)


def test_model_of_floats_gets_the_colours_of_imagenet():
    # Given a model that wants normalised colours
    model = LearnedModel(FLOAT_MODEL)

    # When two colours are compared
    cosine = model.describe(RED).similarity(model.describe(BLUE))

    # Then the mean and deviation of ImageNet were taken off first
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    red, blue = (np.eye(3)[0] - mean) / deviation, (np.eye(3)[2] - mean) / deviation
    assert cosine == pytest.approx(red @ blue / np.linalg.norm(red) / np.linalg.norm(blue), abs=1e-5)


def test_model_is_given_pictures_in_the_size_that_it_wants():
    # Given models of any and of a fixed size; Then both say so
    assert (LearnedModel(BYTES_MODEL).fit, LearnedModel(BYTES_MODEL).side) == ("shorter", 288)
    assert (LearnedModel(FLOAT_MODEL).fit, LearnedModel(FLOAT_MODEL).side) == ("square", 32)


def test_small_copies_from_the_pool_describe_as_the_file_does():
    # Given a file from a stranger
    model, data = LearnedModel(BYTES_MODEL), jpeg(scene(1))

    # When its pixels come from the pool
    with SecondLookPool() as pool:
        safe = model.describe(pool.pixels(data, fit=model.fit, side=model.side))

    # Then the descriptor is the same
    assert safe.similarity(model.describe(data)) == pytest.approx(1, abs=1e-6)


def test_candidates_are_the_similar_ones_and_the_most_similar_first():
    # Given descriptors of several pictures
    model = LearnedModel(BYTES_MODEL)
    others = [("blue", model.describe(BLUE)), ("pink", model.describe(PINK)), ("red", model.describe(RED))]

    # When candidates for a red one are asked for
    found = candidates(model.describe(RED), others)

    # Then blue is none
    assert [name for name, _ in found] == ["red", "pink"]
    assert all(similarity >= CANDIDATE_SIMILARITY for _, similarity in found)
    assert [name for name, _ in candidates(model.describe(RED), others, least_similarity=0.99)] == ["red"]


def test_descriptors_of_two_models_are_not_compared():
    with pytest.raises(DescriptorsDiffer):
        LearnedModel(BYTES_MODEL).describe(RED).similarity(LearnedModel(FLOAT_MODEL).describe(RED))


WAYS_OUT = {
    "pickle": pickle.dumps,
    "the oldest pickle": lambda descriptor: pickle.dumps(descriptor, protocol=0),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "JSON": json.dumps,
    "a dataclass": dataclasses.asdict,
    "its dictionary": vars,
    "bytes": bytes,
    "a list": list,
    "its state": lambda descriptor: descriptor.__getstate__(),
}


@pytest.mark.parametrize("way_out", WAYS_OUT.values(), ids=WAYS_OUT)
def test_descriptor_cannot_be_written_copied_or_sent(way_out):
    descriptor = LearnedModel(BYTES_MODEL).describe(RED)
    with pytest.raises(TypeError):
        way_out(descriptor)


def test_descriptor_says_nothing_in_a_log(caplog):
    # Given a descriptor
    descriptor = LearnedModel(BYTES_MODEL).describe(RED)

    # When a careless programmer logs and formats it
    logging.getLogger("platform").warning("found %s %r", descriptor, [descriptor])

    # Then there is no number in it, and numpy sees an object, not a vector
    assert caplog.messages == ["found <LearnedDescriptor> [<LearnedDescriptor>]"]
    assert np.asarray(descriptor).dtype == object


def test_descriptor_offers_nothing_but_a_comparison():
    public = {name for name in dir(LearnedDescriptor) if not name.startswith("_")}
    assert public == {"similarity"}


@pytest.mark.parametrize(
    "model",
    [
        b"",
        b"no model",
        BYTES_MODEL[:-9],
        mean_colour(UINT8, ["height", "width", 3], axes=[0, 1]),
        mean_colour(UINT8, [1, 3, 32, 32], axes=[2, 3]),
        mean_colour(FLOAT, ["batch", "height", "width", 3], axes=[1, 2]),
        mean_colour(FLOAT, [1, 1, 32, 32], axes=[2, 3]),
        mean_colour(FLOAT, [8, 3, 32, 32], axes=[2, 3]),
        mean_colour(FLOAT, [1, 3, 32, 64], axes=[2, 3]),
    ],
    ids=[
        "no bytes",
        "text",
        "truncated",
        "no batch",
        "bytes in planes",
        "floats in pixels",
        "one channel",
        "eight pictures at once",
        "no square",
    ],
)
def test_model_of_another_form_is_refused(model):
    with pytest.raises(ModelUnusable):
        LearnedModel(model)


def test_model_that_gives_no_vector_is_refused():
    # Given a model whose vector for a black picture has no length
    with pytest.raises(ModelUnusable, match="no vector"):
        LearnedModel(BYTES_MODEL).describe(_of((0, 0, 0)))


def test_picture_that_cannot_be_read_is_named():
    with pytest.raises(UnknownFormat):
        LearnedModel(BYTES_MODEL).describe(b"a letter")


def test_model_is_read_from_a_file(tmp_path):
    # Given a model in a file
    (tmp_path / "model.onnx").write_bytes(BYTES_MODEL)
    model = LearnedModel.from_file(tmp_path / "model.onnx")

    # Then it is the same model
    assert model.describe(RED).similarity(LearnedModel(BYTES_MODEL).describe(RED)) == pytest.approx(1)
    with pytest.raises(ModelUnusable, match="No such file"):
        LearnedModel.from_file(tmp_path / "absent.onnx")


def _install(folder, monkeypatch, **files):
    """A package of the expected name that must not run, with these files."""
    package = folder / PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('its code was run')")
    for name, content in files.items():
        (package / f"{name}.onnx").write_bytes(content)
    monkeypatch.syspath_prepend(folder)


def test_installed_package_is_used_only_if_it_is_the_one_that_was_measured(tmp_path, monkeypatch):
    # Given another version of the package, and that one as if it had been measured
    _install(tmp_path, monkeypatch, sscd_distilled=BYTES_MODEL)

    # Then the other version is refused
    with pytest.raises(ModelUnusable, match="not the one that was measured"):
        LearnedModel.from_package()
    with pytest.raises(ModelUnusable, match="No such file"):
        LearnedModel.from_package("sscd")

    # Then a known one is used, without running the package's own code
    monkeypatch.setitem(
        PACKAGED_MODELS,
        "sscd_distilled",
        ("sscd_distilled.onnx", hashlib.sha256(BYTES_MODEL).hexdigest()),
    )
    assert LearnedModel.from_package().describe(RED).similarity(
        LearnedModel(BYTES_MODEL).describe(RED)
    ) == pytest.approx(1)


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnusable, match="No model is installed"):
        LearnedModel.from_package()


def test_missing_runtime_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(OnnxRuntimeMissing, match=r"staydown\[learned\]"):
        LearnedModel(BYTES_MODEL)


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="no model is installed")
@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_real_model_knows_a_crop_from_another_picture(name):
    # Given the package's own model, and pictures
    model = LearnedModel.from_package(name)
    whole, crop, other = scene(2), scene(2).crop((90, 40, 800, 560)), scene(9)

    # Then a crop is near and another picture of the same kind is not
    described = model.describe(pixels(whole))
    assert described.similarity(model.describe(jpeg(crop))) > 0.6
    assert described.similarity(model.describe(jpeg(other))) < CANDIDATE_SIMILARITY
