#!/usr/bin/env python3
"""Makes the seeds of `message` and `reassembly` from tests/vectors, those of the others from their layouts."""

import json
import pathlib
import struct

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


def ntb(tables, wide=False, sequence=1, length=None, tail=b""):
    """A block: tables of (signature, datagrams) behind the header, datagrams behind them."""
    number, header, head, each = ("I", 16, 16, 8) if wide else ("H", 12, 8, 4)
    places, at = [], header
    for _, datagrams in tables:
        places.append(at)
        at += head + each * (len(datagrams) + 1)
    body, data = b"", b""
    for n, (signature, datagrams) in enumerate(tables):
        following = places[n + 1] if n + 1 < len(tables) else 0
        size = head + each * (len(datagrams) + 1)
        if wide:
            body += signature + struct.pack("<HHII", size, 0, following, 0)
        else:
            body += signature + struct.pack("<HH", size, following)
        for datagram in datagrams:
            data += bytes(-(at + len(data)) % 4)
            body += struct.pack("<2" + number, at + len(data), len(datagram))
            data += datagram
        body += bytes(each)
    total = at + len(data) if length is None else length
    start = (b"ncmh" if wide else b"NCMH") + struct.pack("<HH2" + number, header, sequence, total, header)
    return start + body + data + tail


V4, V6 = b"\x45" + bytes(range(1, 20)), b"\x60" + bytes(range(1, 40))
for wide in (False, True):
    ip = (lambda n: b"ips" + bytes([n])) if wide else (lambda n: b"IPS" + bytes([n]))
    stream = b"dss\x07" if wide else b"DSS\x07"
    name = "wide" if wide else "narrow"
    blocks = {
        "one": ntb([(ip(0), [V4])], wide),
        "several": ntb([(ip(0), [V4, V6, V4 * 3])], wide, sequence=0x2a3f),
        "sessions": ntb([(ip(0), [V4]), (ip(255), [V6, V4]), (stream, [b"x", b"yz"])], wide, sequence=0x10c8),
        "empty": ntb([(ip(0), [])], wide),
        "open-length": ntb([(ip(0), [V4])], wide, length=0),
        "padded": ntb([(ip(0), [V4])], wide, tail=bytes(64)),
        "behind": ntb([(ip(0), [V4])], wide, tail=ntb([(ip(1), [V4, V6])], wide, sequence=2)),
        "ethernet": ntb([(b"ncm0" if wide else b"NCM0", [V4]), (ip(1), [V4])], wide),
        "not-ip": ntb([(ip(0), [b"\x50" + V4, V4[:19], V4])], wide),
    }
    loop = bytearray(ntb([(ip(0), [V4]), (ip(1), [V4])], wide))
    first = 16 if wide else 12
    second = first + (32 if wide else 16)
    link = 8 if wide else 6
    loop[second + link] = first
    blocks["loop"] = bytes(loop)
    overlap = bytearray(ntb([(stream, [bytes(64)] * 12)], wide))
    for n in range(12):
        entry = first + (16 + 8 * n if wide else 8 + 4 * n)
        overlap[entry] = first
        overlap[entry + (4 if wide else 2)] = 200
    blocks["overlap"] = bytes(overlap)
    for what, block in blocks.items():
        (seeds("ntb") / f"{name}-{what}").write_bytes(block)

DEVICE = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, 0x1234, 0x5678, 0x0100, 1, 2, 3, 1)
HEADER, MBIM = b"\x05\x24\x00\x20\x01", struct.pack("<BBBHHBBHB", 12, 0x24, 0x1B, 0x0100, 4096, 32, 128, 2048, 0x28)
EXTENDED = struct.pack("<BBBHBH", 8, 0x24, 0x1C, 0x0300, 16, 1500)
NCM = struct.pack("<BBBBIHHB", 13, 0x24, 0x0F, 4, 0, 1514, 0, 0) + b"\x06\x24\x1a\x00\x01\x1b"


def association(first, count):
    return bytes([8, 0x0B, first, count, 2, 14, 0, 0])


def union(communication, data):
    return bytes([5, 0x24, 6, communication, data])


def setting(number, alternate, endpoints, *which):
    return bytes([9, 4, number, alternate, endpoints, *which, 0])


def end(address, transfer, size, burst=None):
    companion = b"" if burst is None else bytes([6, 0x30, burst, 0, 0, 0])
    return struct.pack("<BBBBHB", 7, 5, address, transfer, size, 9 if transfer == 3 else 0) + companion


def configuration(value, interfaces, *parts):
    body = b"".join(parts)
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), interfaces, value, 0, 0xA0, 250) + body


def function(n, pair=b"", group=None, burst=None, functional=MBIM + EXTENDED):
    group = union(n, n + 1) if group is None else group
    size = 512 if burst is None else 1024
    return (
        pair + setting(n, 0, 1, 2, 14, 0) + HEADER + group + functional + end(0x81 + n, 3, 16, burst)
        + setting(n + 1, 0, 0, 10, 0, 2) + setting(n + 1, 1, 2, 10, 0, 2)
        + end(0x82 + n, 2, size, burst) + end(1 + n, 2, size, burst)
    )


dual = (
    association(0, 2) + setting(0, 0, 1, 2, 13, 0) + HEADER + union(0, 1) + NCM + end(0x81, 3, 16)
    + setting(0, 1, 1, 2, 14, 0) + HEADER + union(0, 1) + MBIM + EXTENDED + end(0x81, 3, 16)
    + setting(1, 0, 0, 10, 0, 1) + setting(1, 1, 2, 10, 0, 1) + end(0x82, 2, 512) + end(1, 2, 512)
    + setting(1, 2, 2, 10, 0, 2) + end(0x82, 2, 512) + end(1, 2, 512)
)
serial = setting(6, 0, 2, 0xFF, 0, 0) + b"\x05\x24\x00\x10\x01" + end(0x87, 2, 512) + end(7, 2, 512)
storage = setting(0, 0, 2, 8, 6, 0x50) + end(0x81, 2, 512) + end(1, 2, 512)
devices = {
    "both-pairings": configuration(1, 2, function(0, association(0, 2))),
    "union-only": configuration(1, 2, function(0)),
    "association-only": configuration(1, 2, function(0, association(0, 2), b"")),
    "neither": configuration(1, 2, function(0, b"", b"")),
    "dual": configuration(1, 2, dual),
    "composite": configuration(1, 4, serial, function(2, association(2, 2))),
    "executors": configuration(1, 6, *(function(n, association(n, 2)) for n in (0, 2, 4))),
    "superspeed": configuration(1, 2, function(0, association(0, 2), burst=7)),
    "no-extended": configuration(1, 2, function(0, functional=MBIM)),
    "no-mbim": configuration(1, 2, function(0, functional=b"")),
    "second-configuration": configuration(1, 1, storage) + configuration(2, 2, function(0)),
    "lying-total": configuration(1, 2, function(0))[:2] + b"\xff\xff" + configuration(1, 2, function(0))[4:],
    "zero-length": configuration(1, 2, function(0)) + bytes(20),
    "none": b"",
}
for what, rest in devices.items():
    (seeds("descriptor") / what).write_bytes(DEVICE + rest)

OPEN, CLOSE = messages[0], struct.pack("<III", 2, 12, 2)


def exported(frame, name=b"mbim.control", direction=0):
    tags = struct.pack(">HH", 12, len(name)) + name + struct.pack(">HHI", 35, 4, direction)
    return tags + bytes(4) + frame


def usbmon(order, event, number, size, data, setup=None, header=64):
    head = struct.pack(order + "QBBBBHBB", number, event, 2, 0x80, 4, 1, 0 if setup else 0x2D, 0) + bytes(16)
    head += struct.pack(order + "II", size, len(data)) + (setup or b"")
    return head + bytes(header - len(head)) + data


def pcap(order, packets, link=252, magic=0xA1B2C3D4):
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)
    for n, packet in enumerate(packets):
        out += struct.pack(order + "IIII", 1700000000, n, len(packet), len(packet)) + packet
    return out


def block(order, kind, body):
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)


def enhanced(order, packet, number=0, ticks=(1, 2)):
    body = struct.pack(order + "IIIII", number, *ticks, len(packet), len(packet)) + packet + bytes(-len(packet) % 4)
    return block(order, 6, body + option(order, 2, bytes(4)) + option(order, 0, b""))


captures = {}
for order, name in (("<", "little"), (">", "big")):
    both = [exported(OPEN), exported(CLOSE, direction=1)]
    get, send = b"\xa1\x01" + bytes(6), b"\x21\x00" + bytes(6)
    bus = [(0x53, 1, len(OPEN), OPEN, send), (0x53, 2, 4096, b"", get), (0x43, 2, len(CLOSE), CLOSE, None)]
    clock = option(order, 9, b"\x89") + option(order, 14, struct.pack(order + "q", -5)) + option(order, 0, b"")
    captures |= {
        f"pcap-{name}": pcap(order, both),
        f"pcap-nanoseconds-{name}": pcap(order, both, magic=0xA1B23C4D),
        f"usbmon-{name}": pcap(order, [usbmon(order, *event, header=48) for event in bus], 189),
        f"usbmon-mapped-{name}": pcap(order, [usbmon(order, *event) for event in bus], 220),
        f"pcapng-{name}": section(order) + interface(order, 252) + b"".join(enhanced(order, one) for one in both),
        f"pcapng-clock-{name}": section(order) + interface(order, 252, clock) + enhanced(order, both[0]),
        f"pcapng-blocks-{name}": section(order) + interface(order, 252) + block(order, 5, bytes(8))
        + block(order, 3, struct.pack(order + "I", len(both[1])) + both[1]) + enhanced(order, both[0], 7),
    }
captures["sections"] = captures["pcapng-little"] + captures["pcapng-big"]
captures["strangers"] = pcap("<", [exported(b"GET /", b"http"), exported(b"")[:9], exported(OPEN)[:-3]])
for what, capture in captures.items():
    (seeds("capture") / what).write_bytes(capture)

# Short messages: the message target reads them as PDUs too.
for name, pdu in {
    "deliver": "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37",
    "submit": "0011000B916407281553F80000AA0AE8329BFD4697D9EC37",
    "alphanumeric": "00040ED0D637396C7EBBCB00006211127150000402C834",
    "flash": "000404815155001062111271500004039B7210",
    "ports": "0044048151550004621112715000040A06050423F40000CAFE01",
    "part": "00440481515500006211127150000409050003CC02018242",
    "part-wide-ucs2": "0044048151550008621112715000040B060804123403020436044F",
    "turkish": "0044048151550000621112715000040903240101486ECE64",
    "report": "0006420B916407281553F8621112715000046211127150100420",
    "report-text": "0002420B916407281553F862111271500004621112715010040007000002EF35",
}.items():
    (seeds("message") / f"pdu-{name}").write_bytes(bytes.fromhex(pdu))
