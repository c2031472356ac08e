"""vetted: the object check of a student's code, as a build action."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _objects(library):
    if library.pic_objects:
        return library.pic_objects
    if library.objects:
        return library.objects
    archive = library.pic_static_library or library.static_library
    return [archive] if archive else []

def _command(ctx, toolchain, context):
    """The compiler's command as for the objects: the same macros are defined."""
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    return [toolchain.compiler_executable] + cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
        variables = cc_common.create_compile_variables(
            feature_configuration = features,
            cc_toolchain = toolchain,
            use_pic = toolchain.needs_pic_for_dynamic_libraries(feature_configuration = features),
            user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts,
            preprocessor_defines = context.defines,
            include_directories = context.includes,
            quote_include_directories = context.quote_includes,
            system_include_directories = context.system_includes,
        ),
    )

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
    compile = _command(ctx, toolchain, code.compilation_context)
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
        "copts": attr.string_list(doc = "Those of the code."),
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
