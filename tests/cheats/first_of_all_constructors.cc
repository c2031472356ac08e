// Runs before the constructors of the tests.
namespace {

struct Early {
  Early() {}
} early __attribute__((init_priority(101)));

}  // namespace
