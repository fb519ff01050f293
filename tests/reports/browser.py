"""A headless Chromium for tests, driven by chromedriver's own protocol (W3C WebDriver)."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


class Browser:
    """One page in one session; a context manager."""

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [str(DRIVER), f"--port={port}", "--silent"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.root = f"http://127.0.0.1:{port}"
        self.session = ""
        options = {
            "binary": CHROMIUM,
            "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                f"--window-size={width},{height}",
            ],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._wait_for_driver()
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._call("DELETE", self.session)
        finally:
            self.process.terminate()
            self.process.wait(10)

    def open(self, page: Path) -> None:
        """Load a file."""
        self._call("POST", f"{self.session}/url", {"url": page.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """Run a function's body in the page; what it returns."""
        return self._call("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def until(self, script: str, wanted: Any = True) -> None:
        """Wait for an expression to have a value: drawing and keys take their time."""
        for _ in range(200):
            found = self.run(f"return {script}")
            if found == wanted:
                return
            time.sleep(0.05)
        raise AssertionError(f"{script} is {found!r}")

    def click(self, selector: str) -> None:
        """Click as a user does: the element must be visible."""
        self._element(selector, "click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into an element."""
        self._element(selector, "value", {"text": text})

    def keys(self, text: str) -> None:
        """Press keys, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        chain = {"type": "key", "id": "keyboard", "actions": actions}
        self._call("POST", f"{self.session}/actions", {"actions": [chain]})

    def messages(self) -> list[str]:
        """What the console said."""
        entries = self._call("POST", f"{self.session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def _element(self, selector: str, what: str, body: dict[str, Any]) -> None:
        find = {"using": "css selector", "value": selector}
        found = self._call("POST", f"{self.session}/element", find)
        (element,) = found.values()
        self._call("POST", f"{self.session}/element/{element}/{what}", body)

    def _wait_for_driver(self) -> None:
        for _ in range(200):
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("chromedriver did not start")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None
