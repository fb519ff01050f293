"""A small model that learns from a large one's answers."""

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once
from scenarios.core.training import compiled_path
from scenarios.core.workload import Builder

TEMPERATURE = 4.0
SOFT_SHARE = 0.7


def small(workload: Workload) -> Builder:
    """Two convolutions and a dense layer; outputs of the workload's form, so that its loss fits."""
    layers = tf.keras.layers

    def student(input_shape, classes):
        return tf.keras.Sequential(
            [
                layers.Input(input_shape),
                layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(
                    classes, activation="softmax" if workload.gives_probabilities else None
                ),
            ],
            name="student",
        )

    return student


@scenario(
    baseline="train/function",
    needs=("data:images", "data:labels", "task:classification", "trainable"),
    suite="full",
)
def student(workload: Workload) -> TrainingPath:
    """A small model trained on the labels alone: what distillation compares with."""
    return compiled_path(workload, workload.model(small(workload)))


@scenario(
    baseline="train/student",
    needs=("data:images", "data:labels", "task:classification", "trainable", "model:trained"),
    suite="full",
)
def distillation(workload: Workload) -> TrainingPath:
    """The small model trained on labels and on the converged model's softened answers."""
    workload.plain_step_only("the step compares with the teacher's answers")
    teacher = workload.trained_model()
    softened = softener(workload.gives_probabilities)
    model = workload.model(small(workload))
    optimizer = workload.optimizer(model)
    divergence = tf.keras.losses.KLDivergence()

    @tf.function
    def train_step(x, y):
        goal = softened(teacher(x, training=False))
        with tf.GradientTape() as tape:
            answers = model(x, training=True)
            soft = divergence(goal, softened(answers)) * TEMPERATURE**2
            loss = SOFT_SHARE * soft + (1 - SOFT_SHARE) * workload.loss(y, answers)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    before = [weight.numpy().copy() for weight in teacher.weights]

    def proof():
        pairs = zip(teacher.weights, before, strict=True)
        if any((weight.numpy() != old).any() for weight, old in pairs):
            raise NotEngaged("the teacher's weights changed while it taught")
        return traced_once(train_step) | {
            "temperature": TEMPERATURE,
            "teacher_parameters": teacher.count_params(),
            "student_parameters": model.count_params(),
        }

    return TrainingPath(
        model, train_step, workload.batch_size, batches=workload.batches(), proof=proof
    )


def softener(probabilities: bool):
    """A function from a model's outputs to probabilities at the temperature."""

    def softened(outputs):
        outputs = tf.cast(outputs, tf.float32)
        logits = tf.math.log(outputs + 1e-7) if probabilities else outputs
        return tf.nn.softmax(logits / TEMPERATURE)

    return softened
