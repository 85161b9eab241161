#!/usr/bin/env python3
"""The documents' links lead somewhere, and their commands and options are the program's.

Usage: docs_test.py PROGRAM
"""
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = sys.argv[1]
faults = []
helps = {}


def documents():
    yield from (path for path in sorted(ROOT.glob("*.md")))
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield ROOT / "ptnas" / "README.md"


def anchor_of(heading):
    """As hosts of Markdown make it."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def check_links(path, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists():
            faults.append(f"{path.relative_to(ROOT)}: no {target}")
        elif anchor and there.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            if anchor not in map(anchor_of, headings):
                faults.append(f"{path.relative_to(ROOT)}: no heading {target}")


def help_of(*command):
    if command not in helps:
        helps[command] = subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True, check=True).stdout
    return helps[command]


def commands_in(text):
    """Lines of code blocks, continued ones joined, and inline code, that call the program."""
    text = re.sub(r"\\\n\s*", " ", text)
    for code in re.findall(r"^(?:    |\t)(.*)$|`([^`]+)`", text, re.MULTILINE) + [
            (line, "") for block in re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for line in block.splitlines()]:
        for call in re.split(r"&&|;(?= )", code[0] or code[1]):
            match = re.match(r"\s*(?:\$ )?(?:sudo )?(?:\S*/)?ptnas (\S.*)", call)
            if match:
                yield match.group(1)


def words_of(call):
    try:
        return shlex.split(call, comments=True)
    except ValueError:
        return call.split()


def check_command(path, call):
    words = words_of(call)
    command = []
    # `data show`: a command's command. Names in capitals stand for something else.
    while len(command) < min(2, len(words)) and re.match("[a-z]", words[len(command)]) and re.search(rf"^  {re.escape(words[len(command)])}\s", help_of(*command), re.MULTILINE):
        command.append(words[len(command)])
    if not command:
        if not words[0].startswith("-") and not words[0].isupper():
            faults.append(f"{path.relative_to(ROOT)}: `ptnas {call}`: no command {words[0]}")
            return
    for word in words[len(command):]:
        option = re.match(r"\[?(--[a-z0-9-]+)", word)
        if option and not re.search(rf"{re.escape(option.group(1))}(?![a-z0-9-])", help_of(*command)):
            faults.append(f"{path.relative_to(ROOT)}: `ptnas {call}`: no option {option.group(1)}")


def main():
    calls = 0
    for path in documents():
        text = path.read_text()
        check_links(path, text)
        for call in commands_in(text):
            calls += 1
            check_command(path, call)
    for fault in faults:
        print(f"FAILED: {fault}")
    print(f"docs: {calls} commands, {len(faults)} faults")
    # Far fewer: they are no longer found.
    sys.exit(1 if faults or calls < 50 else 0)


main()
