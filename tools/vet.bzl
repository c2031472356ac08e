"""vetted: the object check of a student's code, as a build action."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _objects(library):
    if library.pic_objects:
        return library.pic_objects
    if library.objects:
        return library.objects
    archive = library.pic_static_library or library.static_library
    return [archive] if archive else []

def _vetted_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    code = ctx.attr.code[CcInfo]
    own, foundation = [], []
    for linked in code.linking_context.linker_inputs.to_list():
        for library in linked.libraries:
            objects = _objects(library)
            if linked.owner == ctx.attr.code.label:
                own.extend(objects)
            else:
                foundation.extend(objects)
    folders = [".", ctx.bin_dir.path, "chapters/" + ctx.attr.chapter]
    compile = [toolchain.compiler_executable, "-E"] + ctx.fragments.cpp.cxxopts
    for folder in folders:
        compile += ["-iquote", folder]
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    arguments = ctx.actions.args()
    arguments.add("-B")
    arguments.add(ctx.file._vet)
    arguments.add("--out", out)
    arguments.add("--chapter", ctx.attr.chapter)
    arguments.add("--nm", toolchain.nm_executable)
    arguments.add("--compile", " ".join(compile))
    arguments.add_all("--objects", own)
    arguments.add_all("--foundation", foundation)
    arguments.add_all("--sources", ctx.files.srcs)
    ctx.actions.run(
        outputs = [out],
        inputs = depset(
            ctx.files.srcs + own + foundation + [ctx.file._vet],
            transitive = [code.compilation_context.headers, toolchain.all_files],
        ),
        executable = "/usr/bin/python3",
        arguments = [arguments],
        mnemonic = "Vet",
        progress_message = "Looking at what %{label} holds".replace("%{label}", str(ctx.label)),
    )
    return [DefaultInfo(files = depset([out]))]

vetted = rule(
    implementation = _vetted_impl,
    attrs = {
        "code": attr.label(mandatory = True, providers = [CcInfo]),
        "srcs": attr.label_list(allow_files = [".cc"]),
        "chapter": attr.string(mandatory = True),
        "_vet": attr.label(
            default = "//tools:vet.py",
            allow_single_file = True,
        ),
        "_cc_toolchain": attr.label(
            default = "@bazel_tools//tools/cpp:current_cc_toolchain",
        ),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
