#!/usr/bin/env python3
"""Scores with their errors, and scoring that stops early, as a user meets them: files, messages, refusals.

Usage: confidence_test.py PTNAS
"""
import json
import pathlib
import sys
import tempfile

import support

PROGRAM = sys.argv[1]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def expect(status, *arguments, says=None):
    result = support.run(PROGRAM, *arguments)
    shown = " ".join(map(str, arguments))
    check(result.returncode == status, f"{shown}: expected status {status}, got {result.returncode}: {result.stderr[-400:]}")
    lines = [line for line in result.stderr.splitlines() if line.startswith("ptnas: ")]
    check(status == 0 or len(lines) == 1, f"{shown}: expected one sentence, got {result.stderr[-400:]!r}")
    if says:
        check(says in result.stderr + result.stdout, f"{shown}: expected `{says}` in {result.stderr[-400:]!r}")
    return result


def selection_of(run):
    return json.loads((run / "selection.json").read_text())


def scores_of(event):
    return event["scores"] if event["kind"] == "operation" else event["rounds"][0]


def test_exact(search, out):
    expect(0, "select", search, "--out", out, says="measured decisions are within noise")
    selection = selection_of(out)
    check(selection["scoring"] == "exact" and selection["confidence"] == 0.99, f"exact: {selection['scoring']}")
    for event in selection["events"]:
        check("evaluations" not in event and isinstance(event["within_noise"], bool), f"exact: {event}")
        for score in scores_of(event):
            check(score["accuracy_error"] >= 0 and score["loss_error"] > 0, f"errors of {score}")
    check("within noise" in (out / "report.html").read_text(), "the report says what is within noise")
    return selection


def test_early_stop(search, out):
    expect(0, "select", search, "--scoring", "early-stop", "--confidence", 0.9, "--out", out, says="early stop saved")
    selection = selection_of(out)
    check(selection["scoring"] == "early-stop" and selection["confidence"] == 0.9, "selection.json says how it was scored")
    saved = sum(event["evaluations"]["saved"] for event in selection["events"])
    check(saved == selection["evaluations"]["saved"] and saved > 0, f"saved: {saved} {selection['evaluations']}")
    for event in selection["events"]:
        dropped = [name for look in event["looks"] for name in look["dropped"]]
        key = "operation" if event["kind"] == "operation" else "edge"
        chosen = [event["chosen"]] if event["kind"] == "operation" else event["kept"]
        check(not set(dropped) & set(chosen), f"chosen, but dropped: {event}")
        check({score[key] for score in scores_of(event) if "images" in score} <= set(dropped), f"measured on fewer images: {event}")
    expect(0, "report", out)
    before = (out / "selection.json").read_text()
    expect(0, "select", "--resume", "--out", out, says="finished")
    check(before == (out / "selection.json").read_text(), "a finished selection was changed")


def test_refusals(search, folder):
    never = ("--out", folder / "never")
    for confidence in ("0", "1", "-0.5", "1.5", "nan", "high"):
        expect(2, "select", search, "--confidence", confidence, *never, says="confidence")
    expect(2, "select", search, "--scoring", "guess", *never, says="early-stop")
    expect(2, "select", search, "--scoring", "early-stop", "--selection", "magnitude", *never, says="--selection perturbation")
    expect(2, "select", search, "--scoring", "early-stop", "--preset", "released", *never, says="--scoring-updates-statistics")
    check(not (folder / "never").exists(), "a refused command wrote something")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        idx = support.write_idx(folder / "idx", train=600)
        search = folder / "search"
        expect(0, "search", "--data", f"idx:{idx}", *support.TINY, "--space", "s2", "--out", search)
        test_exact(search, folder / "exact")
        test_early_stop(search, folder / "early")
        test_refusals(search, folder)
    sys.exit(f"{len(failures)} failures" if failures else 0)


if __name__ == "__main__":
    main()
