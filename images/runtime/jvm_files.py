"""jvm_files.py NAME JAR_FOLDER NATIVE_FOLDER [MODULE_OPTION …]: how to start a JVM on these jars, in /opt/howdah/jvm.

NAME.classpath  the jars, in a fixed order: an archive is used only by a class path that begins with exactly these
NAME.flags      the archive and native library flags, as an argument file
NAME.args       both, with the mount point of the configuration at the end of the class path, as an argument file
"""

import os
import re
import sys

JVM = "/opt/howdah/jvm"
CONFIGURATION = "/etc/hadoop"


def java_version():
    with open("/usr/lib/jvm/java/release", encoding="utf-8") as file:
        return int(re.search(r'JAVA_VERSION="(\d+)', file.read())[1])


def main():
    name, jar_folder, native_folder, *module_options = sys.argv[1:]
    jars = ":".join(os.path.join(jar_folder, jar) for jar in sorted(os.listdir(jar_folder)) if jar.endswith(".jar"))
    flags = [
        "-XX:SharedArchiveFile=%s/%s.jsa" % (JVM, name),
        "-Xshare:auto",
        # What the JVM has to warn of is not part of a command's output.
        "-Xlog:disable",
        "-Xlog:all=warning:stderr",
        # Libraries are in the image, so that /tmp needs no exec and no start unpacks one.
        "-Djava.library.path=%s" % native_folder,
        "-Dlibrary.leveldbjni.path=%s" % native_folder,
        "-Dorg.xerial.snappy.lib.path=%s" % native_folder,
        "-Dorg.xerial.snappy.lib.name=libsnappyjava.so",
    ]
    if java_version() >= 24:
        # Four lines of warnings at each start otherwise, of what Hadoop, netty and protobuf do.
        module_options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    else:
        # Guice 4, in Hadoop 3.4, defines classes through ClassLoader.defineClass: the ResourceManager does not start without.
        module_options += ["--add-opens=java.base/java.lang=ALL-UNNAMED"]
    if os.path.exists("%s/libzstd-jni.so" % native_folder):
        flags.append("-DZstdNativePath=%s/libzstd-jni.so" % native_folder)
    flags += sorted(set(module_options))
    os.makedirs(JVM, exist_ok=True)
    for suffix, lines in (
        ("classpath", [jars]),
        ("flags", flags),
        ("args", ["-cp", jars + ":" + CONFIGURATION, *flags]),
    ):
        with open("%s/%s.%s" % (JVM, name, suffix), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


main()
