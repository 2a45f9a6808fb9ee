#include "common/config/arguments.h"

#include "common/base/failure.h"
#include "common/config/nearest.h"

namespace hanse {
namespace {

Arguments example() {
  Arguments arguments("hanse epsilon", "Computes the epsilon of a mechanism.");
  arguments.option("delta", "Probability of the exception.", "1e-6")
      .option("steps,n", "Number of releases.")
      .option("budget", "Epsilon and delta.")
      .flag("json", "Prints JSON.")
      .positional("RUN_DIR", "Folder of the run.");
  return arguments;
}

Arguments parsed(Arguments arguments, std::vector<const char*> words) {
  words.insert(words.begin(), "program");
  EXPECT_EQ(arguments.parse(static_cast<int>(words.size()), words.data()), std::nullopt);
  return arguments;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "no refusal";
}

std::string refusal(std::vector<const char*> words) {
  return refusal([&] { parsed(example(), words); });
}

TEST(Arguments, AreReadByNameAndPosition) {
  const Arguments arguments =
      parsed(example(), {"--delta", "1e-5", "runs/a", "-n", "12", "--budget=2,1e-6", "--json"});

  EXPECT_EQ(arguments.number("delta"), 1e-5);
  EXPECT_EQ(arguments.integer("steps"), 12);
  EXPECT_EQ(arguments.numbers("budget", 2), (std::vector<double>{2, 1e-6}));
  EXPECT_EQ(arguments.text("RUN_DIR"), "runs/a");
  EXPECT_TRUE(arguments.flag_given("json"));
}

TEST(Arguments, FallBackOnTheirDefault) {
  const Arguments arguments = parsed(example(), {"runs/a"});

  EXPECT_EQ(arguments.number("delta"), 1e-6);
  EXPECT_FALSE(arguments.given("delta"));
  EXPECT_FALSE(arguments.flag_given("json"));
}

TEST(Arguments, TakeANegativeNumberForAValue) {
  EXPECT_EQ(parsed(example(), {"runs/a", "--delta", "-1"}).number("delta"), -1);
}

TEST(Arguments, NameTheNearestOptionForAnUnknownOne) {
  EXPECT_EQ(refusal({"runs/a", "--detla", "1"}),
            "unknown option --detla: did you mean '--delta'? (see 'hanse epsilon --help')");
}

TEST(Arguments, RefuseAMissingValueAPositionalTooManyAndOneTooFew) {
  EXPECT_NE(refusal({"runs/a", "--delta"}).find("--delta"), std::string::npos);
  EXPECT_EQ(refusal({"a", "b"}), "unexpected argument 'b' (see 'hanse epsilon --help')");
  EXPECT_EQ(refusal({"--json"}), "RUN_DIR is missing (see 'hanse epsilon --help')");
  EXPECT_EQ(refusal({"a", "--delta", "1", "--delta", "2"}), "option --delta is given twice: give it once");
}

TEST(Arguments, RefuseWhatIsNoFiniteNumber) {
  for (const char* text : {"nan", "inf", "-inf", "1e999", "1x", "", " 1", "0x10", "1,5"}) {
    const Arguments arguments = parsed(example(), {"runs/a", "--delta", text});

    EXPECT_NE(refusal([&] { (void)arguments.number("delta"); }).find("expected a finite number"),
              std::string::npos)
        << text;
  }
}

TEST(Arguments, RefuseANumberOutOfItsRange) {
  const Arguments arguments = parsed(example(), {"runs/a", "--delta", "2", "-n", "0"});

  EXPECT_EQ(refusal([&] { (void)arguments.number("delta", 0, 1); }), "--delta must be from 0 to 1; got 2");
  EXPECT_EQ(refusal([&] { (void)arguments.integer("steps", 1, 9); }), "--steps must be from 1 to 9; got 0");
}

TEST(Arguments, SayWhichNeededOptionIsMissing) {
  const Arguments arguments = parsed(example(), {"runs/a"});

  EXPECT_EQ(refusal([&] { (void)arguments.integer("steps"); }),
            "option --steps is missing (see 'hanse epsilon --help')");
}

TEST(Arguments, LeaveAtHelpAndVersionWhateverElseIsMissing) {
  for (const char* word : {"--help", "-h", "--version"}) {
    Arguments arguments = example();
    const char* words[] = {"program", word};

    EXPECT_EQ(arguments.parse(2, words), 0) << word;
  }
}

TEST(Arguments, TakeSettingsOfTheConfigurationInBothForms) {
  Arguments arguments("hanse run", "Runs.");
  arguments.positional("FILE", "Configuration.").configuration_settings();

  arguments =
      parsed(arguments, {"data.path=a/b=c", "runs/x=y.ini", "--privacy.epsilon", "3", "--worker.threads=2"});

  EXPECT_EQ(arguments.text("FILE"), "runs/x=y.ini");
  EXPECT_EQ(arguments.settings(),
            (std::vector<std::string>{"data.path=a/b=c", "privacy.epsilon=3", "worker.threads=2"}));
}

TEST(Nearest, FindsSlipsAndNamesWithoutTheirSection) {
  const std::vector<std::string> keys = {"privacy.epsilon", "privacy.delta", "data.path"};

  EXPECT_EQ(nearest("privacy.epsilno", keys), "privacy.epsilon");
  EXPECT_EQ(nearest("delta", keys), "privacy.delta");
  EXPECT_EQ(nearest("something.else", keys), std::nullopt);
  EXPECT_EQ(nearest(std::string(1'000'000, 'x'), keys), std::nullopt);
}

}  // namespace
}  // namespace hanse
