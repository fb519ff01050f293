"""The data of the cases, written as their users have them."""

import numpy as np


def eight_bit(file):
    """Eight-bit images of five classes."""
    rng = np.random.default_rng(5)
    labels = np.arange(600) % 5
    prototypes = np.kron(rng.integers(40, 215, (5, 4, 4, 3)), np.ones((1, 4, 4, 1), int))
    pixels = prototypes[labels] + rng.integers(-25, 26, (600, 16, 16, 3))
    np.savez(file, x=pixels.clip(0, 255).astype(np.uint8), y=labels)


def customers(file):
    """Made-up customers: who leaves depends on age and income."""
    rng = np.random.default_rng(9)
    income = rng.normal(48_000, 12_000, 500).clip(9_000, 150_000)
    age = rng.integers(18, 80, 500)
    plan = rng.integers(0, 4, 500)
    chance = age / 80 + income / 150_000 + 0.1 * plan + rng.normal(0, 0.1, 500)
    columns = {"yearly_income": income, "age": age, "plan": plan, "leaves": chance > 1.0}
    rows = [",".join(columns)]
    rows += [",".join(f"{value:g}" for value in row) for row in zip(*columns.values(), strict=True)]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")


def labels(folder):
    """The label is the brightness, said in three ways; `_split` leaves the splitting to others."""
    rng = np.random.default_rng(11)
    level = rng.random(400)
    x = (level[:, None, None, None] + rng.normal(0, 0.05, (400, 12, 12, 1))).clip(0, 1)
    x = x.astype(np.float32)
    labels = {
        "real": (90 * level + 2.5).astype(np.float32),
        "one_hot": np.eye(4, dtype=np.float32)[(level * 4).astype(int)],
        "tags": np.stack([level > 0.3, level > 0.6, level < 0.5], axis=1).astype(np.int64),
    }
    for name, y in labels.items():
        parts = {"x_train": x[:300], "y_train": y[:300], "x_test": x[300:], "y_test": y[300:]}
        np.savez(folder / f"{name}.npz", **parts)
        np.savez(folder / f"{name}_split.npz", x=x, y=y)


def scratches(file):
    """1,000 grey patches; 40 have a short bright scratch."""
    rng = np.random.default_rng(12)
    x = rng.normal(0.45, 0.06, (1000, 16, 16, 1)).clip(0, 1).astype(np.float32)
    y = np.zeros(1000, np.int64)
    y[rng.choice(1000, 40, replace=False)] = 1
    for i in np.flatnonzero(y):
        row, column = rng.integers(1, 10, 2)
        x[i, row, column : column + 5] = 0.95
    np.savez(file, x=x, y=y)


def instrument(folder):
    """Three classes of stripes between 2,000 and 60,000: a folder of PNG files, and an .npz."""
    from PIL import Image

    rng = np.random.default_rng(16)
    column = np.arange(48)
    pictures, labels = [], []
    for label, name in enumerate(("coarse", "fine", "none")):
        place = folder / "pictures" / name
        place.mkdir(parents=True)
        for i in range(60):
            wave = 0 if name == "none" else np.sin(column / (6.0, 1.5)[label] + rng.random() * 6)
            picture = 30_000 + 15_000 * wave + rng.normal(0, 2_000, (20, 48))
            pictures.append(picture.clip(2_000, 60_000).astype(np.uint16))
            labels.append(label)
            Image.fromarray(pictures[-1]).save(place / f"{i:03}.png")
    hidden = folder / "pictures" / ".ipynb_checkpoints"
    hidden.mkdir()
    for i in range(3):
        Image.fromarray(pictures[i]).save(hidden / f"{i:03}-checkpoint.png")
    np.savez(folder / "pictures.npz", x=np.stack(pictures), y=np.array(labels))


def brightness(folder):
    """Six classes of brightness 0.1 to 0.95, odd ones striped; once sorted, once shuffled."""
    rng = np.random.default_rng(20)

    def images(labels):
        level = np.array([0.1, 0.25, 0.4, 0.6, 0.8, 0.95])[labels][:, None, None, None]
        stripes = 0.08 * (labels % 2)[:, None, None, None] * np.sign(np.sin(np.arange(16)))[:, None]
        noise = rng.normal(0, 0.03, (len(labels), 16, 16, 1))
        return (level + stripes + noise).clip(0, 1).astype(np.float32)

    y_train, y_test = np.repeat(np.arange(6), 150), np.arange(300) % 6
    x_train, x_test = images(y_train), images(y_test)
    for name, chosen in (("sorted", slice(None)), ("shuffled", rng.permutation(len(y_train)))):
        np.savez(
            folder / f"{name}.npz",
            x_train=x_train[chosen], y_train=y_train[chosen], x_test=x_test, y_test=y_test,
        )  # fmt: skip
