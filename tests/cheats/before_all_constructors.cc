// Runs before every constructor there is.
namespace {

void early() {}

__attribute__((section(".preinit_array"), used)) void (*entry)() = early;

}  // namespace
