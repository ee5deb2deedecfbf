#!/usr/bin/env python3
"""Converts all-MiniLM-L6-v2 (safetensors) to GGUF, architecture bert, fp16 matrices. Standard library only.

usage: minilm_to_gguf.py MODEL_FOLDER OUT.gguf      (the folder holds config.json, vocab.txt, model.safetensors)
"""
import json
import struct
import sys

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # GGUF value types
TENSOR_F32, TENSOR_F16 = 0, 1
NORMAL, CONTROL = 1, 3  # token types
ALIGNMENT = 32
SPECIAL = {"bos": "[CLS]", "eos": "[SEP]", "unknown": "[UNK]", "seperator": "[SEP]", "padding": "[PAD]",
           "cls": "[CLS]", "mask": "[MASK]"}  # "seperator" is GGUF's spelling

EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
KEEP_F32 = ("position_embd.weight", "token_types.weight")


def string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


class Metadata:
    def __init__(self):
        self.entries = []

    def add(self, key, kind, data):
        self.entries.append(string(key) + struct.pack("<I", kind) + data)

    def u32(self, key, value):
        self.add(key, UINT32, struct.pack("<I", value))

    def text(self, key, value):
        self.add(key, STRING, string(value))

    def array(self, key, kind, items):
        self.add(key, ARRAY, struct.pack("<IQ", kind, len(items)) + b"".join(items))


def describe(cfg, vocab):
    m = Metadata()
    m.text("general.architecture", "bert")
    m.text("general.name", "all-MiniLM-L6-v2")
    m.u32("general.file_type", TENSOR_F16)
    m.u32("general.alignment", ALIGNMENT)
    m.u32("bert.block_count", cfg["num_hidden_layers"])
    m.u32("bert.context_length", cfg["max_position_embeddings"])
    m.u32("bert.embedding_length", cfg["hidden_size"])
    m.u32("bert.feed_forward_length", cfg["intermediate_size"])
    m.u32("bert.attention.head_count", cfg["num_attention_heads"])
    m.add("bert.attention.layer_norm_epsilon", FLOAT32, struct.pack("<f", cfg["layer_norm_eps"]))
    m.add("bert.attention.causal", BOOL, b"\0")
    m.u32("bert.pooling_type", 1)  # mean
    m.text("tokenizer.ggml.model", "bert")
    m.text("tokenizer.ggml.pre", "jina-v2-en")
    m.u32("tokenizer.ggml.token_type_count", cfg["type_vocab_size"])
    for name, token in SPECIAL.items():
        m.u32("tokenizer.ggml.%s_token_id" % name, vocab.index(token))
    special = set(SPECIAL.values())

    def spelled(token):  # WordPiece "##ing" becomes "ing", a word's start becomes "\u2581word"
        if token in special:
            return token
        return token[2:] if token.startswith("##") else "\u2581" + token

    m.array("tokenizer.ggml.tokens", STRING, [string(spelled(t)) for t in vocab])
    m.array("tokenizer.ggml.token_type", INT32,
            [struct.pack("<i", CONTROL if t in special else NORMAL) for t in vocab])
    return m.entries


def to_half(data):
    n = len(data) // 4
    return struct.pack("<%de" % n, *struct.unpack("<%df" % n, data))


def main():
    folder, out = sys.argv[1:]
    with open(folder + "/config.json", encoding="utf-8") as f:
        cfg = json.load(f)
    with open(folder + "/vocab.txt", encoding="utf-8") as f:
        vocab = f.read().split("\n")[:cfg["vocab_size"]]
    with open(folder + "/model.safetensors", "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        blob = f.read()

    names = dict(EMBEDDINGS)
    for i in range(cfg["num_hidden_layers"]):
        for src, dst in LAYER.items():
            for part in ("weight", "bias"):
                names["encoder.layer.%d.%s.%s" % (i, src, part)] = "blk.%d.%s.%s" % (i, dst, part)

    info, data = [], bytearray()
    for src, dst in names.items():
        tensor = header[src]
        begin, end = tensor["data_offsets"]
        shape, values = tensor["shape"], blob[begin:end]
        if tensor["dtype"] != "F32":
            sys.exit("%s is %s, not F32" % (src, tensor["dtype"]))
        half = len(shape) == 2 and dst not in KEEP_F32
        info.append(string(dst) + struct.pack("<I%dQ" % len(shape), len(shape), *reversed(shape)) +
                    struct.pack("<IQ", TENSOR_F16 if half else TENSOR_F32, len(data)))
        data += to_half(values) if half else values
        data += b"\0" * (-len(data) % ALIGNMENT)

    entries = describe(cfg, vocab)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(names), len(entries)) + b"".join(entries + info)
    with open(out, "wb") as f:
        f.write(head + b"\0" * (-len(head) % ALIGNMENT))
        f.write(data)


main()
