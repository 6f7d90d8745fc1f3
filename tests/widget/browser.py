"""A headless Chromium driven over the WebDriver protocol (W3C); started for a test module and stopped with it."""

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--window-size=1000,1500",
)


class Browser:
    """One session."""

    def __init__(self, http: httpx.Client, session: str) -> None:
        self._http = http
        self._session = session

    def call(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        answer = self._http.request(method, f"/session/{self._session}{path}", json=body if method == "POST" else None)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def open(self, url: str) -> None:
        self.call("/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a function body, or of the promise it returns."""
        return self.call("/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, keys: str) -> None:
        """Keys one after another, to whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def resize(self, width: int, height: int) -> None:
        self.call("/window/rect", {"width": width, "height": height})

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("/screenshot", method="GET")))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, or a skipped test where none is installed."""
    driver, binary = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or binary is None:
        pytest.skip("not run: no chromium and chromedriver here")
    with tempfile.TemporaryDirectory(prefix="tranship-chromium-") as folder:
        process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert process.stdout is not None
            line = next(each for each in process.stdout if "started successfully on port" in each)
            port = int(line.strip().rstrip(".").rpartition(" ")[2])
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
                options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={folder}/profile"]}
                wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
                answer = http.post("/session", json=wanted)
                assert answer.status_code == 200, answer.text
                browser = Browser(http, answer.json()["value"]["sessionId"])
                try:
                    yield browser
                finally:
                    browser.call("", method="DELETE")
        finally:
            process.terminate()
            process.wait(20)
            assert process.stdout is not None
            process.stdout.close()
