// An object file of a gigabyte.
int numbers[1 << 28] = {1};
