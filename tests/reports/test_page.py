"""The page in a real browser: sorting, filtering, opening, keyboard, dark colours, no error."""

import pytest

import reports
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
    assert shown.run("return document.activeElement.id") == "filter"


def test_rows_open_by_keyboard(shown):
    shown.run("document.querySelector('#training .open').focus()")
    shown.keys("\ue007")
    assert shown.run("return document.querySelectorAll('#training tr.opened').length") == 1


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
