"""Pictures of the dashboards for docs/, taken by a headless Chromium that logs in as a person does.

Run by the Python of Superset's environment, which has a websocket client; the administrator's password comes on standard
input. Address, folder, then the ids of the dashboards:

    .venv-superset/bin/python bi/superset/screenshots.py http://127.0.0.1:8088 docs mot-cua < DX_HOME/superset/admin_password
"""

import base64
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

WIDTH, HEIGHT = 1400, 900
LOADED = (
    "document.querySelectorAll('.dashboard-component-chart-holder').length > 0"
    " && document.querySelectorAll('.loading, [data-test=\"loading-indicator\"], .ant-spin').length === 0"
)
BOTTOM = (
    "Math.max(...[...document.querySelectorAll('.dashboard-component-chart-holder')]"
    ".map(holder => holder.getBoundingClientRect().bottom))"
)


class Browser:
    """One page of a headless Chromium, spoken to over its debugging protocol."""

    def __init__(self, folder: str) -> None:
        self.process = subprocess.Popen(
            [
                *(shutil.which("chromium") or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*"),
                *(f"--user-data-dir={folder}", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = self._port(Path(folder) / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self._socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self._numbers = itertools.count(1)

    def _port(self, file: Path) -> str:
        for _ in range(200):
            if file.exists() and file.read_text(encoding="ascii").strip():
                return file.read_text(encoding="ascii").split()[0]
            time.sleep(0.1)
        sys.exit("chromium does not start")

    def do(self, method: str, **parameters: object) -> dict:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == number:
                return told.get("result", {})

    def value(self, expression: str) -> object:
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait(self, expression: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not self.value(expression):
            if time.monotonic() > end:
                sys.exit(f"waited {seconds} s for {expression}")
            time.sleep(0.3)

    def type_into(self, selector: str, text: str) -> None:
        self.wait(f"document.querySelector({json.dumps(selector)}) !== null")
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.do("Input.insertText", text=text)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def main(address: str, target: str, *dashboards: str) -> None:
    password = sys.stdin.readline().strip()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            screen = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
            browser.do("Emulation.setDeviceMetricsOverride", **screen)
            browser.do("Page.navigate", url=f"{address}/login/")
            browser.type_into("input[name=username], #username", "admin")
            browser.type_into("input[type=password]", password)
            browser.value("document.querySelector('button[type=submit], input[type=submit]').click()")
            browser.wait("!location.pathname.startsWith('/login')")
            for dashboard in dashboards:
                screen["height"] = 2 * HEIGHT  # charts below the screen are not asked for
                browser.do("Emulation.setDeviceMetricsOverride", **screen)
                browser.do(
                    "Page.navigate", url=f"{address}/superset/dashboard/{dashboard}/?standalone=1&expand_filters=0"
                )
                time.sleep(2)
                browser.wait(LOADED)
                height = browser.value(BOTTOM)
                screen["height"] = int(height or HEIGHT) + 24
                browser.do("Emulation.setDeviceMetricsOverride", **screen)
                time.sleep(2)
                browser.wait(LOADED)
                time.sleep(2)
                picture = browser.do("Page.captureScreenshot", format="png")["data"]
                Path(target, f"superset-{dashboard}.png").write_bytes(base64.b64decode(picture))
        finally:
            browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
