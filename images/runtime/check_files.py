"""check_files.py LIST FOLDER: every file of FOLDER is in LIST with its SHA-256, and every line of LIST is there.

LIST is in the format of `sha256sum`, with paths that are absolute or relative to FOLDER. Exit code 1, and one line a file, when anything
is changed, missing or unlisted.
"""

import hashlib
import os
import sys


def sums_listed(path, folder):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("  ", 1) for line in file if line.strip()]
    return {os.path.relpath(os.path.join(folder, name), folder): digest for digest, name in lines}


def sums_found(folder):
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                found[os.path.relpath(path, folder)] = digest
    return found


def main():
    list_path, folder = sys.argv[1:]
    listed, found = sums_listed(list_path, folder), sums_found(folder)
    own = os.path.relpath(list_path, folder)
    problems = []
    for name in sorted(listed.keys() | found.keys() - {own}):
        if name not in found:
            problems.append("missing: %s" % name)
        elif name not in listed:
            problems.append("unlisted: %s (%s)" % (name, found[name]))
        elif found[name] != listed[name]:
            problems.append("changed: %s is %s, expected %s" % (name, found[name], listed[name]))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit("%d of %d files differ from %s" % (len(problems), len(listed), list_path))
    print("%d files as listed in %s" % (len(listed), list_path))


main()
