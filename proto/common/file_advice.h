// What to do about a file that cannot be opened or made.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

namespace sasld {

// For errno after open(2) of `path` for writing: "; make the folder /var/lib/sasld first". Empty
// where the error says enough by itself.
inline std::string FileAdvice(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return "; make the folder " + std::filesystem::path(path).parent_path().string() + " first";
  }
  if (error == EACCES || error == EPERM) {
    return "; file and folder must be writable for the user sasld runs as (uid " +
           std::to_string(geteuid()) + ")";
  }
  return "";
}

}  // namespace sasld
