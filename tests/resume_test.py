#!/usr/bin/env python3
"""Kills a run with SIGKILL at random moments, again and again, and expects the files of a run that was never interrupted.

Usage: resume_test.py PTNAS [KILLS [SEED [OPTION...]]]; options that begin with `--space nb201` make a small run in that space.
"""
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import support


def start(program, data, out, options):
    return subprocess.Popen([program, "run", "--data", f"idx:{data}", "--out", str(out), *options], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def main():
    program = sys.argv[1]
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    # A checkpoint at every step: there are as many moments to be killed at as steps.
    tiny = support.TINY_NB201 if sys.argv[4:6] == ["--space", "nb201"] else support.TINY
    options = tiny + ["--checkpoint-minutes", "0.00001"] + sys.argv[4:]
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        data = support.write_idx(folder / "data")
        began = time.monotonic()
        support.must(support.run(program, "run", "--data", f"idx:{data}", "--out", folder / "whole", *options, timeout=900))
        whole = time.monotonic() - began
        print(f"uninterrupted: {whole:.1f} s")

        killed, stages = 0, []
        while killed < kills:
            process = start(program, data, folder / "killed", options)
            # Short lives, so that the kills spread over the run.
            moment = rng.uniform(0.05, 1.6 * whole / kills + 0.8)
            try:
                process.wait(moment)
                process.communicate()
                break  # finished
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
                stages.append(sum(1 for _ in (folder / "killed" / "metrics.jsonl").open())
                              if (folder / "killed" / "metrics.jsonl").exists() else 0)
        print(f"killed {killed} times, metrics lines at each: {stages}")
        support.must(support.run(program, "run", "--data", f"idx:{data}", "--out", folder / "killed", *options, timeout=900))
        different = support.differences(folder / "whole", folder / "killed")
        if different or killed == 0:
            sys.exit(f"files that differ: {different}; kills: {killed}")
        again = support.must(support.run(program, "run", "--resume", "--out", folder / "killed"))
        if "test accuracy" not in again.stdout:
            sys.exit(f"resuming a finished run printed {again.stdout!r}")
    print("identical")


if __name__ == "__main__":
    main()
