"""What a converter's or compiler's long error means, in one sentence with a way out."""

from __future__ import annotations

import re

from bench.results.errors import Unsupported

LONGEST = 240
NOISE = re.compile(
    r"^(\S+: )?(error|note|warning): |^loc\(|^<unknown>:\S+ |\{\{.*?\}\}|^\S+\.py:\d+:\S* "
)


def first_sentence(error: BaseException | str) -> str:
    """The first line that says something, without places in sources, not too long."""
    for line in str(error).strip().splitlines():
        said = line.strip()
        while (shorter := NOISE.sub("", said).strip()) != said:
            said = shorter
        if len(said) > 3 and not said.startswith(("at ", "in user code", "During handling")):
            return said[:LONGEST].rstrip(" .:;")
    return type(error).__name__ if isinstance(error, BaseException) else "it gave no reason"


def refused_by_xla(error: Exception) -> Exception:
    """An Unsupported that names what XLA cannot compile; any other error as it is."""
    text = str(error)
    found = re.search(r"on XLA_\w+: (\w+) \(", text) or re.search(
        r"No registered '(\w+)' OpKernel for XLA", text
    )
    if found and found[1] in ("_Arg", "Const"):
        return Unsupported(
            "XLA computes on numbers alone, and the model takes or holds strings: look words up "
            "before it"
        )
    if found:
        return Unsupported(
            f"XLA has no kernel for the operation {found[1]}: move it out of the model, or stay "
            "with infer/function"
        )
    if "xla" in text.lower() or "compile" in text.lower() or "must be a compile-time" in text:
        return Unsupported(
            f"XLA cannot compile the model: {first_sentence(error)}; stay with infer/function"
        )
    return error


def litert_reason(error: BaseException | str) -> str:
    """What LiteRT's converter could not do: operations without a kernel, if it names any."""
    text = str(error)
    for pattern in (r"TF Select ops: ([^\n]+)", r"Custom ops: ([^\n]+)"):
        found = re.search(pattern, text)
        if found:
            return f"LiteRT has no operation for {found[1].strip()}"
    named = re.findall(r"failed to legalize operation '(?:tf\.)?([\w.]+)'", text)
    named += re.findall(r"error: '(?:tf\.)?([\w.]+)' op", text)
    if named:
        return f"LiteRT has no operation for {', '.join(dict.fromkeys(named))}"
    return f"LiteRT's converter: {first_sentence(error)}"


def onnx_reason(error: BaseException | str) -> str:
    """What tf2onnx could not do: the operations it has no counterpart for, if it names any."""
    named = re.findall(r"Tensorflow op \[[^:\]]+: (\w+)\] is not supported", str(error))
    if named:
        return f"ONNX has no operation for {', '.join(dict.fromkeys(named))}"
    custom = re.search(r"No Op registered for (\w+)", str(error))
    return f"ONNX has no operation for {custom[1]}" if custom else first_sentence(error)
