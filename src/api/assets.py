#!/usr/bin/env python3
"""Embeds files into C.

usage: assets.py OUT.c NAME=FILE ...
"""
import pathlib
import sys


def c_bytes(name, data):
    lines = [f"const unsigned char {name}[] = {{"]
    length = len(data)
    data = data + b"\0"  # so that text functions may look at it; not counted
    for i in range(0, len(data), 24):
        lines.append(", ".join(str(b) for b in data[i:i + 24]) + ",")
    lines += ["};", f"const size_t {name}_length = {length};", ""]
    return "\n".join(lines)


def main():
    out, *files = sys.argv[1:]
    text = "/* Made by src/api/assets.py. */\n#include <stddef.h>\n#include \"api/private.h\"\n\n"
    for pair in files:
        name, _, path = pair.partition("=")
        text += c_bytes("rlx_asset_" + name, pathlib.Path(path).read_bytes())
    pathlib.Path(out).write_text(text, encoding="utf-8")


main()
