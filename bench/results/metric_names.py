"""Names of metrics: known in the sweep, which checks them, as in a launch, which computes them."""

from __future__ import annotations

NAMES = (
    "accuracy", "top5", "log_loss", "balanced_accuracy", "matthews", "f1", "precision", "recall",
    "auc", "average_precision", "iou", "dice", "mae", "mse", "rmse", "mape", "r2",
)  # fmt: skip
ALIASES = {
    "acc": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "binary_accuracy": "accuracy",
    "top_5": "top5",
    "sparse_top_k_categorical_accuracy": "top5",
    "top_k_categorical_accuracy": "top5",
    "roc_auc": "auc",
    "f1_score": "f1",
    "mcc": "matthews",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_percentage_error": "mape",
    "r2_score": "r2",
    "mean_io_u": "iou",
    "mean_iou": "iou",
    "one_hot_mean_io_u": "iou",
    "miou": "iou",
    "jaccard": "iou",
    "ap": "average_precision",
}


def plain(name: str) -> str:
    """The name of a metric that has others too."""
    found = name.lower().replace("-", "_")
    return ALIASES.get(found, found)
