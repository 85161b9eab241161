#!/usr/bin/env python3
"""Fetches data sets with `ptnas data fetch` from a server of its own that cuts connections, has the wrong file, or hostile archives.

Usage: fetch_test.py PTNAS
"""
import contextlib
import hashlib
import http.server
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

import support

PROGRAM = sys.argv[1]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


class Server(http.server.ThreadingHTTPServer):
    """Files by path. `cut`: how many bytes each answer to come sends before the connection ends; then answers are whole."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.asked, self.ranges, self.tagged, self.slow, self.statuses = {}, [], [], True, True, 0, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def handle_error(self, request, address):
        pass  # a client that went away


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, path = self.server, self.path.lstrip("/")
        wanted = self.headers.get("Range")
        server.asked.append((path, wanted, self.headers.get("If-Range")))
        if server.statuses:
            return self.refuse(server.statuses.pop(0))
        if path.startswith("moved/"):
            self.send_response(302)
            self.send_header("Location", "/" + path[6:])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        if path == "evil-redirect":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        if path not in server.files:
            return self.refuse(404)
        return self.give(server, server.files[path], wanted)

    def refuse(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"oops")

    def give(self, server, content, wanted):
        tag, start = '"' + hashlib.md5(content).hexdigest() + '"', 0
        if wanted and server.ranges and self.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                return self.refuse(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if server.tagged:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        most = server.cut.pop(0) if server.cut else len(content)
        piece = content[start:start + most]
        for at in range(0, len(piece), 65536):
            self.wfile.write(piece[at:at + 65536])
            time.sleep(server.slow)
        if len(piece) < len(content) - start:
            self.wfile.flush()
            self.close_connection = True
        return None


def archive(entries, mode="w"):
    """A tar file of (name, content) or TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            tar.addfile(info, io.BytesIO(entry[1]))
    return buffer.getvalue()


class Test:
    def __init__(self, folder):
        self.folder, self.server = folder, Server()
        self.tree = folder / "tree"
        self.tree.mkdir()
        rng = random.Random(1)
        self.table = archive([(f"NATS-tss-v1_0-3ffb9-simple/{i:06}.pickle.pbz2", rng.randbytes(200_000)) for i in range(10)])
        self.name = "NATS-tss-v1_0-3ffb9-simple.tar"

    def fetch(self, status, *arguments, says=None, **environment):
        result = support.run(PROGRAM, "data", "fetch", *arguments, timeout=120,
                             env={**os.environ, "XDG_CACHE_HOME": str(self.tree / "cache"), **environment})
        check(result.returncode == status, f"{arguments}: expected {status}, got {result.returncode}: {result.stderr[-500:]}")
        if status:
            lines = [line for line in result.stderr.splitlines() if line.startswith("ptnas: ")]
            check(len(lines) == 1 and not result.stdout, f"{arguments}: expected one sentence, got {result.stderr[-500:]!r}")
        for text in [says] if isinstance(says, str) else says or []:
            check(text in result.stderr + result.stdout, f"{arguments}: expected `{text}` in {result.stderr[-500:]!r}")
        return result

    def left(self):
        return sorted(str(path.relative_to(self.tree)) for path in self.tree.rglob("*") if not path.is_dir())

    def is_table(self, out):
        names = sorted(path.name for path in out.iterdir())
        check(names == [f"{i:06}.pickle.pbz2" for i in range(10)] + ["fetched.json"], f"{out}: {names}")
        with tarfile.open(fileobj=io.BytesIO(self.table)) as tar:
            for member in tar:
                check((out / pathlib.Path(member.name).name).read_bytes() == tar.extractfile(member).read(), f"{member.name} differs")

    def use(self):
        listed = self.fetch(0, "--list").stdout
        for text in ("cifar10", "non-commercial", "CC BY-SA 4.0", "url_checksums", "image-net.org", "nats-tss"):
            check(text in listed, f"--list does not tell of {text}")
        described = json.loads(self.fetch(0, "--list", "--json").stdout)
        check(len(described) == 8 and described[0]["files"][0]["sha256"], f"--list --json: {described[0]}")
        self.fetch(2, says="--list")
        self.fetch(2, "imagenot", says="cifar10")
        self.fetch(2, "imagenet16-120", says="image-net.org")
        self.fetch(2, "nats-tss", says="browsers only")
        self.fetch(2, "cifar10", "--sha256", "0" * 64, says="--sha256")
        self.fetch(2, "nats-tss", "--from", self.server.url(self.name), "--sha256", "abc", says="--sha256")
        self.fetch(2, "cifar10", XDG_CACHE_HOME="", HOME="", says="HOME")
        check(self.left() == [], f"written by wrong use: {self.left()}")

    def whole(self):
        self.server.files[self.name] = self.table
        result = self.fetch(0, "nats-tss", "--from", self.server.url(), says=["MIT licence", "no published SHA-256", hashlib.sha256(self.table).hexdigest()])
        out = self.tree / "cache" / "ptnas" / "nats-tss"
        check(result.stdout == f"{out}\n", f"it prints {result.stdout!r}")
        self.is_table(out)
        record = json.loads((out / "fetched.json").read_text())
        check(record["files"] == [{"name": self.name, "from": self.server.url(self.name), "sha256": hashlib.sha256(self.table).hexdigest(),
                                   "compared_with": None}], f"fetched.json: {record}")
        check(sorted(path.name for path in out.parent.iterdir()) == ["nats-tss"], "nothing else in the cache")
        asked = len(self.server.asked)
        self.fetch(0, "nats-tss", "--from", self.server.url(), says="there already")
        check(len(self.server.asked) == asked, "what is there is not fetched again")
        self.fetch(0, "nats-tss", "--from", self.server.url("moved/" + self.name), "--out", self.tree / "moved", "--sha256", hashlib.sha256(self.table).hexdigest(),
                   says="as expected")
        self.is_table(self.tree / "moved")
        file = self.folder / "by hand.tar"
        file.write_bytes(self.table)
        self.fetch(0, "nats-tss", "--from", file, "--out", self.tree / "file")
        self.is_table(self.tree / "file")
        check(file.exists(), "a file of the user's stays")

    def cut(self):
        """Connections that end early: each time what is missing is asked for, and nothing twice."""
        size = len(self.table)
        self.server.asked.clear()
        self.server.cut = [500_000, 1, 700_000]
        self.fetch(0, "nats-tss", "--from", self.server.url(), "--out", self.tree / "cut")
        ranges = [wanted for _, wanted, _ in self.server.asked]
        check(ranges == [None, "bytes=500000-", "bytes=500001-", "bytes=1200001-"], f"ranges asked for: {ranges}")
        self.is_table(self.tree / "cut")
        # Given up, then gone on with by another call.
        self.server.cut = [800_000, 0, 0, 0, 0, 0]
        self.fetch(1, "nats-tss", "--from", self.server.url(), "--out", self.tree / "later", says="goes on where it stopped")
        self.server.cut, self.server.asked = [], []
        check(not (self.tree / "later").exists(), "no folder of an unfinished download")
        self.fetch(0, "nats-tss", "--from", self.server.url(), "--out", self.tree / "later")
        check([wanted for _, wanted, _ in self.server.asked] == ["bytes=800000-"], f"the second call: {self.server.asked}")
        self.is_table(self.tree / "later")
        # The file has changed in between: what was there is not mixed with it.
        self.server.cut = [800_000, 0, 0, 0, 0, 0]
        self.fetch(1, "nats-tss", "--from", self.server.url(), "--out", self.tree / "changed")
        self.server.cut = []
        self.server.files[self.name] = archive([("other/000000.pickle.pbz2", bytes(3_000_000))])
        self.fetch(0, "nats-tss", "--from", self.server.url(), "--out", self.tree / "changed")
        check((self.tree / "changed" / "000000.pickle.pbz2").read_bytes() == bytes(3_000_000), "a file that changed")
        self.server.files[self.name] = self.table
        # A server that knows no ranges, or does not say which file it is: from the start again.
        for name in ("ranges", "tagged"):
            setattr(self.server, name, False)
            self.server.cut = [300_000]
            self.fetch(0, "nats-tss", "--from", self.server.url(), "--out", self.tree / f"without-{name}")
            self.is_table(self.tree / f"without-{name}")
            setattr(self.server, name, True)
        self.server.statuses = [503, 503]
        self.fetch(0, "nats-tss", "--from", self.server.url(), "--out", self.tree / "busy")
        check(size == len(self.server.files[self.name]), "the table")

    def refused(self):
        before = self.left()
        url = self.server.url
        self.fetch(1, "nats-tss", "--from", url("nowhere.tar"), "--out", self.tree / "no", says="404")
        self.fetch(1, "nats-tss", "--from", url("evil-redirect"), "--out", self.tree / "no")
        self.fetch(1, "nats-tss", "--from", "http://127.0.0.1:1/x.tar", "--out", self.tree / "no", says="127.0.0.1:1")
        self.fetch(1, "nats-tss", "--from", "ftp://127.0.0.1/x.tar", "--out", self.tree / "no")
        self.server.files["cifar-10-binary.tar.gz"] = archive([("cifar-10-batches-bin/test_batch.bin", b"not it")], "w:gz")
        self.fetch(1, "cifar10", "--from", url(), "--out", self.tree / "no", says=["SHA-256 c4a38c50", "tensorflow/datasets"])
        self.server.files["cifar-10-binary.tar.gz"] = bytes(170052172)
        self.fetch(1, "cifar10", "--from", url(), "--out", self.tree / "no", says="at most 170052171 bytes")
        self.fetch(1, "nats-tss", "--from", url(self.name), "--sha256", "0" * 64, "--out", self.tree / "no", says="0" * 64)
        self.fetch(1, "nats-tss", "--from", self.folder, "--out", self.tree / "no", says=self.name)
        (self.tree / "mine").mkdir()
        (self.tree / "mine" / "letter.txt").write_text("mine")
        self.fetch(1, "nats-tss", "--from", url(), "--out", self.tree / "mine", says="choose another --out")
        check((self.tree / "mine" / "letter.txt").read_text() == "mine", "a folder of the user's")
        check(not (self.tree / "no").exists(), "a folder of a failed download")
        more = [name for name in self.left() if name not in before and not name.startswith("no.partial/")]
        check(more == ["mine/letter.txt"], f"written elsewhere: {more}")

    def hostile(self):
        def link(kind, target):
            info = tarfile.TarInfo("set/link")
            info.type, info.linkname = kind, target
            return info
        fifo = tarfile.TarInfo("set/pipe")
        fifo.type = tarfile.FIFOTYPE
        outside = self.folder / "outside"
        outside.mkdir()
        for what, entries in {"leaves the folder": [("set/a", b"a"), ("../evil", b"x")], "absolute": [(str(outside / "evil"), b"x")],
                              "a link": [link(tarfile.SYMTYPE, str(outside)), ("set/link/evil", b"x")],
                              "a link,": [link(tarfile.LNKTYPE, "../../secret")], "neither a file": [fifo],
                              "there twice": [("set/a", b"1"), ("set/a", b"2")], "control character": [("set/a\nb", b"x")]}.items():
            self.server.files["evil.tar.gz"] = archive(entries, "w:gz")
            self.fetch(1, "imagenet16-120", "--from", self.server.url("evil.tar.gz"), "--out", self.tree / "evil", says=what.rstrip(","))
            check(not (self.tree / "evil").exists() and not list(outside.iterdir()), f"{what}: something was laid down")
            check(not list(self.folder.rglob("evil")) and not list(self.tree.rglob("*link*")), f"{what}: a file or link outside")
        for name, content in {"text": b"no archive at all\n" * 100, "empty": b"", "cut": self.table[:600_000]}.items():
            self.server.files["bad.tar"] = content
            self.fetch(1, "nats-tss", "--from", self.server.url("bad.tar"), "--out", self.tree / "bad", says="bad.tar")
            check(not (self.tree / "bad").exists(), f"{name}: a folder")
        for i in (1, 2):
            self.server.files[f"part{i}.tar.gz"] = archive([(f"train_data_batch_{i}", b"x"), (f"more_{i}", b"y")], "w:gz")
        result = self.fetch(0, "imagenet16-120", "--from", self.server.url("part1.tar.gz"), "--from", self.server.url("part2.tar.gz"), "--out", self.tree / "two")
        check(result.stdout == f"imagenet16-120:{self.tree / 'two'}\n", f"it prints {result.stdout!r}")
        names = sorted(path.name for path in (self.tree / "two").iterdir())
        check(names == ["fetched.json", "more_1", "more_2", "train_data_batch_1", "train_data_batch_2"], f"two archives: {names}")

    def interrupted(self):
        self.server.slow = 0.05
        command = [PROGRAM, "data", "fetch", "nats-tss", "--from", self.server.url(), "--out", str(self.tree / "stopped")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        part = self.tree / "stopped.partial" / f"{self.name}.part"
        end = time.monotonic() + 30
        while time.monotonic() < end and not (part.exists() and part.stat().st_size > 200_000):
            time.sleep(0.02)
        twice = support.run(PROGRAM, *command[1:])
        check(twice.returncode == 1 and len(twice.stderr.splitlines()) >= 1, f"two at once: {twice}")
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=30)
        check(process.returncode == 130 and "goes on" in error and not output, f"Ctrl-C: {process.returncode} {error}")
        self.server.slow, self.server.asked = 0, []
        self.fetch(0, "nats-tss", "--from", self.server.url(), "--out", self.tree / "stopped")
        check(len(self.server.asked) == 1 and self.server.asked[0][1] != "bytes=0-" and self.server.asked[0][1] is not None, f"after Ctrl-C: {self.server.asked}")
        self.is_table(self.tree / "stopped")


def main():
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack():
        test = Test(pathlib.Path(name))
        for part in (test.use, test.whole, test.cut, test.refused, test.hostile, test.interrupted):
            part()
    print(f"fetch: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
