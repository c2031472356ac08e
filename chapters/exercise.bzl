"""The targets of a chapter, from one call in each of its three folders.

    chapters/NN_name    exercise()       the header, your code, your test
    solutions/NN_name   solution()       the reference and its test
    tests/NN_name       graded_tests()   the tests, compiled once; the skeleton,
                                         the mutants and the alternative

and submission(), for what a student handed in (./course grade).
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//chapters:edition.bzl", "STUDENTS")
load("//common/testing:graded_test.bzl", "built", "graded_test")
load("//tools:vet.bzl", "vetted")

# Chapters of which a driver sees from outside what their tests see from inside:
# tests/NN_name/driver.cc and subject.cc.
CONFIRMED = [] if STUDENTS else [
    "02_blocking_client",
    "03_blocking_server",
    "04_framing",
    "08_events",
    "10_socket",
]

# What a student's code may ask of compiler and linker: a minute of a processor,
# 2 GiB of memory, 64 MiB of output. clang cannot be told so.
MODEST = select({
    "//common:on_clang": [],
    "//conditions:default": [
        "-fmax-errors=50",
        "-wrapper",
        "prlimit,--core=0,--cpu=60:65,--as=2147483648,--fsize=67108864",
    ],
})

def _chapter():
    return native.package_name().split("/")[-1]

def _implementation(name, library, kind, chapter = None, manual = False, tags = [], size = "small", linkopts = [], **kwargs):
    """`name`_bin: the chapter's tests over `library`; `name`: their run."""
    tests = "//tests/" + (chapter or _chapter())
    tags = tags + (["manual"] if manual else [])
    cc_binary(
        name = name + "_bin",
        testonly = True,
        linkopts = linkopts,
        linkstatic = True,
        tags = tags,
        visibility = ["//tests:__subpackages__"],
        # In this order: the linker takes from a library what was asked for.
        deps = [
            tests + ":tests",
            library,
        ],
    )
    graded_test(
        name = name,
        size = size,
        binary = name + "_bin",
        implementation = kind,
        rubric = tests + ":rubric",
        tags = tags,
        visibility = ["//visibility:public"],
        **kwargs
    )

def _programs(programs, deps, manual):
    for program in programs:
        cc_binary(
            name = program,
            srcs = ["//chapters/{}:{}.cc".format(_chapter(), program)],
            tags = ["manual"] if manual else [],
            visibility = ["//visibility:public"],
            deps = deps + [":" + _chapter()],
        )

def exercise(name, srcs, hdrs, deps = [], program = None, programs = [], program_deps = []):
    """The learner's side of a chapter.

    Args:
      name: of the folder, "07_event_loop"
      srcs: what the learner writes
      hdrs: the contract
      deps: libraries, and the :foundation of earlier chapters
      program: "talk" for talk.cc, a main() over the chapter's code
      programs: where there are several
      program_deps: what they need beside the chapter's code
    """
    programs = programs + ([program] if program else [])
    native.exports_files(srcs + hdrs + ["README.md"] + [each + ".cc" for each in programs])
    cc_library(
        name = "header",
        hdrs = hdrs,
        visibility = ["//visibility:public"],
        deps = deps,
    )
    cc_library(
        name = name,
        srcs = srcs,
        tags = ["manual"],
        visibility = ["//visibility:public"],
        deps = [":header"],
    )

    # What later chapters stand on.
    native.alias(
        name = "foundation",
        actual = ":" + name if STUDENTS else select({
            "//common:on_mine": ":" + name,
            "//conditions:default": "//solutions/{0}:{0}".format(name),
        }),
        visibility = ["//visibility:public"],
    )
    _implementation("test", ":" + name, "learner", manual = True)
    _programs(programs, program_deps, manual = True)

def solution(name, srcs, program = None, programs = [], program_deps = []):
    """The reference: the same names as in the chapter's folder."""
    native.exports_files(srcs)
    native.filegroup(
        name = "files",
        srcs = srcs,
        visibility = ["//tests:__subpackages__"],
    )
    cc_library(
        name = name,
        srcs = srcs,
        # Later chapters reach it through :foundation only.
        visibility = [
            "//chapters:__subpackages__",
            "//tests:__subpackages__",
        ],
        deps = ["//chapters/{}:header".format(name)],
    )
    _implementation("test", ":" + name, "reference")
    _programs(programs + ([program] if program else []), program_deps, manual = False)

def submission(name, student, chapter, srcs, deps = [], seed = "1", hidden_seed = "", tags = [], expect = "pass"):
    """What a student handed in for a chapter: code that is not believed.

    Args:
      name: of its test
      student: whose it is
      chapter: "07_event_loop"
      srcs: the chapter's sources, as in exercise()
      deps: a library that comes along, in tests/cheats
      seed: of the random data of the tests
      hidden_seed: of a second run of what passes
      tags: of the test
      expect: as in graded_test()
    """
    code = name + "_code"

    # As in the chapter's folder: #include "event_loop.h" finds the header.
    copts = ["-iquotechapters/" + chapter] + MODEST
    cc_library(
        name = code,
        srcs = srcs,
        copts = copts,
        deps = deps + ["//chapters/{}:header".format(chapter)],
        # All of it, whether a test asks for it or not.
        alwayslink = True,
    )

    # A verdict is this machine's own: others may write to a shared cache, too.
    tags = tags + ["no-remote-cache"]
    _distrusted(name, code, student, chapter, srcs, copts, seed = seed, hidden_seed = hidden_seed, tags = tags, expect = expect)

def _distrusted(name, code, kind, chapter, srcs, copts, **kwargs):
    """The run of code that is not believed: see distrust.h."""
    vetted(
        name = name + "_vetting",
        chapter = chapter,
        code = code,
        copts = copts,
        srcs = srcs,
        testonly = True,
    )
    outside = {}
    if chapter in CONFIRMED:
        tests = "//tests/" + chapter
        cc_binary(
            name = name + "_subject",
            testonly = True,
            linkopts = MODEST,
            linkstatic = True,
            deps = [
                tests + ":subject",
                code,
            ],
        )
        outside = {
            "driver": tests + ":driver",
            "subject": name + "_subject",
        }
    _implementation(
        name,
        code,
        kind,
        chapter = chapter,
        linkopts = MODEST,
        size = "medium",
        vetting = name + "_vetting",
        **dict(kwargs, **outside)
    )

def graded_tests(name, srcs, sources, mutants = [], alternative = [], deps = [], outside = [], silent_steps = []):
    """The graded tests of a chapter, and what proves them.

    Args:
      name: of the chapter's folder
      srcs: *_test.cc, and headers of their own
      sources: what the learner writes, as in exercise()
      mutants: glob(["mutants/**/*.patch"]); each a patch on the reference.
        //tests:mutants runs them, and //tests:more_mutants those below
        mutants/more/: without them each rule is failed by a mutant already.
      alternative: another correct solution's sources
      deps: further libraries of the tests
      outside: of driver.cc and subject.cc
      silent_steps: steps whose TODO cannot throw (they are noexcept)
    """
    header = "//chapters/{}:header".format(name)
    cc_library(
        name = "tests",
        testonly = True,
        srcs = srcs,
        linkstatic = True,
        visibility = ["//visibility:public"],
        deps = deps + [
            header,
            "//common/testing",
        ],
        alwayslink = True,
    )
    if name in CONFIRMED:
        _seen_from_outside(name, deps + outside, outside)

    # What grading this chapter needs of ours, without its reference.
    built(
        name = "built",
        testonly = True,
        tags = ["manual"],
        deps = [":tests", header] + ([":subject"] if name in CONFIRMED else []),
    )
    readme = "//chapters/{}:README.md".format(name)
    tests = [src for src in srcs if src.endswith("_test.cc")]
    drivers = ["driver.cc"] if name in CONFIRMED else []
    native.genrule(
        name = "rubric",
        srcs = [readme] + tests + drivers,
        outs = ["rubric.tsv"],
        cmd = "/usr/bin/env python3 -B $(location //tools:rubric.py)" +
              " --readme $(location {}) --out $@ --tests".format(readme) +
              "".join([" $(location {})".format(test) for test in tests]) +
              (" --driver $(location driver.cc)" if drivers else ""),
        tools = ["//tools:rubric.py"],
        visibility = ["//visibility:public"],
    )
    if not STUDENTS:
        _implementation(
            name = "skeleton_test",
            library = "//chapters/{0}:{0}".format(name),
            kind = "skeleton",
            expect = "skeleton",
            silent_steps = silent_steps,
        )
    native.filegroup(
        name = "files",
        srcs = srcs + mutants,
        visibility = ["//tests:__subpackages__"],
    )
    if alternative:
        native.exports_files(alternative)
        cc_library(
            name = "alternative",
            srcs = alternative,
            visibility = ["//tests:__subpackages__"],
            deps = [header],
        )
        _implementation("alternative_test", ":alternative", "alternative")
    suites = {"mutants": [], "more_mutants": []}
    for patch in mutants:
        mutant = "mutant_" + patch.split("/")[-1].replace(".patch", "")
        _mutant(mutant, patch, name, sources)
        suite = "more_mutants" if patch.startswith("mutants/more/") else "mutants"
        suites[suite].append(mutant + "_test")
    for suite, mutant_tests in suites.items():
        native.test_suite(
            name = suite,
            tests = mutant_tests,
            # An empty suite would be all tests of the package.
            tags = ["manual"] + ([] if mutant_tests else ["none"]),
            visibility = ["//tests:__pkg__"],
        )

def _seen_from_outside(name, deps, subject_deps):
    """`driver`: tests without anybody's code; `subject`: a program's main()."""
    cc_binary(
        name = "driver",
        testonly = True,
        srcs = ["driver.cc"],
        linkstatic = True,
        visibility = ["//visibility:public"],
        deps = deps + ["//common/testing:subject"],
    )
    cc_library(
        name = "subject",
        testonly = True,
        srcs = ["subject.cc"],
        linkstatic = True,
        visibility = ["//visibility:public"],
        deps = subject_deps + [
            "//chapters/{}:header".format(name),
            "//common/testing:commands",
        ],
        alwayslink = True,
    )

def mutated(name, patch, chapter, sources):
    """What a patch changes of the reference's sources."""
    references = ["//solutions/{}:{}".format(chapter, source) for source in sources]
    native.genrule(
        name = name,
        srcs = [patch] + references,
        outs = [name + ".cc"],
        cmd = "/usr/bin/env python3 -B $(location //tools:mutate.py) $(location {}) $@".format(patch) +
              "".join([" $(location {})".format(reference) for reference in references]),
        tags = ["manual"],
        tools = ["//tools:mutate.py"],
    )

def _mutant(name, patch, chapter, sources):
    mutated(name + "_source", patch, chapter, sources)
    cc_library(
        name = name,
        srcs = [":" + name + "_source"],
        tags = ["manual"],
        # What the patch leaves alone is the reference's, and compiled already.
        deps = [
            "//chapters/{}:header".format(chapter),
            "//solutions/{0}:{0}".format(chapter),
        ],
        # Also what only the reference's objects ask for: they would take it
        # from their own library.
        alwayslink = True,
    )
    _implementation(name + "_test", ":" + name, "mutant", manual = True, mutant = patch)
