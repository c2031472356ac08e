"""Programs of the repository, run by the system's Python and nothing but it."""

def _python_program_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        script,
        "#!/bin/sh\nexec /usr/bin/python3 -I -B {} \"$@\"\n".format(ctx.file.src.short_path),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [ctx.file.src] + ctx.files.data)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

python_program = rule(
    implementation = _python_program_impl,
    doc = "`bazel run` starts `src` in the root of the checkout's copy.",
    attrs = {
        "src": attr.label(allow_single_file = [".py"], mandatory = True),
        "data": attr.label_list(allow_files = True),
    },
    executable = True,
)
