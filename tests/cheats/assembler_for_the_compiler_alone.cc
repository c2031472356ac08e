// The same, for the compiler alone: what only preprocesses has other options.
#ifndef __PIE__
asm("nop");
#endif
