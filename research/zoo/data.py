"""Data of the zoo's models: real ones that packages ship, made ones where there are none."""

from __future__ import annotations

import ast
import csv
import sysconfig
from functools import cache
from pathlib import Path

import numpy as np

from research.zoo.places import package

WINDOW = 24
"""Years that a forecast looks back."""
LIBRARIES = ("asyncio", "email", "unittest", "multiprocessing", "importlib")


def faces():
    """Grey 64×64 pictures of seven kinds, whole-number pixels: training data for the emotions."""
    return _prototypes(seed=3, count=420, classes=7, shape=(64, 64, 1))


def _prototypes(seed, count, classes, shape):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    height, width, channels = shape
    coarse = rng.integers(40, 215, (classes, height // 8, width // 8, channels))
    prototypes = np.kron(coarse, np.ones((1, 8, 8, 1), int))
    pixels = prototypes[labels] + rng.integers(-25, 26, (count, *shape))
    return {"x": pixels.clip(0, 255).astype(np.uint8), "y": labels}


def pictures_and_numbers():
    """Two inputs and two targets, by name."""
    rng = np.random.default_rng(4)
    kind = np.arange(600) % 4
    numbers = rng.normal(0, 1, (600, 6)).astype(np.float32)
    stripes = np.sin(np.arange(24) * (0.4 + 0.5 * kind[:, None]))[:, None, :, None]
    picture = 0.5 + 0.3 * stripes + rng.normal(0, 0.05, (600, 24, 24, 1))
    amount = (numbers[:, :3].sum(1) + kind).astype(np.float32)
    return (
        {"picture": picture.clip(0, 1).astype(np.float32), "numbers": numbers},
        {"kind": kind, "amount": amount},
    )


@cache
def docstrings():
    """Docstrings of the standard library, labelled by the package that they come from."""
    texts, labels = [], []
    for label, name in enumerate(LIBRARIES):
        found = list(dict.fromkeys(_documented(Path(sysconfig.get_path("stdlib")) / name)))
        texts += found
        labels += [label] * len(found)
    return np.array(texts), np.array(labels)


def _documented(folder):
    for file in sorted(folder.rglob("*.py")):
        if "test" in file.relative_to(folder).parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if len(text) >= 20:
                    yield " ".join(text.split())


def sunspots():
    """Yearly sunspot numbers since 1700: windows of the series, and the year that follows each."""
    file = package("statsmodels") / "datasets/sunspots/sunspots.csv"
    with file.open(encoding="utf-8") as rows:
        numbers = [float(row["SUNACTIVITY"]) / 100 for row in csv.DictReader(rows)]
    values = np.array(numbers, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW + 1)
    cut = int(len(windows) * 0.7)
    parts = [(w[:, :-1, None].copy(), w[:, -1].copy()) for w in (windows[:cut], windows[cut:])]
    return parts[0], parts[1]


def blobs():
    """Grey images of bright discs on noise, and the mask of the discs."""
    rng = np.random.default_rng(6)
    rows, columns = np.mgrid[:48, :64]
    images, masks = [], []
    for _ in range(240):
        y, x, radius = rng.uniform(10, 38), rng.uniform(10, 54), rng.uniform(4, 10)
        mask = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        images.append(0.3 + 0.4 * mask + rng.normal(0, 0.08, mask.shape))
        masks.append(mask)
    pixels = np.stack(images)[..., None].clip(0, 1).astype(np.float32)
    return {"x": pixels, "y": np.stack(masks)[..., None].astype(np.float32)}


def diabetes():
    """scikit-learn's diabetes: ten columns, a real number to predict."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return {"x": x.astype(np.float32), "y": y.astype(np.float32)}


def few_malignant():
    """scikit-learn's breast cancer with one malignant case in ten, the class 1."""
    from sklearn.datasets import load_breast_cancer

    x, benign = load_breast_cancer(return_X_y=True)
    kept = np.concatenate([np.flatnonzero(benign), np.flatnonzero(benign == 0)[:40]])
    kept = np.random.default_rng(8).permutation(kept)
    return {"x": x[kept].astype(np.float32), "y": 1 - benign[kept]}
