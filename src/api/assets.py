#!/usr/bin/env python3
"""Embeds files into a C source, by the assembler: no compiler has to read megabytes of numbers.

usage: assets.py OUT.c NAME=FILE ...        gives rlx_asset_NAME (a NUL behind it, not counted) and rlx_asset_NAME_length
"""
import pathlib
import sys


def embed(name, path):
    symbol, path = "rlx_asset_" + name, str(pathlib.Path(path).resolve())
    lines = [".section .rodata", f".global {symbol}", f"{symbol}:", f'.incbin \\"{path}\\"', ".byte 0", ".balign 8",
             f".global {symbol}_length", f"{symbol}_length:", f".quad {symbol}_length_end - {symbol} - 1", ".previous"]
    at = lines.index(".balign 8")
    lines.insert(at, f"{symbol}_length_end:")
    return "__asm__(" + "\n        ".join(f'"{line}\\n"' for line in lines) + ");\n"


def main():
    out, *files = sys.argv[1:]
    text = "/* Made by src/api/assets.py. */\n#include <stddef.h>\n\n#include \"api/private.h\"\n\n"
    for pair in files:
        name, _, path = pair.partition("=")
        text += embed(name, path)
    text += "\n_Static_assert(sizeof(size_t) == 8, \"lengths are written as 64 bits\");\n"
    pathlib.Path(out).write_text(text, encoding="utf-8")


main()
