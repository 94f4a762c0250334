"""The ways in which a plugin can be bad, each as the lines that differ from a harmless one."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal

# What a way costs: nothing at all, the component's own findings on what it failed on, the plugin that is not loaded, or the
# run, which is refused before its first product as the plugin's checks would be missing.
Cost = Literal["nothing", "its findings", "its product", "the plugin", "no run"]

NAME = "bad"
OWNER = "agpis-bad 1.4.0"
PLUGIN = """
import atexit, builtins, ctypes, gc, json, logging, math, os, re, signal, subprocess, sys, threading, time, warnings
from agpis_sdk import (
    ComponentConfig, ImageCheckerSpec, ImageSequence, PairCheckerSpec, PrimarySelectorSpec, Rule, SequenceBuilderSpec,
    SequenceCheckerSpec, SequenceVerdict, hookimpl, image_finding, pair_finding,
)

RULE = Rule(code="BAD101", name="bad-picture", summary="It is bad.", category="single-image", severity="error")
PAIR = Rule(code="BAD201", name="bad-pair", summary="It is bad.", category="image-pair", severity="error")
LONG = Rule(code="BAD301", name="bad-sequence", summary="It is bad.", category="multi-image", severity="error")

{top}

class Settings(ComponentConfig):
    {settings}

class Own:
    pass

def finding(image, score=1.0, **fields):
    return image_finding(image, RULE, score, "it is bad").model_copy(update=fields)

@hookimpl
def {hook}({hook_arguments}):
    {announce}

class Bad:
    def __init__(self, config):
        {init}

    def {method}:
        {body}
"""
METHODS = {
    "agpis_image_checkers": ("ImageCheckerSpec", "check_images(self, images, context)", "rules=(RULE,)"),
    "agpis_pair_checkers": ("PairCheckerSpec", "check_pairs(self, pairs, context)", "rules=(PAIR,)"),
    "agpis_sequence_checkers": ("SequenceCheckerSpec", "check_sequences(self, sequences, context)", "rules=(LONG,)"),
    "agpis_primary_selectors": ("PrimarySelectorSpec", "score_primary(self, images, context)", ""),
    "agpis_sequence_builders": ("SequenceBuilderSpec", "build(self, candidates, length, context)", ""),
}


@dataclass(frozen=True)
class Way:
    """One way of being bad: where it happens, what it costs, and words by which it is named."""

    name: str
    body: str = "return []"
    cost: Cost = "its findings"
    says: str = ""
    hook: str = "agpis_image_checkers"
    top: str = ""
    init: str = "pass"
    settings: str = "pass"
    spec: str = ""
    announce: str = ""
    configured: tuple[tuple[str, object], ...] = ()
    slow: bool = True

    def source(self) -> str:
        """Return the plugin's module."""
        kind, method, rules = METHODS.get(self.hook, METHODS["agpis_image_checkers"])
        options = ", ".join(one for one in (rules, self.spec) if one)
        announce = f'return [{kind}(name="{NAME}", factory="bad_plugin:Bad", config=Settings, {options})]'
        return PLUGIN.format(
            top=self.top,
            settings=_indented(self.settings, 4),
            hook=self.hook,
            hook_arguments="",
            announce=_indented(self.announce or announce, 4),
            init=_indented(self.init, 8),
            method=method,
            body=_indented(self.body, 8),
        )


def _indented(lines: str, by: int) -> str:
    return textwrap.indent(textwrap.dedent(lines).strip(), " " * by).strip()


SEQUENCES, PAIRS = "agpis_sequence_checkers", "agpis_pair_checkers"
SELECTORS, BUILDERS = "agpis_primary_selectors", "agpis_sequence_builders"
SELECTED = (("primary.selector", NAME),)
BUILT = (("sequence.builder", NAME),)
SCORED = (("sequence.scorer", NAME),)

RAISING = (
    Way("raises", 'raise ValueError("no such color")', says="ValueError: no such color", slow=False),
    Way(
        "raises what cannot be printed",
        """
        class Mute(Exception):
            def __str__(self): raise RuntimeError("no words")
            __repr__ = __str__
        raise Mute()
        """,
        says="Mute (its message cannot be read)",
    ),
    Way("exits", "sys.exit(0)", says="SystemExit: 0"),
    Way("raises KeyboardInterrupt", "raise KeyboardInterrupt", says="KeyboardInterrupt"),
    Way("raises MemoryError", 'raise MemoryError("7 exabytes")', says="MemoryError: 7 exabytes"),
    Way("raises GeneratorExit", "raise GeneratorExit", says="GeneratorExit"),
    Way("recurses without end", "return self.check_images(images, context)", says="RecursionError"),
    Way(
        "raises half-way through its findings",
        """
        yield finding(images[0])
        raise ValueError("half-way")
        """,
        says="ValueError: half-way",
    ),
    Way("raises with a message of 50 MB", 'raise ValueError("x" * 50_000_000)', says="ValueError: xxx"),
    Way("raises a group of errors", 'raise ExceptionGroup("many", [ValueError("one")])', says="ExceptionGroup: many"),
)

DYING = (
    Way("leaves by os._exit", "os._exit(3)", says="its process ended with exit code 3", slow=False),
    Way("leaves by os._exit as if all were well", "os._exit(0)", says="its process ended with exit code 0"),
    Way("crashes", "ctypes.string_at(0)", says="its process was killed by SIGSEGV", slow=False),
    Way("aborts", "os.abort()", says="its process was killed by SIGABRT"),
    Way("is killed", "os.kill(os.getpid(), signal.SIGKILL)", says="its process was killed by SIGKILL"),
    Way(
        "overflows the stack of the machine",
        """
        sys.setrecursionlimit(10**9)
        threading.stack_size(0)
        nested = []
        for _ in range(10**6):
            nested = [nested]
        repr(nested)
        """,
        says="",
    ),
    Way(
        "takes all memory",
        """
        kept = []
        while True:
            kept.append(bytearray(50_000_000))
        """,
        says="MemoryError",
        configured=(("plugins.memory_limit", 500_000_000),),
    ),
    Way("closes all files", "os.closerange(0, 256)", says="its process"),
    Way("ends its session", "os.killpg(0, signal.SIGKILL)", says="its process was killed by SIGKILL"),
)

LIMIT = (("plugins.time_limit", 3.0),)
HANGING = (
    Way("loops in Python", "while True: pass", says="took longer than", configured=LIMIT),
    Way("sleeps", "time.sleep(3600)", says="took longer than", configured=LIMIT),
    Way(
        "catches whatever would stop it",
        """
        while True:
            try:
                time.sleep(3600)
            except BaseException:
                pass
        """,
        says="took longer than",
        configured=LIMIT,
    ),
    Way("loops in machine code", 're.match("(a+)+$", "a" * 60 + "b")', says="took longer than", configured=LIMIT),
    Way(
        "holds the interpreter in machine code",
        "ctypes.PyDLL(None).sleep(3600)",
        says="took longer than",
        configured=LIMIT,
    ),
    Way("stops its process", "os.kill(os.getpid(), signal.SIGSTOP)", says="took longer than", configured=LIMIT),
    Way("waits for input", "sys.stdin.readline(); time.sleep(3600)", says="took longer than", configured=LIMIT),
    Way("yields without end", "while True: yield finding(images[0])", says="an endless generator?"),
    Way(
        "blocks all signals and loops",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nwhile True: pass",
        says="took longer than",
        configured=LIMIT,
    ),
)

LEAVING = (
    Way(
        "leaves a thread",
        "threading.Thread(target=time.sleep, args=(3600,)).start(); return []",
        cost="nothing",
    ),
    Way("leaves a process", 'subprocess.Popen(["sleep", "3612"]); return []', cost="nothing"),
    Way("comes back from a fork", "os.fork(); return []", cost="nothing"),
    Way(
        "asks the context from a thread after its call",
        """
        def later():
            time.sleep(0.05)
            context.product(images[0].product_id)
        threading.Thread(target=later).start()
        return []
        """,
        cost="nothing",
    ),
    Way("hangs at exit", "atexit.register(time.sleep, 3600); return []", cost="nothing"),
)

TALKING = (
    Way("prints", 'print("hello"); return []', cost="nothing"),
    Way("writes to standard output", 'os.write(1, b"hello"); return []', cost="nothing"),
    Way(
        "prints in machine code",
        'ctypes.CDLL(None).puts(b"hello"); ctypes.CDLL(None).fflush(None); return []',
        cost="nothing",
    ),
    Way(
        "warns 20,000 times",
        'warnings.simplefilter("always"); [warnings.warn(str(i)) for i in range(20_000)]; return []',
        cost="nothing",
    ),
    Way(
        "logs 20,000 times",
        'logging.basicConfig(level=0); [logging.info("hello") for _ in range(20_000)]; return []',
        cost="nothing",
    ),
)

WRONG = (
    Way("returns nothing", "return None", says="returned NoneType, not an iterable"),
    Way("returns a text", 'return "fine"', says="returned str, not an iterable"),
    Way("yields texts", 'return ["fine"]', says="yielded str, not a Finding"),
    Way("yields objects of a class of its own", "return [Own()]", says="gave a bad_plugin.Own"),
    Way("yields what cannot leave its process", "return [lambda: 0]", says="gave what cannot leave its process"),
    Way("gives the score NaN", "return [finding(images[0], 1.0, score=math.nan)]", says="score"),
    Way("gives an infinite score", "return [finding(images[0], 1.0, score=math.inf)]", says="score"),
    Way(
        "gives a box outside the image",
        'return [image_finding(images[0], RULE, 1.0, "here", [(-5, 0, 10, 10_000_000)])]',
        says="box",
    ),
    Way("gives a code that nobody knows", 'return [finding(images[0], code="BAD999")]', says="raised BAD999"),
    Way("gives a code of another plugin", 'return [finding(images[0], code="AGP103")]', says="raised AGP103"),
    Way("names an image that it was not given", 'return [finding(images[0], images=("x",))]', says="named images"),
    Way("names another product", 'return [finding(images[0], product_id="P9")]', says="named images"),
    Way("gives a million findings", "return [finding(images[0])] * 1_000_000", says="an endless generator?"),
    Way("gives a message of 5 MB", 'return [finding(images[0], message="x" * 5_000_000)]', says="message"),
    Way("gives a message that is no text", "return [finding(images[0], message=5)]", says="message"),
    Way(
        "provides a fact that it did not declare",
        'context.provide(images[0], "embedding", 1); return []',
        says='provides fact "embedding" without declaring it',
    ),
    Way(
        "gives the non-compliance NaN",
        'context.provide(images[0], "p_noncompliant", math.nan); return []',
        says="which is not in 0..1",
        spec='provides=frozenset({"p_noncompliant"})',
    ),
    Way(
        "names images of another product in a pair",
        'return [pair_finding(pairs[0], PAIR, 1.0, "twins").model_copy(update={"product_id": "P9"})]',
        says="named images",
        hook=PAIRS,
    ),
)

CHOOSING = (
    Way("gives no verdict", "return []", says="gave no verdict", hook=SEQUENCES, slow=False),
    Way(
        "judges a sequence that it was not given",
        'return [SequenceVerdict(product_id="P1", sequence=("x",))]',
        says="judged a sequence",
        hook=SEQUENCES,
    ),
    Way(
        "gives the probability NaN",
        "return [SequenceVerdict.model_construct(product_id=s.product.id, sequence=s.ids, p_qualified=math.nan, findings=()) for s in sequences]",
        says="p_qualified",
        cost="its product",
        hook=SEQUENCES,
        spec="gives_probability=True",
        configured=SCORED,
    ),
    Way(
        "is the scorer and gives no probability",
        "return [SequenceVerdict(product_id=s.product.id, sequence=s.ids) for s in sequences]",
        says="gave no p_qualified",
        cost="its product",
        hook=SEQUENCES,
        spec="gives_probability=True",
        configured=SCORED,
    ),
    Way(
        "is the scorer and crashes",
        "ctypes.string_at(0)",
        says="SIGSEGV",
        cost="its product",
        hook=SEQUENCES,
        spec="gives_probability=True",
        configured=SCORED,
    ),
    Way(
        "scores one image fewer",
        "return [0.9] * (len(images) - 1)",
        says="scores for",
        cost="its product",
        hook=SELECTORS,
        configured=SELECTED,
    ),
    Way(
        "scores NaN",
        "return [math.nan] * len(images)",
        says="not in 0..1",
        cost="its product",
        hook=SELECTORS,
        configured=SELECTED,
    ),
    Way(
        "gives reasons that are no list",
        'context.provide(images[0], "primary_reasons", 5); return [0.9] * len(images)',
        says="primary_reasons",
        cost="its product",
        hook=SELECTORS,
        spec='provides=frozenset({"primary_reasons"})',
        configured=SELECTED,
    ),
    Way(
        "builds with an image that it invents",
        """
        import dataclasses
        for one in candidates:
            new = dataclasses.replace(one.primary, id="invented")
            yield ImageSequence(product=one.product, images=(one.primary, new))
        """,
        says="different usable images are needed",
        cost="its product",
        hook=BUILDERS,
        configured=BUILT,
    ),
    Way("builds nothing", "return []", says="built no sequence", cost="its product", hook=BUILDERS, configured=BUILT),
    Way(
        "builds for a product that it invents",
        """
        for one in candidates:
            product = one.product.model_copy(update={"id": "P9"})
            yield ImageSequence(product=product, images=(one.primary, *one.others[: length - 1]))
        """,
        says="",
        cost="its product",
        hook=BUILDERS,
        configured=BUILT,
    ),
)

TAMPERING = (
    Way("changes the pixels", "for image in images: image.pixels[:] = 0\nreturn []", says="read-only"),
    Way("changes the pixels by force", "for image in images: ctypes.memset(image.pixels.ctypes.data, 0, image.pixels.nbytes)\nreturn []", cost="nothing"),
    Way("changes the ids of images", 'for image in images: object.__setattr__(image, "id", "x")\nreturn []', cost="nothing"),
    Way("empties the list that it is given", "del images[:]; return []", cost="nothing"),
    Way("changes a product", 'context.product("P1").attributes["x"] = 1; object.__setattr__(context.product("P1"), "images", ()); return []', cost="nothing"),
    Way("changes the settings", 'object.__setattr__(context._config.run, "max_failures", 0); context.rules._rules = {}; return []', cost="nothing"),
    Way("changes the folder", 'os.chdir("/"); return []', cost="nothing"),
    Way("changes the environment", "os.environ.clear(); return []", cost="nothing"),
    Way("takes the signals", "[signal.signal(n, signal.SIG_IGN) for n in (2, 14, 15)]; signal.setitimer(signal.ITIMER_REAL, 0); return []", cost="nothing"),
    Way("freezes the garbage collector", "gc.freeze(); gc.disable(); gc.set_threshold(1); return []", cost="nothing"),
    Way("replaces json and print", "json.dumps = json.loads = builtins.print = builtins.len = None; return []", says="", cost="its findings"),
    Way("replaces the methods of records", "from agpis_sdk.records import Outcome; Outcome.model_dump_json = None; return []", cost="nothing"),
    Way("closes the standard streams", "sys.stdout.close(); sys.stderr.close(); return []", cost="nothing"),
)  # fmt: skip

LOADING = (
    Way("cannot be imported", top='raise ImportError("libgloss.so")', cost="the plugin", says="ImportError: libgloss.so"),
    Way("exits when it is imported", top="sys.exit(3)", cost="the plugin", says="SystemExit: 3"),
    Way("announces what is no spec", announce='return ["bad_plugin:Bad"]', cost="the plugin", says="yielded str, not ImageCheckerSpec"),
    Way("raises in its hook", announce='raise RuntimeError("no license")', cost="the plugin", says="RuntimeError: no license"),
    Way("misspells a hook", hook="agpis_image_chekers", cost="the plugin", says="unknown hook"),
    Way("names a factory that is not there", announce='return [ImageCheckerSpec(name="bad", factory="no_such_module:Bad", rules=(RULE,))]', cost="no run", says="ModuleNotFoundError"),
    Way("has a factory that raises", init='raise RuntimeError("no license")', cost="no run", says="RuntimeError: no license", slow=False),
    Way("has a factory that exits", init="os._exit(0)", cost="no run", says="its process ended with exit code 0"),
    Way("has a factory that crashes", init="ctypes.string_at(0)", cost="no run", says="SIGSEGV"),
    Way("has a factory that hangs", init="time.sleep(3600)", cost="no run", says="took longer than", configured=LIMIT),
    Way("has settings that raise", settings='x: int = 1\ndef model_post_init(self, context): raise RuntimeError("no")', cost="no run", says="RuntimeError: no"),
    Way("raises when a run starts", hook="agpis_run_started", announce='raise RuntimeError("no license")', cost="nothing", says="agpis_run_started raised RuntimeError"),
    Way("exits when a run starts", hook="agpis_run_started", announce="sys.exit(3)", cost="nothing", says="agpis_run_started raised SystemExit"),
)  # fmt: skip

WAYS = {
    "raising": RAISING,
    "dying": DYING,
    "hanging": HANGING,
    "leaving": LEAVING,
    "talking": TALKING,
    "wrong": WRONG,
    "choosing": CHOOSING,
    "tampering": TAMPERING,
    "loading": LOADING,
}
