#include "common/transport/frame.h"

#include "common/base/seeded_generator.h"

namespace hanse {
namespace {

constexpr std::uint64_t kLimit = 100'000;

FrameHeader header_of(std::uint64_t sequence, std::uint64_t length, std::uint32_t chunk) {
  FrameHeader header;
  header.sequence = sequence;
  header.message_length = length;
  header.chunk = chunk;
  return header;
}

TEST(Frame, ReadsBackItsHeader) {
  const Bytes frame = write_frame(header_of(7, 40'000, 1), Bytes(40'000 - kChunkSize));

  const auto header = read_frame(frame);

  ASSERT_TRUE(header);
  EXPECT_EQ(header->sequence, 7u);
  EXPECT_EQ(header->message_length, 40'000u);
  EXPECT_EQ(header->chunk, 1u);
  EXPECT_EQ(header->chunk_length, 40'000 - kChunkSize);
}

TEST(Frame, IsRefusedAtEveryPrefixAndWithEveryAddition) {
  Bytes frame = write_frame(header_of(0, 3, 0), bytes_of("abc"));

  for (std::size_t length = 0; length < frame.size(); ++length) {
    EXPECT_FALSE(read_frame(ByteView(frame).first(length))) << length;
  }
  frame.push_back(std::byte{0});
  EXPECT_FALSE(read_frame(frame));
}

TEST(Frame, IsRefusedOrHarmlessWhateverByteIsChanged) {
  SeededGenerator random({1});
  for (int trial = 0; trial < 20'000; ++trial) {
    Bytes frame = write_frame(header_of(0, 3, 0), bytes_of("abc"));
    frame[random.below(frame.size())] ^= static_cast<std::byte>(1 + random.below(255));
    const auto header = read_frame(frame);
    if (header) {
      Assembler assembler;
      const auto ended = assembler.add(*header, ByteView(frame).subspan(kFrameHeaderSize), kLimit);
      if (ended && *ended) {
        EXPECT_EQ(assembler.take().size(), 3u);
      }
    }
  }
}

TEST(Assembler, JoinsTheChunksOfAMessage) {
  Assembler assembler;
  const Bytes first(kChunkSize, std::byte{1});
  const Bytes second(10, std::byte{2});

  EXPECT_FALSE(*assembler.add(header_of(0, kChunkSize + 10, 0), first, kLimit));
  EXPECT_TRUE(*assembler.add(header_of(1, kChunkSize + 10, 1), second, kLimit));

  const Bytes message = assembler.take();
  EXPECT_EQ(message.size(), kChunkSize + 10);
  EXPECT_EQ(message.back(), std::byte{2});
  EXPECT_TRUE(*assembler.add(header_of(2, 0, 0), {}, kLimit));
  EXPECT_TRUE(assembler.take().empty());
}

TEST(Assembler, RefusesWhatDoesNotFollow) {
  const Bytes full(kChunkSize);
  const std::uint64_t length = 2 * kChunkSize;

  EXPECT_FALSE(Assembler().add(header_of(1, length, 0), full, kLimit));            // Sequence.
  EXPECT_FALSE(Assembler().add(header_of(0, length, 1), full, kLimit));            // Chunk.
  EXPECT_FALSE(Assembler().add(header_of(0, length, 0), bytes_of("ab"), kLimit));  // Chunk cut short.
  EXPECT_FALSE(Assembler().add(header_of(0, 1, 0), bytes_of("ab"), kLimit));       // Chunk too long.
  Assembler assembler;
  EXPECT_TRUE(assembler.add(header_of(0, length, 0), full, kLimit).ok());
  EXPECT_FALSE(assembler.add(header_of(1, length + 1, 1), full, kLimit));  // Another length half-way.
}

TEST(Assembler, RefusesAMessageAboveTheLimitAtItsFirstFrame) {
  const auto refused = Assembler().add(header_of(0, std::uint64_t{1} << 62, 0), Bytes(kChunkSize), kLimit);

  ASSERT_FALSE(refused);
  EXPECT_NE(refused.what().find("above the limit"), std::string::npos);
}

}  // namespace
}  // namespace hanse
