"""What was said, as words that can be compared: "$89" and "eighty-nine dollars" are the same."""
import re

UNITS = {w: n for n, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split())}
TENS = {w: 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
SAME = {"okay": "ok", "percent": "%", "alright": "right"}


def _numbers(words):
    """Runs of number words become digits."""
    out, now, open_ = [], 0, False
    for i, word in enumerate(words):
        if word in UNITS or word in TENS:
            now, open_ = now + UNITS.get(word, TENS.get(word)), True
        elif word in ("hundred", "thousand") and open_:
            now *= 100 if word == "hundred" else 1000
        elif word == "and" and open_ and now >= 100 and words[i + 1:i + 2] and (
                words[i + 1] in UNITS or words[i + 1] in TENS):
            continue
        else:
            if open_:
                out.append(str(now))
            now, open_ = 0, False
            out.append(SAME.get(word, word))
    return out + [str(now)] * open_


def words(text):
    text = re.sub(r"\$\s*(\d+)", r"\1 dollars", text.lower().replace(",", "").replace("%", " percent "))
    text = re.sub(r"(\d+)\s*(am|pm|a\.m\.|p\.m\.)", r"\1 ", text)
    return _numbers(re.sub(r"[^a-z0-9% ]", " ", text.replace("'", "")).split())


def error_rate(reference, heard):
    """Word errors by the words of the reference."""
    r, h = words(reference), words(heard)
    row = list(range(len(h) + 1))
    for i, a in enumerate(r, 1):
        new = [i]
        for j, b in enumerate(h, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (a != b)))
        row = new
    return row[-1] / max(1, len(r))
