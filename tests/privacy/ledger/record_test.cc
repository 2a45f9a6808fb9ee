#include "privacy/ledger/record.h"

#include "common/base/failure.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& line) {
  const auto record = decode_record(line);
  return record ? "" : record.what();
}

TEST(Record, ComesBackFromItsLine) {
  const LedgerFixture fixture = LedgerFixture::of_run();

  for (const std::string& line : fixture.lines) {
    const auto record = decode_record(line);

    ASSERT_TRUE(record.ok()) << record.what();
    EXPECT_EQ(encode(*record), line);
  }
  EXPECT_EQ(std::get<Plan>(decode_record(fixture.lines[0])->payload), fixture.plan);
}

TEST(Record, SaysOfSurplusNoiseWhatThereIsAndNothingWithoutIt) {
  LedgerFixture fixture;
  Release release = fixture.release();
  EXPECT_EQ(fixture.line(release).find("surplus"), std::string::npos);
  EXPECT_EQ(fixture.line(fixture.plan).find("surplus"), std::string::npos);
  release.surplus =
      SurplusRemoval{.left = UINT64_MAX, .rungs_from = 3, .rungs_to = 5, .merchants = {0, 1, 2, 4}};
  fixture.plan.removes_surplus = true;

  const auto plan = decode_record(fixture.line(fixture.plan));
  const auto record = decode_record(fixture.line(release));

  ASSERT_TRUE(plan.ok() && record.ok());
  EXPECT_TRUE(std::get<Plan>(plan->payload).removes_surplus);
  EXPECT_EQ(std::get<Release>(record->payload), release);
  std::string denied = fixture.line(fixture.plan);
  denied.replace(denied.find("\"removes_surplus\":true"), 22, "\"removes_surplus\":false");
  EXPECT_NE(refusal(denied), "") << "a plan without it does not speak of it";
}

TEST(Record, HoldsNoFloatingPointNumberAndNoSpaceOutsideStrings) {
  const LedgerFixture fixture = LedgerFixture::of_run();

  bool in_string = false;
  for (const char c : LedgerFixture::text(fixture.lines)) {
    in_string = c == '"' ? !in_string : in_string;
    if (!in_string) {
      EXPECT_EQ(std::string(" .eE").find(c), std::string::npos);
    }
  }
}

TEST(Record, KeepsRealNumbersExactly) {
  LedgerFixture fixture;

  for (const double value : {0.1, 1e-300, 5e-324, 1.7976931348623157e308, 1.0 / 3, 0.0, 1024.0}) {
    fixture.plan.clip_norm = value;
    const auto record = decode_record(fixture.line(fixture.plan));

    ASSERT_TRUE(record.ok()) << record.what();
    EXPECT_EQ(std::get<Plan>(record->payload).clip_norm, value);
  }
}

TEST(Record, KeepsTheLargestIntegers) {
  LedgerFixture fixture;
  Intent intent = fixture.intent(UINT64_MAX);
  intent.parameters.share_variance = UINT64_MAX;

  const auto record = decode_record(fixture.line(intent));

  ASSERT_TRUE(record.ok()) << record.what();
  EXPECT_EQ(std::get<Intent>(record->payload), intent);
}

TEST(Record, JoinsRunsOfMerchants) {
  LedgerFixture fixture;
  Intent intent = fixture.intent(1);
  intent.invited = {0, 1, 2, 5, 7, 8};

  const std::string line = fixture.line(intent);

  EXPECT_NE(line.find("\"invited\":\"0-2,5,7-8\""), std::string::npos);
  EXPECT_EQ(std::get<Intent>(decode_record(line)->payload), intent);
}

TEST(Record, RefusesOtherSpellingsOfMerchantSets) {
  LedgerFixture fixture;
  const std::string line = fixture.line(fixture.intent(1));

  for (const char* set :
       {"\"0,1-3\"", "\"0-3,\"", "\",0-3\"", "\"3-0\"", "\"0-1,1-3\"", "\"0-4294967295\"", "\"00-3\"",
        "\"0-99999999999\"", "\"0--3\"", "\"x\"", "\"-3\"", "\"0-\"", "\"0-1,2-3\"", "[0,1,2,3]", "3"}) {
    EXPECT_NE(refusal(replaced(line, "\"0-3\"", set)), "") << set;
  }
}

TEST(Record, RefusesEveryOtherSpelling) {
  LedgerFixture fixture;
  const std::string line = fixture.line(fixture.plan);

  EXPECT_NE(refusal(" " + line), "");
  EXPECT_NE(refusal(line + " "), "");
  EXPECT_NE(refusal(line + "\n"), "");
  EXPECT_NE(refusal("\xEF\xBB\xBF" + line), "");
  EXPECT_NE(refusal(replaced(line, ",", ", ")), "");
  EXPECT_NE(refusal(replaced(line, "{", "{ ")), "");
  EXPECT_NE(refusal(replaced(line, "{", "{\"extra\":1,")), "");
  EXPECT_NE(refusal(replaced(line, "{", "{\"workload\":\"logistic\",")), "") << "a key twice";
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":-0")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":0.0")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":0e0")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":1e400")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":18446744073709551616")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":-1")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":\"0\"")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":true")), "");
  EXPECT_NE(refusal(replaced(line, "\"seq\":0", "\"seq\":null")), "");
  EXPECT_NE(refusal(replaced(line, "harbour", "harb\\u006fur")), "") << "an escape that is not needed";
  EXPECT_NE(refusal(replaced(line, "harbour", "harb\xFFur")), "") << "not UTF-8";
  EXPECT_NE(refusal(replaced(line, "\"accountant\":\"rdp\",", "") + ""), "");
}

TEST(Record, RefusesAnotherOrderOfKeys) {
  LedgerFixture fixture;
  const std::string line = fixture.line(fixture.plan);

  const std::string accountant = "\"accountant\":\"rdp\"";
  const std::string adjacency = "\"adjacency\":\"zero-out\"";
  const std::string swapped = replaced(line, accountant + "," + adjacency, adjacency + "," + accountant);

  EXPECT_NE(refusal(swapped).find("canonical"), std::string::npos);
}

TEST(Record, RefusesOtherPairsOfTheSameNumber) {
  LedgerFixture fixture;
  const std::string line = fixture.line(fixture.plan);

  for (const char* pair : {"[2,-1]", "[1.0,0]", "[1,0,0]", "[1]", "[1,1024]", "[1,-1075]", "[1,1e2]", "1",
                           "[18446744073709551615,0]", "[9007199254740993,0]", "{}", "[[1],0]"}) {
    EXPECT_NE(refusal(replaced(line, "\"clip_norm\":[1,0]", "\"clip_norm\":" + std::string(pair))), "")
        << pair;
  }
}

TEST(Record, RefusesWhatIsNoRecord) {
  for (const std::string line : {"", "{}", "[]", "1", "null", "\"plan\"", "{\"schema\":1}", "{"}) {
    EXPECT_NE(refusal(line), "") << line;
  }
}

TEST(Record, RefusesDeepNestingBeforeItIsParsed) {
  EXPECT_NE(refusal(std::string(5'000'000, '[')).find("nests"), std::string::npos);
  EXPECT_NE(refusal("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").find("nests"),
            std::string::npos);
}

TEST(Record, RefusesUnknownKindsAndSchemasByName) {
  LedgerFixture fixture;
  const std::string line = fixture.line(fixture.plan);

  EXPECT_NE(refusal(replaced(line, "\"kind\":\"plan\"", "\"kind\":\"hint\"")).find("\"hint\" is unknown"),
            std::string::npos);
  EXPECT_NE(refusal(replaced(line, "\"schema\":2", "\"schema\":1")).find("schema 1 is unknown"),
            std::string::npos);
}

TEST(Record, RefusesToWriteNamesThatAreNotUtf8) {
  LedgerFixture fixture;
  fixture.plan.federation =
      "L\xFC"
      "beck";

  EXPECT_THROW(fixture.line(fixture.plan), Failure);
}

}  // namespace
}  // namespace hanse
