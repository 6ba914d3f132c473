// Why a file cannot be made, read or written, and the command that mends it: whose the file or
// folder is that is in the way, and who this process is.
#pragma once

#include <string>

namespace sasld {

// To follow "cannot make PATH: ", for errno of making or replacing the file:
//
//   /var/lib/sasld belongs to root (0) with mode 0755, sasld runs as uid 10001: chown 10001:10001
//   /var/lib/sasld
//
// in one line. Not for a file that is there and may not be written: that is WhyNotOpened.
std::string WhyNotMade(const std::string& path, int error);

// To follow "cannot be opened: ", for errno of open(2) of a file that is to be read and written.
std::string WhyNotOpened(const std::string& path, int error);

// To follow "cannot be read: ", for errno of open(2) of a file that is only read.
std::string WhyNotRead(const std::string& path, int error);

}  // namespace sasld
