"""Bad input, row by row of the catalogue of faults: what is said, and that nothing worse happens."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from howdah.definitions.loading import load
from howdah.errors import UserError

ROLES = "roles: {namenode: , datanode: {count: 2}}"


@dataclass(frozen=True)
class Row:
    number: str
    text: str | bytes
    parts: tuple[str, ...]
    file: str = "c.yaml"


def whole(line: str, name: str = "sales") -> str:
    """A good definition with one line of its own: the third."""
    return f"howdah: 1\nname: {name}\n{line}\n{ROLES}\n"


def roles(text: str) -> str:
    return f"name: sales\nroles: {{{text}}}\n"


def config(line: str) -> str:
    return f"name: sales\n{ROLES}\nconfiguration:\n  hdfs-site:\n    {line}\n"


def template(body: str) -> str:
    return f"parameters:\n  n: {{type: integer, default: 2}}\n---\n{body}\n{ROLES}\n"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in ("ab", "bc", "cd", "de", "ef", "fg", "gh", "hi")
)

TABLE = [
    Row("1", "", ("c.yaml", "definition is empty", "fix:")),
    Row("1 comments", "# nothing\n\n", ("definition is empty",)),
    Row("1 null", "~", ("definition is empty",)),
    Row("1 a list", "- a\n", ("c.yaml:1:1", "not a mapping")),
    Row("2", "name: sales\nroles: {a: [\n", ("c.yaml:3:1", "correct the YAML")),
    Row("2 tab", "name: sales\n\tx: 1\n", ("c.yaml:2:1", "\\t")),
    Row("2 two documents", "name: a\n---\nname: b\n", ("c.yaml:2:1", "second document")),
    Row("3", "name: !!python/object/apply:os.system [id]\n", ("c.yaml:1:7", "tag", "not allowed")),
    Row("3 own", whole("jvm: !clear quick"), ("c.yaml:3:6", "tag !clear is not allowed")),
    Row(
        "4",
        "name: a\nroles:\n  datanode:\n    count: 1\n    cpus: 1\n    count: 2\n",
        ("c.yaml:6:5", "count is given twice", "4 and 6"),
    ),
    Row("5", roles("datanodes: {count: 2}"), ("c.yaml:2:9", "datanodes", "did you mean `datanode`?")),
    Row("5 top", whole("distribusion: {}"), ("c.yaml:3:1", "`distribusion`", "did you mean `distribution`?")),
    Row(
        "5 field",
        roles("datanode: {memroy: 1 GiB}"),
        ("c.yaml:2:20", "memroy", "roles.datanode", "did you mean `memory`?"),
    ),
    Row("5 merge key", "a: &a {b: 1}\nname: x\nlifecycle: {<<: *a}\n", ("c.yaml:3:13", "`<<`", "extends")),
    Row("6 time", whole("", name="1:30"), ("c.yaml:2:7", "'1:30'", "invalid name")),
    Row("6 number", whole("", name="3.10"), ("c.yaml:2:7", "'3.10'", "invalid name")),
    Row("6 version", whole("distribution: {hadoop: 3.10}"), ("c.yaml:3:24", "'3.10'", "not supported")),
    Row("7", "a: " + "[" * 5000, ("c.yaml:1:35", "deeper than 32")),
    Row("7 mappings", "".join(f"{' ' * n}a:\n" for n in range(40)), ("deeper than 32",)),
    Row("8", BOMB, ("expands to more than 20000 values",)),
    Row("8 itself", "a: &a [*a]\n", ("c.yaml:1:8", "contains itself")),
    Row("8 no anchor", "a: *b\n", ("c.yaml:1:4", "no anchor")),
    Row("9 large", "# " + "x" * 2**20, ("larger than 1 MiB",)),
    Row("9 binary", b"name: a\n\x00\x01", ("c.yaml:2", "binary")),
    Row("9 not UTF-8", b"name: a\nx: \xff\xfe\n", ("c.yaml:2:4", "not UTF-8")),
    Row("9 UTF-16", "name: a".encode("utf-16"), ("not UTF-8",)),
    Row("9 control", "name: a\nx: \x07\n", ("c.yaml:2", "U+0007")),
    Row("10", whole("", name="my_cluster"), ("c.yaml:2:7", "my_cluster", "breaks Java host names", "my-cluster")),
    Row("11", whole("", name="a" * 64), ("c.yaml:2:7", "64 characters", "at most 48")),
    Row("11 by one", whole("", name="a" * 49), ("49 characters", "at most 48")),
    Row("12 up", whole("", name="../x"), ("c.yaml:2:7", "invalid name")),
    Row("12 slash", whole("", name="a/b"), ("invalid name",)),
    Row("12 dash", whole("", name="'-x'"), ("invalid name",)),
    Row("12 end", whole("", name="x-"), ("ends with `-`",)),
    Row("12 percent", whole("", name="'%2e'"), ("invalid name",)),
    Row("12 capital", whole("", name="Sales"), ("invalid name", "a to z")),
    Row("12 group", roles("namenode: , datanode: {groups: {a/b: {}}}"), ("group 'a/b'", "invalid name")),
    Row("13", roles("namenode: , datanode: {volume: 'x:/etc:rw'}"), ("c.yaml:2:40", "'x:/etc:rw'", "never by a path")),
    Row("13 path", roles("namenode: , datanode: {volume: {path: /etc}}"), ("unknown key `path`", "size")),
    Row("13 scratch", roles("namenode: {scratch: 1 GiB}"), ("keeps a volume",)),
    Row("14 homoglyph", whole("", name="s\u0430les"), ("U+0430", "ASCII only")),
    Row("14 right to left", whole("", name="sal\u202ees"), ("U+202E", "ASCII only")),
    Row("14 in a value", config("a: 'x\u202ey'"), ("c.yaml:5:8", "U+202E")),
    Row("15 line end", config(r'a: "x\ny"'), ("c.yaml:5:8", "hdfs-site.a", "U+000A")),
    Row("15 in a name", whole("", name='"a;b"'), ("invalid name",)),
    Row("15 property", config("'a b': 1"), ("c.yaml:5:5", "'a b' is no name of a property")),
    Row("15 variable", roles("namenode: {environment: {'A;B': x}}"), ("no variable",)),
    Row("15 option", roles("namenode: {java_options: [';rm']}"), ("java_options[0]", "begins with `-`")),
    Row("16 name", config("'</name>': 1"), ("no name of a property",)),
    Row(
        "17", template("name: {{ ''.__class__ }}"), ("c.yaml.j2:4", "expression not allowed", "__class__"), "c.yaml.j2"
    ),
    Row("17 by key", template("name: {{ ''['__class__'] }}"), ("expression not allowed",), "c.yaml.j2"),
    Row("17 filter", template("name: {{ n | attr('x') }}"), ("expression not allowed", "attr"), "c.yaml.j2"),
    Row("17 call", template("name: {{ range.mro() }}"), ("expression not allowed",), "c.yaml.j2"),
    Row("17 include", template("{% include '/etc/passwd' %}"), ("expression not allowed", "Include"), "c.yaml.j2"),
    Row(
        "18",
        template("name: {{ wrokers }}"),
        ("c.yaml.j2:4", "undefined parameter `wrokers`", "parameters: n"),
        "c.yaml.j2",
    ),
    Row("19 text", template("name: {{ 'a' * 10**9 }}"), ("c.yaml.j2:4", "render limit"), "c.yaml.j2"),
    Row("19 number", template("name: {{ 9**9**9 }}"), ("render limit",), "c.yaml.j2"),
    Row("19 range", template("{% for i in range(10**9) %}{% endfor %}"), ("render limit",), "c.yaml.j2"),
    Row(
        "19 loops",
        template(
            "{% for i in range(999) %}{% for j in range(999) %}{% for k in range(999) %}"
            "{% endfor %}{% endfor %}{% endfor %}"
        ),
        ("render limit", "10000 iterations"),
        "c.yaml.j2",
    ),
    Row(
        "19 output",
        template("{% for i in range(999) %}" + "x" * 2000 + "{% endfor %}"),
        ("render limit", "1 MiB"),
        "c.yaml.j2",
    ),
    Row("19 depth", template("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"), ("render limit", "nest"), "c.yaml.j2"),
    Row("19 syntax", template("{% if %}"), ("c.yaml.j2:4", "template:"), "c.yaml.j2"),
    Row("20 zero", roles("datanode: {count: 0}"), ("c.yaml:2:27", "roles.datanode.count is 0", "from 1 to 1000")),
    Row("20 negative", roles("datanode: {count: -1}"), ("is -1", "from 1 to 1000")),
    Row("20 large", roles("datanode: {count: 1000000000}"), ("is 1000000000", "from 1 to 1000")),
    Row("20 huge", roles("datanode: {count: " + "9" * 5000 + "}"), ("from 1 to 1000",)),
    Row("20 quoted", roles('datanode: {count: "3"}'), ('is "3"', "without quotes")),
    Row("20 fraction", roles("datanode: {count: 2.5}"), ("is 2.5", "whole number")),
    Row("20 nothing", roles("datanode: {count: }"), ("count is nothing",)),
    Row(
        "20 groups",
        roles("namenode: , datanode: {groups: {a: {count: 900}, b: {count: 900}}}"),
        ("1800 instances", "at most 1000"),
    ),
    Row("20 single", roles("namenode: {count: 2}"), ("namenode.count is 2", "write 1")),
    Row("20 single in groups", roles("namenode: {groups: {a: {}, b: {}}}"), ("2 instances of namenode", "exactly 1")),
    Row("22", config("dfs.replication: 3"), ("c.yaml:5:22", "dfs.replication is 3", "2 DataNodes", "at most 2")),
    Row("22 word", config("dfs.replication: many"), ("'many'", "from 1 to 2")),
    Row(
        "24 unit",
        roles("namenode: {memory: 10}"),
        ("c.yaml:2:28", "roles.namenode.memory", "'10'", "KiB, MiB, GiB or TiB"),
    ),
    Row("24 decimal unit", roles("namenode: {memory: 4 Gb}"), ("'4 Gb'", "KiB, MiB, GiB or TiB")),
    Row("24 NaN", roles("namenode: {memory: NaN}"), ("'NaN'",)),
    Row("24 nothing at all", roles("namenode: {memory: 0 GiB}"), ("'0 GiB'", "out of range")),
    Row("24 endless", roles("namenode: {memory: " + "9" * 400 + " GiB}"), ("roles.namenode.memory",)),
    Row("24 other digits", roles("namenode: {memory: ٣ GiB}"), ("roles.namenode.memory",)),
    Row(
        "24 too little", roles("namenode: {memory: 100 MiB}"), ("roles.namenode.memory is 100 MiB", "at least 384 MiB")
    ),
    Row("24 cpus", roles("namenode: {cpus: nan}"), ("'nan'", "0.1 to 1024")),
    Row(
        "25",
        roles("namenode: {memory: 1 GiB, heap: 800 MiB}"),
        ("c.yaml:2:41", "heap is 800 MiB", "0.75", "at most 768 MiB"),
    ),
    Row("25 option", roles("namenode: {java_options: [-Xmx2g]}"), ("'-Xmx2g'", "set with `heap`")),
    Row(
        "32", whole("distribution: {hadoop: 3.3.6}"), ("'3.3.6'", "supported: Hadoop 3.5.0 on Java 25 with Spark 4.3.0")
    ),
    Row("32 java", whole("distribution: {hadoop: 3.5.0, java: 17}"), ("java is '17'", "Hadoop 3.5.0 on Java 25")),
    Row("32 spark", whole("distribution: {spark: 3.5.1}"), ("spark is '3.5.1'", "Spark 4.3.0")),
    Row("38", config("dfs.namenode.name.dir: /x"), ("c.yaml:5:5", "dfs.namenode.name.dir is managed", "volume")),
    Row("38 old name", config("dfs.name.dir: /x"), ("dfs.name.dir is managed",)),
    Row("38 wrong file", whole("configuration: {core-site: {dfs.datanode.data.dir: /x}}"), ("is managed",)),
    Row("38 by spark", whole("configuration: {spark-defaults: {spark.hadoop.fs.defaultFS: x}}"), ("is managed",)),
    Row("38 variable", roles("namenode: {environment: {JAVA_HOME: /x}}"), ("JAVA_HOME is set by",)),
    Row("41 zero", whole("lifecycle: {ttl: 0s}"), ("c.yaml:3:18", "lifecycle.ttl is '0s'", "from 1m to 365d")),
    Row("41 negative", whole("lifecycle: {ttl: -1h}"), ("'-1h'", "from 1m to 365d")),
    Row("41 a date", whole("lifecycle: {ttl: 2020-01-01}"), ("'2020-01-01'", "from 1m to 365d")),
    Row("41 long", whole("lifecycle: {ttl: 999999999d}"), ("from 1m to 365d",)),
    Row("role later", roles("namenode: , zookeeper: {count: 3}"), ("does not run the role `zookeeper`", "namenode")),
    Row("no namenode", roles("datanode: "), ("c.yaml:2:18", "a datanode needs a namenode")),
    Row("no resourcemanager", roles("namenode: , nodemanager: "), ("a nodemanager needs a resourcemanager",)),
    Row("no roles", "name: sales\n", ("no roles", "extends")),
    Row("no name", ROLES, ("no name", "--name")),
    Row("file name", whole("configuration: {hdfs-site.xml: {a: 1}}"), ("`hdfs-site.xml`", "write `hdfs-site`")),
    Row(
        "file of another role",
        roles("namenode: {configuration: {yarn-site: {a: 1}}}"),
        ("no file `yarn-site` is read here",),
    ),
    Row(
        "whole cluster",
        roles("namenode: {configuration: {hdfs-site: {dfs.namenode.checkpoint.period: 60}}}"),
        ("dfs.namenode.checkpoint.period is for the whole cluster", "at the top"),
    ),
    Row("format", "howdah: 2\nname: a\n", ("howdah is '2'", "upgrade")),
    Row("later", whole("placement: {spread: host}"), ("`placement`", "one host")),
    Row(
        "offer",
        roles("namenode: , resourcemanager: , nodemanager: {memory: 1 GiB, heap: 640 MiB}"),
        ("left for jobs", "at least"),
    ),
    Row(
        "promise",
        roles(
            "namenode: , resourcemanager: , nodemanager: {configuration: {yarn-site: "
            "{yarn.nodemanager.resource.memory-mb: 9999}}}"
        ),
        ("'9999'", "up to 1792"),
    ),
    Row("extends", whole("extends: smal"), ("c.yaml:3:10", "neither a template nor a file", "did you mean `small`?")),
    Row("extends two", whole("extends: [a, b]"), ("c.yaml:3:10", "extends is a list")),
    Row("extends itself", whole("extends: ./c.yaml"), ("extends itself",)),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.number)
def test_bad_input_is_refused_with_place_value_and_fix(row: Row, tmp_path: Path) -> None:
    path = tmp_path / row.file
    path.write_bytes(row.text if isinstance(row.text, bytes) else row.text.encode())
    before = time.process_time()
    with pytest.raises(UserError) as refusal:
        load(path)
    message = str(refusal.value)
    assert refusal.value.exit_code == 2
    assert [part for part in row.parts if part not in message] == [], message
    assert str(path) in message
    assert "fix: " in message
    assert len(message) < 2000
    assert time.process_time() - before < 2


def test_all_the_errors_of_a_file_are_listed_in_order(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: a_b\nroles:\n  namenode: {memory: 10}\n  datanodes: {}\n  datanode: {count: 0}\n")
    with pytest.raises(UserError) as refusal:
        load(path)
    lines = [line for line in str(refusal.value).splitlines() if line.startswith(str(path))]
    assert [line.removeprefix(f"{path}:").split(":")[0] for line in lines] == ["1", "3", "4", "5"]


def test_a_file_of_nothing_but_errors_is_answered_in_a_page(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: a\n" + "".join(f"k{n}: 1\n" for n in range(900)))
    with pytest.raises(UserError, match="and 851 more problems"):
        load(path)
    path.write_text("a: 1\n" * 900)
    with pytest.raises(UserError, match="and 849 more problems"):
        load(path)


def test_a_word_that_yaml_1_1_took_for_a_boolean_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(whole("", name="no"))
    assert load(path).definition.name == "no"


def test_shell_characters_in_a_value_are_text(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(config("a: '$(id); `x` </value> é'"))
    assert load(path).definition.configuration["hdfs-site"]["a"] == "$(id); `x` </value> é"


def test_a_file_that_is_not_there_or_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UserError) as refusal:
            load(f"{path}/")
        assert refusal.value.fix


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(UserError, match="larger than 1 MiB"):
        load(path)
