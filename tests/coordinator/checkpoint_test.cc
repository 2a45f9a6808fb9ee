// Checkpoints: whole or not at all, of this run or passed over.

#include "coordinator/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "common/base/bytes.h"
#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/seeded_generator.h"
#include "privacy/protocol/round_payload.h"
#include "tests/support/ledger_fixture.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeader = 8 + 4 + 8 + 32;

Checkpoint sample(std::uint64_t seed = 1) {
  SeededGenerator random({seed});
  const auto some = [&](std::size_t count) {
    std::vector<double> values(count);
    for (double& value : values) {
      value = std::ldexp(static_cast<double>(random()), -40) - 1e6;
    }
    return values;
  };
  return {.configuration = sha256(bytes_of("configuration")),
          .ledger_lines = 7,
          .ledger_tip = sha256(bytes_of("line 7")),
          .preparation = {2, some(5), {}},
          .model = {4, some(random.below(20)), some(random.below(9))},
          .sums = 6,
          .training_rounds = 4,
          .round_open = random.below(2) == 0,
          .figures = {{"test_auc", 0.5}, {"train_loss", std::numeric_limits<double>::infinity()}},
          .evaluation = some(random.below(5)),
          .included = 12,
          .seconds = 1.25};
}

void expect_same(const Model& a, const Model& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.server_state, b.server_state);
}

std::string refusal_of(std::string_view bytes) {
  try {
    (void)decode_checkpoint(bytes, "it");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

std::string with_digest(const std::string& payload) {
  ByteWriter header;
  header.put_bytes(bytes_of("HANSECPT")).put(kCheckpointVersion).put(std::uint64_t{payload.size()});
  header.put_bytes(sha256(bytes_of(payload)));
  return text_of(header.bytes()) + payload;
}

TEST(Checkpoints, AreReadBackToTheLastBit) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Checkpoint before = sample(seed);

    const Checkpoint after = decode_checkpoint(encode_checkpoint(before), "it");

    EXPECT_EQ(after.configuration, before.configuration);
    EXPECT_EQ(after.ledger_lines, before.ledger_lines);
    EXPECT_EQ(after.ledger_tip, before.ledger_tip);
    expect_same(after.preparation, before.preparation);
    expect_same(after.model, before.model);
    EXPECT_EQ(after.sums, before.sums);
    EXPECT_EQ(after.training_rounds, before.training_rounds);
    EXPECT_EQ(after.round_open, before.round_open);
    EXPECT_EQ(after.figures, before.figures);
    EXPECT_EQ(after.evaluation, before.evaluation);
    EXPECT_EQ(after.included, before.included);
    EXPECT_EQ(after.seconds, before.seconds);
  }
}

TEST(Checkpoints, AreRefusedWhereverTheyEndTooEarlyOrAByteIsAnother) {
  const std::string whole = encode_checkpoint(sample());

  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal_of(std::string_view(whole).substr(0, size)), "") << size;
    std::string altered = whole;
    altered[size] = static_cast<char>(altered[size] ^ 0x10);
    EXPECT_NE(refusal_of(altered), "") << size;
  }
  EXPECT_NE(refusal_of(whole + "x"), "");
}

TEST(Checkpoints, OfAnotherFormatNameTheOneThatIsRead) {
  std::string other = encode_checkpoint(sample());
  other[8] = 1;

  EXPECT_NE(refusal_of(other).find("has checkpoint format 1, and this program reads format 2"),
            std::string::npos);
}

TEST(Checkpoints, WithAGoodDigestOverWildLengthsAreRefusedWithoutBelievingThem) {
  const std::string whole = encode_checkpoint(sample());
  const std::string payload = whole.substr(kHeader);
  std::size_t refused = 0;

  for (std::size_t at = 0; at + 8 <= payload.size(); ++at) {
    std::string wild = payload;
    for (std::size_t i = 0; i < 7; ++i) {
      wild[at + i] = static_cast<char>(0xFF);  // Some of these eight bytes are lengths.
    }
    refused += refusal_of(with_digest(wild)).empty() ? 0u : 1u;
  }

  EXPECT_GE(refused, 8u) << "at least at each length";
}

/// A folder of checkpoints beside a ledger of some rounds.
class CheckpointFolder : public testing::Test {
 protected:
  CheckpointFolder() : folder_(test_folder() / "hanse_checkpoints") {
    fs::remove_all(folder_);
    ledger_.add(ledger_.plan);
    for (std::uint64_t round = 1; round <= 4; ++round) {
      models_.push_back(sample(round));
      ledger_.add(ledger_.intent(round));
      Release release = ledger_.release();
      release.model = digest_of(models_.back().preparation, models_.back().model);
      ledger_.add(release);
      lines_.push_back(state().next_seq());
    }
  }
  ~CheckpointFolder() override { fs::remove_all(folder_); }

  const LedgerState& state() const { return ledger_.state; }
  /// What would be saved after that round.
  Checkpoint after(std::size_t round) const {
    Checkpoint checkpoint = models_[round];
    checkpoint.ledger_lines = lines_[round];
    checkpoint.ledger_tip = state().line_hash(lines_[round] - 1);
    return checkpoint;
  }
  std::optional<Checkpoint> newest() {
    passed_over_.clear();
    return newest_checkpoint(folder_, state(), sha256(bytes_of("configuration")), passed_over_);
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  fs::path folder_;
  LedgerFixture ledger_;
  std::vector<Checkpoint> models_;
  std::vector<std::uint64_t> lines_;  ///< Of the ledger after each round.
  std::vector<std::string> passed_over_;
};

TEST_F(CheckpointFolder, WithoutAnyGivesNone) {
  EXPECT_FALSE(newest().has_value());
  EXPECT_TRUE(passed_over_.empty());
}

TEST_F(CheckpointFolder, KeepsTheLastThreeAndGivesTheNewest) {
  for (std::size_t round = 0; round < 4; ++round) {
    write_checkpoint(folder_, after(round));
  }

  EXPECT_EQ(files().size(), kCheckpointsKept);
  const auto found = newest();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->ledger_lines, lines_[3]);
  EXPECT_TRUE(passed_over_.empty());
}

TEST_F(CheckpointFolder, FallsBackToTheOneBeforeATornOne) {
  write_checkpoint(folder_, after(1));
  write_checkpoint(folder_, after(2));
  fs::resize_file(files().back(), fs::file_size(files().back()) / 2);

  const auto found = newest();

  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->ledger_lines, lines_[1]);
  ASSERT_EQ(passed_over_.size(), 1u);
  EXPECT_NE(passed_over_[0].find("is torn, and the one before it is tried"), std::string::npos)
      << passed_over_[0];
}

TEST_F(CheckpointFolder, PassesOverThoseThatDoNotFollowFromTheLedger) {
  write_checkpoint(folder_, after(0));
  Checkpoint foreign = after(1);
  foreign.ledger_tip = sha256(bytes_of("another line"));
  write_checkpoint(folder_, foreign);
  Checkpoint ahead = after(2);
  ahead.ledger_lines = state().next_seq() + 1;
  write_checkpoint(folder_, ahead);

  const auto found = newest();

  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->ledger_lines, lines_[0]);
  EXPECT_EQ(passed_over_.size(), 2u);
}

TEST_F(CheckpointFolder, PassesOverAModelThatNoReleaseMadeAndAnotherConfiguration) {
  Checkpoint swapped = after(1);
  swapped.model.parameters = {1, 2, 3};
  write_checkpoint(folder_, swapped);
  Checkpoint other = after(2);
  other.configuration = sha256(bytes_of("another"));
  write_checkpoint(folder_, other);

  EXPECT_FALSE(newest().has_value());

  ASSERT_EQ(passed_over_.size(), 2u);
  EXPECT_NE(passed_over_[0].find("of another configuration"), std::string::npos);
  EXPECT_NE(passed_over_[1].find("a model that no release of this run's ledger made"), std::string::npos);
}

TEST_F(CheckpointFolder, RemovesLaterOnesThatWerePassedOver) {
  Checkpoint ahead = after(3);
  for (std::uint64_t lines : {90u, 91u, 92u}) {
    ahead.ledger_lines = lines;
    write_checkpoint(folder_, ahead);
  }

  write_checkpoint(folder_, after(3));

  ASSERT_EQ(files().size(), 1u);
  EXPECT_TRUE(newest().has_value());
}

TEST_F(CheckpointFolder, ThatTakesNoFileIsAFailureWithItsName) {
  std::ofstream(folder_) << "a file where the folder should be";

  try {
    write_checkpoint(folder_, after(0));
    FAIL() << "written";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::could_not_finish);
    EXPECT_NE(std::string(failure.what()).find("hanse_checkpoints"), std::string::npos);
  }
}

}  // namespace
}  // namespace hanse
