#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looks up each test that tests/musts.md names; prints those that do not exist."""
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent
FOLDERS = [(TESTS / "unit", ".c"), (TESTS / "integration", ".py"), (TESTS / "fuzz", ".c"),
           (TESTS / "fuzz", ".h")]
NAMED = re.compile(r"`([a-z0-9_]+): ([^`]+)`")


def texts(stem):
    """The sources of that name."""
    found = [folder / (stem + suffix) for folder, suffix in FOLDERS]
    return [path.read_text(encoding="utf-8") for path in found if path.exists()]


def is_there(text, what):
    if what.startswith('"'):
        return what in text
    if re.search(r"cmocka_unit_test\w*\(%s\b" % re.escape(what), text):
        return True
    return re.search(r"^ *(def|int) %s\(" % re.escape(what), text, re.M) is not None


def problems(line):
    named = NAMED.findall(line)
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    if not named and not cells[-1].startswith("–"):
        yield "no test and no reason why not"
    for stem, what in named:
        sources = texts(stem)
        if not sources:
            yield "no such file: %s" % stem
        elif not any(is_there(text, what) for text in sources):
            yield "no such test: %s: %s" % (stem, what)


def main():
    rows = 0
    for number, line in enumerate((TESTS / "musts.md").read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("|") or re.match(r"\|[-| ]+\|$", line) or line.endswith("| test |"):
            continue
        rows += 1
        for problem in problems(line):
            print("tests/musts.md:%d: %s" % (number, problem))
    if rows < 100:
        print("tests/musts.md: only %d rows" % rows)


sys.exit(main())
