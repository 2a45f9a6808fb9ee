#include "common/config/configuration_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "common/config/arguments.h"
#include "common/data/split.h"

namespace hanse {
namespace {

using Refusal = std::optional<std::string>;

/// The shortest decimal text that reads back as exactly `value`.
std::string exact_text(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

/// Text without the quotes around it; nothing when a quote stands anywhere else, or a control character.
std::optional<std::string> unquoted(std::string_view text) {
  std::string value = trimmed(text);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return c != '"' && (static_cast<unsigned char>(c) >= 0x20 || c == '\t') && c != 0x7f;
  });
  return printable ? std::optional(value) : std::nullopt;
}

int bracket_step(char c) {
  if (c == '[' || c == '{' || c == '(') {
    return 1;
  }
  return c == ']' || c == '}' || c == ')' ? -1 : 0;
}

/// Quotes what would not read back as it stands: comment signs, edges of white space, and in a list what
/// could join or split entries.
std::string quoted_if_needed(const std::string& value, bool in_list) {
  bool needed = value != trimmed(value) || value.starts_with('#') || value.find(" #") != std::string::npos ||
                value.find("\t#") != std::string::npos;
  if (in_list) {
    int depth = 0;
    bool plain = !value.empty();
    for (const char c : value) {
      depth += bracket_step(c);
      plain = plain && depth >= 0 && c != ',';
    }
    needed = needed || !plain || depth != 0;
  }
  return needed ? '"' + value + '"' : value;
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ", ") + quoted_if_needed(value, true);
  }
  return text;
}

/// A number in [low, high], or in (low, high] when `open`; `range` says so in words.
struct Interval {
  double low = 0;
  double high = std::numeric_limits<double>::max();
  bool open = false;
};

template <class Field>
Key number_key(std::string name, Interval interval, std::string range, std::string help, Field field) {
  return {std::move(name), range, std::move(help),
          [field](const Configuration& c) { return std::optional(exact_text(field(c))); },
          [field, interval, range](Configuration& c, const std::string& text) -> Refusal {
            const auto value = parse_number(trimmed(text));
            if (!value || *value < interval.low || *value > interval.high ||
                (interval.open && *value == interval.low)) {
              return "expected " + range;
            }
            field(c) = *value == 0 ? 0 : *value;  // One zero: "-0" is written as "0".
            return std::nullopt;
          }};
}

/// A positive number that may be left out: empty text, and 0 in the Configuration. "0" itself is refused,
/// because whoever writes epsilon = 0 expects something else than an uncalibrated run.
template <class Field>
Key optional_number_key(std::string name, double high, std::string range, std::string help, Field field) {
  Key key = number_key(std::move(name), {0, high, true}, std::move(range), std::move(help), field);
  key.read = [field](const Configuration& c) {
    return std::optional(field(c) == 0 ? std::string() : exact_text(field(c)));
  };
  key.write = [field, write = key.write](Configuration& c, const std::string& text) -> Refusal {
    if (trimmed(text).empty()) {
      field(c) = 0;
      return std::nullopt;
    }
    const Refusal refusal = write(c, text);
    return refusal ? std::optional(*refusal + ", or nothing") : std::nullopt;
  };
  return key;
}

template <class Field>
Key integer_key(std::string name, std::uint64_t low, std::uint64_t high, std::string range, std::string help,
                Field field) {
  return {std::move(name), range, std::move(help),
          [field](const Configuration& c) { return std::optional(std::to_string(field(c))); },
          [field, low, high, range](Configuration& c, const std::string& text) -> Refusal {
            const std::string digits = trimmed(text);
            std::uint64_t value = 0;
            const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (error != std::errc() || end != digits.data() + digits.size() || value < low || value > high) {
              return "expected " + range;
            }
            auto& target = field(c);
            target = static_cast<std::remove_reference_t<decltype(target)>>(value);
            return std::nullopt;
          }};
}

template <class Field>
Key text_key(std::string name, std::string range, std::string help, Field field,
             std::function<bool(const std::string&)> allowed = nullptr) {
  return {std::move(name), range, std::move(help),
          [field](const Configuration& c) { return std::optional(quoted_if_needed(field(c), false)); },
          [field, range, allowed](Configuration& c, const std::string& text) -> Refusal {
            const auto value = unquoted(text);
            if (!value) {
              return "expected " + range + ", with quotes only around the whole and no control characters";
            }
            if (allowed && !allowed(*value)) {
              return "expected " + range;
            }
            field(c) = *value;
            return std::nullopt;
          }};
}

std::string one_of(const std::vector<std::string>& choices) {
  std::string range;
  for (const std::string& choice : choices) {
    range += (range.empty() ? "" : " | ") + choice;
  }
  return range;
}

template <class Field>
Key choice_key(std::string name, const std::vector<std::string>& choices, std::string help, Field field) {
  return text_key(std::move(name), one_of(choices), std::move(help), field,
                  [choices](const std::string& value) {
                    return std::find(choices.begin(), choices.end(), value) != choices.end();
                  });
}

template <class Field>
Key flag_key(std::string name, std::string help, Field field) {
  return {std::move(name), "true | false", std::move(help),
          [field](const Configuration& c) { return std::optional<std::string>(field(c) ? "true" : "false"); },
          [field](Configuration& c, const std::string& text) -> Refusal {
            const std::string value = trimmed(text);
            const bool yes = value == "true" || value == "yes" || value == "on" || value == "1";
            const bool no = value == "false" || value == "no" || value == "off" || value == "0";
            if (!yes && !no) {
              return "expected true or false";
            }
            field(c) = yes;
            return std::nullopt;
          }};
}

template <class Field>
Key list_key(std::string name, std::string range, std::string help, Field field) {
  return {std::move(name), range, std::move(help),
          [field](const Configuration& c) { return std::optional(joined(field(c))); },
          [field, range](Configuration& c, const std::string& text) -> Refusal {
            const auto entries = split_list(text);
            if (!entries) {
              return "expected " + range + " with commas between, none of them empty";
            }
            field(c) = *entries;
            return std::nullopt;
          }};
}

/// A key that one workload alone understands: kept as text for it in WorkloadOptions::other.
Key own_key(const std::string& key, std::string range, std::string help,
            std::function<bool(const std::string&)> allowed) {
  return {"workload." + key, range, std::move(help),
          [key](const Configuration& c) -> std::optional<std::string> {
            const auto found = c.workload.other.find(key);
            return found == c.workload.other.end() ? std::nullopt
                                                   : std::optional(quoted_if_needed(found->second, false));
          },
          [key, range, allowed](Configuration& c, const std::string& text) -> Refusal {
            const auto value = unquoted(text);
            if (!value || value->empty() || !allowed(*value)) {
              return "expected " + range;
            }
            c.workload.other[key] = *value;
            return std::nullopt;
          }};
}

Key own_number_key(const std::string& key, std::string help) {
  return own_key(key, "a number >= 0", std::move(help), [](const std::string& text) {
    const auto value = parse_number(text);
    return value && *value >= 0;
  });
}

Key own_text_key(const std::string& key, std::string range, std::string help) {
  return own_key(key, std::move(range), std::move(help), [](const std::string&) { return true; });
}

Key own_choice_key(const std::string& key, const std::vector<std::string>& choices, std::string help) {
  return own_key(key, one_of(choices), std::move(help), [choices](const std::string& text) {
    return std::find(choices.begin(), choices.end(), text) != choices.end();
  });
}

Key paillier_bits_key() {
  return {"aggregation.paillier_bits", "3072 | 4096",
          "Length of the arbiter's modulus, with aggregation.encryption=paillier.",
          [](const Configuration& c) { return std::optional(std::to_string(c.aggregation.paillier_bits)); },
          [](Configuration& c, const std::string& text) -> Refusal {
            const std::string digits = trimmed(text);
            if (digits != "3072" && digits != "4096") {
              return "expected 3072 | 4096";
            }
            c.aggregation.paillier_bits = digits == "3072" ? 3072 : 4096;
            return std::nullopt;
          }};
}

Key unit_key() {
  return {"privacy.unit", "none | record | customer | customer_at_merchant | merchant",
          "Whose whole contribution is bounded and hidden; none: no privacy, for simulation, and named so "
          "everywhere.",
          [](const Configuration& c) { return std::optional(std::string(name_of(c.privacy.unit))); },
          [](Configuration& c, const std::string& text) -> Refusal {
            for (const Unit unit :
                 {Unit::none, Unit::record, Unit::customer, Unit::customer_at_merchant, Unit::merchant}) {
              if (trimmed(text) == name_of(unit)) {
                c.privacy.unit = unit;
                return std::nullopt;
              }
            }
            return "expected none, record, customer, customer_at_merchant or merchant";
          }};
}

Key cohort_key() {
  return {
      "federation.cohort", "all | fraction in (0, 1]", "Fraction of the merchants invited to a round.",
      [](const Configuration& c) {
        return std::optional<std::string>(c.federation.cohort == 1 ? "all" : exact_text(c.federation.cohort));
      },
      [](Configuration& c, const std::string& text) -> Refusal {
        const auto value = trimmed(text) == "all" ? std::optional(1.0) : parse_number(trimmed(text));
        if (!value || *value <= 0 || *value > 1) {
          return "expected all, or a fraction above 0 and at most 1";
        }
        c.federation.cohort = *value;
        return std::nullopt;
      }};
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 100 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

bool is_whole(std::string_view text, std::int64_t low, std::int64_t high) {
  const auto value = parse_integer(text);
  return value && *value >= low && *value <= high;
}

bool is_partition(const std::string& text) {
  constexpr std::int64_t kMost = 1 << 20;
  if (text.starts_with("iid:")) {
    return is_whole(text.substr(4), 1, kMost);
  }
  if (text.starts_with("dirichlet:")) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto alpha = comma < text.size() ? parse_number(trimmed(text.substr(comma + 1))) : std::nullopt;
    return is_whole(trimmed(text.substr(10, comma - 10)), 1, kMost) && alpha && *alpha > 0;
  }
  return text == "column";
}

bool is_test(const std::string& text) {
  for (const std::string_view kind : {"column:", "file:", "path:"}) {
    if (text.starts_with(kind)) {
      return text.size() > kind.size();
    }
  }
  for (const std::string_view kind : {"hash:", "customers:"}) {
    if (text.starts_with(kind)) {
      const auto fraction = parse_number(text.substr(kind.size()));
      return fraction && *fraction > 0 && *fraction < 1;
    }
  }
  for (const std::string_view kind : {"fold:", "customers-fold:"}) {
    if (text.starts_with(kind)) {
      return read_fold(std::string_view(text).substr(kind.size())).has_value();
    }
  }
  return text == "none" || text == "leave-one-out";
}

bool is_word(const std::string& text) {
  return !text.empty();
}

std::vector<Key> make_table() {
  constexpr std::uint64_t kU32 = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t kI64 = std::numeric_limits<std::int64_t>::max();
  constexpr double kMax = std::numeric_limits<double>::max();
  return {
      text_key(
          "federation.name", "letters, digits, '.', '_' or '-', not first '.' or '-'",
          "Name of the run and of its folder.", [](auto& c) -> auto& { return c.federation.name; }, is_name),
      integer_key(
          "federation.seed", 0, kI64, "0 to 2^63-1",
          "Seed of all public randomness; noise and keys never come from it.",
          [](auto& c) -> auto& { return c.federation.seed; }),
      integer_key(
          "federation.rounds", 1, 10'000'000, "1 to 10000000", "Training rounds.",
          [](auto& c) -> auto& { return c.federation.rounds; }),
      integer_key(
          "federation.evaluate_every", 0, 10'000'000, "rounds, 0 to 10000000",
          "Rounds between evaluations; 0: every round without noise, at the end with noise.",
          [](auto& c) -> auto& { return c.federation.evaluate_every; }),
      cohort_key(),
      integer_key(
          "federation.min_merchants", 0, 1'000'000, "0 to 1000000",
          "Fewest merchants in a sum; 0: two thirds of them, at least 3.",
          [](auto& c) -> auto& { return c.federation.min_merchants; }),
      integer_key(
          "federation.deadline_ms", 10, 86'400'000, "milliseconds, 10 to 86400000",
          "Longest time for each phase of a round.",
          [](auto& c) -> auto& { return c.federation.deadline_ms; }),
      flag_key(
          "federation.resume",
          "Continues the run found in the run directory from its last checkpoint; begins it where there is "
          "none.",
          [](auto& c) -> auto& { return c.federation.resume; }),
      integer_key(
          "federation.checkpoint_every", 1, 10'000'000, "rounds, 1 to 10000000",
          "Training rounds between checkpoints.",
          [](auto& c) -> auto& { return c.federation.checkpoint_every; }),
      integer_key(
          "federation.restarts", 0, 1000, "0 to 1000",
          "How often hanse run starts a run again that lost its coordinator, mpirun or too many workers.",
          [](auto& c) -> auto& { return c.federation.restarts; }),
      text_key(
          "federation.start", "model or run directory",
          "A published model to go on from, on these data; from the folder of the INI file. Columns and "
          "items are known by their "
          "names. Its own budget is spent already: name its ledger in privacy.previous_ledgers where people "
          "are the same.",
          [](auto& c) -> auto& { return c.federation.start; }),

      text_key(
          "data.path", "file or folder",
          "Where a worker's data is, from the folder of the INI file; {worker} in it is the worker's rank.",
          [](auto& c) -> auto& { return c.data.path; }),
      choice_key(
          "data.format", {"csv", "libsvm", "ratings"}, "Format of the data.",
          [](auto& c) -> auto& { return c.data.format; }),
      text_key(
          "data.merchant", "COLUMN | COLUMN@FILE",
          "Column of the merchant, or the column of FILE (from the folder of the data) looked up by the "
          "customer; in "
          "format libsvm feature:FIRST-LAST, a one-hot group.",
          [](auto& c) -> auto& { return c.data.merchant; }),
      text_key(
          "data.customer", "COLUMN", "Column of the customer.",
          [](auto& c) -> auto& { return c.data.customer; }),
      text_key(
          "data.label",
          "COLUMN, or for regression COLUMN[LOW..HIGH], log:COLUMN[LOW..HIGH], for many classes "
          "COLUMN{A|B|C}, "
          "COLUMN[0..9], COLUMN@FILE",
          "Column of the label; with privacy, a number needs its public range.",
          [](auto& c) -> auto& { return c.data.label; }),
      text_key(
          "data.positive", "label value", "Label that means 1; empty: labels are 0 and 1.",
          [](auto& c) -> auto& { return c.data.positive; }),
      text_key(
          "data.time", "COLUMN", "Column that orders a customer's rows.",
          [](auto& c) -> auto& { return c.data.time; }),
      text_key(
          "data.item", "COLUMN, COLUMN[1..N], COLUMN@FILE, ...",
          "Column of the item, in format ratings; as data.categorical.",
          [](auto& c) -> auto& { return c.data.item; }, is_word),
      text_key(
          "data.rating", "COLUMN[LOW..HIGH]",
          "Column of the rating, in format ratings; empty: every rating is 1.",
          [](auto& c) -> auto& { return c.data.rating; }),
      list_key(
          "data.numeric", "COLUMN, COLUMN[LOW..HIGH], log1p:COLUMN[LOW..HIGH], WORDS*log:COLUMN",
          "Numeric features; public bounds make a private mean of them needless. WORDS*NUMBER: the number "
          "once for "
          "each word of a categorical column.",
          [](auto& c) -> auto& { return c.data.numeric; }),
      list_key(
          "data.categorical", "COLUMN, COLUMN{A|B|C}, COLUMN[1..N], COLUMN#BUCKETS, COLUMN@FILE",
          "Categorical features: vocabulary agreed on in private, given, or hashed.",
          [](auto& c) -> auto& { return c.data.categorical; }),
      integer_key(
          "data.features", 0, 1u << 30, "columns, 0 to 2^30", "Number of columns, in format libsvm.",
          [](auto& c) -> auto& { return c.data.features; }),
      text_key(
          "data.partition", "column | iid:N | dirichlet:N,ALPHA", "How rows are dealt to merchants.",
          [](auto& c) -> auto& { return c.data.partition; }, is_partition),
      text_key(
          "data.test",
          "none | column:NAME | file:PATH | path:FILE | hash:FRACTION | customers:FRACTION | fold:I/K | "
          "customers-fold:I/K | leave-one-out",
          "Which rows are test rows: a column or file of the words train, valid and test, a second data "
          "file, "
          "a fraction in (0, 1) by hash of the row number or of the customer, fold I of K by the same, or of "
          "ratings each customer's "
          "last "
          "item by data.time. Files are from the folder of the data.",
          [](auto& c) -> auto& { return c.data.test; }, is_test),
      choice_key(
          "data.validation", {"train", "test", "drop"}, "What rows marked valid are.",
          [](auto& c) -> auto& { return c.data.validation; }),
      list_key(
          "data.clean", "missing:mean|drop|zero, duplicates:keep|drop, outliers:K",
          "What is done about missing values (mean), duplicate rows (keep) and values beyond K deviations.",
          [](auto& c) -> auto& { return c.data.clean; }),
      flag_key(
          "data.standardise", "Brings numeric features to mean 0 and deviation 1.",
          [](auto& c) -> auto& { return c.data.standardise; }),
      integer_key(
          "data.max_units", 1, std::uint64_t{1} << 40, "1 to 2^40",
          "Public bound on the units of one merchant.", [](auto& c) -> auto& { return c.data.max_units; }),

      text_key(
          "workload.name",
          "logistic | linear | softmax | matrix-factorization | implicit-matrix-factorization | "
          "item-similarity | "
          "factorization-machine | markov-chain | covariance | bayesian-network | segments | counts | trend",
          "What is learned.", [](auto& c) -> auto& { return c.workload.name; }, is_name),
      choice_key(
          "workload.task", {"auto", "classification", "multiclass", "regression"},
          "What data.label is: 0 or 1, one of many classes, or a number; auto: as the workload has it.",
          [](auto& c) -> auto& { return c.workload.task; }),
      integer_key(
          "workload.rank", 1, 65'536, "1 to 65536", "Number of factors.",
          [](auto& c) -> auto& { return c.workload.rank; }),
      number_key(
          "workload.l2", {0, kMax, false}, "a number >= 0", "Weight of the squared norm of the model.",
          [](auto& c) -> auto& { return c.workload.l2; }),
      text_key(
          "workload.solver", "gradient | newton | local | als",
          "How the model is fitted; newton is for logistic, als (alternating least squares) for "
          "matrix-factorization, local for all but implicit-matrix-factorization.",
          [](auto& c) -> auto& { return c.workload.solver; }, is_name),
      integer_key(
          "workload.local_epochs", 1, 100'000, "1 to 100000",
          "Passes over its rows a merchant makes a round.",
          [](auto& c) -> auto& { return c.workload.local_epochs; }),
      integer_key(
          "workload.batch", 1, kU32, "rows, 1 to 2^32-1",
          "Rows of a local step; factorization-machine steps row by row.",
          [](auto& c) -> auto& { return c.workload.batch; }),
      number_key(
          "workload.learning_rate", {0, kMax, true}, "a number > 0", "Length of a local step.",
          [](auto& c) -> auto& { return c.workload.learning_rate; }),

      own_choice_key(
          "weights", {"rows", "equal"},
          "What a merchant weighs in local training: its rows, or one; otherwise rows without privacy, "
          "equal with it."),
      own_number_key("l1",
                     "Weight of the absolute values of a logistic model, by proximal steps; otherwise 0."),
      own_number_key("positive_weight", "What a row with label 1 weighs; otherwise 1, as the others."),
      own_number_key("tolerance",
                     "Norm of the gradient at which workload.solver=newton stops; otherwise 1e-8."),
      own_number_key("proximal_mu",
                     "How strongly local epochs are held at the global model (FedProx); otherwise 0."),
      own_choice_key("scaffold", {"true", "false"},
                     "Local steps are corrected by control variates (Scaffold); otherwise false."),
      own_choice_key(
          "shuffle", {"true", "false"},
          "Local epochs take rows in a random order; false: as they are in the file. Otherwise true."),
      own_choice_key(
          "own", {"none", "offset", "scale", "all"},
          "What a merchant learns for itself on top of the model and keeps: an offset of its scores, "
          "their scale as well, or a deviation of every coefficient; otherwise none."),
      own_text_key("group", "COLUMN | COLUMN[CUT,...] | merchant-size",
                   "Test figures are told for groups of rows as well: by the words of a column, by a number "
                   "between cuts "
                   "(age[30,45,60]), or by the training rows of the merchant."),
      own_number_key("own_l2", "Weight of the squared norm of a merchant's own part; otherwise 1."),
      own_number_key(
          "alone_l2",
          "The same, a row, of the model that is fitted to one merchant's rows alone, to compare with "
          "workload.own; otherwise 0.001."),
      own_choice_key("ends", {"true", "false"},
                     "markov-chain: sequences come from a state `outside` and go there; otherwise false."),
      own_text_key(
          "target", "a state or a variable",
          "markov-chain: the state that steps are counted to, a word of data.categorical; outside for "
          "the end of a sequence. bayesian-network: the variable that is foreseen."),
      own_number_key("holdout", "trend: the last weeks, which judge the forecast; otherwise 8."),
      own_number_key("horizon", "trend: weeks to forecast; otherwise 4."),
      own_number_key("season", "trend: weeks after which a season comes again; otherwise there is none."),
      own_number_key("first_week", "trend: weeks before it are not used; otherwise all are."),
      own_number_key("lead_time", "trend: weeks until an order arrives; otherwise 1."),
      own_number_key("service_level",
                     "trend: probability that the stock lasts for the lead time; otherwise 0.95."),
      own_text_key("structure", "NAME:PARENT,PARENT; NAME:...",
                   "bayesian-network: what each variable depends on; otherwise a tree is learnt."),
      own_number_key("smoothing", "What is added to each count; otherwise 0.1."),
      own_text_key("prices", "log:COLUMN, ...",
                   "Of linear with numbers crossed with words (brand*log:price): the row's own price, or the "
                   "prices of all "
                   "products in the order of their words; asks for price elasticities."),
      own_number_key("unit_cost", "Cost of one unit sold, for the price of most profit."),
      own_number_key("test_rows_per_unit", "Test rows of one unit that count; 0: the workload's own."),
      own_number_key("l2_bias", "Weight of the squared norm of the biases; otherwise 0.02."),
      own_number_key("l2_factors",
                     "Weight of the squared norm of factors, factorization-machine; otherwise workload.l2."),
      own_number_key("init", "Length of the first factors, about; otherwise 1, factorization-machine 0.3."),
      own_number_key("block", "Entries of an item's vector that one sum of als solves for; otherwise all."),
      own_number_key(
          "entries_per_sum",
          "Longest sum of als; parts of a longer one take turns. Otherwise 2^20, of item-similarity "
          "2^22."),
      own_number_key("unobserved", "Weight of a pair of customer and item without data; otherwise 0.1."),
      own_number_key("confidence", "What each unit of a value adds to the weight 1 of a pair; otherwise 0."),
      own_number_key("exponent", "Of the number of pairs in penalties of implicit factors; otherwise 1."),
      own_number_key("items_per_customer",
                     "Items of a customer in one sum of als, with a unit of privacy; otherwise 64. Of "
                     "item-similarity 32."),
      own_number_key(
          "items_kept",
          "Items, the most frequent ones, that have factors, with a unit of privacy; otherwise 256. Of "
          "item-similarity also without one: 4096."),
      own_choice_key("model", {"ease", "cosine"},
                     "How item-similarity weighs items that are together; otherwise ease."),
      own_number_key("neighbours", "Others that an item of item-similarity has; otherwise 256."),
      own_number_key("min_support",
                     "Customers that must have both items of a pair that item-similarity tells of; "
                     "otherwise 10."),
      own_number_key("factor_bound",
                     "Longest vector of a customer in a sum of als, with a unit of privacy; otherwise 1."),
      own_number_key("customers_per_unit",
                     "Customers of a merchant that count, where it is the unit; otherwise 64."),
      own_number_key("ratings_per_unit", "Ratings of one unit that count; 0: the workload's own."),
      own_number_key("cells", "Cells of a histogram of counts over the range of a number; otherwise 32."),
      own_number_key("top", "Words of a column that counts tells; otherwise 20."),
      own_key("period_column", "COLUMN", "Column of data.numeric that is the time, for growth in counts.",
              is_word),
      own_number_key("period", "Length of a period, in units of workload.period_column."),
      own_number_key("period_end",
                     "Where the last period ends; otherwise the end of the range of workload.period_column."),
      own_number_key("segments", "Number of segments of customers; otherwise 5."),
      own_choice_key(
          "features", {"rows", "rfm"},
          "What is put into segments: rows, or customers by recency, frequency and monetary value; otherwise "
          "rows."),
      own_key("recency", "COLUMN",
              "Column of data.numeric that is the time of a purchase, for workload.features=rfm.", is_word),
      own_key("monetary", "COLUMN",
              "Column of data.numeric that is the amount of a purchase, for workload.features=rfm.", is_word),
      own_number_key(
          "rows_per_customer",
          "Rows of one customer up to which workload.features=rfm tells them apart; otherwise 1024."),
      own_number_key("kept_at_least",
                     "Count that keeps a hashed item or category; otherwise 1. Without privacy "
                     "privacy.min_contributors holds "
                     "as well."),
      own_number_key("rows_per_unit", "Rows of one unit that count in statistics; 0: the workload's own."),
      own_number_key("words_per_unit",
                     "Words of one unit that count in vocabularies; 0: the workload's own."),

      choice_key(
          "server.optimizer", {"sgd", "momentum", "adam", "yogi", "adagrad"},
          "How an opened sum moves the model.", [](auto& c) -> auto& { return c.server.optimizer; }),
      number_key(
          "server.learning_rate", {0, kMax, true}, "a number > 0", "Length of the server's step.",
          [](auto& c) -> auto& { return c.server.learning_rate; }),
      number_key(
          "server.momentum", {0, 0.9999, false}, "0 to 0.9999", "Momentum of the server's step.",
          [](auto& c) -> auto& { return c.server.momentum; }),

      unit_key(),
      optional_number_key(
          "privacy.epsilon", 1e6, "above 0, at most 1e6",
          "Privacy budget of the run, all its sums together; the noise is calibrated from it.",
          [](auto& c) -> auto& { return c.privacy.epsilon; }),
      optional_number_key(
          "privacy.delta", 0.5, "above 0, at most 0.5", "Probability of the exception.",
          [](auto& c) -> auto& { return c.privacy.delta; }),
      optional_number_key(
          "privacy.clip", kMax, "a number > 0",
          "Bound of the L2 norm of one unit's contribution; empty: the workload's own.",
          [](auto& c) -> auto& { return c.privacy.clip; }),
      optional_number_key(
          "privacy.noise_multiplier", 1e6, "above 0, at most 1e6",
          "Standard deviation of the noise over the clip norm; empty: calibrated from epsilon.",
          [](auto& c) -> auto& { return c.privacy.noise_multiplier; }),
      number_key(
          "privacy.sampling_rate", {0, 1, true}, "above 0, at most 1",
          "Probability that a unit takes part in a round.",
          [](auto& c) -> auto& { return c.privacy.sampling_rate; }),
      integer_key(
          "privacy.turns", 1, 256, "training rounds, 1 to 256",
          "Units take turns: each is in one of so many training rounds, at all its merchants in the same, "
          "by a public rule; 1: every unit is in every round.",
          [](auto& c) -> auto& { return c.privacy.turns; }),
      choice_key(
          "privacy.correlated_noise", {"none", "banded"},
          "banded: training sums of rounds are mixed so that the noise of one round makes up for that of "
          "earlier ones (DP-FTRL by a banded matrix); privacy.turns is the number of bands.",
          [](auto& c) -> auto& { return c.privacy.correlated_noise; }),
      integer_key(
          "privacy.max_merchants_per_customer", 1, 1'000'000, "1 to 1000000",
          "Merchants that may know the same customer.",
          [](auto& c) -> auto& { return c.privacy.max_merchants_per_customer; }),
      integer_key(
          "privacy.collusion", 0, 1'000'000, "merchants, 0 to 1000000",
          "Merchants whose own noise does not count, because they may tell it: the others make up for it.",
          [](auto& c) -> auto& { return c.privacy.collusion; }),
      flag_key(
          "privacy.remove_surplus_noise",
          "Take the noise that was added for drop-outs that did not come out of the sum again, by keys that "
          "the "
          "merchants open; up to 128 merchants.",
          [](auto& c) -> auto& { return c.privacy.remove_surplus_noise; }),
      flag_key(
          "privacy.adaptive_clip",
          "Let the clip norm follow a quantile of the norms of contributions, found by a private bit of each "
          "unit.",
          [](auto& c) -> auto& { return c.privacy.adaptive_clip; }),
      number_key(
          "privacy.clip_quantile", {0, 0.99, true}, "above 0, at most 0.99",
          "Part of the units that the adaptive clip norm leaves as they are.",
          [](auto& c) -> auto& { return c.privacy.clip_quantile; }),
      number_key(
          "privacy.clip_learning_rate", {0, 10, true}, "above 0, at most 10",
          "Step of the logarithm of the adaptive clip norm.",
          [](auto& c) -> auto& { return c.privacy.clip_learning_rate; }),
      number_key(
          "privacy.expected_units", {0, kMax, false}, "units, 0 or more",
          "Units that the adaptive clip norm expects in a round, a public guess; 0: training rows times "
          "sampling rate.",
          [](auto& c) -> auto& { return c.privacy.expected_units; }),
      integer_key(
          "privacy.min_contributors", 1, 1'000'000, "1 to 1000000",
          "Without privacy: merchants that must have an item or category before it is in the model, by one "
          "more "
          "private sum; 1 publishes what a single merchant has.",
          [](auto& c) -> auto& { return c.privacy.min_contributors; }),
      text_key(
          "privacy.accountant", "rdp", "How the budget is computed.",
          [](auto& c) -> auto& { return c.privacy.accountant; },
          [](const std::string& text) { return text == "rdp" || text == "pld"; }),
      number_key(
          "privacy.statistics_share", {0, 0.9, true}, "above 0, at most 0.9",
          "Part of the budget for sums before training.",
          [](auto& c) -> auto& { return c.privacy.statistics_share; }),
      number_key(
          "privacy.evaluation_share", {0, 0.9, true}, "above 0, at most 0.9",
          "Part of the budget for test metrics.",
          [](auto& c) -> auto& { return c.privacy.evaluation_share; }),
      list_key(
          "privacy.previous_ledgers", "run directories",
          "Earlier runs on the same people, the latest first: the ledger continues theirs, and budgets add "
          "up.",
          [](auto& c) -> auto& { return c.privacy.previous_ledgers; }),

      choice_key(
          "aggregation.encryption", {"masked", "paillier", "none"},
          "How uploads are hidden from the coordinator. masked: under masks that cancel in the sum; "
          "paillier: "
          "under the key of an arbiter, one more rank, which opens sums only; none: not at all, for "
          "simulation, "
          "and named so everywhere.",
          [](auto& c) -> auto& { return c.aggregation.encryption; }),
      paillier_bits_key(),
      integer_key(
          "aggregation.threshold", 0, 1'000'000, "0 to 1000000",
          "Holders of shares that must be present to open a sum; fewer than are safe are refused; 0: two "
          "thirds "
          "of them, plus one, or as many as the assumptions need beyond 128 merchants.",
          [](auto& c) -> auto& { return c.aggregation.threshold; }),
      integer_key(
          "aggregation.neighbours", 0, 1'000'000, "0 to 1000000",
          "Merchants each merchant masks with; fewer than are safe are refused; 0: all of them up to 128, "
          "beyond as many as the assumptions need.",
          [](auto& c) -> auto& { return c.aggregation.neighbours; }),
      number_key(
          "aggregation.corrupt", {0, 0.9}, "fraction, 0 to 0.9",
          "Assumed: merchants that collude with the coordinator against the others.",
          [](auto& c) -> auto& { return c.aggregation.corrupt; }),
      number_key(
          "aggregation.dropouts", {0, 0.9}, "fraction, 0 to 0.9",
          "Assumed: invited merchants that drop out of a round.",
          [](auto& c) -> auto& { return c.aggregation.dropouts; }),
      choice_key(
          "aggregation.ring", {"auto", "32", "64"}, "Bits of the ring the sum is computed in.",
          [](auto& c) -> auto& { return c.aggregation.ring; }),
      choice_key(
          "aggregation.topology", {"star", "tree"},
          "How uploads reach the coordinator; tree: added up by the workers on their way, for many merchants "
          "and a "
          "cluster you trust to stay up: the loss of a worker ends the run.",
          [](auto& c) -> auto& { return c.aggregation.topology; }),
      text_key(
          "aggregation.roster", "file", "Signed roster of identities; empty: fresh identities for this run.",
          [](auto& c) -> auto& { return c.aggregation.roster; }),
      text_key(
          "aggregation.keys", "folder", "This worker's private keys, with a roster.",
          [](auto& c) -> auto& { return c.aggregation.keys; }),

      integer_key(
          "worker.threads", 1, 1024, "1 to 1024", "Threads of a worker.",
          [](auto& c) -> auto& { return c.worker.threads; }),

      text_key(
          "output.dir", "folder", "Run directory; empty: runs/NAME.",
          [](auto& c) -> auto& { return c.output.dir; }),

      optional_number_key(
          "policy.max_epsilon", 1e6, "above 0, at most 1e6",
          "Most that this worker's merchants spend; empty: no limit of their own.",
          [](auto& c) -> auto& { return c.policy.max_epsilon; }),
      optional_number_key(
          "policy.delta", 0.5, "above 0, at most 0.5", "Delta at which max_epsilon is meant.",
          [](auto& c) -> auto& { return c.policy.delta; }),
      integer_key(
          "policy.min_merchants", 0, 1'000'000, "0 to 1000000",
          "Fewest merchants in a sum that this worker's merchants join.",
          [](auto& c) -> auto& { return c.policy.min_merchants; }),
      list_key(
          "policy.workloads", "names of workloads",
          "Workloads this worker's merchants take part in; empty: all.",
          [](auto& c) -> auto& { return c.policy.workloads; }),
  };
}

}  // namespace

std::optional<std::vector<std::string>> split_list(const std::string& text) {
  std::vector<std::string> entries;
  if (trimmed(text).empty()) {
    return entries;
  }
  int depth = 0;
  bool in_quotes = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !(text[i] == ',' && depth == 0 && !in_quotes)) {
      in_quotes = in_quotes != (text[i] == '"');
      depth += in_quotes ? 0 : bracket_step(text[i]);
      continue;
    }
    const auto entry = unquoted(std::string_view(text).substr(begin, i - begin));
    if (!entry || entry->empty()) {
      return std::nullopt;
    }
    entries.push_back(*entry);
    begin = i + 1;
  }
  return in_quotes || depth != 0 ? std::nullopt : std::optional(entries);
}

const std::vector<Key>& key_table() {
  static const std::vector<Key> kTable = make_table();
  return kTable;
}

}  // namespace hanse
