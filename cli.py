"""The command line: parse, call the rooms in order, print, exit code. Nothing imports it.

What is slow to import is imported by the command that needs it, so that `--help` stays quick.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from glob import has_magic
from importlib.metadata import version as distribution_version
from io import StringIO
from itertools import pairwise
from pathlib import Path
from threading import Thread
from traceback import print_exc
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click
from click.core import ParameterSource

from phonehome.analyzer.settings import Sent, Settings, SettingsError
from phonehome.captures import Digests
from phonehome.errors import (
    CHECK_FAILED,
    DAMAGED,
    DEFECT,
    EXIT_CODES,
    INTERRUPTED,
    NOT_WRITTEN,
    REFUSED,
    UNBALANCED,
    PhonehomeError,
)

if TYPE_CHECKING:
    from polars import DataFrame
    from rich.console import Console

    from phonehome.analyzer import Progress, Rule
    from phonehome.analyzer.comparison.result import Comparison
    from phonehome.analyzer.tables import Analysis
    from phonehome.geo.updates import Updated

FORMATS = ("html", "md", "json", "csv", "parquet")
ANALYZE_FORMATS = "html,md,json,parquet"
DEFAULT_FORMATS = "html,json,parquet"
COMPARED = "compare.phonehome"
SWITCH_SECONDS = 0.0003  # a thread that decodes needs the interpreter often, and shortly
PERCENT = 100
COMPRESSED = (".gz", ".zst", ".zstd", ".lz4")

EXISTING = click.Path(path_type=Path)
Command = Callable[..., int]


def program() -> NoReturn:
    """Run the command line in a process of its own, with nothing done that only costs time.

    One run makes few cycles of garbage, multiplies no matrices, and need not give its memory
    back piece by piece at the end.
    """
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        main()
    except SystemExit as leaving:
        os._exit(_flushed(leaving.code if isinstance(leaving.code, int) else DEFECT))
    raise AssertionError


def _flushed(code: int) -> int:
    """The exit code, once all that was printed is out; another one where it cannot be."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = code or NOT_WRITTEN
    return code


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl+C
    if sys.stderr is None:  # closed by whoever started us
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the run
    try:
        code = phonehome(prog_name="phonehome", standalone_mode=False)
    except click.exceptions.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        _say(shown.getvalue().rstrip("\n"))
        code = error.exit_code
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except Exception:  # noqa: BLE001 - a defect of ours: its traceback, and a code of its own
        print_exc()
        code = DEFECT
    sys.exit(code)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"Exit codes: {', '.join(f'{code} {words}' for code, words in EXIT_CODES.items())}.",
)
@click.version_option(distribution_version("phonehome"), message="phonehome %(version)s")
def phonehome() -> None:
    """Say what an app sends, to whom, in which country, and how much of it while idle.

    Reads packet captures, offline: nothing leaves this machine.
    """


def _formats(context: click.Context, _: click.Parameter, value: str) -> frozenset[str]:
    known = [name for name in FORMATS if name != "md" or context.info_name == "analyze"]
    wanted = frozenset(part.strip() for part in value.split(",") if part.strip())
    if not wanted or wanted - set(known):
        raise click.BadParameter(f"{','.join(known)} expected, {value!r} found")
    return wanted


def _sent(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[Sent, ...]:
    """What was sent, by `--sent` or `--sent-bytes`."""
    take = Sent.of_file if option.name == "sent" else Sent.of_bytes
    try:
        return tuple(map(take, values))
    except SettingsError as error:
        raise click.BadParameter(str(error)) from error


def _setting(name: str, **other: Any) -> "Callable[[Command], Command]":  # noqa: ANN401 - of click
    """The option of a field of the settings, which says how it is called and what it does."""
    each = FIELDS[name]
    option = OPTIONS[name]
    described: dict[str, Any] = {"help": each.metadata["help"], "metavar": each.metadata["metavar"]}
    if each.type == tuple[Path, ...]:
        described |= {"multiple": True, "type": EXISTING}
    elif each.type == tuple[str, ...]:
        described |= {"multiple": True}
    elif each.type is bool:
        described |= {"is_flag": True}
    elif name in Settings.CHOICES:
        words = click.Choice(Settings.CHOICES[name])
        described |= {"type": words, "default": each.default, "show_default": True}
    elif name == "clock_offset":
        described |= {"default": "0"}
    return click.option(option, name, **(described | other))


FIELDS = {each.name: each for each in fields(Settings)}
OPTIONS = {
    name: each.metadata.get("option") or f"--{name.replace('_', '-')}"
    for name, each in FIELDS.items()
}
"""How the option of each setting is called."""

SHARED = tuple(
    map(
        _setting,
        (
            *("app", "is_app_alone", "phones", "timezone", "clock_offset", "infer_phases"),
            *("idle_means", "packages", "connections", "organisations", "publisher", "databases"),
            *("phone_location", "identifiers", "language"),
        ),
    )
)
"""What every command that analyses captures can be told about them."""

OF_CAPTURES = (*SHARED, _setting("timelines"), _setting("version"))
"""The same, where all captures are of one timeline and one version."""


def _with(options: "tuple[Callable[[Command], Command], ...]") -> Callable[[Command], Command]:
    """Gives a command these options; it gets them by name."""

    def given(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return given


def _settings(**asked: Any) -> Settings:  # noqa: ANN401 - of each field its own
    """The settings that options ask for."""
    try:
        return Settings(**asked)
    except SettingsError as error:
        name, _, rest = str(error).partition(": ")
        option = OPTIONS.get(name)
        raise click.UsageError(
            f"Invalid value for {option}: {rest}" if option else str(error)
        ) from error


@phonehome.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@click.option("-o", "--output", type=EXISTING, help="Folder to write; default CAPTURE.phonehome.")
@_with(OF_CAPTURES)
@_setting("sent", multiple=True, callback=_sent)
@click.option(
    "--sent-bytes",
    multiple=True,
    callback=_sent,
    metavar="[LABEL=]NUMBER",
    help="The same, if you only know how many bytes it has.",
)
@_setting("counters", nargs=2, multiple=False)
@_setting("claims")
@_setting("keylogs")
@_setting("is_revealed")
@click.option("--format", "formats", default=ANALYZE_FORMATS, show_default=True, callback=_formats)
@click.option("--force", is_flag=True, help="Replace an earlier result.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def analyze(  # noqa: PLR0913 - one argument per option
    captures: tuple[str, ...],
    output: Path | None,
    sent: tuple[Sent, ...],
    sent_bytes: tuple[Sent, ...],
    formats: frozenset[str],
    force: bool,  # noqa: FBT001 - click passes flags so
    quiet: bool,  # noqa: FBT001 - the same
    as_json: bool,  # noqa: FBT001 - the same
    **asked: Any,  # noqa: ANN401 - settings
) -> int:
    """Analyse captures: files, directories, patterns, or - for standard input."""
    started = datetime.now(UTC)
    digests = _begun(captures[0])  # goes on while what is slow to import is imported
    Thread(target=_load_machine_code, daemon=True).start()  # so does this
    with _clear_errors():
        from phonehome.reports import refuse_existing, write  # noqa: PLC0415 - slow to import

        folder = output or _default_folder(captures[0])
        refuse_existing(folder, force=force)
        settings = _settings(sent=(*sent, *sent_bytes), **asked)
        result = _analysis(captures, settings, digests, is_quiet=quiet)
        files = write(result, folder, formats=formats, force=force, started=started)
    if not quiet:
        from phonehome.reports.terminal.summary import summary  # noqa: PLC0415 - slow to import

        summary(result, _console())
        _say(f"\nwritten: {files[0] if len(files) == 1 else folder}")
        _say(*(str(file) for file in files if file.suffix == ".html"))
    if as_json:
        from phonehome.reports.exports.to_json import summary_json  # noqa: PLC0415 - slow to import

        with _standard_output():
            click.echo(summary_json(result))
    return _exit_code(result)


def _begun(capture: str) -> Digests:
    """Begin to read the first capture, before any other thread is there."""
    from phonehome.captures.process_memory import share_heaps  # noqa: PLC0415 - help needs none

    share_heaps()
    digests = Digests()
    digests.begin(Path(capture))
    return digests


def _load_machine_code() -> None:
    """Begin what reading captures begins with; whoever needs it meets its faults."""
    with suppress(Exception):
        from phonehome.captures.kernels.machine_code import machine  # noqa: PLC0415 - slow to import

        machine.load()


def _default_folder(first: str) -> Path:
    """`<first capture without its suffix>.phonehome`, in the current directory.

    A directory lends its whole name, a pattern that of the first file it stands for.
    """
    path = Path("standard-input" if first == "-" else first)
    if path.is_dir():
        return Path(f"{path.resolve().name or 'capture'}.phonehome")
    if not path.exists() and has_magic(first):
        from phonehome.captures import capture_files  # noqa: PLC0415 - slow to import

        path = capture_files([first])[0]
    name = path.name
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return Path(f"{Path(name).stem or 'capture'}.phonehome")


def _exit_code(result: "Analysis") -> int:
    if not result.summary.is_balanced:
        return UNBALANCED
    return DAMAGED if result.summary.is_damaged else 0


def _analysis(
    captures: tuple[str, ...], settings: Settings, digests: Digests, *, is_quiet: bool
) -> "Analysis":
    """The analysis, with a progress bar if it takes longer than a second."""
    from phonehome.analyzer import analyze as analyze_captures  # noqa: PLC0415 - slow to import

    if is_quiet:
        return analyze_captures(captures, settings, digests=digests)
    from phonehome.captures.kernels.machine_code import machine  # noqa: PLC0415 - slow to import
    from phonehome.reports.terminal.progress import progress  # noqa: PLC0415 - the same

    machine.announce = _say
    with progress(_console()) as report:
        return analyze_captures(captures, settings, progress=report, digests=digests)


@phonehome.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--claims",
    multiple=True,
    required=True,
    type=EXISTING,
    metavar="FILE|NAME",
    help="What is claimed (TOML), or the name of a file that comes with phonehome.",
)
@click.option("--strict", is_flag=True, help="A claim that cannot be told fails too.")
@click.option("--junit", type=EXISTING, metavar="FILE", help="Write the results as JUnit XML.")
@click.option("--sarif", type=EXISTING, metavar="FILE", help="Write them as SARIF 2.1.0.")
@click.option("--markdown", type=EXISTING, metavar="FILE", help="Write them as Markdown.")
@click.option("-o", "--output", type=EXISTING, help="Folder for the whole report; default none.")
@_with(OF_CAPTURES)
@click.option("--format", "formats", default=DEFAULT_FORMATS, show_default=True, callback=_formats)
@click.option("--force", is_flag=True, help="Replace an earlier report.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(  # noqa: PLR0913 - one argument per option
    paths: tuple[str, ...],
    claims: tuple[Path, ...],
    strict: bool,  # noqa: FBT001 - click passes flags so
    junit: Path | None,
    sarif: Path | None,
    markdown: Path | None,
    output: Path | None,
    formats: frozenset[str],
    force: bool,  # noqa: FBT001 - the same
    quiet: bool,  # noqa: FBT001 - the same
    as_json: bool,  # noqa: FBT001 - the same
    **asked: Any,  # noqa: ANN401 - those of OF_CAPTURES
) -> int:
    """Test claims on captures, or on a folder that analyze wrote.

    Each claim is supported, contradicted, or cannot be told. Exit code 1 if one is contradicted.
    """
    started = datetime.now(UTC)
    sinks = {"junit": junit, "sarif": sarif, "markdown": markdown}
    targets = {name: path for name, path in sinks.items() if path is not None}
    with _clear_errors():
        from phonehome.reports import (  # noqa: PLC0415 - the same
            contents,
            refuse_existing,
            refuse_targets,
            write,
            write_files,
        )
        from phonehome.reports.claims.words import is_failed, summary, summary_json  # noqa: PLC0415 - slow to import

        refuse_targets(targets.values(), [*map(Path, paths), *claims, *_files_of(asked)])
        if output is not None:
            refuse_existing(output, force=force)
        tested = _tested(paths, claims, asked, is_quiet=quiet)
        if output is not None:
            if tested.analysis is None:
                raise click.UsageError(f"--output is for captures: {paths[0]} holds a report")
            write(tested.analysis, output, formats=formats, force=force, started=started)
        files = contents(tested.claims, tested.captures, targets, is_strict=strict)
        write_files(files, is_private=tested.is_private)
    has_failed = is_failed(tested.claims, is_strict=strict)
    if not quiet:
        summary(tested.claims, _console())
        _say(*(f"written: {path}" for path in [output, *targets.values()] if path is not None))
    if as_json:
        with _standard_output():
            click.echo(summary_json(tested.claims, is_failed=has_failed))
    return CHECK_FAILED if has_failed and tested.code != UNBALANCED else tested.code


def _files_of(asked: dict[str, Any]) -> list[Path]:
    """Every file that the settings name."""
    return [
        one
        for value in asked.values()
        if isinstance(value, tuple)
        for one in value
        if isinstance(one, Path)
    ]


class _Tested(NamedTuple):
    """What came of claims, in which captures, the exit code that these deserve, and their tables.

    There are none where the analysis was made before. What is private, nobody else may read.
    """

    claims: "DataFrame"
    captures: "DataFrame"
    code: int
    analysis: "Analysis | None"
    is_private: bool


def _tested(
    paths: tuple[str, ...], stated: tuple[Path, ...], asked: dict[str, Any], *, is_quiet: bool
) -> _Tested:
    """The claims of these files, tested on captures or on what was analysed before."""
    from phonehome.analyzer import claims_table, read_claims, saved_folder, tables_in  # noqa: PLC0415 - slow

    folder = saved_folder(Path(paths[0])) if len(paths) == 1 else None
    if folder is None:
        settings = _settings(claims=stated, **asked)
        result = _analysis(paths, settings, _begun(paths[0]), is_quiet=is_quiet)
        return _Tested(result.claims, result.captures, _exit_code(result), result, is_private=False)
    _refuse_what_is_of_captures(asked, folder)
    tables = tables_in(folder, asked["app"], is_app_alone=asked["is_app_alone"])
    code = DAMAGED if tables.is_damaged else 0
    return _Tested(
        claims_table(tables, read_claims(stated, tables.idle_means)),
        tables.frames["captures"],
        code if tables.is_balanced else UNBALANCED,
        None,
        tables.is_revealed,
    )


def _refuse_what_is_of_captures(asked: dict[str, Any], folder: Path) -> None:
    """What was analysed before cannot be told more about, but which app is meant."""
    context = click.get_current_context()
    for name in sorted(asked.keys() - {"app", "is_app_alone"}):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{OPTIONS[name]} is for captures: {folder} holds what analyze wrote, "
                "with the options that its manifest.json names"
            )


class _ManyPaths(click.Command):
    """A command whose options `MANY` take every word up to the next option."""

    MANY = ("--base", "--new", "--group")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse `--base a b` as `--base a --base b`, and give each path of a group its label."""
        return super().parse_args(ctx, list(self._spelled_out(args)))

    def _spelled_out(self, args: list[str]) -> Iterator[str]:
        option, label, needs_value = "", "", False
        for word in args:
            if word.startswith("-") and word != "-":
                if needs_value:
                    raise click.BadOptionUsage(option, f"Option {option!r} requires an argument.")
                name, equals, value = word.partition("=")
                option = name if name in self.MANY else ""
                label = _label(option, value)
                needs_value = bool(option) and not equals
                yield word
            elif option and not needs_value:
                yield option
                yield f"{label}{word}"
            else:
                label, needs_value = _label(option, word), False
                yield word


def _label(option: str, word: str) -> str:
    """What stands before a path of a group, with its equals sign; nothing of other options."""
    label, equals, _ = word.partition("=")
    return f"{label}=" if option == "--group" and equals else ""


def _groups(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> "tuple[tuple[str, tuple[str, ...]], ...]":
    """Paths by label, labels in the order in which they were first given."""
    found: dict[str, tuple[str, ...]] = {}
    for value in values:
        label, equals, path = value.partition("=")
        if not (label and equals and path):
            raise click.BadParameter(f"LABEL=PATH expected, {value!r} found")
        found[label] = (*found.get(label, ()), path)
    return tuple(found.items())


def _share(_: click.Context, __: click.Parameter, value: str) -> float:
    try:
        percent = float(value.strip().removesuffix("%"))
    except ValueError:
        percent = -1
    if not 0 <= percent <= PERCENT:
        raise click.BadParameter(f"a percentage from 0 to 100 expected, {value!r} found")
    return percent / PERCENT


def _rules(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> "tuple[Rule, ...]":
    if not values:
        return ()
    from phonehome.analyzer import RuleError, read_rule  # noqa: PLC0415 - slow to import

    try:
        return tuple(read_rule(value) for value in values)
    except RuleError as error:
        raise click.BadParameter(str(error)) from error


@phonehome.command(cls=_ManyPaths)
@click.option("--base", multiple=True, metavar="PATH...", help="Captures of the old version.")
@click.option("--new", multiple=True, metavar="PATH...", help="Captures of the new version.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    callback=_groups,
    metavar="LABEL=PATH...",
    help="Instead of both: a version of a series, each held against the one before it.",
)
@click.option("-o", "--output", type=EXISTING, default=COMPARED, show_default=True)
@click.option(
    "--fail-on",
    multiple=True,
    callback=_rules,
    metavar="RULE",
    help="Exit with 1 if so: new-country, new-asn, new-host, new-identifier, new-token, "
    "impossible, 'idle-upload>+20%', claims:FILE",
)
@click.option("--same-within", default="10%", callback=_share, help="Rates so close are the same.")
@click.option("--base-label", metavar="TEXT", help="What the base is called, say its version.")
@click.option("--new-label", metavar="TEXT", help="What the new is called.")
@click.option("--base-timeline", multiple=True, type=EXISTING, help="Timeline of the base.")
@click.option("--new-timeline", multiple=True, type=EXISTING, help="Timeline of the new.")
@_with(SHARED)
@click.option("--format", "formats", default=DEFAULT_FORMATS, show_default=True, callback=_formats)
@click.option("--force", is_flag=True, help="Replace an earlier result.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def compare(  # noqa: PLR0913 - one argument per option
    base: tuple[str, ...],
    new: tuple[str, ...],
    groups: tuple[tuple[str, tuple[str, ...]], ...],
    output: Path,
    fail_on: "tuple[Rule, ...]",
    same_within: float,
    base_label: str | None,
    new_label: str | None,
    base_timeline: tuple[Path, ...],
    new_timeline: tuple[Path, ...],
    formats: frozenset[str],
    force: bool,  # noqa: FBT001 - click passes flags so
    quiet: bool,  # noqa: FBT001 - the same
    as_json: bool,  # noqa: FBT001 - the same
    **asked: Any,  # noqa: ANN401 - those of SHARED
) -> int:
    """Compare two sides: captures, or folders that analyze wrote. Each capture is a repetition.

    A timeline beside a capture (rep1.timeline.csv beside rep1.pcap) is taken unless one is given.
    """
    started = datetime.now(UTC)
    of_two = (base, new, base_label, new_label, base_timeline, new_timeline)
    _refuse_half(bool(base), bool(new), groups, any(of_two))
    with _clear_errors():
        from phonehome.reports import refuse_existing  # noqa: PLC0415 - slow to import

        settings = _settings(**asked)
        refuse_existing(output, force=force)
        of_sides = (
            replace(settings, timelines=base_timeline, version=base_label),
            replace(settings, timelines=new_timeline, version=new_label),
        )
        steps, written = (
            _series(groups, settings, same_within, is_quiet=quiet)
            if groups
            else _pair((base, new), of_sides, same_within, is_quiet=quiet)
        )
        files, to_json = written(output, formats=formats, force=force, started=started)
        failed = [
            {rule.text: broken for rule in fail_on if (broken := rule.judge(step))}
            for step in steps
        ]
    if not quiet:
        from phonehome.reports.comparison.terminal import summary  # noqa: PLC0415 - slow to import

        for step, matched in zip(steps, failed, strict=True):
            summary(step, matched, _console())
        _say(f"\nwritten: {files[0] if len(files) == 1 else output}")
        _say(*(str(file) for file in files if file.suffix == ".html"))
    if as_json:
        with _standard_output():
            click.echo(to_json(failed))
    if not all(step.is_balanced for step in steps):
        return UNBALANCED
    is_damaged = any(step.is_damaged for step in steps)
    return CHECK_FAILED if any(failed) else DAMAGED if is_damaged else 0


def _refuse_half(has_base: bool, has_new: bool, groups: tuple[object, ...], is_pair: bool) -> None:  # noqa: FBT001 - four answers to one question
    """Two sides, or a series: not a half of either, and not both."""
    if groups and is_pair:
        raise click.UsageError("--group stands instead of --base, --new and their options")
    if groups and len(groups) == 1:
        raise click.UsageError("--group needs at least two versions, each with its own label")
    if not groups and not (has_base and has_new):
        missing = "--new" if has_base else "--base"
        raise click.UsageError(f"{missing} PATH is missing (or give --group LABEL=PATH twice)")


def _pair(
    sides: tuple[tuple[str, ...], tuple[str, ...]],
    settings: tuple[Settings, Settings],
    same_within: float,
    *,
    is_quiet: bool,
) -> "tuple[tuple[Comparison, ...], Callable[..., Any]]":
    """The comparison of two sides, and what writes it."""
    from phonehome.reports.comparison.files import summary_json, write  # noqa: PLC0415 - slow to import

    result = _comparison(sides, settings, same_within, is_quiet=is_quiet)

    def written(folder: Path, **options: Any) -> tuple[list[Path], Callable[..., str]]:  # noqa: ANN401 - of write
        files = write(result, folder, **options)
        return files, lambda failed: summary_json(result, failed[0])

    return (result,), written


def _series(
    groups: tuple[tuple[str, tuple[str, ...]], ...],
    settings: Settings,
    same_within: float,
    *,
    is_quiet: bool,
) -> "tuple[tuple[Comparison, ...], Callable[..., Any]]":
    """The steps of a series, and what writes it."""
    from phonehome.analyzer import compare_series  # noqa: PLC0415 - slow to import
    from phonehome.reports.comparison.series import summary_json, write  # noqa: PLC0415 - the same

    with _shown_progress(is_quiet=is_quiet) as report:
        result = compare_series(groups, settings, same_within=same_within, progress=report)

    def written(folder: Path, **options: Any) -> tuple[list[Path], Callable[..., str]]:  # noqa: ANN401 - of write
        files = write(result, folder, **options)
        return files, lambda failed: summary_json(result, _by_step(result.labels, failed))

    return result.steps, written


def _by_step(labels: tuple[str, ...], failed: list[dict[str, object]]) -> dict[str, object]:
    """What broke which rule, per step where any did."""
    names = [f"{base} to {new}" for base, new in pairwise(labels)]
    return {name: broken for name, broken in zip(names, failed, strict=True) if broken}


def _comparison(
    sides: tuple[tuple[str, ...], tuple[str, ...]],
    settings: tuple[Settings, Settings],
    same_within: float,
    *,
    is_quiet: bool,
) -> "Comparison":
    """The comparison, with a progress bar per side if it takes longer than a second."""
    from phonehome.analyzer import compare as compare_sides  # noqa: PLC0415 - slow to import

    with _shown_progress(is_quiet=is_quiet) as report:
        return compare_sides(*sides, settings=settings, same_within=same_within, progress=report)


@contextmanager
def _shown_progress(*, is_quiet: bool) -> "Iterator[Progress | None]":
    """What shows how far reading is; None: nobody asked to see it."""
    if is_quiet:
        yield None
        return
    from phonehome.captures.kernels.machine_code import machine  # noqa: PLC0415 - slow to import
    from phonehome.reports.terminal.progress import progress  # noqa: PLC0415 - the same

    machine.announce = _say
    with progress(_console()) as report:
        yield report


@phonehome.group()
def identifiers() -> None:
    """Lists of what is known of a phone and its account, for `analyze --identifiers`."""


@identifiers.command("init")
@click.argument("file", type=EXISTING)
def identifiers_init(file: Path) -> int:
    """Write a list to fill in, that only you can read."""
    with _clear_errors():
        from phonehome.analyzer import template  # noqa: PLC0415 - slow to import
        from phonehome.reports import write_private  # noqa: PLC0415 - the same

        write_private(file, template())
    _say(f"written: {file}")
    return 0


@identifiers.command("from-adb")
@click.argument("sources", nargs=-1, required=True, type=EXISTING, metavar="FILE...")
@click.option("-o", "--output", required=True, type=EXISTING, help="List to write.")
def identifiers_from_adb(sources: tuple[Path, ...], output: Path) -> int:
    """Fill a list from saved outputs of adb: getprop, settings, dumpsys."""
    with _clear_errors():
        from phonehome.analyzer import from_adb, listed  # noqa: PLC0415 - slow to import
        from phonehome.reports import write_private  # noqa: PLC0415 - the same

        found = from_adb(sources)
        write_private(output, listed(found))
    _say(f"written: {output}, {len(found)} identifiers: {', '.join(kind for kind, _ in found)}")
    return 0


@phonehome.group()
def geo() -> None:
    """Databases that say where addresses are."""


def _databases(paths: tuple[Path, ...]) -> list[object]:
    from phonehome import geo as places  # noqa: PLC0415 - slow to import

    return list(places.databases_in_use(paths))


@geo.command("status")
@click.option("--geo", "databases", multiple=True, type=EXISTING, help="Databases to look at.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def geo_status(databases: tuple[Path, ...], as_json: bool) -> int:  # noqa: FBT001 - click does
    """Say which databases are in use, how old, under which licence."""
    with _clear_errors():
        from phonehome import geo as places  # noqa: PLC0415 - slow to import
        from phonehome.reports.terminal.progress import databases as show  # noqa: PLC0415 - the same

        table = places.databases_table(_databases(databases))  # type: ignore[arg-type] # of places
    if as_json:
        with _standard_output():
            click.echo(table.write_json())
    else:
        show(table, datetime.now(UTC).date(), _console(is_result=True))
    return 0


@geo.command("lookup")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--geo", "databases", multiple=True, type=EXISTING, help="Databases to ask instead.")
@click.option("--phone-location", metavar="PLACE", help="Tell distances from here, as in analyze.")
@click.option("--json", "as_json", is_flag=True, help="Print what the databases say as JSON.")
def geo_lookup(
    addresses: tuple[str, ...],
    databases: tuple[Path, ...],
    phone_location: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> int:
    """Say all that is known of addresses, and who says it. Nothing is asked online."""
    with _clear_errors():
        from phonehome import geo as places  # noqa: PLC0415 - slow to import
        from phonehome.reports.terminal.progress import answers as show  # noqa: PLC0415 - the same

        location = places.locate(phone_location) if phone_location is not None else None
        asked = _databases(databases)
        table = places.answers(addresses, asked)  # type: ignore[arg-type] # of places
        known = places.places(addresses, asked)  # type: ignore[arg-type] # the same
    if as_json:
        with _standard_output():
            click.echo(table.write_json())
    else:
        show(table, known, location, _console(is_result=True))
    return 0


@geo.command("update")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--url", help="Fetch an MMDB (plain, gzip, tar.gz) from here, under one NAME.")
@click.option("--sha256", help="What the file at --url must have.")
@click.option("--base-url", help="A mirror to ask instead of the maker; it gets the key.")
def geo_update(
    names: tuple[str, ...], url: str | None, sha256: str | None, base_url: str | None
) -> int:
    """Fetch newer databases: dbip-country and dbip-asn, or those of NAME.

    NAME is dbip-country, dbip-asn, geolite2-country or geolite2-asn (key in MAXMIND_LICENSE_KEY),
    or ipinfo-lite (key in IPINFO_TOKEN). This is the one command that uses the network.
    """
    with _clear_errors():
        from phonehome.geo.updates import SOURCES, WITHOUT_KEY, update, update_from  # noqa: PLC0415 - slow

        if url is not None:
            if len(names) != 1 or base_url is not None:
                raise click.UsageError("--url needs one NAME, and no --base-url")
            return _updated(lambda: update_from(url, names[0], sha256=sha256))
        unknown = [name for name in names if name not in SOURCES]
        if unknown or sha256 is not None:
            raise click.UsageError(f"NAME is one of {', '.join(SOURCES)}; --sha256 needs --url")
        today = datetime.now(UTC).date()
        codes = [
            _updated(lambda name=name: update(name, today=today, base=base_url))  # type: ignore[misc]
            for name in dict.fromkeys(names or WITHOUT_KEY)
        ]
    return max(codes)


def _updated(fetch: "Callable[[], Updated]") -> int:
    """Fetch one database and say what came of it."""
    from phonehome.geo.errors import UpdateError  # noqa: PLC0415 - slow to import

    try:
        done = fetch()
    except UpdateError as error:
        _say(f"phonehome: {error}")
        return REFUSED
    day = done.data_date or "unknown"
    word = "fetched" if done.is_new else "unchanged"
    _say(f"{word}: {done.name} ({done.kind}), data of {day}, SHA-256 {done.sha256}: {done.path}")
    return 0


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What the user can mend ends in one line and its exit code; what we broke, in a traceback."""
    try:
        yield
    except PhonehomeError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped: nothing was written", INTERRUPTED)


@contextmanager
def _standard_output() -> Iterator[None]:
    """Standard output may be full, or nobody may read it: then the result is not written."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still held
        _fail(f"standard output: cannot be written: {error.strerror}", NOT_WRITTEN)


def _fail(message: str, code: int) -> NoReturn:
    _say(f"phonehome: {message}")
    raise click.exceptions.Exit(code)


def _say(*lines: str) -> None:
    """Lines for a person, on standard error, without what could harm a terminal."""
    from phonehome.reports.words.escape import terminal  # noqa: PLC0415 - slow to import

    for line in lines:
        click.echo("\n".join(terminal(part) for part in line.split("\n")), err=True)


def _console(*, is_result: bool = False) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - slow to import

    return Console(stderr=not is_result, highlight=False)


if __name__ == "__main__":
    main()
