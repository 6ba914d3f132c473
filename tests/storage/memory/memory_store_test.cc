#include "storage/memory/memory_store.h"

#include "tests/storage/store_conformance.h"

namespace sasld {
namespace {

class FreshMemory final : public FreshStore {
 public:
  Store& store() override { return *store_; }

 private:
  const std::unique_ptr<Store> store_ = MakeMemoryStore();
};

std::unique_ptr<FreshStore> MakeFreshMemory() { return std::make_unique<FreshMemory>(); }

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(BackEnd{"memory", &MakeFreshMemory}));

}  // namespace
}  // namespace sasld
