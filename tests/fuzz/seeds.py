#!/usr/bin/env python3
"""Makes the seeds of `message` and `reassembly` from tests/vectors."""

import json
import pathlib

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "vectors"


def seeds(target):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pieces(stream, sizes):
    """The reassembly target's form: pause, size, bytes."""
    out, n = b"", 0
    while stream:
        size = sizes[n % len(sizes)]
        out += bytes([n % 3, min(size, len(stream))]) + stream[:size]
        stream, n = stream[size:], n + 1
    return out


messages = []
for vector in json.loads((VECTORS / "mbim-vectors.json").read_text())["vectors"]:
    if "message_type" not in vector["decode"]:
        continue
    frames = vector["hex"] if isinstance(vector["hex"], list) else [vector["hex"]]
    stream = b"".join(bytes.fromhex(frame) for frame in frames)
    messages.append(stream)
    if len(frames) == 1:
        (seeds("message") / vector["id"]).write_bytes(stream)
    (seeds("reassembly") / vector["id"]).write_bytes(pieces(stream, [64]))
for vector in json.loads((VECTORS / "mbim-bodies.json").read_text())["vectors"]:
    if vector["hex"]:
        (seeds("message") / vector["id"]).write_bytes(bytes.fromhex(vector["hex"]))
(seeds("reassembly") / "all-in-one").write_bytes(pieces(b"".join(messages), [255]))
(seeds("reassembly") / "all-in-crumbs").write_bytes(pieces(b"".join(messages), [1, 7, 13]))
(seeds("reassembly") / "garbage-between").write_bytes(pieces(messages[0] + b"\xff" * 40 + messages[2], [50]))
