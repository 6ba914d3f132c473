// A store that keeps nothing beyond its process: for trials and tests, and the plainest statement
// of the contract.
#pragma once

#include <memory>

#include "storage/store.h"

namespace sasld {

std::unique_ptr<Store> MakeMemoryStore();

}  // namespace sasld
