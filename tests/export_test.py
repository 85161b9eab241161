#!/usr/bin/env python3
"""Exports tiny trained networks of every space, and names the classes of images by every form of them.

Usage: export_test.py PTNAS
"""
import csv
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import support

PROGRAM = sys.argv[1]
CELL = ("Genotype(normal=[('sep_conv_3x3', 0), ('max_pool_3x3', 1), ('dil_conv_5x5', 0), ('skip_connect', 2)], normal_concat=range(2, 4), "
        "reduce=[('skip_connect', 0), ('avg_pool_3x3', 1), ('skip_connect', 1), ('sep_conv_5x5', 2)], reduce_concat=range(2, 4))")
NOISE = CELL.replace("max_pool_3x3", "noise")
NB201 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|nor_conv_3x3~1|skip_connect~2|"
SMALL = ("--epochs", 1, "--channels", 4, "--batch", 16, "--threads", 1)
HOSTILE = ["plain", "-rf", "com,ma", "quo\"te'", "back\\slash", "new\nline", "snow \u2603", "\"],\"x\":[", "%s%n", "<script>", "x" * 200]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def expect(status, *arguments, says=None, **more):
    """Runs the program; on a failure exactly one line must say why, and nothing be printed as a result."""
    result = support.run(PROGRAM, *arguments, **more)
    shown = " ".join(map(str, arguments))
    check(result.returncode == status, f"{shown}: expected status {status}, got {result.returncode}: {result.stderr[-400:]}")
    if status:
        lines = result.stderr.splitlines()
        check(len([line for line in lines if line.startswith("ptnas: ")]) == 1, f"{shown}: expected one sentence, got {result.stderr[-400:]!r}")
        check(not result.stdout, f"{shown}: results before an error: {result.stdout[:200]!r}")
    if says:
        check(says in result.stderr + result.stdout, f"{shown}: expected `{says}` in {result.stderr[-400:]!r}")
    return result


def export_both(run, *more):
    """The two files of a run, each compared by its runtime."""
    files = []
    for name, file in (("onnx", "model.onnx"), ("torchscript", "model.pt")):
        report = json.loads(expect(0, "export", run, "--format", name, "--threads", 1, "--json", *more).stdout)
        check(report["largest_difference"] <= 1e-4 * max(1, report["largest_logit"]), f"{run} as {name}: {report}")
        check(report["images"] > 0 and report["file"] == str(run / file) and (run / file).stat().st_size == report["bytes"], f"{report}")
        files.append(run / file)
    return files


def predictions(model, *images, **more):
    shown = json.loads(expect(0, "predict", model, *images, "--json", "--top", 100, "--threads", 1, **more).stdout)
    return {row["image"]: {p["class"]: p["probability"] for p in row["predictions"]} for row in shown["images"]}


def expect_equal_predictions(run, files, images):
    reference = predictions(run, images)
    check(reference and all(abs(sum(p.values()) - 1) < 1e-4 for p in reference.values()), f"{run}: probabilities {reference}")
    for file in files:
        other = predictions(file, images)
        check(other.keys() == reference.keys(), f"{file}: other images")
        worst = max(abs(p[name] - other[image][name]) for image, p in reference.items() for name in p)
        check(worst < 1e-4, f"{file}: probabilities differ by {worst}")


def test_folder(folder):
    """Classes with hostile names; predictions agree with the evaluation, in all forms and formats."""
    photos = support.write_folder(folder / "photos", classes=HOSTILE, per_class=6)
    run = folder / "photos-run"
    expect(0, "train", CELL, "--data", f"folder:{photos}", "--image-size", 13, "--cells", 3, *SMALL, "--out", run)
    files = export_both(run)
    expect_equal_predictions(run, files, photos)
    held_out = [photos / name for name in json.loads((run / "data.json").read_text())["held_out"]]
    found = predictions(run, *held_out)
    right = sum(max(p, key=p.get) == pathlib.Path(image).parent.name for image, p in found.items())
    top1 = json.loads((run / "evaluation.json").read_text())["top1"]
    check(len(found) == len(held_out) and abs(right / len(held_out) - top1) < 1e-9, f"{right} of {len(held_out)} right, evaluated {top1}")
    rows = list(csv.reader(io.StringIO(expect(0, "predict", files[0], photos, "--csv", "--top", 2).stdout, newline="")))
    check(rows[0] == ["image", "rank", "class", "probability"] and len(rows) == 1 + 2 * 6 * len(HOSTILE), f"{len(rows)} lines of CSV")
    check({row[2] for row in rows[1:]} <= set(HOSTILE) and all(len(row) == 4 for row in rows), f"classes in CSV: {rows[1:4]}")
    table = expect(0, "predict", run, photos, "--top", 1).stdout.splitlines()
    check(len(table) == 1 + 6 * len(HOSTILE), f"{len(table)} lines of the table")
    by_name = expect(0, "predict", run, held_out[0], "--class", "com,ma", "--class", "plain", "--csv").stdout
    check([row[2] for row in csv.reader(io.StringIO(by_name))][1:] == ["com,ma", "plain"], f"chosen classes {by_name}")
    expect(2, "predict", run, held_out[0], "--class", "nobody", says="nobody")
    check_python(files[1])
    return photos, run


def check_python(file):
    """Python's torch loads the file, where it is there."""
    code = ("import json, sys, torch\nfiles = {'ptnas.json': ''}\nmodel = torch.jit.load(sys.argv[1], _extra_files=files)\n"
            "card = json.loads(files['ptnas.json'])\nlogits = model(torch.rand(2, *card['image']))\n"
            "print(json.dumps([card['classes'], list(logits.shape), len(model.state_dict())]))\n")
    pythons = [name for name in (sys.executable, "/usr/bin/python3")
               if shutil.which(name) and not subprocess.run([name, "-c", "import torch"], capture_output=True).returncode]
    if not pythons:
        print("export: skipped Python's torch, which is not there")
        return
    result = subprocess.run([pythons[0], "-c", code, str(file)], capture_output=True, text=True)
    check(result.returncode == 0, f"Python's torch: {result.stderr[-400:]}")
    if result.returncode == 0:
        classes, shape, tensors = json.loads(result.stdout)
        check(classes == sorted(HOSTILE) and shape == [2, len(HOSTILE)] and tensors > 10, f"Python's torch: {result.stdout}")


def test_export_fails(folder, run):
    """Above tolerance, and with wrong use: nothing is written, and what was there stays."""
    output = folder / "never.onnx"
    expect(1, "export", run, "--tolerance", 0, "--output", output, says="--tolerance")
    check(not output.exists() and not list(folder.glob("never*")), "a failed export left a file")
    before = (run / "model.onnx").read_bytes()
    expect(1, "export", run, "--tolerance", 0)
    check((run / "model.onnx").read_bytes() == before, "a failed export changed an earlier file")
    for wrong in (("--format", "onyx"), ("--images", 0), ("--tolerance", -1), ("--tolerance", "nan"), ("--threads", 100000)):
        expect(2, "export", run, *wrong, "--output", output)
    expect(2, "export")
    expect(1, "export", folder, says=str(folder))
    expect(1, "export", run, "--best", says="--best")
    expect(1, "export", run, "--output", folder / "nowhere" / "model.onnx", says="nowhere")
    expect(0, "export", run, "--no-normalise", "--output", output, says="normalised by the data set")
    check(output.exists(), "no file where --output says")
    expect_equal_predictions(run, [output], folder / "photos" / "plain")
    empty = folder / "empty-run"
    expect(0, "search", "--data", f"folder:{folder / 'photos'}", *support.TINY, "--epochs", 1, "--out", empty)
    expect(1, "export", empty, says="ptnas train")
    expect(1, "predict", empty, folder / "photos", says="ptnas train")


def test_predict_fails(folder, photos, run):
    image = photos / "plain" / "image-0.png"
    expect(2, "predict")
    expect(2, "predict", run)
    expect(2, "predict", run, image, "--top", 0)
    expect(2, "predict", run, image, "--json", "--csv")
    expect(1, "predict", folder / "nowhere", image, says="nowhere")
    expect(1, "predict", run, photos / "nowhere.png", says="nowhere.png")
    expect(1, "predict", image, image, says="no network")
    expect(1, "predict", run / "data.json", image, says="data.json")
    nothing = folder / "nothing"
    nothing.mkdir()
    expect(1, "predict", run, nothing, says="no PNG or JPEG")
    expect(1, "predict", nothing, image)
    expect(1, "predict", run, "-", input="", says="standard input")
    broken = folder / "broken.png"
    broken.write_bytes(image.read_bytes()[:60])
    expect(1, "predict", run, image, broken, says="broken.png")
    shown = expect(0, "predict", run, image, broken, "--skip-bad-images", "--csv", "--top", 1, says="broken.png")
    check(len(shown.stdout.splitlines()) == 2, f"one whole image: {shown.stdout}")
    expect(1, "predict", run, broken, "--skip-bad-images", says="none of the")
    for name in ("model.onnx", "model.pt", "model.safetensors"):
        half = folder / f"half-{name}"
        half.write_bytes((run / name).read_bytes()[:3000])
        expect(1, "predict", half, image, says=half.name)
    foreign = folder / "foreign.onnx"
    foreign.write_bytes((run / "model.onnx").read_bytes().replace(b"\x12\x05ptnas", b"\x12\x05other", 1))
    expect(1, "predict", foreign, image, says="ptnas export")
    listed = expect(0, "predict", run, "-", "--csv", "--top", 1, input=f"{image}\n\n{photos / 'plain'}\n").stdout
    check(len(listed.splitlines()) == 1 + 1 + 6, f"a list on standard input: {listed}")


def test_spaces(folder):
    """NAS-Bench-201's, ImageNet's and other networks, grey and coloured, of odd and even sizes."""
    grey = support.write_idx(folder / "idx", size=9)
    colour = support.write_folder(folder / "colour", per_class=8, coloured=True)
    for name, genotype, data, more in (
            ("nb201", NB201, f"idx:{grey}", ("--cells", 1)),
            ("nb201-colour", NB201, f"folder:{colour}", ("--cells", 2, "--image-size", 14)),
            ("darts-grey", CELL, f"idx:{grey}", ("--cells", 5)),
            ("darts-colour", CELL, f"folder:{colour}", ("--cells", 3, "--image-size", 10))):
        run = folder / name
        expect(0, "train", genotype, "--data", data, *SMALL, *more, "--out", run)
        expect_equal_predictions(run, export_both(run), colour)
    imagenet = support.write_imagenet(folder / "imagenet")
    run = folder / "imagenet-run"
    expect(0, "train", CELL, "--data", f"imagenet:{imagenet}", "--recipe", "imagenet", "--image-size", 33, "--cells", 3, *SMALL, "--out", run)
    images = imagenet / "val"
    expect_equal_predictions(run, export_both(run), images)
    found = predictions(run, images)
    right = sum(max(p, key=p.get) == pathlib.Path(image).parent.name for image, p in found.items())
    check(abs(right / len(found) - json.loads((run / "evaluation.json").read_text())["top1"]) < 1e-9, "ImageNet's view of images")


def test_own_genotype(folder):
    """Any number of edges a node, `none` among them; noise, which ONNX's runtime has not."""
    cell = [[["none", 0]], [["skip_connect", 0], ["skip_connect", 0], ["nor_conv_3x3", 1]], [["dil_conv_3x3", 3]]]
    genotype = folder / "genotype.json"
    genotype.write_text(json.dumps({"format": "ptnas-genotype", "version": 1, "cells": {"normal": cell, "reduction": cell}}))
    data = ("--data", f"idx:{folder / 'idx'}")
    run = folder / "own"
    expect(0, "train", genotype, *data, *SMALL, "--cells", 4, "--out", run)
    export_both(run)
    noisy = folder / "noisy"
    expect(0, "train", NOISE, *data, *SMALL, "--cells", 3, "--out", noisy)
    expect(1, "export", noisy, says="noise")
    check(not (noisy / "model.onnx").exists(), "a network with noise as ONNX")
    expect(0, "export", noisy, "--format", "torchscript", says="noise")
    expect(0, "predict", noisy / "model.pt", folder / "colour", says="probability")


def test_run(folder):
    """The whole job of a space with its search, and the model of the best epoch."""
    run = folder / "searched"
    expect(0, "run", "--data", f"idx:{folder / 'idx'}", *support.TINY, "--space", "s2", "--train-validation-portion", 0.2, "--out", run)
    export_both(run)
    best = folder / "best.onnx"
    expect(0, "export", run, "--best", "--output", best)
    expect_equal_predictions(run / "model.best.safetensors", [best], folder / "colour" / "dots")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        photos, run = test_folder(folder)
        test_export_fails(folder, run)
        test_predict_fails(folder, photos, run)
        test_spaces(folder)
        test_own_genotype(folder)
        test_run(folder)
    print(f"export: {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
