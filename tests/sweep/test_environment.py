"""What a run says of its environment: what changes figures, and no secrets."""

from __future__ import annotations

import json

import pytest

from bench.sweep.environment import VARIABLES, fingerprint


def test_only_variables_that_are_known_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    secrets = ("TF_VAR_password", "TF_TOKEN_app", "CUDA_TOKEN", "OMP_SECRET", "AWS_SECRET_KEY")
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")
    found = fingerprint()
    assert found["variables"]["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=true"
    assert set(found["variables"]) <= VARIABLES
    assert "hunter2" not in json.dumps(found)
    assert not {name for name in VARIABLES if any(w in name for w in ("TOKEN", "KEY", "SECRET"))}
