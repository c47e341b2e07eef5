"""Prints what the Autobahn test suite found, and fails unless all of it is good."""

import json
import platform
import sys

CASES = 301
GOOD = {"OK", "INFORMATIONAL"}
VERDICTS = ["OK", "NON-STRICT", "INFORMATIONAL", "FAILED"]
SECTIONS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "close handling",
    "9": "limits and performance",
    "10": "automatic fragmentation",
}


def verdict(case):
    """The worse of what it says on behaviour and on closing."""
    found = [case["behavior"], case["behaviorClose"]]
    return next((word for word in found if word not in GOOD), found[0])


def main(path, suite):
    with open(path, encoding="utf-8") as file:
        [(agent, cases)] = json.load(file).items()
    print(f"{agent}, {suite}, {platform.system()} {platform.release()}\n")
    print("| section | " + " | ".join(VERDICTS) + " |")
    print("| --- |" + " --- |" * len(VERDICTS))
    rows = {section: dict.fromkeys(VERDICTS, 0) for section in SECTIONS}
    bad = []
    for name, case in cases.items():
        found = verdict(case)
        column = found if found in VERDICTS else "FAILED"
        rows[name.split(".")[0]][column] += 1
        if found not in GOOD:
            bad.append(f"{name}: {case['behavior']}, closing {case['behaviorClose']}")
    for section, row in rows.items():
        print(f"| {section} {SECTIONS[section]} | " + " | ".join(str(row[word]) for word in VERDICTS) + " |")
    totals = {word: sum(row[word] for row in rows.values()) for word in VERDICTS}
    print(f"| all {len(cases)} | " + " | ".join(str(totals[word]) for word in VERDICTS) + " |")
    for line in bad:
        print(line)
    if bad or len(cases) != CASES:
        sys.exit(f"{len(bad)} cases are not good, and {CASES - len(cases)} are missing")


main(*sys.argv[1:])
