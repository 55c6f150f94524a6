"""webapps_jar.py TESTS_JAR JAR: the web pages, which the hadoop-hdfs jar lacks, out of the jar of its tests.

Without them the NameNode stops with "webapps/hdfs not found in CLASSPATH". Same input, same bytes.
"""

import sys
import zipfile


def main():
    tests_jar, target = sys.argv[1:]
    with zipfile.ZipFile(tests_jar) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as jar:
        entries = sorted((e for e in source.infolist() if e.filename.startswith("webapps/")), key=lambda e: e.filename)
        if not any(e.filename.startswith("webapps/hdfs/") for e in entries):
            sys.exit("no webapps/hdfs in %s" % tests_jar)
        for entry in entries:
            copy = zipfile.ZipInfo(entry.filename, (2000, 1, 1, 0, 0, 0))
            copy.external_attr = entry.external_attr
            copy.compress_type = zipfile.ZIP_DEFLATED
            jar.writestr(copy, source.read(entry))


main()
