"""Soundex: one key for Latin names that sound alike, so that Meyer and Maier meet."""

from __future__ import annotations

CODES = {
    letter: digit for digit, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1) for letter in letters
}
LENGTH = 4  # a letter and three digits, as the American census has it


def soundex(text: str) -> str | None:
    """American Soundex of all its letters; missing for a text without Latin letters.

    Letters of one code side by side count once, also with h or w between them.
    """
    letters = [letter for letter in text.casefold() if "a" <= letter <= "z"]
    if not letters:
        return None
    found, last = letters[0], CODES.get(letters[0], 0)
    for letter in letters[1:]:
        code = CODES.get(letter, 0)
        if code and code != last:
            found += str(code)
        if letter not in "hw":
            last = code
    return found[:LENGTH].ljust(LENGTH, "0")
