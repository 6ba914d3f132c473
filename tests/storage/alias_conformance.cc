// What every store must do with aliases.
#include "tests/storage/accounts.h"
#include "tests/storage/store_conformance.h"

namespace sasld {
namespace {

TEST_P(StoreConformance, FindsByAlias) {
  Account ann = MakeAccount("ann");
  ann.epoch = store().Create(ann).value();
  for (const Username& alias : ann.aliases) {
    ExpectAccount(store().Find(alias).value(), ann, ann.epoch);
  }
  // An alias that is taken away is free again, and one that is given works.
  const Username gone = ann.aliases[0];
  ann.aliases[0] = Name("anna");
  ann.epoch = store().Update(ann).value();
  EXPECT_TRUE(absl::IsNotFound(store().Find(gone).status()));
  ExpectAccount(store().Find(Name("anna")).value(), ann, ann.epoch);
  EXPECT_TRUE(store().Create(MakeBareAccount(gone.str())).ok());
  ASSERT_TRUE(store().Remove(ann.name).ok());
  EXPECT_TRUE(absl::IsNotFound(store().Find(Name("anna")).status()));
  EXPECT_TRUE(store().Create(MakeBareAccount("anna")).ok());
}

TEST_P(StoreConformance, AnAliasIsNoNameToChangeOrRemoveBy) {
  Account ann = MakeBareAccount("ann");
  ann.aliases = {Name("anna")};
  const Epoch epoch = store().Create(ann).value();
  EXPECT_TRUE(absl::IsNotFound(store().Remove(Name("anna"))));
  Account by_alias = MakeBareAccount("anna");
  by_alias.epoch = epoch;
  EXPECT_TRUE(absl::IsNotFound(store().Update(by_alias).status()));
  ExpectAccount(store().Find(ann.name).value(), ann, epoch);
}

TEST_P(StoreConformance, WhateverOneLogsInByMeansOneAccount) {
  Account ann = MakeBareAccount("ann");
  ann.aliases = {Name("anna")};
  ann.epoch = store().Create(ann).value();
  EXPECT_TRUE(absl::IsAlreadyExists(store().Create(MakeBareAccount("anna")).status()));
  Account ben = MakeBareAccount("ben");
  for (const char* taken : {"ann", "anna", "ben"}) {
    ben.aliases = {Name("benny"), Name(taken)};
    EXPECT_TRUE(absl::IsAlreadyExists(store().Create(ben).status())) << taken;
    EXPECT_TRUE(absl::IsNotFound(store().Find(ben.name).status())) << "half a write";
    EXPECT_TRUE(absl::IsNotFound(store().Find(Name("benny")).status())) << "half a write";
  }
  ben.aliases.clear();
  ben.epoch = store().Create(ben).value();
  ben.aliases = {Name("benny"), Name("anna")};
  EXPECT_TRUE(absl::IsAlreadyExists(store().Update(ben).status()));
  EXPECT_TRUE(absl::IsNotFound(store().Find(Name("benny")).status())) << "half a write";
  EXPECT_EQ(store().Find(ben.name)->epoch, ben.epoch);
  ben.aliases = {Name("benny"), Name("benny")};
  EXPECT_TRUE(absl::IsAlreadyExists(store().Update(ben).status()));
  // One's own aliases are not in one's way.
  ann.aliases.push_back(Name("annie"));
  EXPECT_TRUE(store().Update(ann).ok());
}

}  // namespace
}  // namespace sasld
