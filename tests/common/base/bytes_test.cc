#include "common/base/bytes.h"

namespace hanse {
namespace {

TEST(Bytes, ReadsBackWhatWasWritten) {
  const Bytes bytes = ByteWriter().put(std::uint16_t{0x1234}).put(2.5).put_bytes(bytes_of("ab")).take();

  ByteReader reader(bytes);

  EXPECT_EQ(bytes[0], std::byte{0x34});
  EXPECT_EQ(reader.get<std::uint16_t>(), 0x1234);
  EXPECT_EQ(reader.get<double>(), 2.5);
  EXPECT_EQ(text_of(reader.get_bytes(2)), "ab");
  EXPECT_TRUE(reader.finished());
}

TEST(Bytes, FailsForGoodWhenAFieldIsCutShort) {
  const Bytes bytes = ByteWriter().put(std::uint32_t{7}).take();

  ByteReader reader(bytes);

  EXPECT_EQ(reader.get<std::uint64_t>(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.get<std::uint8_t>(), 0u);
  EXPECT_FALSE(reader.finished());
}

TEST(Bytes, RefusesAClaimedLengthBeyondTheMessage) {
  const Bytes bytes = ByteWriter().put(std::uint32_t{7}).take();

  ByteReader reader(bytes);

  EXPECT_TRUE(reader.get_bytes(std::size_t{1} << 62).empty());
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace hanse
