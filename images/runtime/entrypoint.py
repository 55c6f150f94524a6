"""First process of a howdah container: checks whose volume it was given, then becomes its arguments.

HOWDAH_VOLUME, when set, is a JSON object of what /volume/identity/volume.json must say, such as
{"volume": "5f0c…", "instance": "dn1", "incarnation": 3}. On any difference the exit code is 78 (EX_CONFIG)
and nothing has been started. It formats nothing and writes nothing.
"""

import os
import sys

IDENTITY = "/volume/identity/volume.json"
EX_CONFIG = 78


def refuse(message):
    sys.stderr.write("howdah: refused to start: %s\n" % message)
    sys.exit(EX_CONFIG)


def check_volume(expected_text):
    import json

    try:
        expected = json.loads(expected_text)
    except ValueError as error:
        refuse("HOWDAH_VOLUME is not JSON: %s" % error)
    if not isinstance(expected, dict):
        refuse("HOWDAH_VOLUME is not a JSON object: %s" % expected_text)
    try:
        with open(IDENTITY, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        refuse("volume identity %s cannot be read: %s" % (IDENTITY, error.strerror))
    except ValueError as error:
        refuse("volume identity %s is not JSON: %s" % (IDENTITY, error))
    if not isinstance(found, dict):
        refuse("volume identity %s is not a JSON object" % IDENTITY)
    for key, value in expected.items():
        if key not in found:
            refuse("volume identity: %s is missing, expected %s" % (key, json.dumps(value)))
        if found[key] != value or type(found[key]) is not type(value):
            refuse("volume identity: %s is %s, expected %s" % (key, json.dumps(found[key]), json.dumps(value)))


def main():
    expected = os.environ.get("HOWDAH_VOLUME")
    if expected:
        check_volume(expected)
    command = sys.argv[1:]
    if not command:
        sys.stderr.write("howdah: nothing to run: the container has no command\n")
        sys.exit(64)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write("howdah: cannot run %s: %s\n" % (command[0], error.strerror))
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


main()
