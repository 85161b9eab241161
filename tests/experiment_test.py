#!/usr/bin/env python3
"""Every experiment of ordinary runs at --scale smoke, with two seeds; resuming, refusing, listing, rehearsing.

Usage: experiment_test.py PTNAS
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.dom.minidom

import support

PROGRAM = sys.argv[1]
COLUMNS = ("index,arch,n_seeds,params_m,flops_m_c10,train_time_c10valid_s,c10_valid_200,c10_test_200,c10valid_test_200,c100_valid_200,"
           "c100_test_200,in16_valid_200,in16_test_200,c10_valid_12,c10_test_12,c100_valid_12,c100_test_12,in16_valid_12,in16_test_12")
OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


def write_table(path):
    """All 15,625 architectures with made-up accuracies that differ from each other."""
    lines = [COLUMNS]
    for index in range(5 ** 6):
        digits = [index // 5 ** i % 5 for i in range(6)]
        ops = [OPERATIONS[d] for d in digits]
        arch = f"|{ops[0]}~0|+|{ops[1]}~0|{ops[2]}~1|+|{ops[3]}~0|{ops[4]}~1|{ops[5]}~2|"
        accuracy = f"{10 + index / 250:.4f}"
        lines.append(f"{index},{arch},3,0.1,15.6,1444,{','.join([accuracy] * 13)}")
    path.write_text("\n".join(lines) + "\n")
    return path


def experiment(root, name, *more, seeds="0,1", status=0):
    result = support.run(PROGRAM, "experiment", name, "--out", root, "--seeds", seeds, "--threads", 1, *more, timeout=600)
    support.must(result, status)
    return result


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def values_of(result):
    """All measured values of a result's tables."""
    return [cell["values"] for table in result["tables"] for row in table["rows"] for cell in row if "values" in cell]


def check_output(root, name):
    folder = root / name
    result = json.loads((folder / "result.json").read_text())
    check(result["format"] == "ptnas-experiment", f"{name}: format")
    check(all(run["finished"] for run in result["runs"]), f"{name}: not every run finished")
    measured = [values for values in values_of(result) if values]
    check(measured and all(len(values) <= 2 for values in measured), f"{name}: measured {measured}")
    for figure in result["figures"]:
        xml.dom.minidom.parse(str(folder / figure["file"]))
    page = (folder / "report.html").read_text()
    check("<script" not in page and "<svg" in page and name in page, f"{name}: the page")
    check((folder / "result.md").exists() and list(folder.glob("*.csv")), f"{name}: tables")
    return result


def test_all(root, idx, table):
    data = ["--data", f"idx:{idx}", "--yes"]
    differing = set()
    for name, more in (("hessian", []), ("figure1", []), ("table1", []), ("figure3", []), ("proposition1", []), ("figure7", []), ("figure2", []), ("table2", []), ("figure4", ["--table", table]), ("table3", []), ("figure5", []), ("figure6", []), ("pt-mag", []),
                       ("table4", ["--table", table]), ("figure8", ["--table", table]), ("figure9", ["--table", table]), ("figures10-24", [])):
        started = time.monotonic()
        before = set((root / "runs").glob("*")) if (root / "runs").exists() else set()
        experiment(root, name, *data, *more)
        result = check_output(root, name)
        if any(len(values) == 2 and values[0] != values[1] for values in values_of(result)):
            differing.add(name)
        print(f"{name}: {len(result['runs'])} runs, {len(set((root / 'runs').glob('*')) - before)} of them new, {time.monotonic() - started:.1f} s", flush=True)
    check(differing >= {"table1", "figure3", "proposition1", "figure2", "table2", "figure4", "table3", "figure6", "table4", "figure8", "figure9"}, f"two seeds gave the same but in {differing}")
    # Runs are shared: the cells of Figure 5 are those of Table 3.
    runs = lambda name: {run["run"] for run in json.loads((root / name / "result.json").read_text())["runs"]}
    check(runs("figure5") < runs("table3") and runs("figure6") < runs("table3"), "runs are not shared")
    row = next(row for row in json.loads((root / "table3" / "result.json").read_text())["tables"][0]["rows"] if row[1]["text"] == "s2")
    check(all(len(cell["values"]) == 2 for cell in row[2:7]) and all("quoted" in cell for cell in row[7:10]), f"row of S2: {row}")
    # A finished experiment computes nothing again.
    stamps = {path: path.stat().st_mtime for path in (root / "runs").glob("*/metrics.jsonl")}
    experiment(root, "table3", *data)
    check(stamps == {path: path.stat().st_mtime for path in (root / "runs").glob("*/metrics.jsonl")}, "finished runs were touched")


def test_imagenet(folder, root, idx):
    imagenet = support.write_imagenet(folder / "imagenet")
    experiment(root, "table5", "--data", f"idx:{idx}", "--data", f"imagenet:{imagenet}", "--yes")
    check_output(root, "table5")


def test_refusals(folder, root, idx):
    data = ["--data", f"idx:{idx}"]
    says = lambda result, text: check(text in result.stderr, f"expected `{text}` in {result.stderr!r}")
    says(experiment(root, "figure6", *data, "--scale", "small", "--yes", status=2), "scale")
    says(experiment(root, "figure6", *data, "--epochs", "3", "--yes", status=2), "options")
    says(experiment(root, "figure6", *data, "--space", "s3", status=2), "sets --space itself")
    says(experiment(root, "figure99", status=2), "figure2")
    says(experiment(root, "figure6", "--scale", "large", status=2), "smoke, small, paper")
    says(experiment(root, "figure6", *data, seeds="0,x", status=2), "--seeds")
    says(experiment(root, "figure5", *data, "--spaces", "s9", status=2), "--spaces")
    # A run of another configuration under a name that the experiment would go on with.
    run = next((root / "runs").glob("search-idx-s2-darts-seed0-*"))
    original = (run / "config.toml").read_text()
    (run / "config.toml").write_text(re.sub(r"(?m)^epochs = \d+", "epochs = 9", original))
    says(experiment(root, "figure6", *data, "--yes", status=2), "--epochs 9")
    (run / "config.toml").write_text(original)


def test_listing(folder, idx):
    root = folder / "listed"
    listed = experiment(root, "figure6", "--data", f"idx:{idx}").stdout
    check("--yes" in listed and "search-idx-s2-darts-seed1-" in listed and not root.exists(), f"listed {listed!r}")
    shown = support.must(support.run(PROGRAM, "experiment", "--list", timeout=300)).stdout
    for name in ("table3", "figures10-24", "smoke", "small", "paper"):
        check(name in shown, f"--list has no {name}")
    print(shown)


def test_kill(folder, root, idx):
    """kill -9 and the same command again: the results of an experiment that was never stopped."""
    killed = folder / "killed"
    command = [PROGRAM, "experiment", "figure6", "--out", str(killed), "--seeds", "0,1", "--threads", "1", "--data", f"idx:{idx}", "--yes"]
    for wait in (1.0, 2.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    support.must(support.run(*command, timeout=600))
    for run in (killed / "runs").iterdir():
        other = root / "runs" / run.name
        # A child's run.json names its parent by path, and the two stand in different folders.
        different = [name for name in support.differences(run, other) if name != "run.json"]
        check(not different, f"{run.name} differs after kills in {different}")
        finished = [json.loads((one / "run.json").read_text())["finished"] for one in (run, other)]
        check(finished[0] == finished[1], f"{run.name} is finished otherwise after kills: {finished}")


def test_paper_scale(folder, idx):
    """The first steps and the first selection event at the paper's sizes."""
    root = folder / "paper"
    experiment(root, "table3", "--scale", "paper", "--spaces", "s2", "--data", f"idx:{idx}", "--rehearse", seeds="0")
    runs = root / "rehearsal" / "runs"
    search = next(runs.glob("search-*-s2-darts-seed0-*"))
    configuration = (search / "config.toml").read_text()
    for line in ("channels = 16", "cells = 8", "batch = 64", "train-channels = 36", "train-cells = 20"):
        check(f"\n{line}\n" in configuration, f"rehearsal: no {line}")
    selection = json.loads((next(runs.glob("select-*-s2-darts-perturbation-*")) / "selection.json").read_text())
    check(len(selection["events"]) == 1 and selection["events"][0]["scores"], "the first selection event")
    check(not (root / "table3").exists() and not (root / "rehearsal" / "table3").exists(), "a rehearsal has no results")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        root = folder / "experiments"
        idx = support.write_idx(folder / "idx")
        test_listing(folder, idx)
        test_all(root, idx, write_table(folder / "nb201.csv"))
        test_imagenet(folder, root, idx)
        test_refusals(folder, root, idx)
        test_kill(folder, root, idx)
        test_paper_scale(folder, idx)
    print("passed")


if __name__ == "__main__":
    main()
