"""unsigned.py JAR …: the same jars without their signatures.

A class archive leaves out every class of a signed jar, and the JVM checks each as it loads: the ResourceManager makes its
proxy's certificates with 550 such classes. Only Oracle's JVM asks for signed providers. The locks were checked before.
"""

import os
import re
import sys
import zipfile

SIGNATURE = re.compile(r"META-INF/[^/]*\.(SF|RSA|DSA|EC)$", re.IGNORECASE)
MANIFEST = "META-INF/MANIFEST.MF"


def main():
    for path in sys.argv[1:]:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as target:
            for entry in source.infolist():
                if SIGNATURE.match(entry.filename):
                    continue
                content = source.read(entry)
                if entry.filename == MANIFEST:  # the digests of the entries follow the main section
                    content = content.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
                copy = zipfile.ZipInfo(entry.filename, entry.date_time)
                copy.compress_type = zipfile.ZIP_DEFLATED
                copy.external_attr = entry.external_attr
                target.writestr(copy, content)
        os.replace(path + ".new", path)
        print("signature removed: %s" % os.path.basename(path))


main()
