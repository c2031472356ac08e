"""Where the libraries come from: the distribution's copy, or a pinned archive."""

def _system_copy(ctx, root):
    """Links what is in `root`, but copies the folders that `edits` changes."""
    copied = [path.split("/")[0] for path in ctx.attr.edits]
    own = ["WORKSPACE", "WORKSPACE.bazel", "WORKSPACE.bzlmod", "MODULE.bazel"]
    if ctx.attr.build_file:
        own = own + ["BUILD", "BUILD.bazel"]
    for entry in root.readdir():
        if entry.basename in own:
            continue
        if entry.basename not in copied:
            ctx.symlink(entry, entry.basename)
            continue
        result = ctx.execute(["cp", "-rL", str(entry), entry.basename])
        if result.return_code:
            fail("{}: cp {}: {}".format(ctx.name, entry, result.stderr))
    for path, pairs in ctx.attr.edits.items():
        if ctx.path(path).exists:
            text = ctx.read(path)
            for i in range(0, len(pairs), 2):
                text = text.replace(pairs[i], pairs[i + 1])
            ctx.file(path, text, executable = False)

def _system_or_archive_impl(ctx):
    found = None
    for path in ctx.attr.system_paths:
        if ctx.path(path + "/" + ctx.attr.marker).exists:
            found = ctx.path(path)
            break
    if found == None and not ctx.attr.urls:
        fail("{} is not on this machine. {}".format(ctx.name, ctx.attr.hint))
    if found == None:
        ctx.download_and_extract(
            url = ctx.attr.urls,
            sha256 = ctx.attr.sha256,
            stripPrefix = ctx.attr.strip_prefix,
        )
        if ctx.attr.build_file:
            ctx.delete("BUILD")
            ctx.delete("BUILD.bazel")
    elif ctx.attr.link_files:
        _system_copy(ctx, found)
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name), executable = False)
    if ctx.attr.build_file:
        ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

system_or_archive = repository_rule(
    implementation = _system_or_archive_impl,
    doc = "The first of system_paths that holds the marker; else the archive.",
    attrs = {
        "system_paths": attr.string_list(),
        "marker": attr.string(default = "."),
        "link_files": attr.bool(
            default = True,
            doc = "False: the build file names no file of the system's copy.",
        ),
        "build_file": attr.label(allow_single_file = True),
        "edits": attr.string_list_dict(
            doc = "path -> [old, new, ...], replaced in the system's copy",
        ),
        "urls": attr.string_list(),
        "sha256": attr.string(),
        "strip_prefix": attr.string(),
        "hint": attr.string(doc = "What to do when there is neither."),
    },
    # Looked at again at each start of Bazel, so that an upgrade is noticed.
    local = True,
)

def cpp_libraries():
    """GoogleTest and OpenSSL."""
    system_or_archive(
        name = "com_google_googletest",
        system_paths = ["/usr/src/googletest"],
        build_file = "//third_party:googletest.BUILD",
        urls = ["https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz"],
        sha256 = "8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7",
        strip_prefix = "googletest-1.14.0",
    )
    system_or_archive(
        name = "openssl",
        system_paths = ["/usr", "/usr/local"],
        marker = "include/openssl/ssl.h",
        link_files = False,
        build_file = "//third_party:openssl.BUILD",
        hint = "Install its headers; on Debian and Ubuntu: apt-get install libssl-dev",
    )

# Debian's rules_cc 0.0.4 loads use_cpp_toolchain(), which Bazel 4.2.3 lacks.
_OLD_TOOLCHAIN = [
    ", \"use_cpp_toolchain\"",
    "",
    "use_cpp_toolchain()",
    "[\"@bazel_tools//tools/cpp:toolchain_type\"]",
]

def workspace_repositories():
    """Everything that a build through WORKSPACE needs."""
    cpp_libraries()
    system_or_archive(
        name = "rules_cc",
        system_paths = ["/usr/share/bazel/rules/cc"],
        edits = {
            "cc/private/rules_impl/cc_flags_supplier.bzl": _OLD_TOOLCHAIN,
            "cc/private/rules_impl/compiler_flag.bzl": _OLD_TOOLCHAIN,
        },
        urls = ["https://github.com/bazelbuild/rules_cc/releases/download/0.0.2/rules_cc-0.0.2.tar.gz"],
        sha256 = "58bff40957ace85c2de21ebfc72e53ed3a0d33af8cc20abd0ceec55c63be7de2",
        strip_prefix = "rules_cc-0.0.2",
    )

    # Loaded by the toolchains that are built into Bazel 4; its own pin.
    system_or_archive(
        name = "rules_java",
        system_paths = ["/usr/share/bazel/rules/java"],
        urls = ["https://github.com/bazelbuild/rules_java/archive/7cf3cefd652008d0a64a419c34c13bdca6c8f178.zip"],
        sha256 = "bc81f1ba47ef5cc68ad32225c3d0e70b8c6f6077663835438da8d5733f917598",
        strip_prefix = "rules_java-7cf3cefd652008d0a64a419c34c13bdca6c8f178",
    )

    # Every test depends on this label; only `bazel coverage` runs it.
    native.new_local_repository(
        name = "remote_coverage_tools",
        path = "third_party/no_coverage",
        build_file = "//third_party:no_coverage.BUILD",
    )
