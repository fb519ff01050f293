"""How data reach a model: by name, in its shape, dtype and range, or one sentence why not."""

import numpy as np
import pytest

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import Data, Part, Spec, fit, load, looked_up, tables

RNG = np.random.default_rng(5)
RAW = Spec((16, 16, 3), low=0.0, high=255.0, scaled_by="layer 'rescaling' (× 1/127.5)")


def given(inputs, kind="images", **fields):
    part = Part(inputs, np.arange(len(next(iter(inputs.values()))
                                      if isinstance(inputs, dict) else inputs)) % 2)  # fmt: skip
    return Data("some", kind, part, part, classes=2, **fields)


def pictures(dtype=np.uint8, size=(16, 16, 3), count=6):
    high = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    x = RNG.random((count, *size)) * high
    x.flat[0], x.flat[1] = 0, high
    return x.astype(dtype)


def notes_of(data):
    return " / ".join(data.notes)


# --- range of pixels -----------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535)])
def test_whole_pixels_are_scaled_by_the_range_of_their_type(dtype, full):
    x = pictures(dtype)
    data = fit(given(x), {"image": Spec((16, 16, 3))})
    assert data.x_test.dtype == np.float32
    assert np.allclose(data.x_test, x / full)
    assert str(full) in notes_of(data)
    assert np.array_equal(data.x_test, fit(given(x)).x_test)


def test_wide_integers_are_scaled_by_what_they_hold():
    x = pictures(np.uint8).astype(np.int64)
    assert np.allclose(fit(given(x)).x_test, x / 255)


def test_a_model_that_scales_itself_gets_raw_pixels():
    x = pictures()
    data = fit(given(x), {"image": RAW})
    assert data.x_test.dtype == np.float32
    assert np.array_equal(data.x_test, x)
    assert "layer 'rescaling'" in notes_of(data)


def test_deep_pixels_reach_a_model_that_scales_bytes_in_the_range_of_bytes():
    x = pictures(np.uint16)
    data = fit(given(x), {"image": RAW})
    assert np.allclose(data.x_test, x / 257, atol=1e-3)


def test_pixels_divided_before_a_model_that_scales_itself_are_warned_of():
    data = fit(given(pictures(np.float32)), {"image": RAW})
    (note,) = data.notes
    assert note.startswith("warning: layer 'rescaling'")
    assert "0..255" in note
    assert "0..1" in note


def test_a_range_around_0_is_reached():
    x = pictures()
    data = fit(given(x), {"image": Spec((16, 16, 3), low=-1.0, high=1.0)})
    assert (data.x_test.min(), data.x_test.max()) == (-1, 1)


def test_whole_numbers_stay_so_for_a_model_that_takes_them():
    x = pictures()
    data = fit(given(x), {"image": Spec((16, 16, 3), "uint8")})
    assert data.x_test.dtype == np.uint8
    assert np.array_equal(data.x_test, x)


# --- shape ---------------------------------------------------------------------------------------


def test_data_that_fit_are_left_alone():
    data = given(pictures(np.float32))
    assert fit(data, {"image": Spec((16, 16, 3))}) is data
    assert fit(data, {"image": Spec((None, None, 3))}) is data


@pytest.mark.parametrize(
    ("size", "wanted", "said"),
    [
        ((20, 48, 1), (10, 24, 1), "resized from 20×48 to 10×24"),
        ((20, 48, 1), (20, 48, 3), "images of 1 channels were given 3"),
        ((20, 48, 3), (20, 48, 1), "images of 3 channels were given 1"),
        ((20, 48, 4), (None, None, 3), "images of 4 channels were given 3"),
        ((20, 48, 3), (3, 8, 8), "resized from 20×48 to 8×8"),
    ],
)
def test_images_get_the_model_s_size_and_channels(size, wanted, said):
    data = fit(given(pictures(size=size)), {"image": Spec(wanted)})
    assert all(b in (a, None) for a, b in zip(data.input_shape, wanted, strict=True))
    assert said in notes_of(data)
    assert data.digest != given(pictures(size=size)).digest


def test_resizing_keeps_what_is_in_the_picture():
    x = np.zeros((1, 32, 32, 1), np.float32)
    x[0, :16] = 1
    small = fit(given(np.repeat(x, 2, 0)), {"image": Spec((8, 8, 1))}).x_test[0, ..., 0]
    assert small[:3].min() > 0.95
    assert small[5:].max() < 0.05


def test_masks_are_resized_with_their_images_and_stay_class_numbers():
    masks = RNG.integers(0, 3, (6, 16, 16))
    part = Part(pictures(), masks)
    data = fit(Data("some", "images", part, part), {"image": Spec((8, 8, 3))})
    assert data.y_test.shape == (6, 8, 8)
    assert set(np.unique(data.y_test)) <= {0, 1, 2}


@pytest.mark.parametrize(
    ("shape", "kind", "wanted"),
    [((5,), "table", (5, 1)), ((5, 1), "table", (5,)), ((28, 28, 1), "images", (784,)),
     ((28, 28, 1), "images", (28, 28)), ((), "table", (1,))],
)  # fmt: skip
def test_axes_of_1_come_and_go(shape, kind, wanted):
    x = RNG.random((6, *shape)).astype(np.float32)
    data = fit(given(x, kind), {"in": Spec(wanted)})
    assert data.input_shape == wanted
    assert np.array_equal(data.x_test.ravel(), x.ravel())


def test_short_sequences_of_numbers_are_filled_up():
    data = fit(given(np.ones((6, 3), np.int64), "text"), {"tokens": Spec((5,), "int32")})
    assert data.x_test.tolist() == [[1, 1, 1, 0, 0]] * 6
    assert "padded from 3 to 5" in notes_of(data)


@pytest.mark.parametrize(
    ("inputs", "kind", "spec"),
    [
        (RNG.random((6, 7)), "table", Spec((5,))),
        (RNG.random((6, 24, 2)), "series", Spec((24, 3))),
        (RNG.integers(0, 9, (6, 9)), "text", Spec((5,), "int32")),
    ],
)
def test_what_cannot_be_fitted_names_both_shapes(inputs, kind, spec):
    with pytest.raises(UsageError) as caught:
        fit(given(inputs, kind), {"in": spec})
    assert "×".join(map(str, spec.shape)) in str(caught.value)
    assert "×".join(map(str, inputs.shape[1:])) in str(caught.value)


def test_fractions_are_not_cut_for_a_model_of_whole_numbers():
    with pytest.raises(UsageError, match="takes whole numbers"):
        fit(given(np.full((6, 5), 0.5), "table"), {"in": Spec((5,), "int32")})


# --- names ---------------------------------------------------------------------------------------

CUSTOMERS = {
    "yearly_income": Spec((1,)),
    "age": Spec((1,)),
    "plan": Spec((1,), "int32"),
}


def table(tmp_path, count=60):
    age = RNG.integers(18, 80, count)
    rows = [f"{i * 1000.5:g},{a},{i % 4},{int(a > 50)}" for i, a in enumerate(age)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["yearly_income,age,plan,leaves", *rows]) + "\n")
    return str(path), age


def test_columns_are_bound_to_inputs_by_name(tmp_path):
    path, age = table(tmp_path)
    raw = load(WorkloadSpec(data=path, target="leaves"))
    assert (raw.kind, raw.classes, raw.input_shape) == ("table", 2, (3,))
    data = fit(raw, CUSTOMERS)
    both = {name: np.concatenate([data.train.inputs[name], data.test.inputs[name]])
            for name in CUSTOMERS}  # fmt: skip
    assert list(data.test.inputs) == list(CUSTOMERS)
    assert both["age"].shape == (60, 1)
    assert sorted(both["age"].ravel()) == sorted(age)
    assert {name: array.dtype for name, array in both.items()} == {
        "yearly_income": np.float32, "age": np.float32, "plan": np.int32,
    }  # fmt: skip
    truth = np.concatenate([data.y_train, data.y_test])
    assert np.array_equal(truth, both["age"].ravel() > 50)


def test_the_order_of_columns_does_not_matter(tmp_path):
    path, _ = table(tmp_path)
    raw = load(WorkloadSpec(data=path, target="leaves"))
    turned = dict(reversed(CUSTOMERS.items()))
    one, other = (fit(raw, signature).test.inputs for signature in (CUSTOMERS, turned))
    assert list(one) == list(reversed(other))
    assert all(np.array_equal(one[name], other[name]) for name in CUSTOMERS)


def test_without_a_name_the_last_column_is_the_target_and_that_is_said(tmp_path):
    path, _ = table(tmp_path)
    raw = load(WorkloadSpec(data=path))
    assert raw.classes == 2
    assert "'leaves', was taken as target" in notes_of(raw)


def test_a_last_column_that_is_an_input_is_no_target(tmp_path):
    path, _ = table(tmp_path)
    text = [line.split(",") for line in (tmp_path / "t.csv").read_text().split()]
    (tmp_path / "t.csv").write_text("\n".join(",".join([r[3], *r[:3]]) for r in text))
    data = fit(load(WorkloadSpec(data=path)), CUSTOMERS)
    assert list(data.test.inputs) == list(CUSTOMERS)
    assert data.classes == 2
    ages, leaves = data.test.inputs["age"].ravel(), data.y_test
    assert np.array_equal(leaves, ages > 50)
    assert set(data.test.inputs["plan"].ravel()) <= {0, 1, 2, 3}
    assert "'leaves', which is no input of the model" in notes_of(data)


def test_columns_are_stacked_for_a_single_input_in_their_order(tmp_path):
    path, _ = table(tmp_path)
    data = fit(load(WorkloadSpec(data=path, target="leaves")), {"x": Spec((3,))})
    assert data.x_test.shape == (15, 3)
    assert data.x_test.dtype == np.float32
    assert "yearly_income, age, plan" in notes_of(data)


def test_a_missing_input_is_named_with_what_there_is(tmp_path):
    path, _ = table(tmp_path)
    raw = load(WorkloadSpec(data=path, target="leaves"))
    with pytest.raises(UsageError) as caught:
        fit(raw, {**CUSTOMERS, "region": Spec((1,))})
    assert "'region'" in str(caught.value)
    assert "yearly_income, age, plan" in str(caught.value)


def test_one_array_is_not_bound_to_two_inputs():
    with pytest.raises(UsageError, match=r"'a' .*'b' "):
        fit(given(RNG.random((6, 2)), "table"), {"a": Spec((1,)), "b": Spec((1,))})


def test_an_array_that_is_no_input_is_left_out_and_said():
    data = fit(given({"a": np.ones((6, 1)), "b": np.ones((6, 1))}, "table"), {"a": Spec((1,))})
    assert data.x_test.shape == (6, 1)
    assert "no such input: b" in notes_of(data)


def test_categories_are_codes_for_numbers_and_words_for_a_model_of_words(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("city,size,price\n" + "rome,1,2.5\noslo,2,3.5\nrome,,4.5\nbern,4,5.5\n" * 5)
    raw = load(WorkloadSpec(data=str(path), target="price"))
    words = fit(raw, {"city": Spec((1,), "string"), "size": Spec((1,))})
    codes = fit(raw, {"city": Spec((1,), "int32"), "size": Spec((1,))})
    names = np.array(["bern", "oslo", "rome"])
    assert np.array_equal(names[codes.test.inputs["city"]], words.test.inputs["city"])
    assert np.isfinite(words.test.inputs["size"]).all()
    assert "median" in notes_of(raw)
    stacked = fit(raw, {"x": Spec((2,))})
    assert set(stacked.x_train[:, 0]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("form", "since"),
    [
        ("%Y-%m-%d", "2021-01-25"),
        ("%d.%m.%Y", "2021-01-25"),
        ("%d/%m/%Y", "2021-01-25"),
        ("%m/%d/%Y", "2021-01-25"),
        ("%Y-%m-%dT%H:%M:%S", "2021-01-25"),
        ("%Y-%m", "2021-01-01"),
    ],
)
def test_dates_become_days_since_the_first_of_them(tmp_path, form, since):
    first = np.datetime64("2021-01-25")
    days = np.arange(0, 400, 10)
    dates = [(first + int(day)).astype(object).strftime(form) for day in days]
    rows = [f"{date},{day},{day / 7}" for date, day in zip(dates, days, strict=True)]
    assert len(rows) > 30  # enough that days of the month go beyond 12
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["sold,day,price", *rows, ",,1.5"]) + "\n")
    raw = load(WorkloadSpec(data=str(path), target="price"))
    data = fit(raw, {"x": Spec((2,))})
    read = "" if form.startswith("%Y") else f", read as {form}"
    assert f"dates became days since {since}{read}: sold" in notes_of(data)
    named = fit(raw, {"sold": Spec((1,)), "day": Spec((1,))})
    assert f"'sold': dates became days since {since}" in notes_of(named)
    counted = named.train.inputs["sold"] - named.train.inputs["day"]
    offset = 24 if form == "%Y-%m" else 0  # of the month's first day
    assert np.isfinite(named.train.inputs["sold"]).all()
    if form == "%Y-%m":
        assert (np.abs(counted + offset - 12) <= 40).all()
    else:
        same = counted == -named.train.inputs["day"].min()
        assert same.sum() >= len(same) - 1  # the row without a date has the median
    assert np.array_equal(data.x_train[:, 0], named.train.inputs["sold"][:, 0])


def test_the_form_of_dates_is_one_that_fits_both_parts():
    train, test = np.array([["03/04/2021"], ["05/04/2021"]]), np.array([["20/04/2021"], [""]])
    read = tables.reading(train, test)
    assert read.since == "2021-04-03, read as %d/%m/%Y"
    assert read.numbers(test).tolist() == [[17.0], [1.0]]  # a missing one: the training's median
    words = tables.reading(train, np.array([["soon"]]))
    assert (words.since, words.numbers(np.array([["soon"]])).tolist()) == ("", [[2]])


@pytest.mark.parametrize("values", [["may", "june"], ["1.5.2", "1.2"], ["A-1", "B-2"], ["12:30"]])
def test_what_is_no_date_is_a_category(tmp_path, values):
    path = tmp_path / "t.csv"
    rows = [f"{values[i % len(values)]},{i},{i / 7}" for i in range(30)]
    path.write_text("\n".join(["when,size,price", *rows]) + "\n")
    data = fit(load(WorkloadSpec(data=str(path), target="price")), {"x": Spec((2,))})
    assert "categories became numbers in alphabetical order: when" in notes_of(data)


def test_a_column_that_differs_in_every_row_is_reported(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"id{i},{i % 3}km,{i / 7}" for i in range(40)]
    path.write_text("\n".join(["name,far,price", *rows]) + "\n")
    data = fit(load(WorkloadSpec(data=str(path), target="price")), {"x": Spec((2,))})
    assert "leave it out): name" in notes_of(data)
    assert "in alphabetical order: far" in notes_of(data)


# --- text ----------------------------------------------------------------------------------------


def test_text_stays_text_for_a_model_that_looks_it_up():
    lines = np.array(["one two", "two", "three one two", "one"])
    data = fit(given(lines, "text"), {"text": Spec((1,), "string")})
    assert data.x_test.shape == (4, 1)
    with pytest.raises(UsageError, match="TextVectorization"):
        fit(given(lines, "text"), {"tokens": Spec((8,), "int32")})


def test_behind_a_look_up_text_is_numbers_of_one_length():
    lines = np.array(["one two", "two", "three one two", "one"] * 80)
    known = {"one": 1, "two": 2, "three": 3}

    def lookup(batch):
        rows = [[known[word] for word in line.split()] for line in batch]
        longest = max(map(len, rows))
        return np.array([row + [0] * (longest - len(row)) for row in rows])

    data = looked_up(given(lines, "text"), lookup, "words", block=3)
    assert data.x_test.shape == (320, 3)
    assert data.x_test[0].tolist() == [1, 2, 0]
    assert data.x_test[2].tolist() == [3, 1, 2]
    assert "words was applied" in notes_of(data)
