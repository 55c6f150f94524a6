"""train.py NAME WORKLOAD: runs the workload with class lists on, merges them, writes /opt/howdah/jvm/NAME.jsa."""
import glob
import os
import subprocess
import sys
import time

import cluster as clusters
import workload

LISTS = "/training/lists"
JVM = "/opt/howdah/jvm"


def merge(paths):
    """The classes of all lists, each once, in the order first seen; the constants to resolve of a class united."""
    classes, constants = {}, {}
    for path in sorted(paths):
        with open(path, encoding="utf-8") as file:
            for line in file:
                line = line.rstrip("\n")
                if not line or line.startswith("#") or " source: " in line:
                    continue  # a class from a job's jar or generated: its place is not known at run time
                if line.startswith("@cp "):
                    _, name, *indexes = line.split(" ")
                    constants.setdefault(name, {}).update(dict.fromkeys(indexes))
                elif line.startswith("@"):
                    classes[line] = None
                else:
                    classes[line.split(" id: ")[0]] = None
    united = ["@cp %s %s" % (name, " ".join(sorted(indexes, key=int))) for name, indexes in constants.items()]
    return [*classes, *united]


def dump(name, lines):
    list_path = "/training/%s.classlist" % name
    with open(list_path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open("%s/%s.classpath" % (JVM, name), encoding="utf-8") as file:
        class_path = file.read().strip()
    archive = "%s/%s.jsa" % (JVM, name)
    command = [
        "/usr/lib/jvm/java/bin/java", "-Xshare:dump", "-XX:SharedClassListFile=" + list_path,
        "-XX:SharedArchiveFile=" + archive, *os.environ.get("DUMP_FLAGS", "").split(), "-Xlog:cds=warning", "-cp", class_path,
    ]
    subprocess.run(command, check=True)
    print("%s: %d classes, %d bytes" % (archive, len(lines), os.path.getsize(archive)))


def main():
    name, = sys.argv[1:]
    os.makedirs(LISTS, exist_ok=True)
    clusters.clean()
    flags_path = "%s/%s.flags" % (JVM, name)
    listing = "-XX:DumpLoadedClassList=%s/%%p.classlist" % LISTS
    with open(flags_path, encoding="utf-8") as file:
        flags = file.read()
    with open(flags_path, "w", encoding="utf-8") as file:  # for tasks, which are started by the wrapper
        file.write("-Xshare:auto\n" + flags + listing + "\n")
    began = time.monotonic()
    cluster = clusters.Cluster([listing])
    try:
        getattr(workload, name)(cluster)
    except clusters.TrainingFailed as failure:
        sys.exit("training failed: %s" % failure)
    finally:
        cluster.kill_all()
        with open(flags_path, "w", encoding="utf-8") as file:
            file.write(flags)
    paths = glob.glob(LISTS + "/*")
    print("workload: %d JVMs in %.0f s" % (len(paths), time.monotonic() - began))
    dump(name, merge(paths))


main()
