"""train.py NAME WORKLOAD: runs the workload with lists of loaded classes on, merges them, and dumps /opt/howdah/jvm/NAME.jsa."""

import glob
import os
import subprocess
import sys
import time

import cluster as clusters
import workload

LISTS = "/training/lists"
# A task's JVM that the wrapper of java-home lets through untouched would leave its classes out, unseen.
MUST_HAVE = {
    "hadoop": ("org/apache/hadoop/mapreduce/v2/app/MRAppMaster", "org/apache/hadoop/mapred/YarnChild"),
    "spark": (
        "org/apache/spark/deploy/yarn/ExecutorLauncher",
        "org/apache/spark/deploy/yarn/ApplicationMaster",
        "org/apache/spark/executor/YarnCoarseGrainedExecutorBackend",
        "org/apache/spark/launcher/Main",
    ),
}
JVM = "/opt/howdah/jvm"
# The Scala compiler, which only spark-shell runs: 20 MB of archive that no job uses.
LEFT_OUT = ("scala/tools/", "scala/reflect/internal/", "scala/reflect/io/")


def collect_lists(name):
    """From here on, JVMs started with NAME's flags write the list of their classes instead of using an archive."""
    for suffix in ("flags", "args"):
        path = "%s/%s.%s" % (JVM, name, suffix)
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith(("-Xshare", "-XX:SharedArchiveFile"))]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines([*lines, "-XX:DumpLoadedClassList=%s/%%p.classlist\n" % LISTS])


def merge(paths):
    """The classes of all lists, each once, in the order first seen.

    Left out besides LEFT_OUT: classes of a job's jar or of a generated loader, which have another place at run time, and the constants to
    resolve in advance (@cp), which make the dump link classes of old formats, and linked ones cannot be archived.
    """
    merged = {}
    for path in sorted(paths):
        with open(path, encoding="utf-8") as file:
            for line in file:
                line = line.rstrip("\n")
                if line and not line.startswith(("#", "@cp ", *LEFT_OUT)) and " source: " not in line:
                    merged[line if line.startswith("@") else line.split(" id: ")[0]] = None
    return list(merged)


def dump(name, lines):
    list_path = "/training/%s.classlist" % name
    with open(list_path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    # Not the folder of the configuration: a class path with a non-empty folder cannot be archived.
    with open("%s/%s.classpath" % (JVM, name), encoding="utf-8") as file:
        class_path = file.read().strip()
    # G1, whatever the machine: it writes the archived objects that G1 maps and that the other collectors can load.
    # Module options must be the same at the dump, or the archive's modules are not used.
    with open("%s/%s.flags" % (JVM, name), encoding="utf-8") as file:
        module_options = [line.strip() for line in file if line.startswith("--")]
    archive = "%s/%s.jsa" % (JVM, name)
    command = [
        "/usr/lib/jvm/java/bin/java",
        "-Xshare:dump",
        "-XX:+UseG1GC",
        "-XX:SharedClassListFile=" + list_path,
        "-XX:SharedArchiveFile=" + archive,
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        *module_options,
        "-cp",
        class_path,
    ]
    subprocess.run(command, check=True)
    print("%s: %d lines, %d bytes" % (archive, len(lines), os.path.getsize(archive)))


def main():
    (name,) = sys.argv[1:]
    os.makedirs(LISTS, exist_ok=True)
    clusters.clean()
    collect_lists(name)
    began = time.monotonic()
    cluster = clusters.Cluster()
    try:
        getattr(workload, name)(cluster)
    except clusters.TrainingFailed as failure:
        sys.exit("training failed: %s" % failure)
    finally:
        cluster.kill_all()
    paths = glob.glob(LISTS + "/*")
    print("workload: %d JVMs in %.0f s" % (len(paths), time.monotonic() - began))
    lines = merge(paths)
    missing = [class_name for class_name in MUST_HAVE[name] if class_name not in lines]
    if missing:
        sys.exit("not trained: %s" % ", ".join(missing))
    dump(name, lines)


main()
