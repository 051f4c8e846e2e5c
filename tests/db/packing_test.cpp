#include "db/packing.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace remitod::db {
namespace {

RC_GTEST_PROP(Packing, AnyBytesComeBack, (const std::string& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
  RC_ASSERT(unpack(pack(bytes), bytes.size() + 1) == bytes);
}

RC_GTEST_PROP(Packing, GarbageIsRefusedWithoutHarm, (const std::string& text)) {
  const std::optional<std::string> bytes = unpack(text, 1000);
  RC_ASSERT(!bytes || bytes->size() <= 1000u);
}

TEST(Packing, Base64IsTheUsualOne) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("a"), "YQ==");
  EXPECT_EQ(to_base64("ab"), "YWI=");
  EXPECT_EQ(to_base64("abc"), "YWJj");
  EXPECT_FALSE(from_base64("YQ="));
  EXPECT_FALSE(from_base64("Y\xff=="));
}

TEST(Packing, BombIsCutShort) {
  const std::string packed = pack(std::string(1 << 20, '\0'));
  EXPECT_LT(packed.size(), 4096u);
  EXPECT_FALSE(unpack(packed, 1000));
}

TEST(Packing, DamageIsNoticed) {
  std::string packed = pack("an answer of a carrier, an answer of a carrier");
  packed[packed.size() / 2] = packed[packed.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(unpack(packed, 1000));
}

}  // namespace
}  // namespace remitod::db
