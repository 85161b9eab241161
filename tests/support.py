"""What the end-to-end tests share: tiny data sets, running the program, comparing run directories."""
import gzip
import json
import pathlib
import random
import struct
import subprocess
import sys
import zlib

# Keys whose values are times, the only content of a run that may differ between two equal runs.
TIMES = {"seconds", "time", "started", "milliseconds_per_image"}


def write_idx(folder, train=96, test=30, size=8, classes=3, seed=0):
    """An MNIST-like set whose classes are easy to tell apart: a bright bar in one of `classes` rows."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    for part, count in (("train", train), ("t10k", test)):
        labels = bytes(rng.randrange(classes) if i >= classes else i for i in range(count))
        pixels = bytearray()
        for label in labels:
            image = bytearray(rng.randrange(80) for _ in range(size * size))
            row = 1 + label * (size - 2) // classes
            for x in range(size):
                image[row * size + x] = 200 + rng.randrange(50)
            pixels += image
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as f:
            f.write(struct.pack(">iiii", 2051, count, size, size) + bytes(pixels))
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as f:
            f.write(struct.pack(">ii", 2049, count) + labels)
    return folder


def write_png(path, width, height, rows, channels=3):
    """`rows`: a list of bytes, 8 bits a sample; 1, 2 (with alpha), 3 or 4 channels."""
    kinds = {1: 0, 2: 4, 3: 2, 4: 6}
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    pathlib.Path(path).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kinds[channels], 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def write_folder(folder, classes=("dots", "stripes"), per_class=24, seed=0, coloured=False):
    """Class folders with PNG images of mixed size and type: grey in every form, or coloured."""
    rng = random.Random(seed)
    for c, name in enumerate(classes):
        (pathlib.Path(folder) / name).mkdir(parents=True, exist_ok=True)
        for i in range(per_class):
            width, height, channels = rng.randrange(12, 40), rng.randrange(12, 40), 3 if coloured else rng.choice([1, 2, 3, 4])
            def sample(x, y):
                on = (y // 3) % 2 if c else ((x // 4 + y // 4) % 2)
                return min(255, 60 + 150 * on + rng.randrange(40))
            rows = []
            for y in range(height):
                row = bytearray()
                for x in range(width):
                    value = sample(x, y)
                    if coloured:
                        row += bytes([value, value // 2, 255 - value])
                        continue
                    row += bytes([value] * (channels - 1 + channels % 2)) if channels in (1, 3) else bytes(
                        [value] * (channels - 1)) + b"\xff"
                rows.append(row)
            write_png(pathlib.Path(folder) / name / f"image-{i}.png", width, height, rows, channels)
    return pathlib.Path(folder)


def write_imagenet(folder, per_class=12, test_per_class=4):
    """ImageNet's layout: train/ and val/ with a folder of images, called JPEG, for each of two classes."""
    folder = pathlib.Path(folder)
    for part, count, seed in (("train", per_class, 1), ("val", test_per_class, 2)):
        write_folder(folder / part, classes=("n01440764", "n01443537"), per_class=count, seed=seed)
        for path in (folder / part).glob("*/*.png"):
            path.rename(path.with_suffix(".JPEG"))  # formats are told apart by their contents
    return folder


# A whole run in seconds: two nodes, three cells, four channels, noise among the candidates.
TINY = ["--space", "s4", "--nodes", "2", "--channels", "4", "--cells", "3", "--epochs", "2", "--batch", "16", "--tune-epochs", "1",
        "--scoring-batch", "16", "--train-channels", "4", "--train-cells", "3", "--train-epochs", "2", "--train-batch", "16",
        "--threads", "1"]
# The same in NAS-Bench-201's space.
TINY_NB201 = ["--space", "nb201", "--channels", "4", "--cells", "1", "--epochs", "2", "--batch", "16", "--tune-epochs", "1", "--scoring-batch",
              "16", "--train-channels", "4", "--train-cells", "1", "--train-epochs", "2", "--train-batch", "16", "--threads", "1"]


def run(program, *arguments, timeout=300, **more):
    """The finished process, with its output as text."""
    return subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **more)


def must(result, status=0):
    if result.returncode != status:
        sys.exit(f"expected exit status {status}, got {result.returncode} of {result.args}\n{result.stdout}\n{result.stderr}")
    return result


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [without_times(item) for item in value]
    return value


def comparable(path):
    """A file's content with its times taken out: bytes, or parsed JSON."""
    if path.suffix == ".json":
        return without_times(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        return [without_times(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix == ".safetensors":
        return comparable_tensors(path.read_bytes())
    return path.read_bytes()


def comparable_tensors(data):
    """A tensor file's header and data. A checkpoint's state also says where metrics.jsonl ends, in bytes: the times in
    its lines have as many digits as they happen to have."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    state = without_times(json.loads(header.get("__metadata__", {}).pop("state", "{}")))
    state.pop("position", None)
    return header, state, data[8 + size:]


# Files that tell of a machine and its clock, or are made from files that are compared.
LEFT_OUT = {"environment.json", "report.html", "events.out.tfevents.ptnas", "lock", "run.lock"}


def differences(first, second):
    """Names of the files in which two run directories differ."""
    first, second = pathlib.Path(first), pathlib.Path(second)
    names = {p.name for folder in (first, second) for p in folder.iterdir()} - LEFT_OUT
    result = []
    for name in sorted(names):
        a, b = first / name, second / name
        if not a.exists() or not b.exists() or comparable(a) != comparable(b):
            result.append(name)
    return result
