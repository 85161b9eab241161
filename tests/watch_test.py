#!/usr/bin/env python3
"""Follows made-up runs with `ptnas watch`: what its page shows in headless Chromium must equal the run's files as they grow; hostile
requests do no harm.

Usage: watch_test.py PTNAS [PICTURES]. The browser's part is left out where Chromium is absent; PICTURES: a folder for screenshots.
"""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import devtools
import report_browser_test as report
import sample_run

from report_browser_test import BROWSER, PROGRAM, QUIET, check, close, failures, same

PICTURES = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None


@contextlib.contextmanager
def watching(folder, *options):
    """The running program and its port."""
    process = subprocess.Popen([PROGRAM, "watch", str(folder), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        check(line.startswith("http://127.0.0.1:") and line.endswith("/\n"), f"the address: {line!r}")
        yield process, int(line.rsplit(":", 1)[1].strip("/\n"))
    finally:
        process.kill()
        process.communicate()


def ask(port, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def raw(port, data, timeout=20):
    """What the server says to these bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        answer = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass
        return answer


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else None


def stands(port, what):
    answer, body = ask(port)
    check(answer.status == 200 and body.startswith(b"<!DOCTYPE html>"), f"after {what}: {answer.status}")


# ---- Requests

def test_answers(folder):
    run = sample_run.Sample(folder / "answers", stages=("search", "select"), finished=False).folder
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with watching(run) as (_, port):
        answer, body = ask(port)
        check(b"connect-src 'self'" in body and answer.getheader("Content-Type") == "text/html; charset=utf-8", "the page")
        answer, body = ask(port, "/data.json")
        data = json.loads(body)
        same(data["metrics"], report.lines_of(run), "lines in data.json")
        same(data["selection"], json.loads((run / "selection.json").read_text()), "selection in data.json")
        tag = answer.getheader("ETag")
        answer, body = ask(port, "/data.json", **{"If-None-Match": tag})
        check(answer.status == 304 and body == b"", f"the same data: {answer.status} {body[:80]}")
        with open(run / "metrics.jsonl", "a") as file:
            file.write('{"phase": "tune", "epoch": 0, "unfin')  # as a reader may find a line that is being written
        answer, body = ask(port, "/data.json", **{"If-None-Match": tag})
        check(answer.status == 200 and json.loads(body)["metrics"] == data["metrics"], "an unfinished line")
        (run / "selection.json").write_text("{")
        for path in ("/data.json", "/"):
            answer, body = ask(port, path)
            check(answer.status == 500 and "selection.json" in json.loads(body)["error"], f"a damaged file: {answer.status} {body[:200]}")
        (run / "selection.json").write_bytes(before["selection.json"])
        stands(port, "a damaged file")
    same(sorted(path.name for path in run.iterdir()), sorted(before), "files of a run that was looked at")


def test_hostile_requests(folder):
    run = sample_run.Sample(folder / "hostile", stages=("search",)).folder
    (folder / "secret").write_text("secret")
    with watching(run) as (process, port):
        for path in ("/../secret", "/..%2fsecret", "/%2e%2e/secret", "//etc/passwd", "/run.json", "/data.json/..", "/%00", "/data.json%00.html",
                     "/" + "a/" * 4000, "/?" + "q" * 9000):
            answer = raw(port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            check(status_of(answer) in (200, 400, 404, 413, 414, 431, None) and b"secret" not in answer and b"root:x:" not in answer,
                  f"{path[:40]}: {answer[:80]}")
            if not path.startswith("/?"):
                check(status_of(answer) != 200, f"{path[:40]} is answered with 200")
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "X" * 300):
            answer = raw(port, f"{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello".encode())
            check(status_of(answer) in (400, 405, 501, None), f"{method[:20]}: {answer[:80]}")
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost.evil.example"):
            same(status_of(raw(port, f"GET /data.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())), 403, f"Host: {host}")
        for what, data in {"nothing": b"", "no newline": b"A" * 2_000_000, "a long line": b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n\r\n",
                           "a long header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n",
                           "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 200_000 + b"\r\n",
                           "no HTTP": bytes(range(256)) * 40, "a promised body": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
                           "a negative length": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"}.items():
            answer = raw(port, data)
            check(len(answer) < 1_000_000 and status_of(answer) in (200, 400, 403, 413, 414, 431, None), f"{what}: {answer[:80]}")
            stands(port, what)
        many_connections(port)
        resident = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        check(resident < 1 << 30, f"memory after hostile requests: {resident >> 20} MB")
        check(process.poll() is None, "the program still runs")


def many_connections(port):
    """Hundreds that say nothing are closed after a while, and then others are answered."""
    held = []
    for _ in range(400):
        with contextlib.suppress(OSError):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=5))
    end, status = time.monotonic() + 60, None
    while time.monotonic() < end and status != 200:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status = ask(port)[0].status
    check(status == 200, f"no answer after {len(held)} idle connections")
    for connection in held:
        connection.close()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(port, "/data.json")[0].status)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(answers, [200] * 40, "forty at once")


def test_use(folder):
    run = sample_run.Sample(folder / "use", stages=("search",)).folder
    for status, says, *arguments in ((1, "nowhere", folder / "nowhere"), (2, "--port", run, "--port", "70000"), (2, "--address", run, "--address", "example.org"),
                                     (2, "run", ), (1, "203.0.113.1", run, "--address", "203.0.113.1")):
        result = subprocess.run([PROGRAM, "watch", *map(str, arguments)], capture_output=True, text=True, timeout=30)
        check(result.returncode == status and says in result.stderr and len(result.stderr.splitlines()) == 1, f"watch {arguments}: {result}")
    with watching(run) as (process, port):
        taken = subprocess.run([PROGRAM, "watch", str(run), "--port", str(port)], capture_output=True, text=True, timeout=30)
        check(taken.returncode == 1 and "another --port" in taken.stderr, f"a port that is taken: {taken}")
        process.send_signal(signal.SIGINT)
        same(process.wait(timeout=10), 0, "Ctrl-C ends it with status")
    process = subprocess.Popen([PROGRAM, "watch", str(run), "--address", "0.0.0.0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    port = int(process.stdout.readline().rsplit(":", 1)[1].strip("/\n"))
    same(ask(port, "/data.json", Host="machine.example")[0].status, 200, "another name on every address")
    process.terminate()
    check("whoever reaches" in process.communicate(timeout=10)[1], "a warning for other machines")


# ---- The page

def selfcheck(browser):
    return json.loads(browser.ask("document.getElementById('selfcheck').textContent"))


def compare_with_files(browser, folder, what):
    """Waits until the page has as many lines as the files, and compares what it drew."""
    lines = report.lines_of(folder)
    selection = json.loads((folder / "selection.json").read_text()) if (folder / "selection.json").exists() else None
    wanted = {**report.expected_curves(lines), **report.expected_trajectory(lines), **(report.expected_choices(selection) if selection else {})}
    def drawn():
        found = selfcheck(browser)
        return found, {name: chart["datasets"] for name, chart in found["charts"].items() if name != "alpha"}
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found, charts = drawn()
        if json.dumps(charts, sort_keys=True) == json.dumps(wanted, sort_keys=True) and len(found["decisions"]) == len((selection or {"events": []})["events"]):
            break
        time.sleep(0.2)
    close(charts, wanted, f"{what}: charts")
    report.check_alpha(found["alpha"], lines, selection, what)
    if selection:
        report.check_selection(found, selection, what)
    same(found["errors"], [], f"{what}: errors")
    check(found["overflow"] <= 0, f"{what}: {found['overflow']} pixels too wide")
    return found


def grow(run, whole, lines, events):
    """The run as it is after so many lines of its metrics and so many decisions."""
    text = (whole / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(text[:lines]))
    if events is not None:
        selection = json.loads((whole / "selection.json").read_text())
        selection["events"], selection["complete"] = selection["events"][:events], False
        (run / "selection.json").write_text(json.dumps(selection))


def test_page(folder, width):
    name = f"<img src=x onerror=alert(1)> {width}"
    whole = sample_run.Sample(folder / f"whole {width}", classes=sample_run.HOSTILE).folder
    run = sample_run.Sample(folder / name, stages=("search",), classes=sample_run.HOSTILE).folder
    (run / "run.json").write_text('{"format": "ptnas-run", "version": 1, "finished": []}')
    (run / "metrics.jsonl").unlink()
    with watching(run) as (process, port), devtools.Browser(BROWSER, folder / f"profile {width}", QUIET) as browser:
        browser.open(f"http://127.0.0.1:{port}/#selfcheck", width)
        check(browser.wait("document.getElementById('live').textContent.startsWith('Following the run')"), "it says that it follows")
        compare_with_files(browser, run, f"watch {width}: nothing yet")
        grow(run, whole, 4, None)
        compare_with_files(browser, run, f"watch {width}: four epochs")
        browser.ask("(() => { const node = document.querySelector('#alpha select + select, #alpha label:nth-child(2) select'); node.value = '5';"
                    "node.dispatchEvent(new Event('change')); window.scrollTo({top: 300, behavior: 'instant'}); node.focus({preventScroll: true}); })()")
        grow(run, whole, 10, 0)
        compare_with_files(browser, run, f"watch {width}: the search")
        check(browser.ask("window.scrollY") == 300, "where the reader was")
        check(browser.ask("document.activeElement.localName") == "select", "the focus")
        grow(run, whole, 30, 9)
        compare_with_files(browser, run, f"watch {width}: nine decisions")
        if PICTURES:
            browser.open(f"http://127.0.0.1:{port}/?picture", width)
            browser.picture(PICTURES / f"watch-{width}.png")
            browser.open(f"http://127.0.0.1:{port}/#selfcheck", width)
        for file in whole.iterdir():
            (run / file.name).write_bytes(file.read_bytes())
        check(browser.wait("document.getElementById('live').textContent === 'The run is finished.'", 20), "it says that the run is finished")
        check(browser.wait("document.querySelectorAll('#network svg').length >= 3", 20), "the drawings of the network")
        compare_with_files(browser, run, f"watch {width}: the whole run")
        same(browser.complaints(), [], f"watch {width}: console")
        outside = [url for url in browser.requests() if not url.startswith(f"http://127.0.0.1:{port}/") and url not in ("about:blank", "data:,")]
        same(outside, [], f"watch {width}: requests elsewhere")
        process.send_signal(signal.SIGINT)
        check(browser.wait("document.getElementById('live').textContent.startsWith('No answer')", 20), "it says that the program has ended")


def main():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        test_answers(folder)
        test_hostile_requests(folder)
        test_use(folder)
        if BROWSER:
            for width in (1200, 375):
                test_page(folder, width)
        else:
            print("watch_test: without the browser's part, expected Chromium (package chromium) and found none")
    print(f"watch: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
