#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints what tests/coverage measured; ends with 1 below the goals (percent)."""
import json
import sys


def missing(file):
    """Line numbers with what is missing there: the line, or how many of its branches."""
    found = []
    for line in file["lines"]:
        branches = [b for b in line.get("branches", []) if not b.get("excluded")]
        left = sum(1 for b in branches if b["count"] == 0)
        if line.get("gcovr/noncode"):
            continue
        if line["count"] == 0:
            found.append("%d" % line["line_number"])
        elif left:
            found.append("%d(%d/%d)" % (line["line_number"], left, len(branches)))
    return found


def total(name, item):
    print("%-32s lines %5.1f %% of %4d   branches %5.1f %% of %4d" % (
        name, item["line_percent"], item["line_total"],
        item["branch_percent"] if item["branch_total"] else 100, item["branch_total"]))


def main(summary_path, all_path, lines_goal, branches_goal):
    with open(summary_path, encoding="ascii") as f:
        summary = json.load(f)
    with open(all_path, encoding="ascii") as f:
        files = json.load(f)["files"]
    print("Not reached: a line, or at a line (so many of so many branches).")
    for file in sorted(files, key=lambda f: f["file"]):
        left = missing(file)
        if left:
            print("%s: %s" % (file["file"], " ".join(left)))
    for file in sorted(summary["files"], key=lambda f: f["filename"]):
        total(file["filename"], file)
    total("all", summary)
    return (summary["line_percent"] < float(lines_goal) or
            summary["branch_percent"] < float(branches_goal))


sys.exit(main(*sys.argv[1:]))
