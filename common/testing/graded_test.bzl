"""graded_test: a chapter's tests, run one process each by the trusted runner."""

def _graded_test_impl(ctx):
    runner = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = runner,
        target_file = ctx.executable._runner,
        is_executable = True,
    )
    files = [ctx.executable.binary, ctx.file.rubric]
    environment = {
        "GRADED_BINARY": ctx.executable.binary.short_path,
        "GRADED_RUBRIC": ctx.file.rubric.short_path,
        "GRADED_IMPLEMENTATION": ctx.attr.implementation,
        "GRADED_EXPECT": ctx.attr.expect,
        "GRADED_SILENT_STEPS": ",".join(ctx.attr.silent_steps),
    }
    if ctx.attr.seed:
        environment["GRADED_SEED"] = ctx.attr.seed
    if ctx.attr.hidden_seed:
        environment["GRADED_HIDDEN_SEED"] = ctx.attr.hidden_seed
    if ctx.file.vetting:
        files.append(ctx.file.vetting)
        environment["GRADED_VETTING"] = ctx.file.vetting.short_path
    if ctx.executable.driver:
        files += [ctx.executable.driver, ctx.executable.subject]
        environment["GRADED_DRIVER"] = ctx.executable.driver.short_path
        environment["GRADED_SUBJECT"] = ctx.executable.subject.short_path
    if ctx.file.mutant:
        files.append(ctx.file.mutant)
        environment["GRADED_EXPECT"] = ctx.file.mutant.short_path
    return [
        DefaultInfo(executable = runner, runfiles = ctx.runfiles(files = files)),
        testing.TestEnvironment(environment),
    ]

graded_test = rule(
    implementation = _graded_test_impl,
    test = True,
    attrs = {
        "binary": attr.label(executable = True, cfg = "target", mandatory = True),
        "rubric": attr.label(allow_single_file = True, mandatory = True),
        "implementation": attr.string(mandatory = True),
        "expect": attr.string(default = "pass", values = ["cheat", "guess", "honest", "pass", "skeleton"]),
        "mutant": attr.label(
            allow_single_file = [".patch"],
            doc = "Expects the rules to fail that this patch names, and no others.",
        ),
        "silent_steps": attr.string_list(),
        "seed": attr.string(doc = "Of random data; without it, the environment's."),
        "hidden_seed": attr.string(doc = "Of a second run of what passes."),
        "vetting": attr.label(
            allow_single_file = True,
            doc = "What the object check found: the code is not believed.",
        ),
        "driver": attr.label(
            executable = True,
            cfg = "target",
            doc = "Sees from outside what the tests see from inside.",
        ),
        "subject": attr.label(
            executable = True,
            cfg = "target",
            doc = "The program that the driver talks to.",
        ),
        "_runner": attr.label(
            default = "//common/testing/runner",
            executable = True,
            cfg = "target",
        ),
    },
)

def _built_impl(ctx):
    files = []
    for dep in ctx.attr.deps:
        for linked in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linked.libraries:
                files += library.pic_objects or library.objects or []
                files += [archive for archive in [
                    library.pic_static_library,
                    library.static_library,
                ] if archive]
    return [DefaultInfo(files = depset(files))]

built = rule(
    implementation = _built_impl,
    doc = "All objects that a binary over `deps` is linked from.",
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)
