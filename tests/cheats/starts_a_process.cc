// Leaves a child behind that outlives the test.
#include <unistd.h>

namespace {

int child = ::fork() == 0 ? ::sleep(60) : 0;

}  // namespace
