// A new file is as lasting as its folder's entry for it.
#pragma once

#include <string>

namespace sasld {

// Brings the entry of a file that was just made to the disk. Some file systems know no such thing
// for folders; nothing more can be done on them, so there is no error. Any thread; blocks on the
// disk.
void SyncFolderOf(const std::string& path);

}  // namespace sasld
