"""The loaders of data, on small files made on the spot, and what they say of bad ones."""

import numpy as np
import pytest
from PIL import Image

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import Data, Part, load

RNG = np.random.default_rng(0)


def pictures(count=12, size=(8, 6, 3)):
    return RNG.integers(0, 256, (count, *size), dtype=np.uint8)


def labels(count=12, classes=3):
    return np.arange(count) % classes


def save_images(folder, images, classes=("cat", "dog")):
    for i, image in enumerate(images):
        place = folder / classes[i % len(classes)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i}.png")


# --- what loads ----------------------------------------------------------------------------------


def test_digits_are_real_enlarged_and_split_in_half_the_same_way_every_time():
    first, again, other = (load(WorkloadSpec(seed=seed)) for seed in (0, 0, 1))
    assert (len(first.x_train), len(first.x_test)) == (898, 899)
    assert first.input_shape == (32, 32, 3)
    assert (first.x_train.dtype, first.classes, first.target_accuracy) == (np.float32, 10, 0.97)
    assert 0 <= first.x_train.min() < first.x_train.max() <= 1
    assert (first.x_test == again.x_test).all()
    assert not (first.x_test == other.x_test).all()


def test_no_example_is_in_both_halves():
    data = load(WorkloadSpec(data="synthetic:4x4x1"))
    train = {x.tobytes() for x in data.x_train}
    assert not train & {x.tobytes() for x in data.x_test}


def test_synthetic_has_the_size_asked_for():
    data = load(WorkloadSpec(data="synthetic:5x7x1"))
    assert (data.input_shape, data.classes) == ((5, 7, 1), 10)


def test_npz_with_keras_names_keeps_the_given_split(tmp_path):
    file = tmp_path / "data.npz"
    arrays = {"x_train": pictures(8), "y_train": labels(8), "x_test": pictures(4)}
    np.savez(file, **arrays, y_test=labels(4)[:, None])
    data = load(WorkloadSpec(data=f"npz:{file}"))
    assert (len(data.x_train), len(data.x_test), data.classes) == (8, 4, 3)
    assert (data.x_train == arrays["x_train"]).all()
    assert (load(WorkloadSpec(data=str(file))).x_test == data.x_test).all()


def test_npz_with_x_and_y_is_split_and_labels_are_numbered_from_0(tmp_path):
    file = tmp_path / "data.npz"
    np.savez(file, x=pictures(20)[..., 0], y=np.array([5, 9] * 10))
    data = load(WorkloadSpec(data=f"npz:{file}"))
    assert data.input_shape == (8, 6, 1)
    assert set(data.y_train) == set(data.y_test) == {0, 1}
    assert data.class_names == (5, 9)


@pytest.mark.parametrize(
    ("inputs", "targets"), [("X", "Y"), ("images", "labels"), ("data", "target"), ("x", "label")]
)
@pytest.mark.parametrize("split", [False, True])
def test_npz_with_other_plain_names(tmp_path, inputs, targets, split):
    x, y = np.zeros((40, 8, 8, 1), np.uint8), np.arange(40) % 4
    endings = ("_train", "_test") if split else ("",)
    arrays = {
        f"{name}{end}": array for end in endings for name, array in ((inputs, x), (targets, y))
    }
    np.savez(tmp_path / "data.npz", **arrays)
    data = load(WorkloadSpec(data=f"{tmp_path}/data.npz"))
    assert (data.kind, data.input_shape, data.classes) == ("images", (8, 8, 1), 4)


def test_inputs_that_are_no_numbers_are_said(tmp_path):
    x = np.zeros((40, 8, 8, 1), np.float32)
    x[3, 2, 2], x[9, 0, 0] = np.nan, np.inf
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(40) % 4)
    notes = load(WorkloadSpec(data=f"{tmp_path}/data.npz")).notes
    assert any("2 of 40 examples hold inputs that are not finite" in note for note in notes)


def test_a_folder_a_class(tmp_path):
    save_images(tmp_path, pictures())
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    data = load(WorkloadSpec(data=f"images:{tmp_path}"))
    assert (data.input_shape, data.classes, data.class_names) == ((8, 6, 3), 2, ("cat", "dog"))
    assert len(data.x_train) + len(data.x_test) == 12


# --- bad input -----------------------------------------------------------------------------------


def refused(name):
    with pytest.raises(UsageError) as caught:
        load(WorkloadSpec(data=name))
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def test_unknown_scheme_names_those_there_are():
    assert "digits" in refused("digit")


@pytest.mark.parametrize("scheme", ["npz", "images"])
@pytest.mark.parametrize("place", ["", "/no/such/place"])
def test_a_path_that_does_not_exist(scheme, place):
    assert "does not exist" in refused(f"{scheme}:{place}")


@pytest.mark.parametrize("size", ["", "32", "32x32", "0x4x3", "axbxc", "-1x4x3", "4x4x3x2"])
def test_synthetic_size_that_is_none(size):
    assert "synthetic:32x32x3" in refused(f"synthetic:{size}")


def test_npz_that_is_no_npz(tmp_path):
    file = tmp_path / "data.npz"
    file.write_bytes(b"not a zip file")
    assert "not a readable .npz" in refused(f"npz:{file}")


def test_npz_of_objects_is_not_unpickled(tmp_path):
    file = tmp_path / "data.npz"
    np.savez(file, x=np.array([{"a": 1}] * 4), y=labels(4))
    assert "not a readable .npz" in refused(f"npz:{file}")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"y": labels()}, "name the inputs x"),
        ({"x": pictures(), "y": labels(11)}, "12 inputs but 11 targets"),
        ({"x_train": pictures(), "y": labels()}, "name the arrays"),
        ({"x": pictures(), "y": [np.nan] * 12}, "not finite"),
        ({"x": pictures(3), "y": [0, 1, 2]}, "at least 2 examples"),
        ({"x": pictures(), "y": np.zeros(12)}, "classes"),
        ({"x": pictures(0), "y": []}, "no examples"),
    ],
)
def test_npz_that_holds_nothing_usable(tmp_path, arrays, said):
    np.savez(tmp_path / "data.npz", **arrays)
    assert said in refused(f"npz:{tmp_path / 'data.npz'}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"y_train": labels(7)}, "8 inputs but 7 targets"),
        ({"y_test": np.array([0, 1, -1, 2])}, "0 or more"),
        ({"x_test": pictures(0), "y_test": labels(0)}, "no examples"),
        ({"y_train": np.zeros(8), "y_test": np.zeros(4)}, "1 classes"),
    ],
)
def test_npz_with_keras_names_that_do_not_fit(tmp_path, changed, said):
    arrays = {
        "x_train": pictures(8), "y_train": labels(8), "x_test": pictures(4), "y_test": labels(4),
    }  # fmt: skip
    np.savez(tmp_path / "data.npz", **(arrays | changed))
    assert said in refused(f"npz:{tmp_path / 'data.npz'}")


def test_a_folder_without_images(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "loose.png").write_bytes(b"")
    assert "holds no images" in refused(f"images:{tmp_path}")


def test_a_file_that_only_looks_like_an_image(tmp_path):
    save_images(tmp_path, pictures(4))
    (tmp_path / "cat" / "z.png").write_bytes(b"not a picture")
    assert "not a readable image" in refused(f"images:{tmp_path}")


def test_a_single_class(tmp_path):
    save_images(tmp_path, pictures(6), classes=("cat",))
    assert "classes" in refused(f"images:{tmp_path}")


def test_tfrecord_pattern_that_matches_nothing(tmp_path):
    assert "no file matches" in refused(f"tfrecord:{tmp_path}/*.tfrecord")


# --- what names it in the cache ------------------------------------------------------------------


def test_the_digest_distinguishes_data_by_every_image_and_label():
    def digest(x_train=0, y_train=0, x_test=0, y_test=0):
        def part(pixel, label):
            inputs = np.zeros((4, 2, 2, 1), np.float32)
            inputs[3, 1, 1, 0] = pixel
            return Part(inputs, np.array([0, 0, 0, label]))

        train, test = part(x_train, y_train), part(x_test, y_test)
        return Data("some", "images", train, test, classes=2).digest

    changes = [{}, {"x_train": 1}, {"x_test": 1}, {"y_train": 1}, {"y_test": 1}]
    assert len({digest(**changed) for changed in changes}) == len(changes)
    assert digest() == digest()


def test_data_read_for_all_launches_is_hashed_before_they_are_forked():
    from scenarios.core.launching import Workloads

    workloads = Workloads()
    workloads.read(WorkloadSpec(data="digits", seed=3))
    prepared = workloads.make(WorkloadSpec(data="digits", seed=3), threads=1, devices=1)
    assert "digest" in vars(prepared.workload.data)


def test_why_keras_cannot_load_its_own_data_is_kept_and_shown(monkeypatch):
    tf = pytest.importorskip("tensorflow")

    def load_data():
        raise OSError("the disk is full\nand more lines")

    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", load_data)
    message = refused("mnist")
    assert "OSError: the disk is full" in message
    assert "more lines" not in message
