"""The estimator in a real browser: asks the real API, shows the price, works by keyboard, in three languages."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import address, app, clock, runtime, settings
from tests.widget.browser import Browser, chromium

__all__ = ["address", "app", "clock", "runtime", "settings"]  # fixtures

TAB, ENTER = "\ue004", "\ue007"
# Where a person who wants to look at it finds the pictures.
PICTURES = os.environ.get("WIDGET_PICTURES", "")
HELPERS = """
    const root = document.querySelector("#plain").shadowRoot;
    const until = async (ready) => {
      for (let turn = 0; turn < 400; turn++) {
        const found = ready();
        if (found) return found;
        await new Promise((done) => setTimeout(done, 25));
      }
      return null;
    };
"""


@pytest.fixture(scope="module")
def browser() -> Any:
    with chromium() as opened:
        yield opened


async def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """The browser is asked in a thread, because this loop answers it."""
    return await asyncio.to_thread(work, *arguments)


async def shown(browser: Browser, address: str) -> None:
    await apart(browser.open, f"{address}/widget")
    ready = "return until(() => root.querySelector('[name=source]').options.length > 1);"
    assert await apart(browser.run, HELPERS + ready), "the pairs were loaded"


async def test_the_script_and_its_page_are_served_safely(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        script, page = await client.get("/widget.js"), await client.get("/widget")
        assert script.headers["content-type"].startswith("text/javascript")
        assert (script.headers["access-control-allow-origin"], script.headers["x-content-type-options"]) == (
            "*",
            "nosniff",
        )
        assert len(script.content) < 20_000
        assert "script-src 'self'" in page.headers["content-security-policy"]
        again = await client.get("/widget.js", headers={"If-None-Match": script.headers["etag"]})
        assert again.status_code == 304


async def test_asks_and_shows_a_price_by_keyboard_alone(browser: Browser, address: str, tmp_path: Path) -> None:
    await shown(browser, address)
    await apart(browser.run, HELPERS + "root.querySelector('[name=source]').focus();")
    await apart(browser.press, TAB + TAB + TAB + TAB + ENTER)
    price = await apart(browser.run, HELPERS + "return (await until(() => root.querySelector('.price')))?.textContent;")
    assert price.startswith("$"), price
    assert await apart(browser.run, HELPERS + "return root.activeElement.tagName;") == "H3", "the result has the focus"
    lines = await apart(browser.run, HELPERS + "return [...root.querySelectorAll('dt')].map((one) => one.textContent);")
    assert lines
    folder = Path(PICTURES) if PICTURES else tmp_path
    await apart(browser.picture, folder / "widget.png")
    assert (folder / "widget.png").stat().st_size > 10_000


async def test_speaks_three_languages(browser: Browser, address: str) -> None:
    await shown(browser, address)
    script = """
        const said = [];
        for (const lang of ["en", "de", "es", "fr"]) {
          document.querySelector("#plain").setAttribute("lang", lang);
          said.push(root.querySelector("button").textContent);
        }
        return said;
    """
    said = await apart(browser.run, HELPERS + script)
    assert said == ["Get the price", "Preis berechnen", "Calcular el precio", "Get the price"]


async def test_is_labelled_themable_and_apart_from_the_page(browser: Browser, address: str) -> None:
    await shown(browser, address)
    unlabelled = "return [...root.querySelectorAll('select,input')].filter((one) => !one.labels.length).length;"
    assert await apart(browser.run, HELPERS + unlabelled) == 0
    live = "return [root.querySelector('output').ariaLive, root.querySelector('[role=alert]').role];"
    assert await apart(browser.run, HELPERS + live) == ["polite", "alert"]
    colours = """
        const button = document.querySelector("#german").shadowRoot.querySelector("button");
        document.head.append(Object.assign(document.createElement("style"), {textContent: "button{display:none}"}));
        const own = getComputedStyle(root.querySelector("button")).display;
        return [getComputedStyle(button).backgroundColor, own !== "none"];
    """
    assert await apart(browser.run, HELPERS + colours) == ["rgb(11, 110, 79)", True]


async def test_wrong_input_is_named_and_focused(browser: Browser, address: str) -> None:
    await shown(browser, address)
    script = """
        const records = root.querySelector("[name=records]");
        records.value = "-5";
        root.querySelector("button").click();
        return [root.querySelector("[role=alert]").textContent, root.activeElement.name, records.ariaInvalid];
    """
    assert await apart(browser.run, HELPERS + script) == ["Please check what you entered.", "records", "true"]


async def test_a_limit_is_told_with_its_end_and_an_event(browser: Browser, address: str) -> None:
    await shown(browser, address)
    script = """
        let told = null;
        document.addEventListener("tranship-error", (event) => { told = event.detail; });
        const button = root.querySelector("button");
        for (let turn = 0; turn < 40 && !told; turn++) {
          button.click();
          await until(() => !button.hasAttribute("aria-disabled"));
        }
        return [told.code, root.querySelector("[role=alert]").textContent];
    """
    code, text = await apart(browser.run, HELPERS + script)
    assert code == "too-many"
    assert "Try again in" in text


@pytest.mark.parametrize("width", [340, 1000])
async def test_fits_any_width(browser: Browser, address: str, width: int, tmp_path: Path) -> None:
    await apart(browser.resize, width, 1500)
    await shown(browser, address)
    over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"
    assert await apart(browser.run, over) <= 0
    await apart(browser.picture, (Path(PICTURES) if PICTURES else tmp_path) / f"widget-{width}.png")
