"""The page in a browser: it asks for nothing, complains of nothing, and answers to pointer and keys."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from report_samples import HOSTILE

if TYPE_CHECKING:
    from conftest import Open, Opened

LABELS = "section[id='debtags.labels'] table.live"
FIGURE = "[id='figure.debtags-predict-speed']"


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_whole_page(opening: Open, size: str) -> None:
    opened = opening(size)
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    opened.through()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.locator("figure").count() == page.locator("figure.drawn").count() > 8
    assert page.locator("figure img:visible").count() == 0
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, {"runOnly": ["color-contrast"]}) == []
    assert opened.complaints == []
    assert [one for one in opened.requests if not one.startswith(("file:", "data:", "blob:"))] == []


def faults(page: Any, options: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """What axe finds serious or critical: rules and elements."""
    found = Axe().run(page, options={"resultTypes": ["violations"], **(options or {})}).response["violations"]
    grave = [one for one in found if one["impact"] in {"serious", "critical"}]
    return [(one["id"], node["html"][:200]) for one in grave for node in one["nodes"]]


@pytest.mark.parametrize("size", [pytest.param("phone", marks=pytest.mark.slow), "desktop"])
def test_links_reach_every_section(opening: Open, size: str) -> None:
    page = opening(size).page
    contents = page.locator("nav.menu" if size == "phone" else "nav.side")
    names = contents.locator("a").evaluate_all("(links) => links.map((link) => link.hash.slice(1))")
    sections = page.locator("main section[id]").evaluate_all("(found) => found.map((one) => one.id)")
    assert names == sections
    for name in names:
        if size == "phone":
            contents.locator("summary").click()
        contents.locator(f"a[href='#{name}']").click()
        page.wait_for_function(_AT, arg=name)
    assert page.locator("[id='debtags.calibration'] details.fold").evaluate("(fold) => fold.open")
    assert page.locator("aside.banner").bounding_box()["y"] < page.locator("#debtags").bounding_box()["y"]


_AT = """(name) => {
    const { top, bottom } = document.getElementById(name).getBoundingClientRect();
    const end = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    return (top > -5 && top < 60) || (end && bottom > 0 && top < innerHeight);
}"""


def test_a_link_into_a_fold_opens_it(opening: Open) -> None:
    page = opening(at="#debtags.calibration").page
    page.wait_for_selector("[id='debtags.calibration'] figure.drawn .main-svg")
    assert page.locator("[id='debtags.calibration'] details.fold[open]").count() == 1


def column(table: Any, place: int) -> list[str]:
    return table.locator(f"tbody tr > :nth-child({place})").all_inner_texts()


def soon(page: Any, holds: Callable[[], bool]) -> None:
    """A busy browser may take a moment."""
    for _ in range(50):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def test_tables_sort_and_filter(whole: Opened) -> None:
    page = whole.page
    table, section = page.locator(LABELS), page.locator("[id='debtags.labels']")
    assert column(table, 1)[:5] == list(HOSTILE)
    assert len(column(table, 1)) == 25

    heads = table.locator("thead th")
    heads.nth(2).click()
    soon(page, lambda: column(table, 3) == sorted(column(table, 3), key=lambda text: float(text.replace("–", "inf"))))
    # By the number behind the text: 100 comes after 99, not after 10; what is unknown comes last, either way.
    heads.nth(1).locator("[role=button]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    soon(page, lambda: column(table, 2)[:3] == ["119", "118", "117"])
    assert heads.nth(1).get_attribute("aria-sort") == "descending"
    for _ in range(2):
        heads.nth(2).click()
        soon(page, lambda: "–" not in column(table, 3))
        section.locator(".dt-paging button.last").click()
        soon(page, lambda: column(table, 3)[-1] == "–")

    section.locator("input[type=search]").first.fill("<script>")
    soon(page, lambda: column(table, 1) == [HOSTILE[0]])
    section.locator("input[type=search]").first.fill("nothing like it")
    soon(page, lambda: table.inner_text().splitlines()[-1] == "No row matches.")
    assert section.get_by_text("A footnote.").is_visible()
    section.locator("input[type=search]").first.fill("")


def hovers(page: Any) -> str:
    page.wait_for_selector(".hoverlayer .hovertext")
    return " ".join(page.locator(".hoverlayer .hovertext text").all_text_contents())


def next_said(page: Any, figure: Any) -> str:
    """What is told of the next value after an arrow key."""
    said = figure.locator(".said")
    before = said.text_content()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("([e, old]) => e.textContent !== old", arg=[said.element_handle(), before])
    return said.text_content()


def test_figures_tell_their_values(whole: Opened) -> None:
    page = whole.page
    figure = page.locator(FIGURE)
    figure.scroll_into_view_if_needed()
    figure.locator(".scatterlayer .points path").last.hover(force=True)
    said = hovers(page)
    assert "micro-F1" in said
    assert "Predict documents per second" in said
    page.mouse.move(0, 0)

    figure.locator(".plot").focus()
    first = next_said(page, figure)
    assert next_said(page, figure) != first
    assert "micro-F1: 0." in first

    before = figure.locator(".scatterlayer .points path").count()
    legend = figure.locator(".legend button").first
    legend.press("Enter")
    page.wait_for_function(
        "([f, n]) => document.querySelectorAll(f + ' .points path').length < n", arg=[FIGURE, before]
    )
    assert legend.get_attribute("aria-pressed") == "false"
    legend.press("Enter")

    figure.locator(".numbers summary").click()
    assert "instruction-tuning" in figure.locator(".numbers table").inner_text()
    assert whole.complaints == []


def test_every_kind_of_figure_answers_to_keys(whole: Opened) -> None:
    page = whole.page
    said = {}
    for figure in page.locator("figure").all():
        figure.locator(".plot").focus()
        said[figure.get_attribute("id").removeprefix("figure.")] = next_said(page, figure)
    assert "not told apart" not in said["across-tasks-ranks-ranks"]
    assert "mean rank 1.20" in said["across-tasks-ranks-ranks"]
    assert HOSTILE[0] in said["debtags-labels-worst"]
    assert HOSTILE[1] in said["debtags-labels-confused"]
    assert "20 documents" in said["debtags-calibration-reliability"]
    assert whole.complaints == []


def test_hostile_names_are_text(whole: Opened) -> None:
    page = whole.page
    assert page.title() == "Text classification: quality, memory and speed"
    assert page.locator("img[src=x], main b:not(.plot b)").count() == 0
    drawn = page.locator("[id='figure.hostile-predict-speed'] .textpoint text").all_text_contents()
    assert sorted(drawn) == sorted(HOSTILE)
    for text in HOSTILE:
        assert page.locator("#hostile tbody th bdi", has_text=text).first.is_visible()
        assert page.locator("[id='debtags.documents'] blockquote", has_text=text).first.is_visible()
        assert page.locator("[id='debtags.documents'] .labels li", has_text=text).first.is_visible()
    direction = "(one) => getComputedStyle(one).direction"
    arabic = page.locator("[id='debtags.documents'] blockquote", has_text=HOSTILE[3])
    assert arabic.evaluate(direction) == "rtl"
    assert whole.complaints == []


def test_documents_are_filtered(whole: Opened) -> None:
    page = whole.page
    browser = page.locator(".browser")
    cards = browser.locator(".card:visible")
    assert cards.count() == len(HOSTILE)
    browser.locator("input").fill("emoji")
    assert cards.count() == 1
    browser.locator("input").fill("")
    browser.locator("select").select_option(label="bert, a/model wrong")
    assert cards.count() == 2
    assert browser.locator("output").inner_text() == "2 of 5"
    assert "✗ wrong" in cards.first.inner_text()
    browser.locator("select").select_option(label="all")


def test_tab_reaches_everything(whole: Opened) -> None:
    page = whole.page
    wanted = page.evaluate(_FOCUSABLE)
    assert wanted > 40
    page.evaluate("document.body.tabIndex = -1; document.body.focus(); scrollTo(0, 0)")
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        page.evaluate("document.activeElement.dataset.reached = ''")
    left = page.evaluate("[...document.querySelectorAll('[data-wanted]:not([data-reached])')].map((e) => e.outerHTML)")
    assert left == []


_FOCUSABLE = """() => {
    const found = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")]
        .filter((one) => one.checkVisibility() && one.tabIndex >= 0 && !one.disabled);
    found.forEach((one) => (one.dataset.wanted = ""));
    return found.length;
}"""


def test_colours_follow_the_scheme(opening: Open) -> None:
    opened = opening(at="#debtags")
    page = opened.page
    page.wait_for_selector(f"{FIGURE} .main-svg")
    ink = f'getComputedStyle(document.querySelector("{FIGURE} .xtitle")).fill'
    light = page.evaluate(ink), page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => {ink} !== '{light[0]}'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light[1]
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"  # reduced motion


def test_without_scripts_all_is_there(opening: Open) -> None:
    page = opening(java_script_enabled=False).page
    assert page.locator("figure img:visible").count() > 6
    assert page.locator(".plot:visible, .legend:visible, .controls:visible").count() == 0
    assert page.locator(f"{LABELS} tbody tr:visible").count() == 120


def test_in_print_all_is_there(whole: Opened) -> None:
    page = whole.page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("figure img:visible").count() == page.locator("figure").count()
    assert page.locator(".plot:visible, nav:visible, input:visible").count() == 0
    assert page.locator(f"{LABELS} tbody tr:visible").count() == 120
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator(f"{LABELS} tbody tr:visible").count() == 25


def test_sections_are_in_order(whole: Opened) -> None:
    page = whole.page
    heights = [page.locator(f"[id='{name}']").bounding_box()["y"] for name in ("page.answer", "page.glance", "debtags")]
    assert all(a < b for a, b in pairwise(heights))
    assert "Of 18 planned cells 2 have no result." in page.locator("[id='page.answer']").inner_text()
