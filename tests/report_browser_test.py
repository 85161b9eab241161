#!/usr/bin/env python3
"""Opens reports of made-up runs in headless Chromium: what its charts and tables hold, read back, must equal the runs' files; no
console message, no request, nothing wider than a phone.

Usage: report_browser_test.py PTNAS. Exits 77 (skipped) where Chromium is absent.
"""
import html
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sample_run
import support

PROGRAM = sys.argv[1]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr"]
ORDINARY = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def same(found, wanted, what):
    check(found == wanted, f"{what}: expected {str(wanted)[:300]}, found {str(found)[:300]}")


def close(found, wanted, what, tolerance=1e-12):
    """Nested lists and objects of the same shape, their numbers equal but for rounding."""
    if isinstance(wanted, dict) and isinstance(found, dict) and found.keys() == wanted.keys():
        return all(close(found[key], wanted[key], f"{what}, {key}", tolerance) for key in wanted)
    if isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        return all(close(a, b, f"{what}, {i}", tolerance) for i, (a, b) in enumerate(zip(found, wanted)))
    if isinstance(wanted, float) and isinstance(found, (int, float)) and abs(found - wanted) <= tolerance:
        return True
    if found == wanted:
        return True
    check(False, f"{what}: expected {str(wanted)[:200]}, found {str(found)[:200]}")
    return False


def browse(profile, address, *options):
    """The page as it stands after its scripts, and what the console said."""
    try:
        result = subprocess.run([BROWSER, *QUIET, f"--user-data-dir={profile}", *options, "--dump-dom", address], capture_output=True,
                                text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "", ["the browser did not end: a dialogue, or a script without end"]
    return result.stdout, [line for line in result.stderr.splitlines() if ":CONSOLE" in line]


def preformatted(page, name):
    match = re.search(rf'<pre id="{name}">(.*?)</pre>', page, re.S)
    return json.loads(html.unescape(match.group(1))) if match else None


# ---- What the files say the page must hold

def lines_of(folder):
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def points(lines, phase, key):
    return [{"x": line["epoch"], "y": line[key]} for line in lines if line["phase"] == phase and line.get(key) is not None]


def harm(selection, event, score):
    if selection["criterion"] == "loss":
        return score["loss"] - event["baseline"]["loss"]
    return event["baseline"]["accuracy"] - score["accuracy"]


def differs(event):
    if event["kind"] == "operation":
        return event["chosen"] != event["alpha_choice"]
    return sorted(event["kept"]) != sorted(event["alpha_choice"])


def expected_curves(lines):
    curves = {}
    kinds = {"search": [("search", [("train", "training half"), ("valid", "validation half")])],
             "retraining": [("train", [("train", "training, augmented"), ("valid", "held out"), ("test", "test")])]}
    for prefix, [(phase, sets)] in kinds.items():
        if not any(line["phase"] == phase for line in lines):
            continue
        for quantity in ("accuracy", "loss"):
            found = [{"label": label, "data": points(lines, phase, f"{key}_{quantity}")} for key, label in sets]
            curves[f"{prefix}-{quantity}"] = [one for one in found if one["data"]]
    return curves


def expected_trajectory(lines):
    steps = [line for line in lines if line["phase"] in ("select", "tune")]
    result = {}
    for quantity in ("accuracy", "loss") if steps else ():
        def at(phase, key):
            return [{"x": i, "y": line[key]} for i, line in enumerate(steps) if line["phase"] == phase and line[key] is not None]
        found = [{"label": "validation, after a decision", "data": at("select", f"valid_{quantity}")},
                 {"label": "validation, after tuning", "data": at("tune", f"valid_{quantity}")},
                 {"label": "training, while tuning", "data": at("tune", f"train_{quantity}")}]
        result[f"trajectory-{quantity}"] = [one for one in found if one["data"]]
    return result


def expected_choices(selection):
    operations = sample_run.OPERATIONS
    events = [event for event in selection["events"] if event["kind"] == "operation"]
    measured = [event for event in events if event["scores"]]
    def won(key):
        return [sum(event[key] == name for event in events) for name in operations]
    result = {}
    if events and selection["selection"] != "magnitude":
        result["choices"] = [{"label": "by alpha", "data": won("alpha_choice")},
                             {"label": f"by {selection['selection']}", "data": won("chosen")}]
    if measured:
        result["strength"] = [{"label": name, "data": [
            {"x": score["alpha"], "y": harm(selection, event, score)} for event in measured for score in event["scores"]
            if score["operation"] == name]} for name in operations]
    return result


def check_alpha(found, lines, selection, what):
    searched = sum(line["phase"] == "search" for line in lines)
    with_alpha = [line for line in lines if "alpha" in line]
    for cell in sample_run.CELLS if with_alpha else ():
        for edge in range(len(sample_run.EDGES)):
            labels = sample_run.OPERATIONS if selection else [f"operation {i + 1}" for i in range(len(sample_run.OPERATIONS))]
            wanted = [{"label": label, "data": [
                {"x": line["epoch"] + (searched if line["phase"] == "tune" else 0), "y": line["alpha"][cell][edge][i]}
                for line in with_alpha]} for i, label in enumerate(labels)]
            close(found.get(f"{cell} {edge}"), wanted, f"{what}: alpha of {cell} edge {edge}", 0)


def check_decisions(found, selection, what):
    events, loss = selection["events"], selection["criterion"] == "loss"
    same([card["id"] for card in found], [f"decision-{event['event']}" for event in events], f"{what}: decisions")
    for card, event in zip(found, events):
        here = f"{what}: {card['id']}"
        same(card["differs"], differs(event), f"{here} differs")
        if event["kind"] == "operation" and event["scores"]:
            rows = [(s["operation"], s["alpha"], harm(selection, event, s), s["operation"] == event["alpha_choice"],
                     s["operation"] == event["chosen"]) for s in event["scores"]]
        elif event["kind"] == "operation":
            rows = [(name, alpha, None, name == event["alpha_choice"], name == event["chosen"])
                    for name, alpha in zip(sample_run.OPERATIONS, selection["alpha"][event["cell"]][event["edge"]])]
        else:
            rows = [(s["operation"], None, harm(selection, event, s), s["edge"] in event["alpha_choice"], s["edge"] in event["kept"])
                    for scores in event["rounds"] for s in scores]
        same(len(card["rows"]), len(rows), f"{here}: rows")
        for row, (name, alpha, lost, by_alpha, chosen) in zip(card["rows"], rows):
            check(row["name"].endswith(name), f"{here}: {row['name']} is not {name}")
            if alpha is not None:
                check(abs(row["alpha"] - alpha) <= 0.00051, f"{here}, {name}: alpha {row['alpha']}, in the file {alpha}")
            shown = row["harm"] if lost is None or loss else row["harm"] / 100
            check(shown is None if lost is None else abs(shown - lost) <= 0.000051, f"{here}, {name}: {shown}, in the file {lost}")
            same((row["alphaChosen"], row["chosen"]), (by_alpha, chosen), f"{here}, {name}: marks")
        if event.get("margin"):
            margin = f"{event['margin']:.4f}" if loss else f"{100 * event['margin']:.2f} points"
            check(f"Margin over the next: {margin}" in card["note"], f"{here}: margin {margin} not in {card['note']!r}")


def check_selection(found, selection, what):
    events = selection["events"]
    check_decisions(found["decisions"], selection, what)
    if events:
        count = sum(differs(event) for event in events)
        wanted = {"all": len(events), "differs": count, "agrees": len(events) - count, "topology": sum(e["kind"] == "topology" for e in events)}
        wanted |= {cell: sum(event["cell"] == cell for event in events) for cell in sample_run.CELLS}
        tested = [event["within_noise"] for event in events if event.get("within_noise") is not None]
        if tested:
            wanted |= {"noise": tested.count(True), "beyond": tested.count(False)}
        same(found["filtered"], wanted, f"{what}: what the filter shows")
    operations = [event for event in events if event["kind"] == "operation"]
    if selection["selection"] == "perturbation" and operations:
        text = f"Perturbation disagrees with alpha on {sum(map(differs, operations))} of {len(operations)} edges."
        check((found["banner"] or "").startswith(text), f"{what}: the banner says {found['banner']!r}")


def check_page(profile, folder, what, parent=None):
    support.must(support.run(PROGRAM, "report", folder))
    page, console = browse(profile, f"file://{folder / 'report.html'}#selfcheck")
    same(console, [], f"{what}: console")
    found = preformatted(page, "selfcheck")
    if found is None:
        return check(False, f"{what}: the page's script did not come to its end")
    same(found["errors"], [], f"{what}: errors")
    same(found["requests"], [], f"{what}: requests")
    same(found["scripts"], 3, f"{what}: scripts in the page")
    check(found["overflow"] <= 0, f"{what}: {found['overflow']} pixels wider than the window")

    def read(name):
        return json.loads((folder / name).read_text()) if (folder / name).exists() else None
    lines, selection = lines_of(folder), read("selection.json")
    if parent and not any(line["phase"] == "search" for line in lines):
        lines = [line for line in lines_of(parent) if line["phase"] == "search"] + lines
    wanted = {**expected_curves(lines), **expected_trajectory(lines), **(expected_choices(selection) if selection else {})}
    charts = {name: chart["datasets"] for name, chart in found["charts"].items() if name != "alpha"}
    close(charts, wanted, f"{what}: charts")
    check(all(chart["pixels"] > 10000 for chart in found["charts"].values()), f"{what}: an empty canvas")
    same("alpha" in found["charts"], any("alpha" in line for line in lines), f"{what}: chart of alpha")
    check_alpha(found["alpha"], lines, selection, what)
    if selection:
        check_selection(found, selection, what)
    evaluation, data = read("evaluation.json"), read("data.json")
    same(found["confusion"], evaluation["confusion"] if evaluation else [], f"{what}: confusion matrix")
    same(found["classes"], data["classes"] if evaluation else [], f"{what}: names of the classes")
    same([row[0] for row in found["counts"]], data["classes"], f"{what}: table of classes")
    print(f"{what}: {len(found['charts'])} charts, {len(found['decisions'])} decisions read back")
    return None


def check_nb201(profile, folder):
    """A real, small run in NAS-Bench-201's space: one cell, six edges, no topology."""
    data, run = support.write_idx(folder / "idx"), folder / "nb201"
    support.must(support.run(PROGRAM, "run", "--data", f"idx:{data}", "--out", run, *support.TINY_NB201))
    page, console = browse(profile, f"file://{run / 'report.html'}#selfcheck")
    same(console, [], "nb201: console")
    found = preformatted(page, "selfcheck")
    if found is None:
        return check(False, "nb201: the page's script did not come to its end")
    same(found["errors"], [], "nb201: errors")
    same(sorted(found["alpha"]), [f"normal {edge}" for edge in range(6)], "nb201: edges with alpha")
    same(len(found["decisions"]), 6, "nb201: decisions")
    check(all(len(one["rows"]) == 5 for one in found["decisions"]), "nb201: rows of a decision")
    check("Reduction" not in html.unescape(re.sub(r"<script.*?</script>", "", page, flags=re.S)), "nb201: a reduction cell")
    check("Edge" in page and "2: 1 \u2192 2" in html.unescape(page), "nb201: edges are numbered as the benchmark's")
    return None


# ---- The test sees what it looks for, and the page keeps within its bounds

class Links(html.parser.HTMLParser):
    """Addresses in a page outside its scripts."""

    def __init__(self):
        super().__init__()
        self.outside = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "srcset", "href", "xlink:href", "action", "data", "poster", "ping") and not (value or "").startswith(("#", "data:")):
                self.outside.append((tag, name, value))


def check_still(profile, path):
    text = path.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    same(links.outside, [], "addresses that lead out of the page")
    broken = path.with_name("broken.html")
    start, end = text.rsplit("</script>", 1)
    broken.write_text(start + "setTimeout(() => { throw new Error('broken'); }, 0);</script>" + end.replace(
        "</body>", "<img src='http://127.0.0.1:9/x.png' onerror='alert(4)'><script>alert(5)</script></body>"), encoding="utf-8")
    _, console = browse(profile, f"file://{broken}")
    for what in ("broken", "127.0.0.1:9", "inline script", "inline event handler"):
        check(any(what in line for line in console), f"the console of a broken page does not tell of {what}: {console}")


def check_phone(profile, path):
    """375 pixels, by a frame: the browser's own window is never so narrow. Every <details> is open."""
    for scheme in ("1", "0"):
        frame = path.with_name("phone.html")
        frame.write_text("<!DOCTYPE html><iframe style='width:375px;height:700px;border:0' srcdoc=\"" + html.escape(path.read_text(encoding="utf-8"))
                         + "\"></iframe><script>onload = () => { const page = document.querySelector('iframe').contentDocument;"
                         "page.querySelectorAll('details').forEach((node) => { node.open = true; });"
                         "const root = page.documentElement, pre = document.createElement('pre'); pre.id = 'phone';"
                         "pre.textContent = JSON.stringify([root.scrollWidth, root.clientWidth, page.querySelectorAll('canvas').length]);"
                         "document.body.append(pre); }</script>", encoding="utf-8")
        page, console = browse(profile, f"file://{frame}", f"--blink-settings=preferredColorScheme={scheme}")
        same(console, [], "phone: console")
        found = preformatted(page, "phone")
        check(found and found[0] <= found[1] <= 375 and found[2] == 9, f"phone: width of the content and of the window, charts: {found}")


def luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def check_contrast(path):
    """Texts 4.5 to 1 as WCAG asks (AA), for the light colours and the dark ones."""
    style = re.search(r"<style>(.*?)</style>", path.read_text(encoding="utf-8"), re.S).group(1)
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", style)
    same(len(blocks), 2, "colour schemes in the style sheet")
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for text in ("ink", "soft", "alpha", "masking", "good", "link"):
            for paper in ("paper", "card"):
                a, b = sorted((luminance(colours[text]), luminance(colours[paper])), reverse=True)
                check((a + 0.05) / (b + 0.05) >= 4.5, f"{text} on {paper}: contrast {(a + 0.05) / (b + 0.05):.2f}")


def main():
    if not BROWSER:
        print("report_browser_test: skipped, expected Chromium (package chromium) and found none")
        return 77
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        profile = folder / "profile"
        def sample(label, **options):
            return sample_run.Sample(folder / label, **{"classes": ORDINARY, **options}).folder
        whole = sample("whole")
        check_page(profile, whole, "a whole run")
        check_page(profile, sample("hostile <b>&'\" name", classes=sample_run.HOSTILE, criterion="loss", topology="rounds", seed=8), "hostile names")
        check_page(profile, sample("search", stages=("search",)), "a search alone")
        check_page(profile, sample("selecting", stages=("search", "select"), finished=False), "a selection in progress")
        check_page(profile, sample("training", finished=False, classes=["one"]), "a retraining in progress")
        check_page(profile, sample("train", stages=("train",)), "a retraining alone")
        check_page(profile, sample("magnitude", stages=("select",), selection="magnitude", parent=whole), "magnitude, a child", parent=whole)
        check_page(profile, sample("random", stages=("select", "train"), selection="random", parent=folder / "gone"), "random, its parent gone")
        check_nb201(profile, folder)
        check_still(profile, whole / "report.html")
        check_phone(profile, folder / "hostile <b>&'\" name" / "report.html")
        check_contrast(whole / "report.html")
    print(f"report in the browser: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
