#include "base/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace ferrite {
namespace {

Descriptor Open() { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }
bool IsOpen(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

TEST(Descriptor, IsClosedByItsLastOwner) {
  int number;
  {
    Descriptor first = Open();
    number = first.get();
    Descriptor second = std::move(first);
    EXPECT_FALSE(first.valid());
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(Descriptor, ANewOneTakesThePlaceOfTheOld) {
  Descriptor one = Open();
  const int number = one.get();
  Descriptor other = Open();
  one = std::move(other);
  EXPECT_FALSE(IsOpen(number));
  EXPECT_TRUE(IsOpen(one.get()));
}

TEST(Descriptor, WhoTakesItCloses) {
  int number;
  {
    Descriptor descriptor = Open();
    number = descriptor.Take();
  }
  EXPECT_TRUE(IsOpen(number));
  close(number);
}

TEST(Descriptor, ClosingLeavesErrnoAlone) {
  Descriptor descriptor = Open();
  errno = EADDRINUSE;
  descriptor.Close();
  EXPECT_EQ(errno, EADDRINUSE);
  EXPECT_FALSE(descriptor.valid());
}

}  // namespace
}  // namespace ferrite
