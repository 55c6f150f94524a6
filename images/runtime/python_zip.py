"""python_zip.py SOURCE TARGET: the same importable archive, with every module compiled beside its source, uncompressed."""

import importlib._bootstrap_external as pyc
import importlib.util
import sys
import zipfile


def main():
    source_path, target_path = sys.argv[1:]
    with zipfile.ZipFile(source_path) as source, zipfile.ZipFile(target_path, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(source.namelist()):
            if name.endswith("/"):
                continue
            content = source.read(name)
            target.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
            if name.endswith(".py"):
                code = compile(content, name, "exec", dont_inherit=True)
                compiled = pyc._code_to_hash_pyc(code, importlib.util.source_hash(content), checked=False)
                target.writestr(zipfile.ZipInfo(name + "c", (2000, 1, 1, 0, 0, 0)), compiled)


main()
