// What every store must do with the last uses of credentials.
#include "tests/storage/accounts.h"
#include "tests/storage/store_conformance.h"

namespace sasld {
namespace {

Use UseOf(const char* name, const char* app_password, int second, const char* address = "192.0.2.7",
          const char* mechanism = "PLAIN") {
  return {Name(name), app_password, {absl::FromUnixSeconds(second), address, mechanism}};
}

Account AnnWithPhone() {
  Account ann = MakeBareAccount("ann");
  AppPassword& phone = ann.app_passwords.emplace_back();
  phone.id = "phone";
  phone.lookup = Secret(std::string(32, 'l'));
  phone.created = absl::UnixEpoch();
  return ann;
}

TEST_P(StoreConformance, KeepsTheLatestUseOfEachCredential) {
  const Epoch epoch = store().Create(AnnWithPhone()).value();
  EXPECT_TRUE(store().UsesOf(Name("ann")).value().empty());
  ASSERT_TRUE(store().NoteUses({UseOf("ann", "", 100), UseOf("ann", "phone", 50)}).ok());
  ASSERT_TRUE(store()
                  .NoteUses({UseOf("ann", "", 200, "2001:db8::1", "SCRAM-SHA-256"),
                             UseOf("ann", "phone", 40)})
                  .ok());
  const std::map<std::string, LastUse> uses = store().UsesOf(Name("ann")).value();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses.at("").time, absl::FromUnixSeconds(200));
  EXPECT_EQ(uses.at("").address, "2001:db8::1");
  EXPECT_EQ(uses.at("").mechanism, "SCRAM-SHA-256");
  EXPECT_EQ(uses.at("phone").time, absl::FromUnixSeconds(50));
  // It changed no right.
  EXPECT_EQ(store().Find(Name("ann"))->epoch, epoch);
}

TEST_P(StoreConformance, SkipsUsesOfWhatIsNotThere) {
  ASSERT_TRUE(store().Create(AnnWithPhone()).ok());
  ASSERT_TRUE(store()
                  .NoteUses({UseOf("nobody", "", 1), UseOf("nobody", "phone", 1),
                             UseOf("ann", "revoked", 1), UseOf("ann", "", 1)})
                  .ok());
  EXPECT_EQ(store().UsesOf(Name("ann"))->size(), 1u);
  EXPECT_TRUE(store().UsesOf(Name("nobody"))->empty());
  EXPECT_TRUE(store().NoteUses({}).ok());
}

TEST_P(StoreConformance, UsesGoWithTheAppPasswordAndWithTheAccount) {
  Account ann = AnnWithPhone();
  ann.epoch = store().Create(ann).value();
  ASSERT_TRUE(store().NoteUses({UseOf("ann", "", 1), UseOf("ann", "phone", 1)}).ok());
  ann.enabled = false;
  ann.epoch = store().Update(ann).value();
  EXPECT_EQ(store().UsesOf(ann.name)->size(), 2u);
  ann.app_passwords.clear();
  ASSERT_TRUE(store().Update(ann).ok());
  EXPECT_EQ(store().UsesOf(ann.name)->count("phone"), 0u);
  EXPECT_EQ(store().UsesOf(ann.name)->count(""), 1u);
  ASSERT_TRUE(store().Remove(ann.name).ok());
  EXPECT_TRUE(store().UsesOf(ann.name)->empty());
  ASSERT_TRUE(store().Create(AnnWithPhone()).ok());
  EXPECT_TRUE(store().UsesOf(ann.name)->empty());
}

}  // namespace
}  // namespace sasld
