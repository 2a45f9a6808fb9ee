#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hanse {

/// The command line of a program: declared, read, and told to whoever asks --help.
///
///     Arguments arguments("hanse epsilon", "Computes the epsilon of a mechanism.");
///     arguments.option("delta", "Probability of the exception.", "1e-6")
///         .option("noise-multiplier", "Noise standard deviation over the clip norm.")
///         .flag("json", "Prints JSON.")
///         .positional("RUN_DIR", "Folder of the run.");
///     if (const auto code = arguments.parse(argc, argv)) {
///       return *code;
///     }
///     const double delta = arguments.number("delta");
///
/// Every refusal is a Failure(bad_input) of one sentence with the nearest valid spelling: unknown options,
/// missing values and positionals, what is not a (finite) number. Options are written `--name VALUE` or
/// `--name=VALUE`.
class Arguments {
 public:
  /// `program` as its user types it; `purpose` is one sentence.
  Arguments(std::string program, std::string purpose);

  /// An option with a value. Without `otherwise` it is given or not: its getter refuses when it is not,
  /// naming it, so ask given() first unless it is needed. `name` may carry a letter, as in "workers,n".
  Arguments& option(std::string_view name, std::string_view help,
                    std::optional<std::string> otherwise = std::nullopt);
  /// An option without a value.
  Arguments& flag(std::string_view name, std::string_view help);
  /// The next positional argument; `name` in capitals. Optional ones come last and are asked for by given().
  Arguments& positional(std::string_view name, std::string_view help);
  Arguments& optional_positional(std::string_view name, std::string_view help);
  /// Takes all positional arguments that are left: rest().
  Arguments& rest(std::string_view name, std::string_view help);
  /// Takes KEY=VALUE and --KEY VALUE for every key of the configuration: settings(). --help then lists the
  /// keys.
  Arguments& configuration_settings();
  /// Lines printed at the end of --help, for instance examples.
  Arguments& notes(std::string_view text);

  /// Reads the command line. An exit code means that --help or --version was asked for and printed: leave
  /// with it.
  [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv);

  /// True when the user wrote it (a default does not count).
  bool given(std::string_view name) const;
  bool flag_given(std::string_view name) const { return given(name); }
  std::string text(std::string_view name) const;
  /// A finite number within [low, high].
  double number(std::string_view name) const;
  double number(std::string_view name, double low, double high) const;
  std::int64_t integer(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t low, std::int64_t high) const;
  /// `count` finite numbers with commas between, as in "--budget 2,1e-6".
  std::vector<double> numbers(std::string_view name, std::size_t count) const;
  /// One of `choices`.
  std::string choice(std::string_view name, const std::vector<std::string>& choices) const;
  const std::vector<std::string>& rest() const { return rest_; }
  /// KEY=VALUE, in the order of their force: for read_configuration().
  const std::vector<std::string>& settings() const { return settings_; }

  /// What --help prints.
  std::string help() const;

 private:
  struct Option {
    std::string name;
    std::string letter;
    std::string help;
    bool is_flag = false;
    std::optional<std::string> otherwise;
    std::optional<std::string> value;
  };
  struct Positional {
    std::string name;
    std::string help;
    bool needed = true;
    std::optional<std::string> value;
  };

  const std::string* find(std::string_view name) const;
  bool is_setting(const std::string& word) const;
  std::vector<std::string> spellings() const;
  void take_positionals(const std::vector<std::string>& words);

  std::string program_;
  std::string purpose_;
  std::string notes_;
  std::vector<Option> options_;
  std::vector<Positional> positionals_;
  std::optional<Positional> rest_of_them_;
  bool with_settings_ = false;
  std::vector<std::string> rest_;
  std::vector<std::string> settings_;
};

/// The whole of `text` as a finite number, or nothing. "1e-6" and "0.5" are numbers; "nan", "inf", "1x" are
/// not.
std::optional<double> parse_number(std::string_view text);
/// The whole of `text` as an integer in range, or nothing.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace hanse
