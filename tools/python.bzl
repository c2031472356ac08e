"""Tests and programs, run by the system's Python with nothing but its library."""

def _python_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        script,
        "#!/bin/sh\nexec /usr/bin/python3 -I -B {} \"$@\"\n".format(ctx.file.src.short_path),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [ctx.file.src] + ctx.files.data)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

_ATTRIBUTES = {
    "src": attr.label(allow_single_file = [".py"], mandatory = True),
    "data": attr.label_list(allow_files = True),
}

python_test = rule(
    implementation = _python_impl,
    doc = "Runs `src`, a unittest file, from the root of the checkout's copy.",
    attrs = _ATTRIBUTES,
    test = True,
)

python_program = rule(
    implementation = _python_impl,
    doc = "`bazel run` starts `src` in the root of the checkout's copy.",
    attrs = _ATTRIBUTES,
    executable = True,
)
