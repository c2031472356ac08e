// The names of getaddrinfo's errors: gai_strerror() has sentences for them, but
// nothing in the C library knows that -2 is EAI_NONAME.
#pragma once

#include <netdb.h>

#include <string>

namespace net {

inline std::string eai_name(int code) {
  switch (code) {
    case EAI_AGAIN:
      return "EAI_AGAIN";
    case EAI_BADFLAGS:
      return "EAI_BADFLAGS";
    case EAI_FAIL:
      return "EAI_FAIL";
    case EAI_FAMILY:
      return "EAI_FAMILY";
    case EAI_MEMORY:
      return "EAI_MEMORY";
    case EAI_NONAME:
      return "EAI_NONAME";
    case EAI_SERVICE:
      return "EAI_SERVICE";
    case EAI_SOCKTYPE:
      return "EAI_SOCKTYPE";
    case EAI_SYSTEM:
      return "EAI_SYSTEM";
  }
  return "EAI " + std::to_string(code);
}

}  // namespace net
