"""How well addresses are read: span F1 against a labelled file (a character and its tag a line, BIO, blank line between).

    python -m bench.addresses PATH [--errors 20]

The labels are those of the neural-chinese-address-parsing annotation guide; seven of them are ours too: road, roadno,
poi, houseno, cellno, floorno, roomno. A span counts as right when label, beginning and end are the same.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from matching.address_grammar import NUMBERED_VILLAGE
from matching.addresses import address_spans

LABELS = {
    "road": "road", "road_number": "roadno", "lane": "roadno", "house": "roadno", "estate": "poi", "place": "poi", "building": "houseno", "annex": "houseno", "unit": "cellno",
    "floor": "floorno", "room": "roomno",
}  # fmt: skip
NUMBERS = ("house", "road_number", "annex", "lane", "building", "floor", "room", "community")
JUDGED = tuple(dict.fromkeys(LABELS.values()))
Span = tuple[str, int, int]


def labelled(path: Path) -> Iterator[tuple[str, set[Span]]]:
    """Each address of the file and its judged spans (label, start, end)."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        cells = [line.rsplit(maxsplit=1) for line in block.splitlines() if line.strip()]
        text, spans, at = "", set(), 0
        for number, (piece, tag) in enumerate(cells):
            if tag.startswith("B-") or number == 0:
                at = len(text)
            text += piece
            ends = number + 1 == len(cells) or not cells[number + 1][1].startswith("I-")
            if ends and tag[2:] in JUDGED:
                spans.add((tag[2:], at, len(text)))
        if text:
            yield text, spans


def read(text: str) -> set[Span]:
    """The judged spans that the parser finds in one address."""
    spans, at, last, named = set(), 0, "", False
    cuts = address_spans(text)
    following = [part for part, _ in cuts[1:] if part != "remainder"]
    for part, piece in cuts:
        follow = following.pop(0) if following and part != "remainder" else ""
        label = _label(part, piece, last, follow)
        if label == "detail" and last in NUMBERS and len(piece) > 1 and not named:
            label = "poi"  # the first name that is no village's: 后湖村12号云彩手套厂
        named |= label == "poi"
        if label in JUDGED:
            spans.add((label, at, at + len(piece)))
        at += len(piece)
        last = last if part == "remainder" else part
    return spans


def _label(part: str, piece: str, last: str, follow: str) -> str:
    """What the guide calls a piece: it goes by the mark that is written, our parts by what is meant."""
    name = part in ("estate", "place", "detail")
    if name and piece.endswith("村") and not NUMBERED_VILLAGE.search(piece):
        return "poi" if last in ("road", "community") else "community"
    if (name or part == "building") and piece.endswith(("组", "队")):
        return "road"
    if name and follow == "road" and piece.endswith(("开发区", "高新区", "高新园区")):
        return "devZone"
    if part == "building" and re.fullmatch(r"[^号栋幢座#]+楼", piece):
        return "floorno"
    if part == "road_number" and last == "section":
        return "subroadno"
    return LABELS.get(part, part)


def main() -> None:
    """Print precision, recall and F1 by label, and some addresses read wrongly."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--errors", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    right, said, true = Counter[str](), Counter[str](), Counter[str]()
    cases = list(labelled(options.path))
    start = time.process_time()
    found = [read(text) for text, _ in cases]
    seconds = time.process_time() - start
    for (_, spans), got in zip(cases, found, strict=True):
        right.update(label for label, *_ in spans & got)
        said.update(label for label, *_ in got)
        true.update(label for label, *_ in spans)
    for label in (*JUDGED, "all"):
        r, s, t = (sum(c.values()) if label == "all" else c[label] for c in (right, said, true))
        print(
            f"{label:8} precision {r / max(s, 1):.3f} recall {r / max(t, 1):.3f} F1 {2 * r / max(s + t, 1):.3f} of {t}"
        )
    print(f"{len(cases)} addresses, {len(cases) / seconds:,.0f} a second of one core")
    wrong = [at for at, (_, spans) in enumerate(cases) if spans != found[at]]
    for at in random.Random(options.seed).sample(wrong, min(options.errors, len(wrong))):
        text, spans = cases[at]
        missed = " ".join(f"{label}[{text[a:b]}]" for label, a, b in sorted(spans - found[at], key=lambda s: s[1]))
        extra = " ".join(f"{label}[{text[a:b]}]" for label, a, b in sorted(found[at] - spans, key=lambda s: s[1]))
        print(f"{text}\n    missed {missed}\n    extra  {extra}")


if __name__ == "__main__":
    main()
