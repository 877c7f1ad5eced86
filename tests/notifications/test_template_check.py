"""What operators may write, and all that they may not: F-K6 against templates of operators."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import TemplateError

from notifications.template_check import LONGEST, MOST_PLACES, check, compiled, sandbox
from notifications.template_names import WORDS, Part, blocks_of
from protocol.errors import Refused
from protocol.stages import NoticeKind
from tests.notifications.own_templates import SECTIONS_FIRST, STARTER

EWN = NoticeKind.EWN
ESCAPES = (
    "{{ ''.__class__.__mro__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{{ {}.__class__.__bases__[0] }}",
    "{{ ().__class__.__bases__ }}",
    "{{ title.__class__ }}",
    "{{ title.__init__.__globals__ }}",
    "{{ top.__html__.__globals__ }}",
    "{{ top.format.__globals__ }}",
    "{{ title.format_map }}",
    "{{ title|attr('__class__') }}",
    "{{ title|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ title|attr(['_'*2,'class','_'*2]|join) }}",
    "{{ '{0.__class__}'.format(title) }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(top) }}",
    "{{ '{a.__class__}'.format_map({'a': title}) }}",
    "{{ '%s'|format(title.__class__) }}",
    "{{ '%(x)s' % {'x': title.__class__} }}",
    "{{ [title]|map(attribute='__class__')|list }}",
    "{{ [title]|map('attr', '__class__')|list }}",
    "{{ [title]|groupby('__class__') }}",
    "{{ [title]|sum(attribute='__class__') }}",
    "{{ [title]|selectattr('__class__')|list }}",
    "{{ [title]|sort(attribute='__class__') }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__.os }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum.__globals__.__builtins__.open('/etc/passwd').read() }}",
    "{{ dict.__base__.__subclasses__() }}",
    "{{ range.__class__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self.__dict__ }}",
    "{{ loop.__class__ }}",
    "{{ caller.__globals__ }}",
    "{{ varargs }}{{ kwargs }}",
    "{{ environment }}{{ context }}{{ _ }}",
    "{{ request.application.__globals__ }}",
    "{{ config.items() }}",
    "{{ content.__init__.__globals__ }}",
    "{{ recipient }}{{ content }}{{ view }}{{ t }}",
    "{{ url_for.__globals__ }}{{ get_flashed_messages.__globals__ }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ m.__globals__ }}{% endcall %}",
    "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{% macro m() %}{{ varargs }}{% endmacro %}{{ m(m.__class__) }}",
    "{% set x = title.__class__ %}{{ x }}",
    "{% set ns = namespace() %}{% set ns.x = 1 %}{{ ns.__class__ }}",
    "{% set x %}{{ title.__class__ }}{% endset %}{{ x }}",
    "{% with x = ''.__class__ %}{{ x.__mro__ }}{% endwith %}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{% for k in self._TemplateReference__context %}{{ k }}{% endfor %}",
    "{% if title.__class__ %}x{% endif %}",
    "{% if ''.__class__.__mro__ is defined %}x{% endif %}",
    "{% include '/etc/passwd' %}",
    "{% include '_layout.txt' %}",
    "{% include ['a', '../../../etc/passwd'] ignore missing %}",
    "{% import '_parts.txt' as parts %}{{ parts.list.__globals__ }}",
    "{% from '_parts.txt' import list %}{{ list }}",
    "{% extends '_layout.txt' %}",
    "{% block top %}{{ super.__globals__ }}{% endblock %}{{ self.top.__globals__ }}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% autoescape false %}{{ title }}{% endautoescape %}",
    "{% debug %}",
    "{% trans %}x{% endtrans %}",
    "{% do title.__class__ %}",
    "{{ title|safe }}",
    "{{ title|pprint }}",
    "{{ title|tojson }}",
    "{{ title|xmlattr }}",
    "{{ (title|upper).__class__ }}",
    "{{ title if title.__class__ else title }}",
    "{{ [x.__class__ for x in title] }}",
    "{{ lambda: 1 }}",
    "{{ title[0:1:title.__class__] }}",
    "{{ __import__('os') }}",
    "{{ __builtins__ }}",
)
BOMBS = (
    "{% for x in range(10**9) %}{{ x }}{% endfor %}",
    "{{ 'a' * 10**9 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ title * 1000000000 }}",
    "{{ title ~ title ~ title }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ title|indent(1000000000) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ title|replace('', notice)|replace('', notice) }}",
    "{{ lipsum(n=100000) }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for x in title recursive %}{{ loop(title) }}{% endfor %}",
    "{{ " + "(" * 5_000 + "title" + ")" * 5_000 + " }}",
    "{{ " + "not " * 5_000 + "title }}",
    "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "{{ title" + "|upper" * 4_000 + " }}",
    "{% if title and " + "title and " * 3_000 + "title %}x{% endif %}",
    "{% if title %}" * 900 + "x" + "{% endif %}" * 900,
    "{% if title %}" * 9 + "x" + "{% endif %}" * 9,
    "{{ notice }}" * (MOST_PLACES + 1),
    "{{ title }}" * 2_900,
    "x" * (LONGEST + 1),
    "{{ 1" + " + 1" * 6_000 + " }}",
)
UNFIT_HTML = (
    "<script>alert(1)</script>",
    "<SCRIPT>alert(1)</SCRIPT>",
    "<{% if title %}script{% endif %}>",
    '<img src="https://evil.invalid/x.png">',
    '<a href="https://evil.invalid">{{ title }}</a>',
    '<p onclick="alert(1)">x</p>',
    "<p style='color:red'>x</p>",
    '<p style="position:fixed">x</p>',
    '<p style="display:none">{{ facts }}</p>',
    '<p style="background-color:url(https://evil.invalid/x)">x</p>',
    '<p style="margin:-9999px">x</p>',
    '<p style="font-size:0">{{ facts }}</p>',
    '<p style="{{ title }}">x</p>',
    '<p lang="{{ title }}">x</p>',
    '<div style="color:#fff">{{ facts }}</div>',
    '<div style="padding:0;background-color:#000">{% if title %}{{ facts }}{% endif %}</div>',
    "<!-- {{ top }} -->",
    "<!-- > {{ top }} -->",
    "<![CDATA[{{ top }}]]>",
    "<?php ?>",
    "<style>p{display:none}</style>",
    "<form><input></form>",
    "<iframe></iframe>",
    "<svg><animate/></svg>",
    "<div>",
    "</div></div></body>",
    "{% if title %}<div>{% endif %}</div>",
    "<p><div></p></div>",
    "a < b",
    "&#x202e;turned",
    "&ZeroWidthSpace;hidden",
)


def lines(source: str, part: Part = Part.HTML, kind: NoticeKind = EWN) -> list[int]:
    return [finding.line for finding in check(source, part, kind)]


def test_the_corpus_is_as_long_as_it_claims_to_be() -> None:
    assert len(set(ESCAPES)) >= 40


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("source", ESCAPES)
def test_fk6_every_way_out_of_the_sandbox_is_refused_with_its_line(source: str, part: Part) -> None:
    found = check(f"{{{{ top }}}}\n\n{source}\n{{{{ bottom }}}}", part, EWN)
    assert found
    assert {finding.line for finding in found} == {3}
    with pytest.raises(Refused, match="line 3"):
        compiled(f"{{{{ top }}}}\n\n{source}", part, EWN)


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("source", ESCAPES)
def test_fk6_the_wall_behind_it_lets_nothing_through_either(source: str, part: Part) -> None:
    given = dict.fromkeys((*WORDS, *blocks_of(EWN)), "harmless")
    try:
        made = sandbox(part).from_string(source).render(given)
    except (TemplateError, TypeError, RuntimeError):
        return  # refused
    assert not re.search(r"<class|__|object at|module|root:|uid=|<bound|builtin", made), made


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("source", BOMBS, ids=lambda source: source[:30])
def test_fk6_what_would_take_for_ever_or_grow_without_end_is_refused_unread(
    source: str, part: Part
) -> None:
    assert check(source, part, EWN)
    with pytest.raises(Refused):
        compiled(source, part, EWN)


@pytest.mark.parametrize("source", UNFIT_HTML)
def test_markup_that_hides_calls_or_runs_something_is_refused(source: str) -> None:
    assert lines(f"<p>x</p>\n{source}")
    assert min(lines(f"<p>x</p>\n{source}")) == 2


@pytest.mark.parametrize("text", ["a\u202eb", "zero\u200bwidth", "bell\x07", "\x1b[2J"])
@pytest.mark.parametrize("part", Part)
def test_characters_that_nobody_sees_are_refused(text: str, part: Part) -> None:
    assert set(lines(f"x\n{text}", part)) == {2}


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("part", Part)
def test_the_template_to_begin_with_is_sound_for_every_notice(kind: NoticeKind, part: Part) -> None:
    assert check(STARTER.source(part), part, kind) == ()


@pytest.mark.parametrize("part", Part)
def test_a_template_with_head_order_and_conditions_of_its_own_is_sound(part: Part) -> None:
    assert check(SECTIONS_FIRST.source(part), part, EWN) == ()


def test_each_fault_has_its_line_and_says_what_there_is() -> None:
    source = "{{ top }}\n{{ titel }}\n\n{% for x in y %}{% endfor %}\n{{ top | upper }}\n<b>\n"
    found = check(source, Part.HTML, EWN)
    assert [finding.line for finding in found] == [2, 4, 5, 6]
    said = "\n".join(map(str, found))
    assert "html, line 2: titel is no name" in said
    assert "bottom_line" in said
    assert "there are no loops" in said


def test_a_section_of_a_warning_is_no_name_in_another_notice() -> None:
    assert lines("{{ facts }}", Part.TEXT) == []
    assert lines("{{ facts }}", Part.TEXT, NoticeKind.DRILL) == [1]


def test_marks_of_templates_can_be_written_as_text() -> None:
    source = "{% raw %}{{ title }}{% endraw %}{# a note #}"
    assert lines(source, Part.TEXT) == []
    assert compiled(source, Part.TEXT, EWN).render() == "{{ title }}"


def test_the_handbook_names_all_that_can_be_placed() -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
    assert [name for name in (*WORDS, *blocks_of(EWN)) if f"`{name}`" not in handbook] == []
    assert f"{LONGEST:,} characters" in handbook
    assert f"each name {MOST_PLACES} times" in handbook
