"""Pages in a real browser: they draw without an error, fit a phone, and everybody can read them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grader import shipped
from grader.catalog import load_catalog
from grader.report.forms import Form
from grader.report.mappage import Place, to_html
from tests.unit.reports import ERROR, FAILED, HOSTILE, PASSED, poisoned, stored, text_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MADE = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
STATES = ("passed", "started", "next", "open")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window. Where there is none the test is skipped; in CI it fails."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("GRADER_REQUIRE_BROWSER"):
            pytest.fail("GRADER_REQUIRE_BROWSER is set, and there is no Chromium")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    # root is not let into its own sandbox; it shows nothing but our own files
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=options)
        yield made
        made.close()


def roadmap() -> str:
    """The real map, with every state, many tries, and a title that could break out."""
    catalog = load_catalog(shipped.exercises())
    places = [
        Place(
            exercise=exercise,
            state=STATES[number % 4],
            scores=tuple(float(10 * step % 101) for step in range(number * 9)),
            missing="postgres" if number == 2 else "",
        )
        for number, exercise in enumerate(catalog.exercises.values())
    ]
    places[0] = replace(
        places[0], exercise=replace(places[0].exercise, title=HOSTILE["markup"] + "x" * 300)
    )
    return to_html(catalog.roadmap.stages, places, "grader next", MADE)


def violations(tab: Any) -> list[tuple[str, str]]:
    """What axe-core finds: the rule, and the first element that breaks it."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def test_a_violation_is_found(browser: Any) -> None:
    """Else no page below would mean anything."""
    tab = browser.new_page()
    tab.set_content("<html lang=en><title>x</title><main><h1>a</h1><img src='data:,'></main>")
    assert [rule for rule, _ in violations(tab)] == ["image-alt"]
    tab.close()


PAGES: dict[str, Callable[[], str]] = {
    "roadmap": roadmap,
    "roadmap of nothing": lambda: to_html((), (), "", MADE),
    "failed report": lambda: text_of(Form.HTML, stored(FAILED)),
    "passed report": lambda: text_of(Form.HTML, stored(PASSED)),
    "report of a fault": lambda: text_of(Form.HTML, stored(ERROR)),
    "hostile report": lambda: text_of(Form.HTML, poisoned(HOSTILE["markup"])),
}


@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_fits_and_is_accessible(
    browser: Any, tmp_path: Path, page: str, scheme: str, width: int
) -> None:
    """No error in the console, no request, nothing to scroll sideways, no violation of axe-core."""
    file = tmp_path / "page.html"
    file.write_text(PAGES[page](), encoding="utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # axe-core is put into the page; what the policy forbids is tested below
    )
    try:
        tab = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(file.as_uri())
        for closed in tab.locator("details:not([open]) > summary").all()[:3]:
            closed.press("Enter")  # with the keyboard alone
        assert said == []
        assert asked == [file.as_uri()]
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(tab) == []
    finally:
        context.close()


def test_what_is_read_on_is_found_with_the_keyboard(browser: Any, tmp_path: Path) -> None:
    """Tab reaches the list, Enter opens it, and the next stop is its first link."""
    file = tmp_path / "page.html"
    file.write_text(roadmap(), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "A"
    assert tab.evaluate("document.activeElement.href").startswith("https://")
    tab.close()


@pytest.mark.parametrize("page", ["roadmap", "hostile report"])
def test_a_script_would_not_run(browser: Any, tmp_path: Path, page: str) -> None:
    """The page's own policy holds back what got into it all the same."""
    file = tmp_path / "page.html"
    text = PAGES[page]().replace("</main>", "<script>document.title = 'owned'</script></main>")
    file.write_text(text, encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    assert "owned" not in tab.title()
    tab.close()
