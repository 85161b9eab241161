#!/usr/bin/env python3
"""Runs every command as a user would, good input and bad: exit status, one clear sentence, nothing overwritten.

Usage: commands_test.py PTNAS
"""
import bz2
import json
import os
import pathlib
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
import xml.dom.minidom

import support

PROGRAM = sys.argv[1]
CELL = ("Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), "
        "('skip_connect', 2), ('skip_connect', 0), ('max_pool_3x3', 4)], normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), "
        "('avg_pool_3x3', 1), ('dil_conv_5x5', 1), ('dil_conv_3x3', 2), ('avg_pool_3x3', 0), ('max_pool_3x3', 2), ('sep_conv_3x3', 2), "
        "('skip_connect', 4)], reduce_concat=range(2, 6))")
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def expect(status, *arguments, says=None, timeout=300):
    """Runs the program; on a failure exactly one line must say why."""
    result = support.run(PROGRAM, *arguments, timeout=timeout)
    shown = " ".join(map(str, arguments))
    check(result.returncode == status, f"{shown}: expected status {status}, got {result.returncode}: {result.stderr[-400:]}")
    if status in (1, 2):
        lines = [line for line in result.stderr.splitlines() if line.startswith("ptnas: ")]
        check(len(lines) == 1, f"{shown}: expected one sentence, got {result.stderr[-400:]!r}")
    if says:
        check(says in result.stderr + result.stdout, f"{shown}: expected `{says}` in {result.stderr[-400:]!r}")
    return result


def test_help():
    check("quick" in expect(0, "--help").stdout, "--help says how to start")
    for command in ("run", "search", "select", "train", "evaluate", "count", "draw", "report", "parity", "bench", "data", "query", "experiment", "analyse", "export", "predict"):
        expect(0, command, "--help")
    expect(0, "--version")
    expect(2)
    expect(2, "fly")
    expect(2, "run", "--no-such-option")


def test_bench():
    small = ("--channels", 4, "--cells", 3, "--image-size", 8, "--batch", 4, "--repeats", 2, "--json")
    for work in ("step", "forward", "iteration", "score", "retrain"):
        figures = json.loads(expect(0, "bench", work, *small).stdout)
        check(set(figures) == {"fused", "plain", "ratio"}, f"bench {work}: {figures}")
        check(0 < figures["fused"]["min_s"] <= figures["fused"]["median_s"] <= figures["fused"]["max_s"], f"bench {work}: {figures}")
        check(figures["fused"]["gflops"] > 0, f"bench {work}: {figures}")
    check(set(json.loads(expect(0, "bench", "step", "--engine", "fused", *small).stdout)) == {"fused"}, "one engine")
    profile = json.loads(expect(0, "bench", "step", "--profile", "--engine", "fused", *small).stdout)["profile"]
    check(abs(sum(row["share"] for row in profile) - 1) < 1e-6, f"shares of a profile: {profile}")
    check({"convolve", "convolve back", "other"} <= {row["phase"] for row in profile}, f"phases: {profile}")
    expect(2, "bench", "step", "--profile", "--engine", "plain", *small)
    expect(2, "bench", "nothing")
    expect(2, "bench", "step", "--batch", 0)


def test_count_and_draw(folder):
    counted = json.loads(expect(0, "count", "--channels", 36, "--cells", 20, "--classes", 10, CELL).stdout)
    check(counted["parameters"] == 2851246, f"parameters {counted}")
    file = folder / "cell.txt"
    file.write_text(CELL)
    check(json.loads(expect(0, "count", file).stdout) == counted, "count of a file and of text differ")
    svg = folder / "cell.svg"
    expect(0, "draw", file, "--out", svg)
    xml.dom.minidom.parse(str(svg))
    expect(1, "count", CELL.replace("sep_conv_5x5", "sep_conv_9x9"), says="sep_conv_9x9")
    expect(1, "count", CELL.replace("('skip_connect', 4)", "('skip_connect', 5)"))
    expect(1, "count", CELL[:60])
    expect(1, "count", folder / "nowhere.json")
    expect(2, "count", CELL, "--channels", "many")
    counted = json.loads(expect(0, "count", NB201_FIRST).stdout)
    check(counted == {"parameters": 129306, "multiply_adds": 15647370}, f"NAS-Bench-201's architecture 0: {counted}")
    less = json.loads(expect(0, "count", NB201_FIRST, "--channels", 4, "--cells", 1, "--classes", 3).stdout)
    check(less["parameters"] < 10000, f"a narrower one: {less}")
    expect(0, "draw", NB201_FIRST, "--out", svg)
    xml.dom.minidom.parse(str(svg))
    expect(1, "count", NB201_FIRST[:-1], says="|op~0|+")


def test_data(folder):
    idx = support.write_idx(folder / "idx")
    shown = json.loads(expect(0, "data", "show", "--data", f"idx:{idx}", "--json").stdout)
    check(shown["train"] == 96 and shown["test"] == 30 and len(shown["classes"]) == 3, f"data show: {shown}")
    photos = support.write_folder(folder / "photos")
    sheet = folder / "sheet.png"
    shown = expect(0, "data", "show", "--data", f"folder:{photos}", "--image-size", 16, "--out", sheet).stdout
    check("stripes" in shown and sheet.read_bytes()[1:4] == b"PNG", "folder and contact sheet")
    (photos / "dots" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    expect(1, "data", "show", "--data", f"folder:{photos}", says="broken.png")
    expect(0, "data", "show", "--data", f"folder:{photos}", "--skip-bad-images")
    (photos / "empty").mkdir()
    expect(1, "data", "show", "--data", f"folder:{photos}", "--skip-bad-images", says="empty")
    expect(1, "data", "show", "--data", f"idx:{folder / 'nowhere'}")
    expect(2, "data", "show", "--data", "imagenot", says="imagenot")
    expect(2, "data", "show", "--data", "cifar10")
    cifar = folder / "cifar"
    cifar.mkdir()
    (cifar / "data_batch_1.bin").write_bytes(b"\0" * 3000)
    expect(1, "data", "show", "--data", f"cifar10:{cifar}")


def test_imagenet(folder):
    data = support.write_imagenet(folder / "imagenet")
    shown = json.loads(expect(0, "data", "show", "--data", f"imagenet:{data}", "--json").stdout)
    check((shown["height"], shown["train"], shown["test"]) == (224, 24, 8), f"data show: {shown}")
    out = folder / "imagenet-run"
    recipe = ("--data", f"imagenet:{data}", "--recipe", "imagenet", "--threads", 1)
    expect(0, "train", CELL, *recipe, "--image-size", 32, "--channels", 4, "--cells", 3, "--epochs", 2, "--batch", 8, "--out", out)
    configuration = (out / "config.toml").read_text()
    for line in ('train-stem = "imagenet"', "train-label-smoothing = 0.1", 'train-schedule = "exponential"', "train-channels = 4"):
        check(line in configuration, f"recipe imagenet: no {line} in the configuration")
    rates = [json.loads(line)["learning_rate"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    check(abs(rates[1] - 0.097) < 1e-9, f"rates {rates}")
    evaluated = expect(0, "evaluate", out, "--loader-threads", 2).stdout
    check("top-1" in evaluated and "top-5" in evaluated, "evaluate prints both")
    expect(0, "report", out)
    expect(2, "train", CELL, *recipe, "--channels", 64, "--out", folder / "too-large", says="600 million")
    figures = json.loads(expect(0, "bench", "load", "--data", f"imagenet:{data}", "--batch", 4, "--repeats", 3, "--loader-threads", 2, "--json").stdout)
    check(figures["images"] == 12 and figures["images_per_s"] > 0, f"bench load: {figures}")
    counted = json.loads(expect(0, "count", CELL, "--stem", "imagenet", "--image-size", 224, "--channels", 48, "--cells", 14, "--classes", 1000).stdout)
    check(4e6 < counted["parameters"] < 7e6 and 3e8 < counted["multiply_adds"] < 8e8, f"count: {counted}")
    expect(2, "count", CELL, "--stem", "mnist", says="mnist")
    for path in (data / "val" / "n01443537").iterdir():
        path.unlink()
    expect(1, "data", "show", "--data", f"imagenet:{data}", says="n01443537")
    (data / "val" / "n01443537").rmdir()
    expect(1, "data", "show", "--data", f"imagenet:{data}", says="n01443537")
    for name, file in (("cifar100", "train.bin"), ("svhn", "train_32x32.mat"), ("imagenet16-120", "train_data_batch_1")):
        foreign = folder / name
        expect(1, "data", "show", "--data", f"{name}:{foreign}", says=file)
        foreign.mkdir()
        (foreign / file).write_text("no data set")
        expect(1, "data", "show", "--data", f"{name}:{foreign}", says=file)
    (folder / "imagenet16-120" / "train_data_batch_1").write_bytes(pickle.dumps(os.getcwd, protocol=2))
    expect(1, "data", "show", "--data", f"imagenet16-120:{folder / 'imagenet16-120'}", says="posix.getcwd")


NB201_FIRST = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
NB201 = "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"
NB201_COLUMNS = ("index,arch,n_seeds,params_m,flops_m_c10,train_time_c10valid_s,c10_valid_200,c10_test_200,c10valid_test_200,c100_valid_200,"
                 "c100_test_200,in16_valid_200,in16_test_200,c10_valid_12,c10_test_12,c100_valid_12,c100_test_12,in16_valid_12,in16_test_12")


def test_query(folder):
    table = folder / "nb201.csv"
    table.write_text(f"{NB201_COLUMNS}\n0,{NB201},3,0.129306,15.64737,1444.22,81,85.8633,82,53,52.9133,28,26.6333,63,69.55,31,30,18,17\n")
    shown = expect(0, "query", 0, "--table", table)
    check("85.86" in shown.stdout and NB201 in shown.stdout and not shown.stderr, f"query printed {shown.stdout!r}")
    found = json.loads(expect(0, "query", NB201, "--table", table, "--json").stdout)
    check(found["index"] == 0 and found["data_sets"]["cifar10"]["parameters"] == 129306, f"query: {found}")
    check(found["data_sets"]["cifar100"]["epochs"]["200"]["test_accuracy"] == 52.9133, f"query: {found}")
    absent = NB201.replace("skip_connect", "none")
    expect(1, "query", absent, "--table", table, says=absent)
    expect(1, "query", 5, "--table", table, says="architecture 5")
    expect(1, "query", 0, "--table", folder / "nowhere", says="nowhere")
    for wrong in ("15625", "99999999999999999999", "|none~0|", NB201.replace("nor_conv_3x3", "sep_conv_3x3"), "", "best"):
        expect(2, "query", wrong, "--table", table)
    expect(2, "query", 0)
    table.write_text(table.read_text()[:-30])
    expect(1, "query", 0, "--table", table, says="truncated")
    table.write_text("hash,accuracy\n1,2\n")
    expect(1, "query", 0, "--table", table, says="other benchmark")
    nats = folder / "nats"
    nats.mkdir()
    expect(1, "query", 0, "--table", nats, says="meta.pickle.pbz2")
    (nats / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"meta_archs": [NB201]}, protocol=4)))
    foreign = bz2.compress(pickle.dumps({"12": os.getcwd}, protocol=4))
    (nats / "000000.pickle.pbz2").write_bytes(foreign)
    expect(1, "query", NB201, "--table", nats, says="posix.getcwd")
    (nats / "000000.pickle.pbz2").write_bytes(foreign[:-5])
    expect(1, "query", 0, "--table", nats, says="truncated")
    expect(1, "query", absent, "--table", nats, says=absent)
    shared = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data" / "nb201"
    if not shared.exists():
        print(f"query: skipped the real tables, no {shared}")
        return
    best = json.loads(expect(0, "query", 6111, "--table", shared / "nb201.csv", "--json").stdout)
    check(round(best["data_sets"]["cifar10"]["epochs"]["200"]["test_accuracy"], 2) == 94.37, f"index 6111: {best}")
    expect(0, "query", 11, "--table", shared / "NATS-tss-v1_0-3ffb9-simple", says="91.58")


def test_run(folder):
    idx, out = folder / "idx", folder / "run"
    arguments = ["run", "--data", f"idx:{idx}", "--out", out, *support.TINY]
    result = expect(0, *arguments)
    check("test accuracy: " in result.stdout and "report.html" in result.stdout, f"run printed {result.stdout!r}")
    names = {path.name for path in out.iterdir()}
    wanted = {"run.json", "config.toml", "environment.json", "data.json", "metrics.jsonl", "supernet.safetensors", "selection.json",
              "genotype.json", "model.safetensors", "evaluation.json", "report.html", "events.out.tfevents.ptnas"}
    check(wanted <= names, f"missing in the run: {wanted - names}")
    phases = [json.loads(line)["phase"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    check({"search", "select", "tune", "train"} <= set(phases), f"phases {phases}")
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".html" and path.name != "lock"}
    check("finished" in expect(0, *arguments).stderr, "a finished run says so")
    expect(2, *arguments, "--epochs", 3, says="epochs")
    expect(2, *arguments, "--seed", 5, says="seed")
    after = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".html" and path.name != "lock"}
    check({k for k in before if before[k] != after.get(k)} <= {"environment.json"}, "a finished run was changed")
    evaluated = json.loads(expect(0, "evaluate", out, "--json").stdout)
    check(abs(evaluated["top1"] - json.loads((out / "evaluation.json").read_text())["top1"]) < 1e-9, "evaluate agrees")
    check(sum(map(sum, evaluated["confusion"])) == 30, "confusion counts every image")
    expect(0, "evaluate", out)
    expect(0, "report", out)
    expect(0, "count", out)
    return out


def test_threads_and_estimate(folder):
    data = ["--data", f"idx:{folder / 'idx'}", *support.TINY]
    states = []
    for threads in (1, 2, 3):
        expect(0, "search", *data, "--out", folder / f"threads{threads}", "--threads", threads)
        states.append((folder / f"threads{threads}" / "supernet.safetensors").read_bytes())
    check(states[0] == states[1] == states[2], "the number of threads changed a search")
    estimate = json.loads(expect(0, "search", *data, "--dry-run", "--json").stdout)
    check(all(estimate[key] > 0 for key in ("search_s", "selection_s", "retraining_s")), f"estimate {estimate}")
    expect(2, "search", *data, says="--out")


def test_selections(folder, run):
    idx = folder / "idx"
    child = folder / "magnitude"
    expect(2, "select", run, "--selection", "magnitude")
    expect(0, "select", run, "--selection", "magnitude", "--out", child)
    check(json.loads((child / "run.json").read_text())["parent"] == str(run.resolve()), "the child names its parent")
    check(json.loads((child / "selection.json").read_text())["selection"] == "magnitude", "selection.json of the child")
    expect(0, "select", run, "--selection", "random", "--out", folder / "random", "--seed", 0)
    expect(2, "select", run, "--selection", "random", "--out", folder / "wrong", "--space", "s2", says="space")
    trained = expect(0, "train", child, "--epochs", 1, "--channels", 4, "--cells", 3, "--batch", 16, "--threads", 1)
    check("test accuracy" in trained.stdout, "train prints the accuracy")
    search = folder / "search"
    expect(0, "search", "--data", f"idx:{idx}", "--out", search, "--space", "s2", "--nodes", 2, "--channels", 4, "--cells", 3, "--epochs", 1,
           "--batch", 16, "--threads", 1, "--method", "fixed-alpha")
    expect(2, "select", search, "--selection", "magnitude", says="fixed-alpha")
    expect(0, "select", search, "--preset", "released", "--tune-epochs", 0, "--threads", 1)
    options = (search / "config.toml").read_text()
    check('topology = "rounds"' in options and "scoring-updates-statistics = true" in options and "tune-epochs = 0" in options,
          "a preset named anew decides the selection")
    check('train-batches = "pass"' in options, "the supernet's own options stay")
    expect(0, "report", search)


def test_snapshots(folder):
    """A search that stops where it was told to, goes on, and keeps a supernet that can be selected from."""
    search, small = folder / "snapshots", ("--data", f"idx:{folder / 'idx'}", *support.TINY, "--snapshot-every", 1)
    expect(130, "search", *small, "--stop-after", 1, "--out", search, says="--stop-after 1")
    expect(0, "search", *small, "--out", search)
    check((search / "supernet.epoch-001.safetensors").exists(), "no supernet of epoch 1")
    expect(0, "select", search, "--selection", "magnitude", "--from-epoch", 1, "--out", folder / "from-epoch-1")
    expect(1, "select", search, "--selection", "magnitude", "--from-epoch", 7, "--out", folder / "from-epoch-7", says="--snapshot-every")
    expect(130, "select", search, "--stop-after", 1, "--out", folder / "one-decision")
    selection = json.loads((folder / "one-decision" / "selection.json").read_text())
    check(len(selection["events"]) == 1 and not selection["complete"], f"--stop-after 1 in a selection: {selection['events']}")
    expect(0, "select", search, "--out", folder / "one-decision")


def test_nb201(folder):
    """The whole job in NAS-Bench-201's space, and a network of an architecture alone by its protocol."""
    idx, run = folder / "idx", folder / "nb201"
    expect(0, "run", "--data", f"idx:{idx}", "--out", run, *support.TINY_NB201)
    genotype = json.loads((run / "genotype.json").read_text())
    check(genotype["space"] == "nb201" and genotype["text"].count("~") == 6, f"genotype {genotype}")
    check((run / "genotype.txt").read_text().strip() == genotype["text"], "genotype.txt")
    selection = json.loads((run / "selection.json").read_text())
    check([event["kind"] for event in selection["events"]] == 6 * ["operation"], "six operations and no topology")
    check(genotype["text"] in (run / "report.html").read_text(), "the report has the architecture's text")
    table = folder / "nb201-run.csv"
    table.write_text(f"{NB201_COLUMNS}\n0,{genotype['text']},3,0.1,15.6,1444,81,85,82,53,52,28,26,63,69,31,30,18,17\n")
    expect(0, "query", run, "--table", table, says=genotype["text"])
    expect(0, "query", run / "genotype.json", "--table", table, says=genotype["text"])
    expect(2, "query", folder / "run", "--table", table, says="DARTS family")
    configuration = (run / "config.toml").read_text()
    for line in ("train-nesterov = true", "train-learning-rate = 0.1", "train-weight-decay = 0.0005", "train-auxiliary-weight = 0"):
        check(f"\n{line}" in configuration, f"config.toml has no {line}")
    expect(0, "search", "--data", f"idx:{idx}", *support.TINY_NB201, "--epochs", 1, "--out", folder / "nb201-check", "--engine", "check",
           says="engine check: ")
    for selection in ("magnitude", "magnitude-progressive", "discretization", "random"):
        expect(0, "select", run, "--selection", selection, "--converged-epochs", 1, "--out", folder / f"nb201-{selection}")
        expect(0, "report", folder / f"nb201-{selection}")
    for method in ("darts-second-order", "sdarts-rs", "sdarts-adv", "fixed-alpha"):
        out = folder / f"nb201-{method}"
        expect(0, "search", "--data", f"idx:{idx}", *support.TINY_NB201, "--method", method, "--out", out)
        expect(0, "select", out)
    for selection in ("perturbation", "magnitude"):
        out = folder / f"nb201-sgas-{selection}"
        expect(0, "run", "--data", f"idx:{idx}", *support.TINY_NB201, "--method", "sgas", "--epochs", 6, "--sgas-first-decision", 1,
               "--sgas-decide-every", 1, "--selection", selection, "--out", out)
        events = json.loads((out / "selection.json").read_text())["events"]
        check([bool(event["scores"]) for event in events] == 6 * [selection == "perturbation"], f"SGAS in nb201 by {selection}: {events}")
    checkpoint = pathlib.Path(__file__).resolve().parents[2] / "shared" / "fixtures" / "parity-nb201" / "checkpoint.pth.tar"
    if checkpoint.exists():
        out = folder / "nb201-published"
        images = support.write_folder(folder / "nb201-images", classes=[f"class{i}" for i in range(10)], per_class=5, coloured=True)
        shape = ("--channels", 16, "--cells", 1, "--data", f"folder:{images}", "--image-size", 16, "--threads", 1)
        expect(0, "select", "--checkpoint", checkpoint, "--space", "nb201", *shape, "--tune-epochs", 1, "--scoring-batch", 16, "--batch", 16,
               "--out", out)
        check((out / "genotype.txt").read_text().count("~") == 6, "no architecture from a published supernet")
        expect(1, "select", "--checkpoint", checkpoint, "--space", "s2", *shape, "--out", folder / "nb201-other", says="--space")
    else:
        print(f"nb201: skipped the published supernet, no {checkpoint}")
    expect(2, "select", run, "--out", folder / "nb201-wrong", "--reduction-edge-order", "0,1,2,3,4,5", says="reduction-edge-order")
    trained = folder / "nb201-trained"
    expect(0, "train", NB201_FIRST, "--data", f"idx:{idx}", "--out", trained, "--epochs", 1, "--channels", 4, "--cells", 1, "--threads", 1)
    check("train-batch = 256" in (trained / "config.toml").read_text(), "an architecture brings its protocol")
    expect(0, "evaluate", trained)
    expect(2, "train", NB201_FIRST, "--data", f"idx:{idx}", "--out", folder / "nb201-head", "--auxiliary-weight", 0.4, says="auxiliary")
    expect(0, "search", "--data", f"idx:{idx}", *support.TINY_NB201, "--dry-run", "--json")
    states = []
    for threads in (1, 2):
        out = folder / f"nb201-threads{threads}"
        expect(0, "search", "--data", f"idx:{idx}", *support.TINY_NB201, "--out", out, "--threads", threads)
        states.append((out / "supernet.safetensors").read_bytes())
    check(states[0] == states[1], "the number of threads changed a search in nb201")


def test_methods(folder):
    """Every search method and selection from the command line; SGAS with both of its choices."""
    data = ["--data", f"idx:{folder / 'idx'}", *support.TINY]
    for method in ("darts-second-order", "sdarts-rs", "sdarts-adv"):
        out = folder / method
        expect(0, "search", *data, "--method", method, "--out", out)
        expect(0, "select", out)
    for selection in ("magnitude-progressive", "discretization"):
        out = folder / selection
        expect(0, "select", folder / "sdarts-rs", "--selection", selection, "--converged-epochs", 1, "--out", out)
        expect(0, "report", out)
        check((out / "genotype.json").exists(), f"no genotype by {selection}")
    sgas = ["--method", "sgas", "--with-none", "--epochs", 5, "--sgas-first-decision", 1, "--sgas-decide-every", 1]
    expect(2, "search", *data, "--method", "sgas", "--out", folder / "sgas-no-none", says="--with-none")
    for selection in ("perturbation", "magnitude"):
        out = folder / f"sgas-{selection}"
        expect(0, "run", *data, *sgas, "--selection", selection, "--out", out)
        events = json.loads((out / "selection.json").read_text())["events"]
        measured = [bool(event["scores"]) for event in events if event["kind"] == "operation"]
        check(measured == [selection == "perturbation"] * 8, f"scores of SGAS by {selection}: {measured}")
    expect(2, "select", folder / "sgas-magnitude", "--selection", "perturbation", "--out", folder / "sgas-other", says="magnitude")


def test_analyses(folder):
    """Each analysis of the paper, and Table 1's two networks; two seeds, where chance plays a part, differ."""
    data = ["--data", f"idx:{folder / 'idx'}", *support.TINY, "--space", "s2", "--hessian-every", 1, "--epochs", 2]
    results = {}
    for seed in (0, 1):
        out = folder / f"analysed-{seed}"
        expect(0, "search", *data, "--seed", seed, "--out", out)
        for name, more in (("table1", ["--shuffles", 3]), ("figure1", ["--edges", 2, "--converged-epochs", 1]), ("figure3", []),
                           ("proposition1", ["--images", 16]), ("hessian", [])):
            shown = expect(0, "analyse", name, out, *more)
            written = json.loads((out / f"{name}.json").read_text())
            check(json.loads(shown.stdout) == written["result"], f"{name}: what is shown and what is written differ")
            results.setdefault(name, []).append(written["result"])
    for name, (first, second) in results.items():
        check(first != second, f"{name}: two seeds give the same")
    check([row["epoch"] for row in results["hessian"][0]["epochs"]] == [0, 1], f"{results['hessian'][0]}")
    check((folder / "analysed-0/figure1.partial.json").exists() is False, "figure1 leaves its unfinished result")
    for network in ("vgg16", "resnet"):
        out = folder / network
        reference = ("analyse", "table1", "--data", f"idx:{folder / 'idx'}", "--network", network, "--network-channels", 2, "--network-blocks", 2,
                     "--train-epochs", 1, "--train-cutout", 0, "--shuffles", 3, "--out", out)
        first = expect(0, *reference).stdout
        check(first == expect(0, *reference, "--resume").stdout, f"{network}: a second call gives other numbers")
        check(len(json.loads(first)["after"]) == 3, first)
    expect(2, "analyse", "table2", folder / "analysed-0", says="table1")
    expect(2, "analyse", "table1", says="--network")
    expect(2, "analyse", "figure3", "--network", "vgg16", "--out", folder / "x", says="table1")
    expect(2, "analyse", "table1", "--network", "vgg19", "--out", folder / "x", says="resnet")
    expect(2, "search", *data, "--hessian-every", 0, "--hessian-stop", "--out", folder / "stop", says="--hessian-every")
    stop = folder / "stopped"
    expect(0, "search", *data, "--epochs", 4, "--hessian-stop", "--hessian-from", 1, "--hessian-window", 1, "--hessian-distance", 1,
           "--hessian-factor", 0, "--out", stop)
    check(json.loads((stop / "early_stop.json").read_text())["supernet_of_epoch"] == 0, "the early stop goes back")


def test_full_disk(folder, run):
    """Files that may not grow stand for a full disk: one sentence, and afterwards the same command goes on to the same files."""
    arguments = ["run", "--data", f"idx:{folder / 'idx'}", "--out", folder / "full", *support.TINY]

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
    result = support.run(PROGRAM, *arguments, preexec_fn=limit, restore_signals=False)
    lines = [line for line in result.stderr.splitlines() if line.startswith("ptnas: ")]
    check(result.returncode == 1 and len(lines) == 1 and "space" in lines[0], f"a full disk: {result.returncode} {result.stderr[-300:]!r}")
    expect(0, *arguments)
    different = support.differences(run, folder / "full")
    check(not different, f"after a full disk these files differ: {different}")
    with open("/dev/full", "w") as full:
        counted = subprocess.run([PROGRAM, "count", CELL], stdout=full, stderr=subprocess.PIPE, text=True)
    check(counted.returncode == 1 and "standard output" in counted.stderr, f"results to a full disk: {counted}")


def test_resume_by_out_alone(folder, run):
    """The run directory tells what it was made from: --resume --out needs no more."""
    expect(0, "run", "--resume", "--out", run, says="finished")
    expect(0, "select", "--resume", "--out", folder / "magnitude", says="finished")
    expect(0, "train", "--resume", "--out", folder / "magnitude", says="finished")
    expect(2, "train", "--resume", "--out", folder / "nowhere", says="--resume")
    expect(2, "train", "--out", folder / "nowhere", says="genotype")
    expect(2, "select", "--resume", "--out", folder / "nowhere")


def test_bad_options(folder):
    idx = folder / "idx"
    base = ["search", "--data", f"idx:{idx}", "--out", folder / "never"]
    expect(2, *base, "--threads", 100000, says="256")
    expect(2, *base, "--image-size", 64, says="--image-size")
    expect(2, "data", "show", "--data", f"idx:{idx}", "--image-size", 64, says="8x8")
    result = expect(2, "data", "show", "--data", f"idx:{idx}", "--per-class", 0, "--out", folder / "none.png")
    check(not result.stdout, "results before an error")
    if not list(pathlib.Path("/dev").glob("nvidia*")):
        expect(2, *base, "--device", "cuda", says="GPU")
        expect(2, "parity", folder, "--device", "cuda", says="GPU")
    expect(2, *base, "--space", "s9", says="s9")
    expect(2, *base, "--epochs", 0)
    expect(2, *base, "--train-portion", 1.5)
    expect(2, *base, "--method", "sorcery")
    expect(2, *base, "--batch", "lots")
    config = folder / "config.toml"
    config.write_text("epochs = 2\nepoch = 3\n")
    expect(2, *base, "--config", config, says="epoch")
    config.write_text("epochs = [")
    expect(2, *base, "--config", config)
    space = folder / "space.toml"
    space.write_text('name = "mine"\nnodes = 1\n[normal]\nall = []\n[reduction]\nall = ["skip_connect", "skip_connect"]\n')
    expect(1, *base, "--space", space)
    check(not (folder / "never").exists() or not list((folder / "never").glob("*.safetensors")), "nothing was trained")
    expect(2, "run", "--data", f"idx:{idx}", "--out", folder / "never", "--selection", "random", "--edge-order", "0,1")
    foreign = folder / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    expect(1, "search", "--data", f"idx:{idx}", "--out", foreign)
    check([p.name for p in foreign.iterdir()] == ["thesis.txt"], "a foreign directory was touched")
    expect(1, "report", foreign)
    expect(1, "evaluate", foreign)
    expect(1, "search", "--data", f"idx:{idx}", "--out", "/proc/ptnas")


def test_damaged_run(folder, run):
    for name in ("selection.json", "metrics.jsonl", "model.safetensors", "run.json", "config.toml"):
        copy = folder / ("damaged-" + name)
        copy.mkdir()
        for path in run.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        (copy / name).write_bytes((run / name).read_bytes()[:40] + b"\n")
        command = {"model.safetensors": "evaluate", "config.toml": "evaluate"}.get(name, "report")
        result = support.run(PROGRAM, command, copy)
        check(result.returncode in (1, 2) and name in result.stderr, f"damaged {name}: {result.returncode} {result.stderr[-300:]!r}")
    copy = folder / "newer"
    copy.mkdir()
    for path in run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    newer = json.loads((copy / "run.json").read_text())
    newer["version"] = 99
    (copy / "run.json").write_text(json.dumps(newer))
    expect(1, "report", copy, says="99")


def test_interrupt(folder):
    out = folder / "interrupted"
    arguments = ["run", "--data", f"idx:{folder / 'idx'}", "--out", str(out), *support.TINY, "--epochs", "5000"]  # none is over by chance
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (out / "search.checkpoint.safetensors").exists():
        time.sleep(0.05)
    locked = support.run(PROGRAM, *arguments)
    check(locked.returncode == 1 and str(process.pid) in locked.stderr, f"a second process: {locked.returncode} {locked.stderr[-300:]!r}")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    check(process.returncode == 130 and "--resume" in error, f"Ctrl-C: {process.returncode} {error[-300:]!r}")
    check(json.loads((out / "run.json").read_text()).get("finished", []) == [], "the interrupted run is not finished")


def test_interrupt_at_once(folder):
    """A second Ctrl-C, and the first one of a command that has nothing to save, end it at once."""
    bench = subprocess.Popen([PROGRAM, "bench", "step", "--repeats", "1000", "--channels", "4", "--cells", "3", "--image-size", "8"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1.5)
    bench.send_signal(signal.SIGINT)
    check(bench.wait(timeout=10) == 130, f"Ctrl-C of bench: {bench.returncode}")
    out = folder / "interrupted-twice"
    process = subprocess.Popen([PROGRAM, *map(str, ("run", "--data", f"idx:{folder / 'idx'}", "--out", out, *support.TINY, "--epochs", 5000))],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (out / "search.checkpoint.safetensors").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    check(process.wait(timeout=60) == 130, f"two Ctrl-C: {process.returncode}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_help()
        test_bench()
        test_count_and_draw(folder)
        test_data(folder)
        test_imagenet(folder)
        test_query(folder)
        run = test_run(folder)
        test_threads_and_estimate(folder)
        test_selections(folder, run)
        test_snapshots(folder)
        test_resume_by_out_alone(folder, run)
        test_full_disk(folder, run)
        test_nb201(folder)
        test_methods(folder)
        test_analyses(folder)
        test_bad_options(folder)
        test_damaged_run(folder, run)
        test_interrupt(folder)
        test_interrupt_at_once(folder)
    print(f"commands: {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
