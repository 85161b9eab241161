"""Writes run directories as docs/formats.md describes them, without computing anything: what the report's test reads.

The numbers are drawn, but have the shape of a search in the DARTS space: alpha comes to favour skip connections, while the
supernet misses separable convolutions most.
"""
import json
import pathlib
import random

OPERATIONS = ["max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]
NODES = 4
EDGES = [(source, node) for node in range(NODES) for source in range(node + 2)]
CELLS = ("normal", "reduction")
IMAGES = 2500

HOSTILE = ["<script>alert(1)</script>", "</script><script>throw new Error('class name')</script>", "<img src=x onerror=\"alert('2')\">",
           "\"quoted\" & 'single'", "<!-- <script> comment", "caf\u00e9 \U0001f600 \u2028 line \u202e left", "x" * 400, "a b" * 60,
           "{{template}} ${code} `tick`", "__proto__"]


def edges_into(node):
    return [index for index, (_, target) in enumerate(EDGES) if target == node]


def softmax_at(rng, progress):
    """Rows of weights that start equal and come to favour skip connections, more so on later nodes."""
    rows = []
    for source, node in EDGES:
        lean = [0.1, 0.0, 0.5 + 0.15 * node, 0.65, 0.35, 0.3, 0.15]
        row = [2.718281828 ** (progress * (bias + rng.gauss(0, 0.3))) for bias in lean]
        rows.append([value / sum(row) for value in row])
    return rows


class Sample:
    """One run's files. `stages`: which of search, select and train there are; `part`: how far the last one has come."""

    def __init__(self, folder, *, selection="perturbation", criterion="accuracy", topology="once", stages=("search", "select", "train"),
                 finished=True, classes=None, seed=7, parent=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.rng = random.Random(seed)
        self.selection, self.criterion, self.topology = selection, criterion, topology
        self.stages, self.finished, self.parent = stages, finished, parent
        self.classes = classes or [f"class {i}" for i in range(10)]
        self.metrics, self.events = [], []
        self.alpha = {cell: softmax_at(self.rng, 0.9) for cell in CELLS}
        self.write()

    def put(self, name, value):
        (self.folder / name).write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")

    def write(self):
        if "search" in self.stages:
            self.search()
        if "select" in self.stages:
            self.select()
        if "train" in self.stages:
            self.train()
        done = [stage for stage in self.stages if self.finished or stage != self.stages[-1]]
        self.put("run.json", {"format": "ptnas-run", "version": 1, "finished": done,
                              **({"parent": str(self.parent)} if self.parent else {})})
        self.describe()
        if self.metrics:
            (self.folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in self.metrics))

    def describe(self):
        options = {"preset": "quick", "data": "folder:photos <b>bold</b>", "space": "darts", "channels": 4, "cells": 5, "epochs": 10,
                   "tune-epochs": 1, "selection": self.selection, "criterion": self.criterion, "train-channels": 12, "train-cells": 8,
                   "train-epochs": 12, "seed": 0}
        (self.folder / "config.toml").write_text("# </script><script>throw new Error('configuration')</script>\n" + "".join(
            f"{name} = {json.dumps(value)}\n" for name, value in options.items()))
        self.put("environment.json", {
            "format": "ptnas-environment", "version": 1, "ptnas": "0.1.0", "compiler": "gcc 12.2.0", "kernel": "Linux 6.1",
            "machine": "x86_64", "cpu": "A <i>CPU</i>", "vector_target": "avx2", "threads": 2, "libtorch": "1.13.1", "seed": 0,
            "command_lines": [["run", "--data", "folder:photos <b>bold</b>", "--preset", "quick", "--out", "it's here"]]})
        count = len(self.classes)
        self.put("data.json", {
            "format": "ptnas-data", "version": 1, "name": "photos <b>bold</b>", "classes": self.classes, "channels": 1, "height": 28,
            "width": 28, "train": 500 * count, "test": 100 * count, "train_counts": [500] * count, "test_counts": [100] * count,
            "mean": [0.286], "deviation": [0.353], "measured": True, "held_out": [], "left_out": ["<script>alert(3)</script>.png"]})

    def curve(self, progress, start, end):
        return start + (end - start) * progress ** 0.5 + self.rng.gauss(0, 0.006)

    def search(self):
        for epoch in range(10):
            progress = (epoch + 1) / 10
            self.metrics.append({
                "phase": "search", "epoch": epoch, "step": 20 * (epoch + 1), "train_loss": self.curve(progress, 1.9, 0.62),
                "train_accuracy": self.curve(progress, 0.3, 0.78), "valid_loss": self.curve(progress, 1.8, 0.71),
                "valid_accuracy": self.curve(progress, 0.33, 0.74), "learning_rate": 0.025 * (1 - 0.9 * progress), "seconds": 11.5,
                "alpha": self.alpha if epoch == 9 else {cell: softmax_at(self.rng, 0.9 * progress) for cell in CELLS}})

    def select(self):
        if self.selection == "perturbation":
            self.perturb()
        else:
            self.choose_without_measuring()
        cells = {cell: self.cell_of(cell, "kept", "chosen") for cell in CELLS}
        self.put("selection.json", {
            "format": "ptnas-selection", "version": 1, "selection": self.selection, "criterion": self.criterion, "preset": "quick",
            "topology": self.topology, "seed": 0, "space": "darts", "nodes": NODES,
            "images": IMAGES if self.selection == "perturbation" else 0, "complete": self.finished or "train" in self.stages,
            "candidates": {cell: [OPERATIONS] * len(EDGES) for cell in CELLS}, "alpha": self.alpha,
            "magnitude_genotype": {cell: self.alpha_cell(cell) for cell in CELLS}, "events": self.events})
        if self.finished or "train" in self.stages:
            self.put("genotype.json", {"format": "ptnas-genotype", "version": 1, "cells": cells, "text": "Genotype(normal=[...])"})

    def alpha_choice(self, cell, edge):
        row = self.alpha[cell][edge]
        return OPERATIONS[row.index(max(row))]

    def alpha_edges(self, cell, node):
        return sorted(sorted(edges_into(node), key=lambda edge: -max(self.alpha[cell][edge]))[:2])

    def alpha_cell(self, cell):
        return [[[self.alpha_choice(cell, edge), EDGES[edge][0]] for edge in self.alpha_edges(cell, node)] for node in range(NODES)]

    def cell_of(self, cell, kept_key, chosen_key):
        chosen = {event["edge"]: event[chosen_key] for event in self.events if event["kind"] == "operation" and event["cell"] == cell}
        kept = {event["node"]: event[kept_key] for event in self.events if event["kind"] == "topology" and event["cell"] == cell}
        return [[[chosen.get(edge, "skip_connect"), EDGES[edge][0]] for edge in kept.get(node, edges_into(node)[:2])]
                for node in range(NODES)]

    def event(self, kind, cell, **more):
        return {"event": len(self.events), "kind": kind, "cell": cell, **more}

    def choose_without_measuring(self):
        for cell in CELLS:
            for edge, (source, node) in enumerate(EDGES):
                alpha_choice = self.alpha_choice(cell, edge)
                chosen = alpha_choice if self.selection == "magnitude" else self.rng.choice(OPERATIONS)
                self.events.append(self.event("operation", cell, edge=edge, **{"from": source}, node=node, scores=[], chosen=chosen,
                                              alpha_choice=alpha_choice))
            for node in range(1, NODES):
                alpha_choice = self.alpha_edges(cell, node)
                kept = alpha_choice if self.selection == "magnitude" else sorted(self.rng.sample(edges_into(node), 2))
                self.events.append(self.event("topology", cell, node=node, rounds=[], kept=kept, alpha_choice=alpha_choice))

    def score(self, baseline, harm):
        """The supernet without something: whole images are lost or, now and then, won."""
        lost = round(harm * IMAGES)
        return {"loss": baseline["loss"] + 2.4 * harm + abs(self.rng.gauss(0, 0.002)), "accuracy": baseline["accuracy"] - lost / IMAGES,
                "loss_error": 0.02, "accuracy_error": 0.0087}

    @staticmethod
    def noise(margin):
        """Tests of a decision of that margin; one without a margin has none."""
        if margin is None:
            return {}
        p = 0.2 if abs(margin) < 0.002 else 1e-5
        return {"tests": [{"better": "a", "worse": "b", "images": IMAGES, "difference": margin, "error": 0.001, "p": p}], "comparisons": 6,
                "within_noise": p > 0.01 / 6}

    def best(self, scores):
        key = (lambda s: (s["accuracy"], -s["loss"])) if self.criterion == "accuracy" else (lambda s: -s["loss"])
        return sorted(scores, key=key)

    def margin(self, first, second):
        return second["accuracy"] - first["accuracy"] if self.criterion == "accuracy" else first["loss"] - second["loss"]

    def perturb(self):
        order = {cell: self.rng.sample(range(len(EDGES)), len(EDGES)) for cell in CELLS}
        rounds = [("operation", {cell: order[cell][i] for cell in CELLS}) for i in range(len(EDGES))]
        rounds += [("topology", {cell: node for cell in CELLS}) for node in (2, 1, 3)]
        if not self.finished and self.stages[-1] == "select":
            rounds = rounds[:5]
        for tuned, (kind, places) in enumerate(rounds):
            level = 0.74 + 0.0025 * tuned
            for cell in CELLS:
                baseline = {"loss": 0.71 - 0.006 * tuned, "accuracy": round(level * IMAGES) / IMAGES}
                event = self.operation_event(cell, places[cell], baseline) if kind == "operation" else self.topology_event(
                    cell, places[cell], baseline)
                self.events.append(event)
                self.metrics.append({
                    "phase": "select", "epoch": tuned, "event": event["event"], "kind": kind, "cell": cell,
                    **({"edge": event["edge"]} if kind == "operation" else {}), "node": event["node"],
                    "chosen": event.get("chosen", event.get("kept")), "train_loss": None, "train_accuracy": None,
                    "valid_loss": baseline["loss"] + 0.05, "valid_accuracy": level - 0.03 + self.rng.gauss(0, 0.004), "seconds": 4.0})
            self.metrics.append({
                "phase": "tune", "epoch": tuned, "step": 200 + 20 * tuned, "event": len(self.events) - 1, "train_loss": 0.6 - 0.004 * tuned,
                "train_accuracy": level + 0.03, "valid_loss": 0.705 - 0.006 * tuned, "valid_accuracy": level + self.rng.gauss(0, 0.003),
                "learning_rate": 0.0025, "seconds": 10.0, "alpha": {cell: softmax_at(self.rng, 0.95) for cell in CELLS}})

    def operation_event(self, cell, edge, baseline):
        worth = [0.001, 0.0005, 0.006, 0.012, 0.007, 0.005, 0.004]
        scores = [{"operation": name, **self.score(baseline, max(-0.002, self.rng.gauss(worth[i], 0.003))),
                   "alpha": self.alpha[cell][edge][i]} for i, name in enumerate(OPERATIONS)]
        ranked = self.best(scores)
        source, node = EDGES[edge]
        margin = self.margin(*ranked[:2])
        return self.event("operation", cell, edge=edge, **{"from": source}, node=node, baseline=baseline, scores=scores,
                          chosen=ranked[0]["operation"], margin=margin, alpha_choice=self.alpha_choice(cell, edge),
                          images=IMAGES, seed=0, seconds=4.0, **self.noise(margin))

    def topology_event(self, cell, node, baseline):
        edges, rounds = edges_into(node), []
        while True:
            scores = [{"edge": edge, "from": EDGES[edge][0], "operation": self.rng.choice(OPERATIONS),
                       **self.score(baseline, abs(self.rng.gauss(0.02, 0.012)))} for edge in edges]
            rounds.append(scores)
            ranked = [score["edge"] for score in self.best(scores)]
            by_edge = {score["edge"]: score for score in scores}
            if self.topology == "once" or len(edges) <= 3:
                kept, margin = ranked[:2], self.margin(by_edge[ranked[1]], by_edge[ranked[2]]) if len(ranked) > 2 else None
                break
            edges = sorted(ranked[:-1])
        return self.event("topology", cell, node=node, baseline=baseline, rounds=rounds, kept=sorted(kept), margin=margin,
                          alpha_choice=self.alpha_edges(cell, node), images=IMAGES, seed=0, seconds=3.0, **self.noise(margin))

    def train(self):
        if "select" not in self.stages:
            self.put("genotype.json", {"format": "ptnas-genotype", "version": 1, "cells": {cell: self.alpha_cell(cell) for cell in CELLS},
                                       "text": "Genotype(normal=[...])"})
        epochs = 12 if self.finished else 4
        for epoch in range(epochs):
            progress = (epoch + 1) / 12
            tested = epoch % 2 == 1
            self.metrics.append({
                "phase": "train", "epoch": epoch, "train_loss": self.curve(progress, 1.2, 0.4), "train_accuracy": self.curve(progress, 0.5, 0.86),
                "valid_loss": None, "valid_accuracy": None, "test_loss": self.curve(progress, 1.1, 0.42) if tested else None,
                "test_accuracy": self.curve(progress, 0.55, 0.85) if tested else None, "learning_rate": 0.025, "drop_path": 0.2 * progress,
                "seconds": 21.0})
        if self.finished:
            self.evaluate()

    def evaluate(self):
        count = len(self.classes)
        confusion = [[0] * count for _ in range(count)]
        for true in range(count):
            for _ in range(100):
                right = self.rng.random() < 0.95 - 0.03 * true
                confusion[true][true if right else (true + self.rng.choice([1, 1, 1, 2, 4])) % count] += 1
        total = 100 * count
        top1 = sum(confusion[i][i] for i in range(count)) / total
        self.put("evaluation.json", {
            "format": "ptnas-evaluation", "version": 1, "part": "test", "images": total, "loss": 0.42, "top1": top1, "top5": 0.991,
            "per_class": [{"class": name, "images": 100, "accuracy": confusion[i][i] / 100} for i, name in enumerate(self.classes)],
            "confusion": confusion, "milliseconds_per_image": 1.25, "parameters": 147466, "multiply_adds": 21334912, "epoch": 11})
