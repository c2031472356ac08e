"""Settings of the course on Bazel's command line."""

ChoiceInfo = provider(fields = ["value"])

def _choice_impl(ctx):
    value = ctx.build_setting_value
    if value not in ctx.attr.values:
        fail("{} must be one of {}, not {}".format(ctx.label, ctx.attr.values, value))
    return [ChoiceInfo(value = value)]

choice = rule(
    implementation = _choice_impl,
    build_setting = config.string(flag = True),
    attrs = {"values": attr.string_list(mandatory = True)},
)
