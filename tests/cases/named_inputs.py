"""Three named inputs, two of one shape and type, but of very different size."""

import tensorflow as tf

layers = tf.keras.layers


def build(classes):
    """Two numbers and a code, named in another order than the alphabet's."""
    inputs = {
        "yearly_income": layers.Input((1,), name="yearly_income"),
        "age": layers.Input((1,), name="age"),
        "plan": layers.Input((1,), name="plan", dtype="int32"),
    }
    code = layers.Flatten()(layers.Embedding(4, 3)(inputs["plan"]))
    income = layers.Rescaling(1 / 100_000)(inputs["yearly_income"])
    age = layers.Rescaling(1 / 100)(inputs["age"])
    x = layers.Dense(16, activation="relu")(layers.Concatenate()([income, age, code]))
    return tf.keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))
