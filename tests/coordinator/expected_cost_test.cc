#include "coordinator/output/expected_cost.h"

namespace hanse {
namespace {

ExpectedCost sample() {
  return {.parameters = 1000,
          .entries = 1002,
          .entry_bytes = 8,
          .payload_bytes = 9000,
          .merchants = 20,
          .workers = 4,
          .neighbours = 19,
          .server_values = 2000,
          .rounds = 10,
          .sums = 20,
          .seconds_a_sum = 0.1};
}

TEST(CostExpected, IsThatOfTheVectorAndOfEachNeighbour) {
  const ExpectedCost cost = sample();

  EXPECT_EQ(cost.bytes_up(), 1002u * 8 + 19 * 208);
  EXPECT_EQ(cost.bytes_down(), 9000u + 19 * 160);
  EXPECT_EQ(cost.coordinator_bytes(), 2u * 8016 + 16 * 3000 + 5 * 9000);
  EXPECT_EQ(cost.worker_bytes(), 3u * 8016 + 8016 + 2 * 9000 + 5 * 19 * 1024);
}

TEST(CostExpected, CountsTheRowsThatEachMerchantKeepsForCorrelatedNoise) {
  ExpectedCost cost = sample();
  const std::uint64_t without = cost.worker_bytes();
  cost.past_rows = 15;

  EXPECT_EQ(cost.worker_bytes() - without, 5u * 15 * 8016) << "each of the five at a worker";
}

TEST(CostExpected, GrowsWithRoundsVectorsAndMerchants) {
  const ExpectedCost cost = sample();
  ExpectedCost more = cost;
  more.sums *= 2;
  EXPECT_DOUBLE_EQ(more.seconds(), 2 * cost.seconds());
  more = cost;
  more.entries *= 1000;
  EXPECT_GT(more.seconds(), cost.seconds());
  EXPECT_GE(cost.seconds(), 20 * 0.1) << "never below what small sums take";
}

TEST(CostExpected, IsOneLineThatNamesWhatIsAskedFor) {
  const std::string text = expected_cost_text(sample());

  for (const char* part : {"1000 parameters", "20 masks of", "40 secret shares", "up", "down",
                           "at the coordinator", "at a worker", "for 10 rounds"}) {
    std::string plain = text;
    for (std::size_t at; (at = plain.find("\xE2\x80\xAF")) != std::string::npos;) {
      plain.replace(at, 3, " ");
    }
    for (std::size_t at; (at = plain.find("\xE2\x80\x89")) != std::string::npos;) {
      plain.replace(at, 3, " ");
    }
    EXPECT_NE(plain.find(part), std::string::npos) << part << " in " << plain;
  }
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(CostExpected, SaysCiphertextsAndNoEncryptionWhereThereAreNoMasks) {
  ExpectedCost cost = sample();
  cost.neighbours = 0;
  EXPECT_NE(expected_cost_text(cost).find("no encryption"), std::string::npos);

  cost.ciphertext_bytes = 5000;
  EXPECT_NE(expected_cost_text(cost).find("of ciphertexts to encrypt"), std::string::npos);
  EXPECT_EQ(cost.bytes_up(), 5000u);
}

}  // namespace
}  // namespace hanse
