// An object of 40 MiB: two of them are too much for one program.
#ifndef NAME
#define NAME numbers
#endif
extern const int NAME[10 << 20] = {1};
