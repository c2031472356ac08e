"""For MODULE.bazel: the same C++ libraries that WORKSPACE uses."""

load("//third_party:repositories.bzl", "cpp_libraries")

def _system_impl(_module_ctx):
    cpp_libraries()

system = module_extension(implementation = _system_impl)
