"""Runs a template's expressions with everything bounded: what they may say, how often they loop, how much they write.

Jinja2's own sandbox lets ``'a' * 10**8`` and nested loops through. Here values are single words and numbers, lists
exist only to be looped over, every iteration is counted, and the text is measured while it is made.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from howdah.definitions.fields import printable
from howdah.definitions.listing import listed
from howdah.definitions.nearest import suggestion
from howdah.definitions.parameters import Value, show
from howdah.definitions.reading import SIZE_LIMIT
from howdah.errors import UserError
from howdah.units import Bytes

ITERATION_LIMIT = 10_000
RANGE_LIMIT = 1_000
NUMBER_LIMIT = 2**63
TEXT_LIMIT = 4_096
"""Characters in the result of one expression."""
_FILTERS = {"int", "string", "lower", "upper", "length", "abs", "round", "min", "max"}
_LOOP = {"index", "index0", "first", "last", "length"}
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv,
    nodes.Mod, nodes.Pow, nodes.Neg, nodes.Pos, nodes.CondExpr, nodes.Filter, nodes.List, nodes.Tuple, nodes.Getattr,
    nodes.Call,
)  # fmt: skip


class RenderLimit(Exception):
    """A template asked for more than it may have."""


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    iterations: int = 0

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, str) or isinstance(right, str):
            return self._text(operator, left, right)
        if operator == "**" and (abs(left) > 1024 or not 0 <= right <= 64):
            raise RenderLimit(f"{left} ** {right} is too large")
        result = super().call_binop(context, operator, left, right)
        if not -NUMBER_LIMIT < result < NUMBER_LIMIT:
            raise RenderLimit("a number is over 2^63")
        return (
            Bytes(result) if Bytes in (type(left), type(right)) and operator in ("+", "-", "*", "/", "//") else result
        )

    def _text(self, operator: str, left: Any, right: Any) -> str:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            length = len(left) + len(right)
        elif operator == "*" and isinstance(left, str) and isinstance(right, int):
            length = len(left) * right
        elif operator == "*" and isinstance(left, int) and isinstance(right, str):
            length = left * len(right)
        else:
            raise TypeError(f"`{operator}` does not go with {left!r} and {right!r}")
        if length > TEXT_LIMIT:
            raise RenderLimit(f"an expression makes a text of {length} characters, at most {TEXT_LIMIT}")
        return str(left + right if operator == "+" else left * right)

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """What every ``for`` loops over: all iterations of a rendering together are limited."""
        for value in values:
            self.iterations += 1
            if self.iterations > ITERATION_LIMIT:
                raise RenderLimit(f"more than {ITERATION_LIMIT} iterations")
            yield value

    def range(self, *arguments: int) -> range:
        """``range``, within reason."""
        values = range(*arguments)
        if len(values) > RANGE_LIMIT:
            raise RenderLimit(f"a range of {len(values)}, at most {RANGE_LIMIT}")
        return values


def _finalize(value: Any) -> Any:
    """Only single values print; anything else would show Python's own notation."""
    if isinstance(value, StrictUndefined):
        return value
    if isinstance(value, Undefined):
        return ""  # `x if y` without an else
    if isinstance(value, (str, bool, int)):
        return show(value)
    if isinstance(value, float):
        return f"{value:g}"
    raise TypeError(f"an expression gives {type(value).__name__}, not a text or a number")


def render(body: str, values: Mapping[str, Value], file: str, first_line: int) -> str:
    """The text of the body with the values put in. Raises UserError or Problems, with the template's own lines."""
    environment = _Environment(
        undefined=StrictUndefined, finalize=_finalize, keep_trailing_newline=True, optimized=False
    )
    # jinja2 keeps Python's range and more among its globals: replace them all.
    environment.globals.clear()
    environment.globals["range"] = environment.range
    environment.filters = {name: environment.filters[name] for name in _FILTERS} | {"counted": environment.counted}

    def fail(what: str, line: int, fix: str) -> NoReturn:
        place = f"{file}:{line + first_line - 1}"
        raise UserError(printable(what, 300), fix=fix, place=place) from None

    try:
        tree = environment.parse(body)
        _check(tree, values, file, first_line)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return _collect(environment.from_string(tree).generate(**values))
    except TemplateSyntaxError as error:
        fail(f"template: {error.message}", error.lineno, "correct the template")
    except (RecursionError, MemoryError, SyntaxError):
        fail("render limit: the template nests too deeply", 1, "nest less")
    except RenderLimit as error:
        fail(f"render limit: {error}", _line(error), "make the template smaller")
    except SecurityError as error:
        fail(f"expression not allowed: {error}", _line(error), "use parameters, numbers, comparisons and `range`")
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        fail(f"template: {error}", _line(error), "correct the expression")


def _collect(pieces: Iterable[str]) -> str:
    parts: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece.encode("utf-8", "surrogatepass"))
        if size > SIZE_LIMIT:
            raise RenderLimit("the text is over 1 MiB")
        parts.append(piece)
    return "".join(parts)


def _line(error: BaseException) -> int:
    """The template's line in a traceback that jinja2 has rewritten."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _check(tree: nodes.Template, values: Mapping[str, Value], file: str, first_line: int) -> None:
    problems: list[UserError] = []

    def problem(node: nodes.Node, what: str, fix: str) -> None:
        place = f"{file}:{node.lineno + first_line - 1}"
        problems.append(UserError(printable(what, 300), fix=fix, place=place))

    bound = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"} | {"loop", "range"}
    for node in _walk(tree):
        if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in values and node.name not in bound:
            names = ", ".join(values) or "none"
            problem(
                node, f"undefined parameter `{node.name}`", f"{suggestion(node.name, values)} (parameters: {names})"
            )
        elif not _is_allowed(node):
            what = f"expression not allowed: {_describe(node)}"
            problem(node, what, "use parameters, numbers, comparisons, `if`, `for` and `range`")
    if problems:
        raise listed(problems)


def _is_allowed(node: nodes.Node) -> bool:
    match node:
        case nodes.Getattr():
            return isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in _LOOP
        case nodes.Call():
            is_plain = not node.kwargs and node.dyn_args is None and node.dyn_kwargs is None
            return is_plain and isinstance(node.node, nodes.Name) and node.node.name == "range"
        case nodes.Filter():
            return node.name in _FILTERS and node.node is not None
        case nodes.List() | nodes.Tuple():
            return all(isinstance(item, nodes.Const) for item in node.items)
        case nodes.For():
            return (
                not node.recursive and isinstance(node.target, nodes.Name) and node.target.name not in ("loop", "range")
            )
        case nodes.Name():
            return not node.name.startswith("_")
        case _:
            return isinstance(node, _ALLOWED)


def _describe(node: nodes.Node) -> str:
    match node:
        case nodes.Getattr():
            return f"`.{node.attr}`"
        case nodes.Filter():
            return f"the filter `{node.name}`"
        case nodes.Call() if isinstance(node.node, nodes.Name):
            return f"the call of `{node.node.name}`"
        case _:
            return f"{type(node).__name__}"


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    pending = deque([tree])
    while pending:
        node = pending.popleft()
        yield node
        pending.extend(node.iter_child_nodes())
