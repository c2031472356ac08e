// A file that includes itself twice, to a depth of 26.
// clang-format off
#if __INCLUDE_LEVEL__ < 26
#include "includes.cc"
#include "includes.cc"
#endif
