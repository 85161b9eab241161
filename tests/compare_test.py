#!/usr/bin/env python3
"""Compares made-up runs with `ptnas compare`: what the page shows in headless Chromium must equal the runs' files.

Usage: compare_test.py PTNAS [PICTURES]. The browser's part is left out where Chromium is absent; PICTURES: a folder for screenshots.
"""
import json
import pathlib
import sys
import tempfile
import tomllib

import devtools
import report_browser_test as report
import sample_run
import support

from report_browser_test import BROWSER, PROGRAM, QUIET, check, close, failures, same

PICTURES = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None


def make_runs(folder):
    """A whole run, one in progress with a hostile name, one that has only begun, and one with the first one's name."""
    runs = [sample_run.Sample(folder / "whole", classes=sample_run.HOSTILE).folder,
            sample_run.Sample(folder / "<img src=x onerror=alert(1)> </script><b>&'\"", stages=("search", "select"), finished=False, seed=8,
                              criterion="loss").folder,
            sample_run.Sample(folder / ("long " * 40).strip(), stages=("select", "train"), selection="random", seed=9).folder,
            sample_run.Sample(folder / "begun", stages=()).folder]
    for name in ("config.toml", "environment.json", "data.json"):
        (runs[3] / name).unlink()
    configuration = runs[1] / "config.toml"
    configuration.write_text(configuration.read_text().replace("epochs = 10", "epochs = 50").replace("seed = 0", "seed = 3"))
    return runs


def text_of(value):
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def expected_options(runs):
    tables = [tomllib.loads((run / "config.toml").read_text()) if (run / "config.toml").exists() else {} for run in runs]
    rows = {}
    for name in {name for table in tables for name in table}:
        rows[name] = [text_of(table[name]) if name in table else "\u2013" for table in tables]
    return rows


def expected_charts(runs, labels):
    wanted = {}
    for chart, phase, key in (("search-accuracy", "search", "valid_accuracy"), ("search-loss", "search", "valid_loss"),
                              ("retraining-accuracy", "train", "test_accuracy"), ("retraining-loss", "train", "train_loss")):
        sets = [{"label": label if len(label) <= 40 else label[:39] + "\u2026", "data": report.points(report.lines_of(run), phase, key)}
                for run, label in zip(runs, labels)]
        if any(one["data"] for one in sets):
            wanted[chart] = sets
    return wanted


def unlike(texts):
    return len(set(texts) - {"\u2013"}) > 1


def check_decisions(found, runs):
    """Every operation decision of every run stands in its row and column; rows that differ say so."""
    rows = {row["texts"][0]: row for row in found["decisions"]}
    for column, run in enumerate(runs):
        selection = json.loads((run / "selection.json").read_text()) if (run / "selection.json").exists() else {"events": []}
        for event in selection["events"]:
            if event["kind"] != "operation":
                continue
            cell = "Normal cell" if event["cell"] == "normal" else "Reduction cell"
            matching = [row for title, row in rows.items() if title.startswith(f"{cell}, edge {event['edge']}:")]
            check(len(matching) == 1 and matching[0]["texts"][1 + column] == event["chosen"], f"decision {event['event']} of run {column}: {matching}")
    for row in rows.values():
        same(row["differs"], unlike(row["texts"][1:]), f"decisions, {row['texts'][0]}: marked")


def check_page(browser, page, runs, width):
    browser.open(f"file://{page}#selfcheck", width)
    found = json.loads(browser.ask("document.getElementById('selfcheck').textContent"))
    same(browser.complaints(), [], f"compare {width}: console")
    same(found["errors"], [], f"compare {width}: errors")
    same(found["requests"], [], f"compare {width}: requests")
    check(found["overflow"] <= 0, f"compare {width}: {found['overflow']} pixels too wide")
    labels = [run.name for run in runs]
    same(found["labels"], labels, "names of the runs")
    charts = {name: chart["datasets"] for name, chart in found["charts"].items()}
    close(charts, expected_charts(runs, labels), f"compare {width}: charts")
    options = expected_options(runs)
    same({row["texts"][0]: row["texts"][1:] for row in found["configuration"]}, options, "options")
    for row in found["configuration"]:
        different = unlike(row["texts"][1:])
        same((row["differs"], row["hidden"]), (different, not different), f"option {row['texts'][0]}: marked, hidden")
    check_decisions(found, runs)
    results = {row["texts"][0]: row["texts"][1:] for row in found["results"]}
    evaluation = json.loads((runs[0] / "evaluation.json").read_text())
    same(results["test accuracy"][0], f"{100 * evaluation['top1']:.2f} %", "test accuracy of the first run")
    same(results["test accuracy"][1], "\u2013", "test accuracy of one without")
    same(found["drawings"], 4, "drawings of cells")
    if PICTURES:
        browser.open(f"file://{page}?picture", width)
        browser.picture(PICTURES / f"compare-{width}.png")


def test_use(folder, runs):
    out = folder / "out"
    out.mkdir()
    result = support.must(support.run(PROGRAM, "compare", *runs, cwd=out))
    same(result.stdout, "compare.html\n", "what it prints")
    same([path.name for path in out.iterdir()], ["compare.html"], "what it writes")
    for status, says, *arguments in ((1, "nowhere", runs[0], folder / "nowhere", "--out", out / "no.html"), (2, "runs"), (1, "no-folder", runs[0], "--out",
                                     folder / "no-folder" / "page.html")):
        result = support.run(PROGRAM, "compare", *arguments, cwd=out)
        check(result.returncode == status and says in result.stderr and len(result.stderr.splitlines()) == 1, f"compare: {result}")
    same([path.name for path in out.iterdir()], ["compare.html"], "nothing more after failures")
    damaged = sample_run.Sample(folder / "damaged").folder
    (damaged / "genotype.json").write_text("{}")
    result = support.run(PROGRAM, "compare", runs[0], damaged, cwd=out)
    check(result.returncode == 1 and "genotype.json" in result.stderr, f"a damaged run: {result}")
    twin = sample_run.Sample(folder / "elsewhere" / "whole").folder if (folder / "elsewhere").mkdir() is None else None
    support.must(support.run(PROGRAM, "compare", runs[0], twin, "--out", out / "twins.html"))
    check(str(twin) in (out / "twins.html").read_text(), "runs of one name are told apart by their paths")
    return out / "compare.html"


def main():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        runs = make_runs(folder)
        page = test_use(folder, runs)
        if BROWSER:
            with devtools.Browser(BROWSER, folder / "profile", QUIET) as browser:
                for width in (1200, 375):
                    check_page(browser, page, runs, width)
        else:
            print("compare_test: without the browser's part, expected Chromium (package chromium) and found none")
    print(f"compare: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
