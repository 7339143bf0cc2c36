#include "server/cluster/core/txn.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/simulation/sim_etcd.h"

namespace ferrite::cluster {
namespace {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

class TxnTest : public ::testing::Test {
 protected:
  TxnResponse Do(const TxnRequest& request) {
    TxnResponse response;
    EXPECT_TRUE(etcd_.Txn(request, &response));
    return response;
  }
  bool Holds(const etcdserverpb::Compare& compare) {
    TxnRequest request;
    *request.add_compare() = compare;
    return Do(request).succeeded();
  }
  simulation::SimEtcd etcd_;
};

TEST_F(TxnTest, ComparesRevisions) {
  EXPECT_TRUE(Holds(CreatedAt("/n/a", 0)));
  EXPECT_TRUE(Holds(ModifiedAt("/n/a", 0)));
  etcd_.Put("/n/a", "1");
  etcd_.Put("/n/a", "2");
  EXPECT_TRUE(Holds(CreatedAt("/n/a", 2)));
  EXPECT_FALSE(Holds(CreatedAt("/n/a", 0)));
  EXPECT_TRUE(Holds(ModifiedAt("/n/a", 3)));
  EXPECT_TRUE(Holds(NoneModifiedAfter("/n/", 3)));
  etcd_.Put("/n/b", "1");
  EXPECT_FALSE(Holds(NoneModifiedAfter("/n/", 3)));
  EXPECT_TRUE(Holds(NoneModifiedAfter("/m/", 0)));
}

TEST_F(TxnTest, ReadsKeysAndLists) {
  etcd_.Put("/n/a", "1");
  etcd_.Put("/n/b", "2");
  TxnRequest request;
  *request.add_success() = Get("/n/a");
  *request.add_success() = Get("/n/c");
  *request.add_success() = List("/n/", 3);
  const TxnResponse response = Do(request);
  ASSERT_TRUE(GetAt(response, 0, "/n/a").valid);
  EXPECT_EQ(GetAt(response, 0, "/n/a").kv->value(), "1");
  EXPECT_TRUE(GetAt(response, 1, "/n/c").valid);
  EXPECT_EQ(GetAt(response, 1, "/n/c").kv, nullptr);
  const auto* list = ListAt(response, 2, "/n/");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->kvs_size(), 1);
  EXPECT_EQ(list->count(), 2);
}

TEST_F(TxnTest, TakesNoAnswerToSomethingElse) {
  etcd_.Put("/n/a", "1");
  TxnRequest request;
  *request.add_success() = Get("/n/a");
  *request.add_success() = Put("/n/b", "2");
  *request.add_success() = List("/n/");
  TxnResponse response = Do(request);
  EXPECT_FALSE(GetAt(response, 0, "/n/b").valid);  // of another key
  EXPECT_FALSE(GetAt(response, 1, "/n/b").valid);  // of a write
  EXPECT_FALSE(GetAt(response, 2, "/n/a").valid);  // of a list
  EXPECT_FALSE(GetAt(response, 3, "/n/a").valid);  // there is none
  EXPECT_EQ(ListAt(response, 2, "/m/"), nullptr);
  response.mutable_responses(0)->mutable_response_range()->clear_kvs();
  EXPECT_FALSE(GetAt(response, 0, "/n/a").valid);  // counted, but not there
  response.mutable_responses(2)->mutable_response_range()->mutable_kvs(0)->clear_mod_revision();
  EXPECT_EQ(ListAt(response, 2, "/n/"), nullptr);
}

TEST_F(TxnTest, ReadsTheMapIfItIsNewer) {
  const auto read = [this](int64_t known_epoch) {
    TxnRequest request;
    AddMapReading("/map", known_epoch, &request, /*success=*/true);
    return MapReadingAt(Do(request), 0, "/map");
  };
  ASSERT_TRUE(read(0));
  EXPECT_EQ(read(0)->epoch, 0);
  etcd_.Put("/map", "m");
  ASSERT_TRUE(read(1));
  EXPECT_EQ(read(1)->epoch, 2);
  TxnRequest request;
  AddMapReading("/map", 0, &request, /*success=*/true);
  TxnResponse response = Do(request);
  EXPECT_EQ(*MapReadingAt(response, 0, "/map")->value, "m");
  EXPECT_EQ(read(2)->value, nullptr);
  // Two revisions of one key in one answer.
  response.mutable_responses(1)->mutable_response_range()->mutable_kvs(0)->set_mod_revision(3);
  EXPECT_FALSE(MapReadingAt(response, 0, "/map"));
  EXPECT_FALSE(MapReadingAt(response, 1, "/map"));
}

}  // namespace
}  // namespace ferrite::cluster
