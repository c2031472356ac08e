// A hundred thousand errors.
#define TEN(x) x x x x x x x x x x
TEN(TEN(TEN(TEN(TEN(no_such_type name;)))))
