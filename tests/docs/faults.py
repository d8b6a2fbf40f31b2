"""What is wrong with a page: commands, options, modules, files and links that it names and that aren't there.

Nothing that a page tells the reader to type is run here: commands are parsed by the program's own parser.
Each function gives a line of text for each fault.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from flows.cli.main import app
from flows.schedule import settings
from models.diarisation.diariser import DiariserOptions
from models.record.errors import EpiscribeError
from outputs.captions.profiles import profile_named
from outputs.library.write import formats_named
from tests.docs.pages import ROOT, Block, Page, page

LANGUAGES = {"python", "sh", "toml", "json", "text", "html", "xml", "yaml"}  # that a block of code may name
PACKAGES = ("audio", "flows", "models", "outputs", "tests")
SOURCES = (".py", ".toml", ".yaml")
FOLDERS = (*PACKAGES, "docs", "deploy")
# Programs that pages may tell the reader to run, beside our own, make and python.
OTHER_PROGRAMS = {".", "curl", "docker", "ffmpeg", "mpv", "pip", "unzip", "vlc"}
COMPLETION = (["--install-completion"], ["--show-completion"])
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=.*", re.DOTALL)
_PLACEHOLDER = re.compile(r"<[\w-]+>")


def faults(found: Page) -> list[str]:
    """Everything that is wrong with a page. What a changelog says of code may be gone since."""
    checks: list[Callable[[Page], Iterable[str]]] = [_links, _blocks]
    if found.path.name != "CHANGELOG.md":
        checks.append(_spans)
    return [f"{found.name}: {fault}" for check in checks for fault in check(found)]


def _blocks(found: Page) -> Iterator[str]:
    checks = {"sh": _shell, "toml": _settings, "json": _json, "python": _python, "yaml": _yaml}
    for block in found.blocks():
        if block.language not in LANGUAGES:
            yield f"line {block.line}: a block of {block.language or 'no language'}: use {', '.join(sorted(LANGUAGES))}"
        for fault in checks.get(block.language, lambda _: ())(block):
            yield f"line {block.line}: {fault}"


def _python(block: Block) -> Iterator[str]:
    try:
        tree = ast.parse(block.code)
    except SyntaxError as error:
        yield f"not Python: {error}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield from _dotted(name)


def _json(block: Block) -> Iterator[str]:
    try:
        json.loads(block.code)
    except ValueError as error:
        yield f"not JSON: {error}"


def _yaml(block: Block) -> Iterator[str]:
    try:
        yaml.safe_load(block.code)
    except yaml.YAMLError as error:
        yield f"not YAML: {error}"


def _settings(block: Block) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder) / "episcribe.toml"
        file.write_text(block.code, encoding="utf-8")
        patch.setenv(settings.CONFIG_VARIABLE, str(file))
        try:
            settings.load()
        except EpiscribeError as error:
            yield str(error)


# Commands


def _shell(block: Block) -> Iterator[str]:
    try:
        commands = list(shell_commands(block.code))
    except ValueError as error:
        yield f"not shell: {error}"
        return
    for words in commands:
        yield from _command(words)


def shell_commands(code: str) -> Iterator[list[str]]:
    """The commands of a block, in words, without variables set for them and without redirections."""
    for line in code.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        for token in (*lexer, ";"):
            if not set(token) <= set("|&;"):
                words.append(token)
            elif words:
                if any(set(word) <= set("<>") for word in words):
                    words = words[: next(i for i, word in enumerate(words) if set(word) <= set("<>"))]
                while words and _ASSIGNMENT.fullmatch(words[0]):
                    words = words[1:]
                yield words
                words = []


def _command(words: Sequence[str]) -> Iterator[str]:
    program, *arguments = words
    if program == "episcribe":
        yield from _episcribe(arguments)
    elif program == "make":
        yield from _make(arguments)
    elif Path(program).name == "python":
        yield from _python_command(arguments)
    elif program not in OTHER_PROGRAMS:
        yield f"{program} is not among the programs that pages name (OTHER_PROGRAMS)"


def _episcribe(words: Sequence[str], *, whole: bool = True) -> Iterator[str]:
    """Whether the program's own parser takes a command; nothing of it is run. whole: no argument is left out."""
    told = shlex.join(["episcribe", *words])
    try:
        given = _parsed(["1" if word == "N" else word for word in words])
        for name, check in _VALUES.items():
            if given.get(name) is not None:
                check(given[name])
    except typer.TyperException as error:
        if whole or type(error).__name__ not in ("MissingParameter", "NoArgsIsHelpError"):
            yield f"{told}: {error.format_message()}"
    except EpiscribeError as error:
        yield f"{told}: {error}"


def _parsed(words: list[str]) -> dict[str, Any]:
    """The parameters of the command that is named; none where it only prints its help or version."""
    command: Any = typer.main.get_command(app)
    if words[:1] in COMPLETION:  # these would be done at once
        return {}
    context: Any = None
    name: Any = "episcribe"
    try:
        while True:
            context = command.make_context(name, words, parent=context)
            if not isinstance(command, TyperGroup):
                return dict(context.params)
            name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
    except typer.Exit:
        return {}


# What the parser takes as text and the command itself judges.
_VALUES: dict[str, Callable[[Any], object]] = {
    "profile": profile_named,
    "format": lambda name: formats_named([name]),
    "formats": lambda names: formats_named(names.split(",") if isinstance(names, str) else names),
    "diariser": lambda name: DiariserOptions(model=name),
}


def _make(words: Sequence[str]) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        name, is_assignment, _ = word.partition("=")
        pattern = rf"\$\({name}\)" if is_assignment else rf"^{re.escape(name)}:"
        if re.search(pattern, makefile, re.MULTILINE) is None:
            yield f"make {word}: the Makefile knows no {name}"


def _python_command(words: Sequence[str]) -> Iterator[str]:
    if words[:1] != ["-m"]:
        yield f"python {shlex.join(words)}: only python -m MODULE is checked"
        return
    module, *arguments = words[1:]
    found = _module_file(module) or _module_file(f"{module}.__main__")
    if found is None and (module.split(".")[0] in PACKAGES or importlib.util.find_spec(module) is None):
        yield f"python -m {module}: there is no such module"
        return
    for word in arguments:
        if (
            word.startswith("--")
            and found is not None
            and f'"{word}"' not in found.read_text(encoding="utf-8")
        ):
            yield f"python -m {module} {word}: it knows no such option"
        if word.split("/")[0] in FOLDERS:
            yield from _path(word)


# Names within sentences


def _spans(found: Page) -> Iterator[str]:
    # Options of other programs are known by the page's own commands.
    known = {"--help", *_options(typer.main.get_command(app))}
    known |= set(re.findall(r"(?<=\s)--[\w-]+", "".join(block.code for block in found.blocks("sh"))))
    for span in found.spans():
        first = span.split("/")[0]
        if re.match(r"(episcribe|make|python3?) ", span):
            yield from _mention(span)
        elif re.match(r"--\w", span):
            if (option := re.split(r"[ =]", span)[0]) not in known:
                yield f"no command has the option {option}"
        elif first in FOLDERS and re.fullmatch(r"[\w./*<>-]+", span) and "/" in span:
            yield from _path(span)
        elif re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", span):
            yield from _dotted(span)
        elif re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", span) and span not in _capitals():
            yield f"nothing in the sources is called {span}"


def _mention(span: str) -> Iterator[str]:
    for words in shell_commands(span):
        if words[0] == "episcribe":
            yield from _episcribe([word for word in words[1:] if word != "..."], whole=False)
        else:
            yield from _command(words)


def _options(command: Any) -> set[str]:
    own = {option for parameter in command.params for option in parameter.opts}
    inner = command.commands.values() if isinstance(command, TyperGroup) else ()
    return own.union(*(_options(one) for one in inner))


def _path(span: str) -> Iterator[str]:
    """A path of the repository, in which `<code>` and `*` stand for any name."""
    if not any(ROOT.glob(_PLACEHOLDER.sub("*", span))):
        yield f"there is no {span}"


def _dotted(name: str) -> Iterator[str]:
    """A module, or what a module defines: `outputs.read.load`, `flows.schedule.store.Store.read`."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        if (file := _module_file(module)) is not None:
            if not _defines(file, parts[count:]):
                yield f"{module} has no {'.'.join(parts[count:])}"
            return
        if (ROOT / module.replace(".", "/")).is_dir() and count == len(parts):
            return
    yield f"there is no {name}"


def _module_file(module: str) -> Path | None:
    base = ROOT / module.replace(".", "/")
    return next((f for f in (base.with_name(f"{base.name}.py"), base / "__init__.py") if f.is_file()), None)


def _defines(file: Path, names: Sequence[str]) -> bool:
    body: Sequence[ast.stmt] = _tree(file).body
    for name in names:
        node = next((node for node in body if name in _bound(node)), None)
        if node is None:
            return False
        body = node.body if isinstance(node, ast.ClassDef) else ()
    return True


@cache
def _capitals() -> frozenset[str]:
    """Constants, and variables of the environment, that the sources name."""
    files = [
        path
        for folder in (*PACKAGES, "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SOURCES and "docs" not in path.relative_to(ROOT).parts
    ]
    names = (re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", path.read_text(encoding="utf-8")) for path in files)
    return frozenset(name for found in names for name in found)


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement defines."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.ImportFrom() | ast.Import():
            return {alias.asname or alias.name for alias in node.names}
    return set()


# Links


def _links(found: Page) -> Iterator[str]:
    for link in found.links():
        if re.match(r"[a-z]+:", link):
            continue  # another host is not asked
        name, _, anchor = unquote(link).partition("#")
        target = found.path.parent / name
        if name and not target.exists():
            yield f"the link {link} leads to nothing"
            continue
        if anchor and (not name or target.suffix == ".md"):
            headings = page(target).anchors() if name else found.anchors()
            if anchor not in headings:
                yield f"the link {link}: there is no such heading"
