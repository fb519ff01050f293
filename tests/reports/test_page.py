"""The page in a real browser: sorting, filtering, opening, keyboard, dark colours, no error."""

import pytest

import reports
from bench.results.store import read_run
from tests.reports.browser import CHROMIUM, DRIVER, Browser
from tests.reports.fabricate import TYPICAL, Spec, fabricate

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"
)
HOSTILE = Spec(
    "infer/<img src=x onerror=document.title='owned'>",
    "infer/function",
    summary="</template><script>document.title='owned'</script>",
    warnings=("<b onclick=alert(1)>bold</b>",),
)
TABLE = "#inference table"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "run"
    fabricate(folder, [*TYPICAL, HOSTILE], launches=3, configurations=("cpu-1", "cpu-all"))
    reports.write(folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.fixture
def shown(browser, page):
    browser.open(page)
    charts = "document.querySelectorAll('script[data-chart]').length"
    browser.until(f"document.querySelectorAll('figure.live').length === {charts}")
    yield browser
    errors = [m for m in browser.messages() if "SEVERE" in m or "rror" in m]
    assert errors == []


def column(browser, name, table=TABLE):
    return browser.run(
        f"""
        const table = document.querySelector("{table}");
        const heads = [...table.tHead.rows[0].cells];
        const at = heads.findIndex((th) => th.textContent.trim() === "{name}");
        return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.sort);
        """
    )


def head(browser, name):
    return browser.run(
        f"""
        const heads = [...document.querySelectorAll("{TABLE} th button")];
        const found = heads.find((b) => b.textContent.trim() === "{name}");
        found.id = "wanted";
        found.scrollIntoView({{behavior: "instant", block: "center", inline: "center"}});
        return found.closest("th").getAttribute("aria-sort");
        """
    )


def test_sorting_goes_up_then_down_with_missing_values_last(shown):
    head(shown, "speed-up")
    shown.click("#wanted")
    values = column(shown, "speed-up")
    known = [float(v) for v in values if v]
    assert known == sorted(known)
    assert len(known) > 5
    assert values[-1] == ""
    shown.click("#wanted")
    values = column(shown, "speed-up")
    known = [float(v) for v in values if v]
    assert known == sorted(known, reverse=True)
    assert values[-1] == ""
    assert head(shown, "speed-up") == "descending"


def test_times_sort_by_their_value_not_by_their_text(shown):
    head(shown, "time an answer")
    shown.click("#wanted")
    values = [float(v) for v in column(shown, "time an answer")]
    assert values == sorted(values)


def test_filtering_leaves_the_rows_that_match(shown):
    shown.type("#filter", "int8")
    left = shown.run(
        "return [...document.querySelectorAll('tr[data-row]')].filter((r) => !r.hidden)"
        ".map((r) => r.dataset.row)"
    )
    assert left
    assert all("int8" in row for row in left)


def test_a_filter_that_nothing_matches_says_so(shown):
    shown.type("#filter", "no such row")
    assert shown.run("return !document.querySelector('#inference .none').hidden")


def test_outcome_filter_keeps_what_did_not_run(shown):
    shown.run(
        "const s = document.getElementById('status'); s.value = 'unsupported';"
        "s.dispatchEvent(new Event('input'));"
    )
    left = shown.run(
        "return [...document.querySelectorAll('#not-run tr[data-row]')]"
        ".filter((r) => !r.hidden).length"
    )
    assert left == 2


def test_configuration_filter_hides_the_other(shown):
    shown.run(
        "const s = document.getElementById('configuration'); s.value = 'cpu-1';"
        "s.dispatchEvent(new Event('input'));"
    )
    left = shown.run(
        "return [...document.querySelectorAll('tr[data-configuration=cpu-all]')]"
        ".filter((r) => !r.hidden).length"
    )
    assert left == 0


def test_a_row_opens_to_its_launches_and_closes(shown):
    shown.run(
        "document.querySelector('#inference .open')"
        ".scrollIntoView({behavior: 'instant', block: 'center'})"
    )
    shown.click("#inference .open")
    text = shown.run("return document.querySelector('#inference tr.opened').textContent")
    assert "Launches" in text
    assert "Settings" in text
    lines = "return document.querySelectorAll('#inference tr.opened polyline').length"
    assert shown.run(lines) >= 3
    shown.click("#inference .open")
    assert shown.run("return document.querySelector('#inference tr.opened')") is None


def test_an_open_row_stays_with_its_row_when_sorted(shown):
    shown.run("document.querySelector('#inference .open').click()")
    head(shown, "speed-up")
    shown.click("#wanted")
    together = shown.run(
        "const d = document.querySelector('#inference tr.opened');"
        "return d.previousElementSibling.querySelector('.open').getAttribute('aria-expanded')"
    )
    assert together == "true"


def test_the_slash_key_goes_to_the_filter(shown):
    shown.keys("/")
    shown.until("document.activeElement.id", "filter")


def test_rows_open_by_keyboard(shown):
    shown.run("document.querySelector('#training .open').focus()")
    shown.keys("\ue007")
    shown.until("document.querySelectorAll('#training tr.opened').length", 1)


def test_markup_in_names_and_messages_is_shown_not_run(shown):
    shown.run("document.querySelectorAll('#inference .open').forEach((b) => b.click())")
    assert shown.run("return document.title") == "run · tfbench"
    assert shown.run("return document.querySelectorAll('img').length") == 0
    assert HOSTILE.id in shown.run("return document.querySelector('#inference').textContent")


def test_dark_colours_reach_page_and_plots(shown):
    colours = (
        "return [getComputedStyle(document.body).backgroundColor, "
        "getComputedStyle(document.querySelector('figure svg path')).fill]"
    )
    light = shown.run(colours)
    shown.click("#theme")
    shown.click("#theme")
    dark = shown.run(colours)
    assert all(a != b for a, b in zip(light, dark, strict=True))


def test_nothing_is_loaded_from_elsewhere(shown):
    assert shown.run("return performance.getEntriesByType('resource').length") == 0


def test_a_phone_does_not_scroll_sideways(page):
    with Browser(390, 844) as phone:
        phone.open(page)
        inner, outer = phone.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert inner <= outer


# --- the charts -----------------------------------------------------------------------------------


@pytest.fixture
def charts(shown):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    assert shown.run("return document.querySelectorAll('figure.live').length") == 4
    return shown


def points(chart):
    return f"document.querySelectorAll('figure[data-figure={chart}] .points_marks > path')"


def test_a_chart_has_a_point_a_row_and_takes_its_plots_place(charts, page):
    run = read_run(page.parent)
    timed = [r for r in run.effects.rows if r.scenario.startswith("train/") and r.speedup]
    assert charts.run(f"return {points('speedup-train')}.length") == len(timed) > 4
    hidden = "return getComputedStyle(document.querySelector('figure.live > [role=img]')).display"
    assert charts.run(hidden) == "none"
    assert charts.run("return document.querySelectorAll('figure:not(.live)').length") > 4


def test_a_point_tells_id_figures_and_interval(charts, page):
    row = read_run(page.parent).effects.row("train/xla", "cpu-1")
    label = charts.run(
        f"return [...{points('speedup-train')}].map((p) => p.getAttribute('aria-label'))"
        ".find((t) => t.startsWith('train/xla, where cpu-1'))"
    )
    for figure in (row.speedup, row.speedup_low, row.speedup_high):
        assert f"{figure:.3f}" in label


def test_keys_go_from_point_to_point_and_enter_opens_the_row(charts):
    charts.run(f"{points('speedup-infer')}[0].focus()")
    charts.keys("\ue014\ue014")  # to the right, twice
    charts.until(f"[...{points('speedup-infer')}].indexOf(document.activeElement)", 2)
    reached = f"[...{points('speedup-infer')}].filter((p) => p.tabIndex === 0).length"
    assert charts.run(f"return {reached}") == 1
    tip = "document.querySelector('#vg-tooltip-element.visible')?.textContent ?? ''"
    anchor = charts.run("return document.activeElement.__data__.datum.anchor")
    assert anchor.split()[0] in charts.run(f"return {tip}")
    charts.keys("\ue00c")  # Escape
    charts.until(tip, "")
    charts.keys("\ue007")  # Enter
    charts.until("document.querySelector('tr.opened')?.previousElementSibling.dataset.row", anchor)
    assert charts.run("return document.activeElement.className") == "open"


def test_a_click_opens_a_row_that_a_filter_hid(charts):
    charts.type("#filter", "no such row")
    charts.run(
        "document.querySelector('figure[data-figure=pareto]')"
        ".scrollIntoView({behavior: 'instant', block: 'center'})"
    )
    anchor = charts.run(f"return [...{points('pareto')}].at(-1).__data__.datum.anchor")
    charts.click("figure[data-figure=pareto] .points_marks > path:last-of-type")
    opened = charts.run(
        "return document.querySelector('tr.opened').previousElementSibling.dataset.row"
    )
    assert opened == anchor
    assert charts.run("return document.getElementById('filter').value") == ""


def test_markup_in_a_charts_names_is_shown_not_run(charts):
    find = (
        f"[...{points('speedup-infer')}].find((p) => p.__data__.datum.scenario.includes('img src'))"
    )
    charts.run(f"{find}.focus()")
    assert "<img src=x" in charts.run(
        "return document.querySelector('#vg-tooltip-element').textContent"
    )
    assert charts.run("return document.title") == "run · tfbench"
    assert charts.run("return document.querySelectorAll('img').length") == 0
