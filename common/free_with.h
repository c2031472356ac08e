// FreeWith: so that a unique_ptr owns what a C library has made.
//
//   using Bio = std::unique_ptr<BIO, net::FreeWith<BIO_free_all>>;
#pragma once

namespace net {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace net
