#!/usr/bin/env python3
"""Converts a Whisper model of CTranslate2 (fp16 or fp32) to whisper.cpp's file format. Standard library only.

usage: ct2_whisper_to_ggml.py MODEL.BIN VOCABULARY.TXT OUT

fp16 matrices are copied byte for byte; vectors and position tables become fp32. CTranslate2 fuses the projections of
attention (query, key, value) in one tensor; they are cut apart again here.
"""
import math
import re
import struct
import sys

F32, F16 = 0, 4  # CTranslate2's data types
MAGIC = 0x67676D6C
BASE_TOKENS_EN, BASE_TOKENS_MULTI, VOCAB_MULTI = 50256, 50257, 51865  # whisper.cpp adds the special tokens itself


class Reader:
    def __init__(self, blob):
        self.blob, self.pos = memoryview(blob), 0

    def number(self, kind):
        value = struct.unpack_from("<" + kind, self.blob, self.pos)[0]
        self.pos += struct.calcsize("<" + kind)
        return value

    def take(self, size):
        self.pos += size
        return self.blob[self.pos - size:self.pos]

    def text(self):  # the length counts a closing NUL
        return bytes(self.take(self.number("H"))[:-1]).decode()


def load(path):
    """All tensors by name: (shape, data type, bytes)."""
    with open(path, "rb") as f:
        r = Reader(f.read())
    version, spec, _revision, count = r.number("I"), r.text(), r.number("I"), r.number("I")
    if version != 6 or spec != "WhisperSpec":
        sys.exit("%s is no Whisper model of format 6 (%s, %s)" % (path, version, spec))
    tensors = {}
    for _ in range(count):
        name = r.text()
        shape = [r.number("I") for _ in range(r.number("B"))]
        kind, size = r.number("B"), r.number("I")
        tensors[name] = (shape, kind, r.take(size))
    for _ in range(r.number("I")):
        alias, target = r.text(), r.text()
        tensors[alias] = tensors[target]
    return tensors


def to_f32(kind, data):
    n = len(data) // 2
    return bytes(data) if kind == F32 else struct.pack("<%df" % n, *struct.unpack("<%de" % n, data))


def to_f16(kind, data):
    n = len(data) // 4
    return bytes(data) if kind == F16 else struct.pack("<%de" % n, *struct.unpack("<%df" % n, data))


def mel_filters(n_mels, rate=16000, n_fft=400):
    """Slaney's mel filter bank, normalised by area, as librosa.filters.mel makes it."""
    def mel(hz):
        return 15.0 + math.log(hz / 1000.0) / (math.log(6.4) / 27.0) if hz >= 1000.0 else hz * 3.0 / 200.0

    def hz(m):
        return 1000.0 * math.exp((math.log(6.4) / 27.0) * (m - 15.0)) if m >= 15.0 else m * 200.0 / 3.0

    top = mel(rate / 2.0)
    edges = [hz(top * i / (n_mels + 1)) for i in range(n_mels + 2)]
    out = []
    for low, centre, high in zip(edges, edges[1:], edges[2:]):
        area = 2.0 / (high - low)
        for k in range(n_fft // 2 + 1):
            f = k * rate / n_fft
            out.append(max(0.0, min((f - low) / (centre - low), (high - f) / (high - centre))) * area)
    return struct.pack("<%df" % len(out), *out)


def byte_of_character():
    """GPT-2's table: vocabularies spell each byte as one printable character."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in plain}
    for i, b in enumerate(b for b in range(256) if b not in plain):
        table[chr(256 + i)] = b
    return table


class Writer:
    def __init__(self, out, tensors):
        self.out, self.tensors = out, tensors

    def tensor(self, name, shape, kind, data, f32=False):
        f32 = f32 or len(shape) == 1
        label = name.encode()
        self.out.write(struct.pack("<3i", len(shape), len(label), 0 if f32 else 1))
        self.out.write(struct.pack("<%di" % len(shape), *reversed(shape)) + label)
        self.out.write(to_f32(kind, data) if f32 else to_f16(kind, data))

    def copy(self, name, source, f32=False):
        self.tensor(name, *self.tensors[source], f32=f32)

    def norm(self, name, source):
        self.copy(name + ".weight", source + "/gamma")
        self.copy(name + ".bias", source + "/beta")

    def block(self, source, i, n):
        """The i-th of n equal blocks of rows of a fused tensor."""
        shape, kind, data = self.tensors[source]
        step = len(data) // n
        return [shape[0] // n] + shape[1:], kind, data[i * step:(i + 1) * step]

    def linear(self, name, source, i=0, n=1, bias=True):
        self.tensor(name + ".weight", *self.block(source + "/weight", i, n))
        if bias:
            self.tensor(name + ".bias", *self.block(source + "/bias", i, n))

    def layer(self, name, source, decoder):
        own = source + "/self_attention/"
        self.norm(name + ".attn_ln", own + "layer_norm")
        self.linear(name + ".attn.query", own + "linear_0", 0, 3)
        self.linear(name + ".attn.key", own + "linear_0", 1, 3, bias=False)  # Whisper's keys have none
        self.linear(name + ".attn.value", own + "linear_0", 2, 3)
        self.linear(name + ".attn.out", own + "linear_1")
        if decoder:
            cross = source + "/attention/"
            self.norm(name + ".cross_attn_ln", cross + "layer_norm")
            self.linear(name + ".cross_attn.query", cross + "linear_0")
            self.linear(name + ".cross_attn.key", cross + "linear_1", 0, 2, bias=False)
            self.linear(name + ".cross_attn.value", cross + "linear_1", 1, 2)
            self.linear(name + ".cross_attn.out", cross + "linear_2")
        self.norm(name + ".mlp_ln", source + "/ffn/layer_norm")
        self.linear(name + ".mlp.0", source + "/ffn/linear_0")
        self.linear(name + ".mlp.2", source + "/ffn/linear_1")


def hyperparameters(t):
    def layers(side):
        return 1 + max(int(m.group(1)) for m in (re.match(side + r"/layer_(\d+)/", k) for k in t) if m)

    def heads(side):
        return int.from_bytes(bytes(t[side + "/num_heads"][2]), "little")

    n_vocab, text_width = t["decoder/embeddings/weight"][0]
    audio_ctx, audio_width = t["encoder/position_encodings/encodings"][0]
    text_ctx = t["decoder/position_encodings/encodings"][0][0]
    n_mels = t["encoder/conv1/weight"][0][1]
    return [n_vocab, audio_ctx, audio_width, heads("encoder"), layers("encoder"),
            text_ctx, text_width, heads("decoder"), layers("decoder"), n_mels, 1]


def write_vocabulary(out, path, n_vocab):
    with open(path, encoding="utf-8", newline="\n") as f:
        vocab = f.read().split("\n")
    count = BASE_TOKENS_MULTI if n_vocab >= VOCAB_MULTI else BASE_TOKENS_EN
    table = byte_of_character()
    out.write(struct.pack("<i", count))
    for token in vocab[:count]:
        raw = bytes(table[c] for c in token)
        out.write(struct.pack("<i", len(raw)) + raw)


def main():
    model, vocabulary, target = sys.argv[1:]
    t = load(model)
    hp = hyperparameters(t)
    with open(target, "wb") as out:
        out.write(struct.pack("<I11i", MAGIC, *hp))
        out.write(struct.pack("<2i", hp[9], 201) + mel_filters(hp[9]))
        write_vocabulary(out, vocabulary, hp[0])
        w = Writer(out, t)
        w.copy("encoder.positional_embedding", "encoder/position_encodings/encodings", f32=True)
        w.copy("decoder.positional_embedding", "decoder/position_encodings/encodings", f32=True)
        w.copy("decoder.token_embedding.weight", "decoder/embeddings/weight")
        for conv in ("conv1", "conv2"):
            w.copy("encoder.%s.weight" % conv, "encoder/%s/weight" % conv)
            shape, kind, data = t["encoder/%s/bias" % conv]
            w.tensor("encoder.%s.bias" % conv, [shape[0], 1], kind, data, f32=True)
        w.norm("encoder.ln_post", "encoder/layer_norm")
        w.norm("decoder.ln", "decoder/layer_norm")
        for side, count in (("encoder", hp[4]), ("decoder", hp[8])):
            for i in range(count):
                w.layer("%s.blocks.%d" % (side, i), "%s/layer_%d" % (side, i), side == "decoder")


main()
