#!/usr/bin/env python3
"""Prepares a Piper voice for sherpa-onnx. Standard library only.

usage: piper_prepare.py VOICE.onnx VOICE.onnx.json OUT.onnx TOKENS.txt

sherpa-onnx reads a voice's properties from the model's metadata_props (field 14 of onnx.ModelProto: key = field 1,
value = field 2). A repeated protobuf field may stand anywhere, so the properties are appended to the file.
"""
import json
import sys

METADATA_PROPS, KEY, VALUE = 14, 1, 2


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def main():
    voice, config, out, tokens = sys.argv[1:]
    with open(config, encoding="utf-8") as f:
        c = json.load(f)
    properties = {
        "model_type": "vits",
        "comment": "piper",
        "language": c["language"]["name_english"],
        "voice": c["espeak"]["voice"],
        "has_espeak": 1,
        "n_speakers": c["num_speakers"],
        "sample_rate": c["audio"]["sample_rate"],
    }
    with open(voice, "rb") as src, open(out, "wb") as f:
        f.write(src.read())
        for key, value in properties.items():
            f.write(field(METADATA_PROPS, field(KEY, key.encode()) + field(VALUE, str(value).encode())))
    with open(tokens, "w", encoding="utf-8") as f:
        for symbol, ids in c["phoneme_id_map"].items():
            f.write("%s %d\n" % (symbol, ids[0]))


main()
