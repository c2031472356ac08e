// A template that instantiates itself without end, as far as anybody can wait.
template <int N, int M>
struct Twice {
  static constexpr unsigned value =
      Twice<N - 1, 2 * M>::value + Twice<N - 1, 2 * M + 1>::value;
};
template <int M>
struct Twice<0, M> {
  static constexpr unsigned value = 1;
};

unsigned all = Twice<28, 1>::value;
