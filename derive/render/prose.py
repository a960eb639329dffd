"""Messages into words: the macros of `templates/prose/<language>.j2`, with everything escaped unless it is a
Fragment.

Templates hold the wording and one file is one language. This file finds them, escapes their literal words for
the format at hand, and turns a message's arguments into fragments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.bccache import Bucket
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from derive.errors import OptionError
from derive.render.dialect import Voice
from derive.render.escapes import collapse
from derive.solution.document import Argument, Message


class Fragment(str):
    """Text that is already markup of the format being written."""

    __slots__ = ()


class EscapeProse(Extension):
    """Escapes the literal words of prose templates when they are compiled, as if they were untrusted text."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        is_prose = "prose/" in (stream.name or "")
        for token in stream:
            if is_prose and token.type == "data":
                yield Token(token.lineno, "data", self.environment.finalize(collapse(token.value)))  # type: ignore[misc]
            else:
                yield token


def template_environment(
    voice: Voice, template_dir: Path | None = None, keys: frozenset[str] | None = None
) -> jinja2.Environment:
    """Jinja for one voice: undefined names are errors, values are escaped, a macro's result is a Fragment.

    Of the shipped prose only the messages `keys` are compiled (None: all of them).
    """
    markup = _markup(voice.escape)
    environment = _environment(voice.escape, loader=_loader(template_dir, keys), bytecode_cache=_Compiled(voice.escape))
    environment.concat = staticmethod(lambda parts: Fragment("".join(parts)))  # type: ignore[method-assign]
    for name in ("strong", "emph", "code"):
        environment.globals[name] = environment.filters[name] = _marker(getattr(voice, name), markup)
    return environment


Escape = Callable[[str], str]


def _markup(escape: Escape) -> Callable[[object], Fragment]:
    return lambda value: value if isinstance(value, Fragment) else Fragment(escape(str(value)))


def _environment(escape: Escape, **options: Any) -> jinja2.Environment:
    return jinja2.Environment(
        finalize=_markup(escape),
        undefined=jinja2.StrictUndefined,
        extensions=[EscapeProse],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        **options,
    )


class _Compiled(jinja2.BytecodeCache):
    """Finds the code of a template that this process has compiled before: of a page, that is most of the time."""

    def __init__(self, escape: Escape) -> None:
        self._escape = escape

    def get_bucket(self, environment: jinja2.Environment, name: str, filename: str | None, source: str) -> Bucket:
        bucket = Bucket(environment, name, "")
        bucket.code = _code(self._escape, frozenset(environment.filters), source, name, filename)
        return bucket


@lru_cache(maxsize=1024)
def _code(escape: Escape, filters: frozenset[str], source: str, name: str, filename: str | None) -> CodeType | None:
    """A template's code; of all that a voice has, only how it escapes the literal words goes into that."""
    kept = _Kept()
    loader = jinja2.FunctionLoader(lambda _: (source, filename, None))
    environment = _environment(escape, loader=loader, bytecode_cache=kept)
    for filter in filters - environment.filters.keys():
        environment.filters[filter] = _later
    environment.get_template(name)
    return kept.code


class _Kept(jinja2.BytecodeCache):
    """Takes the code of the one template that is loaded."""

    code: CodeType | None = None

    def load_bytecode(self, bucket: Bucket) -> None:
        """There is none yet."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code = bucket.code


def _later(*_: object) -> None:
    """Stands for a filter while a template is compiled, so that no result of it gets into the code."""
    raise NotImplementedError


def _marker(mark: Any, markup: Any) -> Any:
    return lambda value: Fragment(mark(markup(value)))


class Speaker:
    """Says messages in one language and one voice."""

    def __init__(self, voice: Voice, language: str, environment: jinja2.Environment) -> None:
        self._voice = voice
        self._language = language
        self._environment = environment

    def say(self, message: Message) -> Fragment:
        """The message in words. Raises OptionError where a language lacks it."""
        arguments = {name: self._render(value) for name, value in message.arguments.items()}
        return Fragment(self._voice.finish(self._macro(message.key)(**arguments)))

    def escape(self, text: str) -> Fragment:
        return Fragment(self._voice.escape(text))

    def formula(self, layout: Any) -> Fragment:
        return Fragment(self._voice.formula(layout))

    def _macro(self, key: str) -> Any:
        for name in (f"prose/{self._language}.j2", f"shipped/prose/{self._language}.j2", _SPARE):
            macro = getattr(_module(self._environment, name), key, None)
            if macro is not None:
                return macro
        raise OptionError(f"language '{self._language}': no message '{key}' in prose/{self._language}.j2")

    def _render(self, value: Argument) -> object:
        if isinstance(value, Message):
            return self.say(value)
        if isinstance(value, tuple):
            return tuple(self._render(item) for item in value)
        if isinstance(value, str | int):
            return value
        opening, closing = self._voice.among_words
        return Fragment(f"{opening}{self.formula(value)}{closing}")


_SPARE = "shipped/prose/en.j2"
"""Says what a person's own language has no words for yet."""


def _module(environment: jinja2.Environment, name: str) -> object:
    try:
        return environment.get_template(name).module
    except jinja2.TemplateNotFound:
        return None


def languages(template_dir: Path | None = None) -> tuple[str, ...]:
    """The languages that documents can be written in: one per file of `prose/`, shipped or in the user's
    folder.
    """
    names = _loader(template_dir).list_templates()
    return tuple(sorted({name[6:-3] for name in names if name.startswith("prose/") and name.endswith(".j2")}))


@cache
def signatures(language: str) -> dict[str, tuple[str, ...]]:
    """The messages of a shipped language: key -> names of its arguments."""
    environment = jinja2.Environment(loader=_loader(None))
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, f"prose/{language}.j2")
    macros = environment.parse(source).find_all(nodes.Macro)
    return {macro.name: tuple(argument.name for argument in macro.args) for macro in macros}


_MACRO = re.compile(r"\{% macro (\w+)\(.*?\{%-? endmacro %\}\n?", re.DOTALL)


class _ShippedLoader(jinja2.PackageLoader):
    """Our own templates; of a prose file only the macros that are needed, since compiling all takes long."""

    def __init__(self, keys: frozenset[str] | None) -> None:
        super().__init__("derive.templates", ".")
        self._keys = keys

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Any]:
        source, name, fresh = super().get_source(environment, template)
        if self._keys is not None and template.startswith("prose/"):
            source = _only(source, self._keys)
        return source, name, fresh


def _only(source: str, keys: frozenset[str]) -> str:
    """The macros of `keys`, and the macros that these call."""
    macros = {match[1]: match[0] for match in _MACRO.finditer(source)}
    wanted, open_ = set(keys & macros.keys()), list(keys & macros.keys())
    while open_:
        called = set(re.findall(r"\b(\w+)\(", macros[open_.pop()])) & macros.keys()
        open_.extend(called - wanted)
        wanted |= called
    return "".join(text for name, text in macros.items() if name in wanted)


def message_keys(messages: Iterable[Message]) -> frozenset[str]:
    """The keys of messages and of the messages within them."""
    found: set[str] = set()
    for message in messages:
        found.add(message.key)
        found |= message_keys(_nested(message.arguments.values()))
    return frozenset(found)


def _nested(arguments: Iterable[object]) -> Iterator[Message]:
    for argument in arguments:
        if isinstance(argument, Message):
            yield argument
        elif isinstance(argument, tuple):
            yield from _nested(argument)


def _loader(template_dir: Path | None, keys: frozenset[str] | None = None) -> jinja2.ChoiceLoader:
    """The user's folder first; `shipped/...` always names our own, so that a user's template can extend
    it.
    """
    shipped = _ShippedLoader(keys)
    users = [jinja2.FileSystemLoader(template_dir)] if template_dir else []
    return jinja2.ChoiceLoader([*users, shipped, jinja2.PrefixLoader({"shipped": shipped})])
