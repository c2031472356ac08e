// A folder of the test's own under /tmp, because a path of a socket has at most
// 107 bytes.
//
//   Folder folder;
//   net::PathServer server(folder.path("log.sock"));
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "common/testing/fault.h"

namespace graded {

// Made anew, and removed with all that is in it.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/net.XXXXXX";
    if (!::mkdtemp(name)) throw std::runtime_error("the test's own mkdtemp()");
    name_ = name;
  }
  ~Folder() {
    Unwatched ours;
    std::error_code ignored;
    std::filesystem::remove_all(name_, ignored);
  }
  Folder(const Folder&) = delete;

  std::string path(const std::string& name) const { return name_ + "/" + name; }
  // A path in here that has so many bytes.
  std::string path_of_length(std::size_t n) const {
    return path(std::string(n - name_.size() - 1, 'p'));
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(name_))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::string name_;
};

}  // namespace graded
