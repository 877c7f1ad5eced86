"""What an operator may write in a template, checked by reading it, before anything of it runs.

The language is smaller than Jinja's: ``{{ name }}``, ``{{ name | upper }}`` and ``{% if name %}`` over a
closed list of names. No attribute, call, loop, sum or other file can be written at all, so that nothing
reaches an object and the size of what comes out is bounded by what goes in. HTML is a closed list of
elements and styles. Behind this stands Jinja's sandbox with nothing in it. Source: F-K6; ASVS 1.3.7.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifications.headers import literal
from notifications.template_names import WORDS, Part, blocks_of
from protocol.errors import Refused
from protocol.stages import NoticeKind

LONGEST = 32_768
"""Characters of a template."""
MOST_PLACES = 10
"""How often one name may be placed; with the line above the bound of what comes out."""
DEEPEST = 8
MOST_FINDINGS = 20
TAGS = frozenset({
    "p", "h1", "h2", "h3", "div", "span", "strong", "em", "b", "i", "small", "br", "hr",
    "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
})  # fmt: skip
VOID = frozenset({"br", "hr"})
ATTRIBUTES = frozenset({"style", "lang", "scope", "colspan"})
STYLES = re.compile(
    r"(color|background-color|border(-\w+)*|margin(-\w+)?|padding(-\w+)?|text-align|vertical-align"
    r"|font-weight|font-style|font-family|max-width|width)"
)
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"<>&]*")*)\s*/?>|[<>]')
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_COLOUR = re.compile(r'["; -]color')
_VALUE = re.compile(
    r"(?!.*(?:^|[\s,])-)[A-Za-z0-9 #.,%'-]+"
)  # nothing negative, no function, no address
_INSTEAD = {
    nodes.Getattr: "attributes cannot be read",
    nodes.Getitem: "attributes cannot be read",
    nodes.Call: "nothing can be called",
    nodes.CallBlock: "nothing can be called",
    nodes.For: "there are no loops",
    nodes.Include: "no other file can be read",
    nodes.Import: "no other file can be read",
    nodes.FromImport: "no other file can be read",
    nodes.Extends: "no other file can be read",
}
UNSEEN = "a control character, or one that hides or turns text"
ALLOWED = "write {{ name }}, {{ name | upper }} or {% if name %} with the names of the notice only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a template that may not be there, and its line."""

    part: Part
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.part}, line {self.line}: {self.what}"


def check(source: str, part: Part, kind: NoticeKind) -> tuple[Finding, ...]:
    """What must be put right in a template for notices of this kind, in the order of its lines."""
    reader = _Reader(part, kind)
    reader.read(source)
    found = sorted(dict.fromkeys(reader.found), key=lambda finding: finding.line)
    return tuple(found[:MOST_FINDINGS])


@lru_cache(maxsize=64)
def compiled(source: str, part: Part, kind: NoticeKind) -> Template:
    """The template, ready to be filled.

    Raises:
        Refused: ``template-unsound``, with each line that may not stand.
    """
    if findings := check(source, part, kind):
        raise Refused("template-unsound", "; ".join(map(str, findings)))
    return sandbox(part).from_string(source)


@cache
def sandbox(part: Part) -> ImmutableSandboxedEnvironment:
    """Jinja's sandbox without any of the functions, tests and filters that it brings."""
    made = ImmutableSandboxedEnvironment(
        autoescape=part is Part.HTML,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.clear()
    made.tests.clear()
    made.filters.clear()
    made.filters["upper"] = str.upper
    return made


class _Reader:
    """Reads one template and notes what may not be there."""

    def __init__(self, part: Part, kind: NoticeKind) -> None:
        self.found: list[Finding] = []
        self._part = part
        self._kind = kind
        self._names = frozenset((*WORDS, *blocks_of(kind)))
        self._placed: Counter[str] = Counter()

    def read(self, source: str) -> None:
        if len(source) > LONGEST:
            self._note(1, f"{len(source)} characters; at most {LONGEST} are read")
            return
        for number, line in enumerate(source.split("\n"), start=1):
            if literal(line) != line:
                self._note(number, UNSEEN)
        try:
            tree = sandbox(self._part).parse(source)
        except TemplateSyntaxError as error:
            self._note(error.lineno, f"{error.message}; {ALLOWED}")
        except RecursionError:
            self._note(1, f"nested too deeply: at most {DEEPEST} levels are read")
        else:
            self._body(tree.body, 0, coloured=False)

    def _note(self, line: int, what: str) -> None:
        self.found.append(Finding(part=self._part, line=line, what=what))

    def _body(self, body: Sequence[nodes.Node], depth: int, *, coloured: bool) -> None:
        """One run of text and names; the elements that it opens it closes itself."""
        markup = _Markup(coloured=coloured)
        for node in body:
            match node:
                case nodes.Output():
                    self._output(node, markup)
                case nodes.If():
                    self._if(node, depth, markup)
                case _:
                    self._refuse(node)
        for line, what in markup.findings():
            self._note(line, what)

    def _output(self, node: nodes.Output, markup: _Markup) -> None:
        for child in node.nodes:
            if not isinstance(child, nodes.TemplateData):
                self._place(child, markup)
            elif self._part is Part.HTML:
                markup.read(child.data, child.lineno)

    def _if(self, node: nodes.If, depth: int, markup: _Markup) -> None:
        if depth == DEEPEST:
            self._note(node.lineno, f"nested too deeply: at most {DEEPEST} levels are read")
            return
        for branch in (node, *node.elif_):
            test = branch.test.node if isinstance(branch.test, nodes.Not) else branch.test
            if isinstance(test, nodes.Name):
                self._known(test)
            else:
                self._refuse(test)
            self._body(branch.body, depth + 1, coloured=markup.coloured)
        self._body(node.else_, depth + 1, coloured=markup.coloured)

    def _place(self, node: nodes.Expr, markup: _Markup) -> None:
        name: nodes.Node | None = node
        if isinstance(node, nodes.Filter):
            name = node.node
            if node.name != "upper" or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
                self._note(
                    node.lineno, f"the filter {node.name} is none that is known here; {ALLOWED}"
                )
                return
        if not isinstance(name, nodes.Name):
            self._refuse(name or node)
        elif self._known(name):
            self._placed[name.name] += 1
            if self._placed[name.name] > MOST_PLACES:
                self._note(name.lineno, f"{name.name} stands here more than {MOST_PLACES} times")
            if name.name in WORDS:
                return
            if name is not node:
                self._note(name.lineno, f"upper is for single lines; {name.name} is set already")
            if markup.coloured:
                self._note(name.lineno, f"{name.name} may not stand in colours that could hide it")

    def _known(self, node: nodes.Name) -> bool:
        known = node.name in self._names
        if not known:
            names = ", ".join((*WORDS, *blocks_of(self._kind)))
            self._note(
                node.lineno,
                f"{node.name[:40]} is no name in a notice of kind {self._kind}; there are {names}",
            )
        return known

    def _refuse(self, node: nodes.Node) -> None:
        why = _INSTEAD.get(type(node), f"{type(node).__name__.lower()} cannot be used")
        line = node.lineno or next((each.lineno for each in node.iter_child_nodes()), 1)
        self._note(line, f"{why}; {ALLOWED}")


class _Markup:
    """The HTML of one run: closed lists, no comments, and no element left open."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured
        self._open: list[tuple[str, int, bool]] = []
        self._found: list[tuple[int, str]] = []

    @property
    def coloured(self) -> bool:
        """Whether what stands here is in a colour, or on one, that the template chooses."""
        return self._coloured or any(coloured for *_, coloured in self._open)

    def findings(self) -> Iterator[tuple[int, str]]:
        """What is wrong, and what is still open at the end."""
        yield from self._found
        for tag, line, _ in self._open:
            yield line, f"<{tag}> is not closed in the same branch"

    def read(self, data: str, first: int) -> None:
        for line, text in enumerate(html.unescape(each) for each in data.split("\n")):
            if literal(text) != text:
                self._found.append((first + line, UNSEEN))
        for mark in _TAG.finditer(data):
            line = first + data.count("\n", 0, mark.start())
            what = self._tag(mark, line) if mark[2] else "this < or > begins or ends no plain tag"
            if what:
                self._found.append((line, f"{what}: see docs/templates.md"))

    def _tag(self, mark: re.Match[str], line: int) -> str:
        closing, tag, attributes = mark.groups()
        if tag not in TAGS:
            return f"no element <{tag}>"
        for name, value in _ATTRIBUTE.findall(attributes):
            if name not in ATTRIBUTES:
                return f"no attribute {name}"
            if name == "style" and (style := _unfit_style(value)):
                return f"no style {style!r}"
        if not closing and tag not in VOID:
            self._open.append((tag, line, bool(_COLOUR.search(attributes))))
        elif closing and (not self._open or self._open.pop()[0] != tag):
            return f"</{tag}> closes nothing that is open here"
        return ""


def _unfit_style(value: str) -> str:
    """The first declaration that may not be there."""
    for declaration in filter(str.strip, value.split(";")):
        name, _, said = declaration.partition(":")
        if not STYLES.fullmatch(name.strip()) or not _VALUE.fullmatch(said.strip()):
            return declaration.strip()[:60]
    return ""
