#include "privacy/secure_sum/roster.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "privacy/secure_sum/key_file.h"
#include "privacy/sum_parameters.h"
#include "tests/support/deterministic_random.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

class Roster : public testing::Test {
 protected:
  Roster() {
    folder_ = fs::temp_directory_path() / ("hanse_roster_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "merchants");
    for (const char* name : {"gamma", "alpha", "beta"}) {
      keys_.push_back(SigningKey::generate(random_));
      merchants_.push_back({name, keys_.back().public_key()});
    }
    file_ = folder_ / "roster.json";
  }
  ~Roster() override { fs::remove_all(folder_); }

  SignedRoster sign() const {
    return sign_roster("market", coordinator_.public_key(), merchants_, operator_);
  }
  /// Saves the roster with one piece of its text replaced.
  void save_with(const std::string& piece, const std::string& other) {
    save_roster(file_, sign());
    std::string text = read_file(file_);
    const std::size_t place = text.find(piece);
    ASSERT_NE(place, std::string::npos) << piece;
    text.replace(place, piece.size(), other);
    std::ofstream(file_) << text;
  }
  /// Expects load_roster to refuse with a sentence that holds all `pieces`.
  void expect_refused(const std::vector<std::string>& pieces) {
    try {
      (void)load_roster(file_);
      ADD_FAILURE() << "the roster was accepted";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::bad_input);
      EXPECT_NE(std::string(failure.what()).find(file_.string()), std::string::npos) << failure.what();
      for (const std::string& piece : pieces) {
        EXPECT_NE(std::string(failure.what()).find(piece), std::string::npos) << failure.what();
      }
    }
  }

  DeterministicSecureRandom random_{11};
  SigningKey coordinator_ = SigningKey::generate(random_);
  SigningKey operator_ = SigningKey::generate(random_);
  std::vector<SigningKey> keys_;
  std::vector<RosterMerchant> merchants_;
  fs::path folder_;
  fs::path file_;
};

TEST_F(Roster, ComesBackFromItsFileSortedAndVerified) {
  save_roster(file_, sign());

  const SignedRoster roster = load_roster(file_);

  EXPECT_EQ(roster.federation, "market");
  EXPECT_EQ(roster.coordinator, coordinator_.public_key());
  EXPECT_EQ(roster.operator_key, operator_.public_key());
  ASSERT_EQ(roster.merchants.size(), 3u);
  EXPECT_EQ(roster.merchants[0].name, "alpha");
  EXPECT_EQ(roster.identities().at("gamma"), keys_[0].public_key());
  EXPECT_EQ(*roster.key_of("beta"), keys_[2].public_key());
  EXPECT_EQ(roster.key_of("delta"), nullptr);
}

TEST_F(Roster, MayNameAnArbiter) {
  const SigningKey arbiter = SigningKey::generate(random_);
  save_roster(file_,
              sign_roster("market", coordinator_.public_key(), merchants_, operator_, arbiter.public_key()));
  save_key(folder_ / "arbiter.key", arbiter);

  const SignedRoster roster = load_roster(file_);

  EXPECT_EQ(roster.arbiter, arbiter.public_key());
  EXPECT_EQ(load_arbiter_key(folder_, roster).public_key(), arbiter.public_key());
  save_roster(file_, sign());
  EXPECT_FALSE(load_roster(file_).arbiter);
}

TEST_F(Roster, RefusesAnArbiterThatIsRemovedExchangedOrSomebodyElseToo) {
  const SigningKey arbiter = SigningKey::generate(random_);
  const SignedRoster roster =
      sign_roster("market", coordinator_.public_key(), merchants_, operator_, arbiter.public_key());
  save_roster(file_, roster);
  const std::string text = read_file(file_);
  const std::string line = ",\n  \"arbiter\": \"" + hex(arbiter.public_key()) + "\"";
  ASSERT_NE(text.find(line), std::string::npos) << text;

  std::string without = text;
  without.replace(without.find(line), line.size(), "");
  std::ofstream(file_) << without;
  expect_refused({"signature does not hold"});
  std::string exchanged = text;
  exchanged.replace(exchanged.find(hex(arbiter.public_key())), 64, hex(keys_[0].public_key()));
  std::ofstream(file_) << exchanged;
  expect_refused({"belongs to another member"});
  EXPECT_THROW((void)sign_roster("market", coordinator_.public_key(), merchants_, operator_,
                                 coordinator_.public_key()),
               Failure);
}

TEST_F(Roster, KeepsNamesOfAnyText) {
  merchants_[0].name = "Bäcker \"Süd\"\n1:x";
  save_roster(file_, sign());

  EXPECT_EQ(load_roster(file_).merchants[0].name, "Bäcker \"Süd\"\n1:x");
}

TEST_F(Roster, RefusesWhatIsNoRoster) {
  for (const char* text : {"", "[]", "roster", "{\"version\":1"}) {
    std::ofstream(file_) << text;

    expect_refused({"is not a roster"});
  }
  fs::remove(file_);
  expect_refused({"cannot read"});
}

TEST_F(Roster, RefusesAnUnknownVersion) {
  save_with("\"version\": 1", "\"version\": 2");

  expect_refused({"version 2"});
}

TEST_F(Roster, RefusesAVersionThatNestsDeeplyWithoutFollowingIt) {
  save_with("\"version\": 1", "\"version\": " + std::string(200'000, '[') + std::string(200'000, ']'));

  expect_refused({"version that is no number"});
}

TEST_F(Roster, RefusesMissingIllTypedAndUnknownFields) {
  save_with("\"coordinator\"", "\"coordinaten\"");
  expect_refused({"coordinaten"});
  save_with("\"federation\": \"market\",", "");
  expect_refused({"federation", "missing"});
  save_with("\"market\"", "7");
  expect_refused({"federation", "string"});
  save_with("\"name\": \"alpha\"", "\"name\": \"alpha\", \"role\": \"x\"");
  expect_refused({"alpha", "role"});
  save_with("\"key\": \"", "\"key\": \"0");
  expect_refused({"alpha", "64 hexadecimal digits"});
}

TEST_F(Roster, RefusesEveryAlterationOfWhatIsSigned) {
  save_with("market", "markot");
  expect_refused({"signature does not hold"});
  save_with("beta", "betb");
  expect_refused({"signature does not hold"});
  for (const char* field : {"\"key\": \"", "\"coordinator\": \"", "\"signature\": \"", "\"operator\": \""}) {
    save_roster(file_, sign());
    std::string text = read_file(file_);
    char& digit = text[text.find(field) + std::string(field).size()];
    digit = digit == '0' ? '1' : '0';
    std::ofstream(file_) << text;

    expect_refused({"signature does not hold"});
  }
}

TEST_F(Roster, RefusesMerchantsOutOfOrderOrTwice) {
  save_with("beta", "zeta");
  expect_refused({"gamma", "sorted", "zeta"});
  save_with("beta", "alpha");
  expect_refused({"alpha", "twice"});
}

TEST_F(Roster, RefusesAKeyThatTwoMembersShare) {
  merchants_[0].key = merchants_[1].key;
  EXPECT_THROW(sign(), Failure);
  merchants_[0].key = coordinator_.public_key();
  EXPECT_THROW(sign(), Failure);
  merchants_[0].key = operator_.public_key();
  EXPECT_THROW(sign(), Failure);
  EXPECT_THROW(sign_roster("market", operator_.public_key(), {}, operator_), Failure);
}

TEST_F(Roster, RefusesNamesThatAreEmptyOrTooLong) {
  merchants_[0].name = "";
  EXPECT_THROW(sign(), Failure);
  merchants_[0].name = std::string(kRosterNameMax + 1, 'x');
  EXPECT_THROW(sign(), Failure);
  merchants_[0].name = std::string(kRosterNameMax, 'x');
  EXPECT_NO_THROW(sign());
}

TEST_F(Roster, RefusesANameThatIsNotUtf8) {
  merchants_[0].name = "\xFF";

  EXPECT_THROW(save_roster(file_, sign()), Failure);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(Roster, HasOneMerchantAtLeastAndTheMaximumAtMost) {
  merchants_.clear();
  EXPECT_THROW(sign(), Failure);
  for (std::uint32_t i = 0; i <= kMerchantsMax; ++i) {
    RosterMerchant merchant{.name = std::to_string(i), .key = {}};
    random_.fill(merchant.key);
    merchants_.push_back(merchant);
  }
  EXPECT_THROW(sign(), Failure);
  merchants_.pop_back();
  EXPECT_NO_THROW(sign());
}

TEST_F(Roster, FindsTheKeysOfItsMembers) {
  save_key(folder_ / "coordinator.key", coordinator_);
  save_key(folder_ / "merchants" / key_file_name("gamma"), keys_[0]);
  save_key(folder_ / "merchants" / key_file_name("alpha"), keys_[1]);
  const SignedRoster roster = sign();

  const std::vector<SigningKey> keys =
      load_merchant_keys(folder_, std::vector<std::string>{"gamma", "alpha"}, roster);

  EXPECT_EQ(keys.at(0).public_key(), keys_[0].public_key());
  EXPECT_EQ(keys.at(1).public_key(), keys_[1].public_key());
  EXPECT_EQ(load_coordinator_key(folder_, roster).public_key(), coordinator_.public_key());
}

TEST_F(Roster, RefusesKeysOfStrangersAndOfOthers) {
  save_key(folder_ / "coordinator.key", operator_);
  save_key(folder_ / "merchants" / key_file_name("beta"), keys_[0]);
  const SignedRoster roster = sign();
  const auto load = [&](const char* name) {
    return load_merchant_keys(folder_, std::vector<std::string>{name}, roster);
  };

  EXPECT_THROW(load("delta"), Failure);  // Not in the roster.
  EXPECT_THROW(load("alpha"), Failure);  // No file.
  EXPECT_THROW(load("beta"), Failure);   // The key of gamma.
  EXPECT_THROW(load_coordinator_key(folder_, roster), Failure);
}

TEST_F(Roster, KeyFilesAreForTheirOwnerAndNeverOverwritten) {
  const fs::path file = folder_ / "one.key";
  save_key(file, keys_[0]);

  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_THROW(save_key(file, keys_[1]), Failure);
  EXPECT_EQ(load_key(file).seed(), keys_[0].seed());
  fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THROW(load_key(file), Failure);
}

TEST_F(Roster, RefusesDamagedKeyFiles) {
  const fs::path file = folder_ / "one.key";
  save_key(file, keys_[0]);
  const std::string good = read_file(file);
  std::string other_digit = good;
  other_digit[30] = 'g';

  for (const std::string& text : {std::string(), good.substr(0, good.size() - 1), good + "\n", other_digit,
                                  "hanse signing key 2" + good.substr(19)}) {
    std::ofstream(file) << text;

    EXPECT_THROW(load_key(file), Failure) << text;
  }
  EXPECT_THROW(load_key(folder_ / "none.key"), Failure);
  EXPECT_THROW(load_key(folder_), Failure);
}

TEST(KeyFileName, NeverLeavesItsFolderAndNeverClashes) {
  EXPECT_EQ(key_file_name("alpha-1_b.c"), "alpha-1_b.c.key");
  EXPECT_EQ(key_file_name("../x"), "%2E.%2Fx.key");
  EXPECT_EQ(key_file_name("a b%"), "a%20b%25.key");
  const std::string longest(255, '/');
  EXPECT_LE(key_file_name(longest).size(), 255u);
  EXPECT_NE(key_file_name(longest), key_file_name(longest.substr(1)));
}

}  // namespace
}  // namespace hanse
