// What programs make of their words.
#pragma once

#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

// -1 unless all of `text` is a number.
inline int number_in(std::string_view text) {
  int number = -1;
  const char* end = text.data() + text.size();
  auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end ? number : -1;
}

// std::runtime_error if it cannot be read.
inline std::string contents_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string contents(std::istreambuf_iterator<char>(in), {});
  if (!in) throw std::runtime_error("cannot read " + file);
  return contents;
}
