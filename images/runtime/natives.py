"""natives.py JAR_FOLDER NATIVE_FOLDER ARCHITECTURE: leaves out what other machines need, and unpacks what this one does.

Jars for other architectures go; jars that hold libraries for many are written anew without the others' when that saves
over a megabyte; the libraries of this one are put in NATIVE_FOLDER, where the JVM finds them without unpacking.
ARCHITECTURE is Docker's word for it (amd64, arm64).
"""

import os
import re
import sys
import zipfile

# Docker's word: netty's classifier, and how jars of many architectures name their folders of Linux libraries.
ARCHITECTURES = {
    "amd64": ("linux-x86_64", r"(?i)linux(64|[-_/](x86_64|amd64))"),
    "arm64": ("linux-aarch_64", r"(?i)linux[-_/](aarch64|aarch_64|arm64)"),
}
CLASSIFIER = re.compile(r"-((?:linux|osx|windows)-(?:x86_64|x86_32|aarch_64|riscv64|ppcle_64|s390_64))\.jar$")
LIBRARY = re.compile(r"\.(so|jnilib|dylib|dll|a)$")
SAVING_WORTH_IT = 1 << 20
# Jar (without its version): the library to unpack from it, and its name when unpacked.
UNPACKED = {
    "leveldbjni-all": (r"/libleveldbjni\.so$", "libleveldbjni.so"),
    "snappy-java": (r"/libsnappyjava\.so$", "libsnappyjava.so"),
    "lz4-java": (r"/liblz4-java\.so$", "liblz4-java.so"),
    "zstd-jni": (r"/libzstd-jni[^/]*\.so$", "libzstd-jni.so"),
    "netty-transport-native-epoll": (r"/libnetty_transport_native_epoll_[^/]*\.so$", None),
}


def artifact(jar):
    return re.sub(r"-\d.*$", "", jar)


def is_foreign(entry, ours):
    name = entry.filename
    if not LIBRARY.search(name):
        return False
    return not re.search(ours, name) or "musl" in name or "android" in name.lower()


def rewrite(path, dropped):
    thin = path + ".thin"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(thin, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            if entry not in dropped:
                copy = zipfile.ZipInfo(entry.filename, entry.date_time)
                copy.compress_type = entry.compress_type
                copy.external_attr = entry.external_attr
                target.writestr(copy, source.read(entry))
    os.replace(thin, path)


def main():
    jar_folder, native_folder, architecture = sys.argv[1:]
    if architecture not in ARCHITECTURES:
        sys.exit("architecture %s is not known; known: %s" % (architecture, ", ".join(sorted(ARCHITECTURES))))
    classifier, ours = ARCHITECTURES[architecture]
    os.makedirs(native_folder, exist_ok=True)
    for jar in sorted(os.listdir(jar_folder)):
        path = os.path.join(jar_folder, jar)
        match = CLASSIFIER.search(jar)
        if match and match[1] != classifier:
            os.unlink(path)
            print("left out: %s" % jar)
            continue
        with zipfile.ZipFile(path) as source:
            entries = source.infolist()
            pattern, name = UNPACKED.get(artifact(jar), (None, None))
            wanted = (
                []
                if pattern is None
                else [e for e in entries if re.search(pattern, e.filename) and (match or not is_foreign(e, ours))]
            )
            for entry in wanted:
                target = os.path.join(native_folder, name or os.path.basename(entry.filename))
                with open(target, "wb") as file:
                    file.write(source.read(entry))
                os.chmod(target, 0o755)
                print("unpacked: %s of %s" % (entry.filename, jar))
            dropped = [] if match else [e for e in entries if is_foreign(e, ours)]
        if sum(e.compress_size for e in dropped) > SAVING_WORTH_IT:
            before = os.path.getsize(path)
            rewrite(path, dropped)
            print("thinned: %s, %d to %d bytes" % (jar, before, os.path.getsize(path)))


main()
