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
        "expect": attr.string(default = "pass", values = ["pass", "skeleton"]),
        "mutant": attr.label(
            allow_single_file = [".patch"],
            doc = "Expects the rules to fail that this patch names, and no others.",
        ),
        "silent_steps": attr.string_list(),
        "_runner": attr.label(
            default = "//common/testing/runner",
            executable = True,
            cfg = "target",
        ),
    },
)
