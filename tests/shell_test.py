#!/usr/bin/env python3
"""The manual page, the shells' completions and --version: complete, and of use to the programs they are for, where those are there.

Usage: shell_test.py PTNAS
"""
import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import support

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


@functools.cache
def help_of(*command):
    return support.must(support.run(PROGRAM, *command, "--help")).stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))


def all_commands():
    """Every command by what --help lists, as lists of words."""
    def below(words):
        listed = re.search(r"^Subcommands:\n((?:  .*\n?)+)", help_of(*words), re.M)
        for line in listed.group(1).splitlines() if listed else ():
            if re.match(r"  \S", line):
                yield [*words, line.split()[0]]
                yield from below([*words, line.split()[0]])
    return list(below([]))


def test_version():
    lines = support.must(support.run(PROGRAM, "--version")).stdout.splitlines()
    check(re.fullmatch(r"ptnas \d+\.\d+\.\d+", lines[0]), f"the first line: {lines[0]}")
    for text in ("build: ", "vector target: ", "libtorch 1.", "Highway 1.", "libmicrohttpd "):
        check(any(text in line for line in lines), f"--version does not tell of {text}")


def test_manual(commands):
    page = support.must(support.run(PROGRAM, "man")).stdout
    check(page == support.must(support.run(PROGRAM, "man")).stdout, "the page is the same each time")
    plain = page.replace("\\-", "-")
    for words in commands:
        check(f".SS ptnas {' '.join(words)}\n" in plain, f"the manual has no {' '.join(words)}")
        missing = {option for option in options_in(help_of(*words)) if option not in plain}
        check(not missing, f"the manual lacks options of {' '.join(words)}: {missing}")
    check(all(ord(c) < 128 for c in page), "the manual is ASCII")
    if shutil.which("groff"):
        result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, timeout=60)
        check(result.returncode == 0 and not result.stderr, f"groff: {result.stderr[:300]}")


def bash(script, *words):
    """What bash offers for these words, the last of which is being written."""
    line = "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _ptnas; printf '%s\\n' \"${{COMPREPLY[@]}}\"".format(
        script, " ".join(f"'{word}'" for word in ("ptnas", *words)), len(words))
    result = subprocess.run(["bash", "--norc", "-c", line], capture_output=True, text=True, timeout=30)
    check(result.returncode == 0 and not result.stderr, f"bash: {result.stderr[:300]}")
    return result.stdout.split()


def fish(script, *words):
    line = f"source '{script}'; complete -C 'ptnas {' '.join(words)}'"
    result = subprocess.run(["fish", "--no-config", "-c", line], capture_output=True, text=True, timeout=30)
    check(result.returncode == 0 and not result.stderr, f"fish: {result.stderr[:300]}")
    return [row.split("\t")[0] for row in result.stdout.splitlines()]


def test_offers(offer, name):
    first = offer("")
    check({"run", "watch", "data"} <= set(first), f"{name}: commands {first}")
    check(set(offer("da")) == {"data"}, f"{name}: da {offer('da')}")
    check({"show", "fetch"} <= set(offer("data", "")), f"{name}: data {offer('data', '')}")
    check(set(offer("run", "--pres")) == {"--preset"}, f"{name}: --pres {offer('run', '--pres')}")
    check({"paper", "released", "quick"} <= set(offer("run", "--preset", "")), f"{name}: presets")
    check(set(offer("bench", "st")) == {"step"}, f"{name}: a positional argument's values")
    check("--json" in offer("data", "show", "--j") and "--json" not in offer("run", "--j"), f"{name}: options of a command only")
    check("--no-json" not in offer("data", "show", "--no-j"), f"{name}: an option that is not there")


def test_completions(folder, commands):
    for shell in ("bash", "fish", "zsh"):
        script = folder / f"ptnas.{shell}"
        script.write_text(support.must(support.run(PROGRAM, "completion", shell)).stdout)
        if not shutil.which(shell):
            print(f"shell_test: without {shell}, which is not there")
            continue
        result = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=30)
        check(result.returncode == 0 and not result.stderr, f"{shell} -n: {result.stderr[:300]}")
        if shell != "zsh":
            test_offers(lambda *words: globals()[shell](script, *words), shell)
    if shutil.which("zsh"):
        lines = f"autoload -Uz compinit; compinit -u -D -d {folder}/dump; source {folder}/ptnas.zsh; echo ${{_comps[ptnas]}}"
        result = subprocess.run(["zsh", "-f", "-c", lines], capture_output=True, text=True, timeout=30)
        check(result.stdout.strip() == "_ptnas" and not result.stderr, f"zsh: {result.stdout} {result.stderr[:300]}")
    script = (folder / "ptnas.bash").read_text()
    missing = {option for words in commands for option in options_in(help_of(*words)) if option not in script and option != "--help"}
    check(not missing, f"bash lacks {missing}")
    result = support.run(PROGRAM, "completion", "csh")
    check(result.returncode == 2 and len(result.stderr.splitlines()) == 1, f"another shell: {result}")


def main():
    commands = all_commands()
    check(["data", "fetch"] in commands and len(commands) > 15, f"commands: {commands}")
    test_version()
    test_manual(commands)
    with tempfile.TemporaryDirectory() as name:
        test_completions(pathlib.Path(name), commands)
    print(f"shell: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
