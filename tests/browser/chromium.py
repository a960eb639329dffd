"""Chromium without a window, as the tests of this folder use it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

BEFORE_THE_PAGE = """
window.ran = [];
for (const name of ["alert", "confirm", "prompt"]) window[name] = (text) => { window.ran.push(String(text)); };
"""
"""What runs before any script of a page: it notes down what hostile text would call."""


class Chromium:
    """One browser; `show` opens a page in it. Sizes are in CSS pixels."""

    def __init__(self, program: str, driver: str, folder: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in (
            "--headless=new",
            "--no-sandbox",  # within a container there is none; the pages are ours
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--force-device-scale-factor=1",
            "--hide-scrollbars",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.driver.set_script_timeout(60)
        self.folder = folder
        self.command("Page.addScriptToEvaluateOnNewDocument", source=BEFORE_THE_PAGE)

    def command(self, name: str, **parameters: Any) -> dict[str, Any]:
        """A command of the Chrome DevTools Protocol."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(name, parameters)
        return answer

    def show(self, page: Path, *, width: int = 1000, height: int = 800, scheme: str = "light") -> None:
        """Opens the file as at a first visit, in a window of that size and theme of the system."""
        self.resize(width, height)
        self.prefer(scheme)
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(page.as_uri())

    def resize(self, width: int, height: int = 800) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def prefer(self, scheme: str) -> None:
        """The theme that the system asks for, `light` or `dark`; without animation."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.command("Emulation.setEmulatedMedia", features=features)
        self.evaluate("new Promise((told) => requestAnimationFrame(() => setTimeout(told, 0)))")  # so that it knows

    def run(self, script: str, *arguments: Any) -> Any:
        """What a JavaScript function body returns."""
        return self.driver.execute_script(script, *arguments)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited; the page's Content-Security-Policy does not hold for it."""
        answer = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def tab(self, times: int = 1) -> None:
        self.press(*([Keys.TAB] * times))

    def complaints(self) -> list[str]:
        """What the page's console says since `show`: errors, warnings, what the security policy refused."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that the page got since `show`, or tried to get, but itself, data: addresses, and those that
        its security policy refused (`complaints` has these).
        """
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = {
            message["params"]["requestId"]: message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent" and message["params"].get("type") != "Document"
        }
        for message in messages:
            if message["method"] == "Network.loadingFailed" and message["params"].get("blockedReason") == "csp":
                asked.pop(message["params"]["requestId"], None)
        return [address for address in asked.values() if not address.startswith("data:")]

    def printed(self) -> bytes:
        """The page printed to PDF on A4."""
        return base64.b64decode(self.command("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])

    def quit(self) -> None:
        self.driver.quit()
