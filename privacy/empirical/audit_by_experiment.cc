#include "privacy/empirical/audit_by_experiment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/figure.h"
#include "privacy/crypto/system_random.h"
#include "privacy/ledger/ledger_lines.h"

namespace hanse {
namespace {

using Json = nlohmann::json;

/// Merchants of an experiment: enough for masks and shares of noise to be real.
constexpr std::uint64_t kMerchantsTried = 8;
/// Fewer for very many sums, so that an experiment stays a matter of seconds.
constexpr std::uint64_t kSharesTried = 4000;
/// Entries of all sums together, of each merchant: ten thousand sums of twenty thousand canaries.
constexpr std::uint64_t kEntriesTried = 200'000'000;

/// One of the sums of an experiment, before it is known how many merchants carry its noise.
struct Candidate {
  SumParameters parameters;
  std::uint32_t honest_shares = 0;
  double sampling_rate = 1;
  std::optional<std::uint64_t> row = std::nullopt;
  std::uint32_t coefficient = 1;

  /// With sampling about that, for small rates.
  double mu_square() const {
    const double sigma_square =
        static_cast<double>(honest_shares) * static_cast<double>(parameters.share_variance);
    return std::pow(sampling_rate * coefficient * static_cast<double>(parameters.sensitivity()), 2) /
           sigma_square;
  }
};

double mu_square_of(const std::vector<Candidate>& candidates) {
  double sum = 0;
  for (const Candidate& candidate : candidates) {
    sum += candidate.mu_square();
  }
  return sum;
}

/// The first sums, as many as the options ask for, or as stay below kMuMax and take some minutes at most; at
/// least one.
void choose_rounds(std::vector<Candidate>& candidates, const ExperimentOptions& options) {
  const std::uint64_t most = options.rounds > 0 ? options.rounds : kEntriesTried / options.canaries;
  std::size_t count = 0;
  double mu_square = 0;
  while (count < candidates.size() && count < most) {
    mu_square += candidates[count].mu_square();
    if (options.rounds == 0 && count > 0 && mu_square > kMuMax * kMuMax) {
      break;
    }
    ++count;
  }
  candidates.resize(count);
}

std::uint32_t merchants_for(const std::vector<Candidate>& candidates) {
  std::uint64_t most_shares = 1;
  std::uint64_t at_least = 1;
  for (const Candidate& candidate : candidates) {
    most_shares = std::max<std::uint64_t>(most_shares, candidate.honest_shares);
    at_least = std::max<std::uint64_t>(
        at_least, std::min<std::uint64_t>(candidate.parameters.merchants_per_unit, kMerchantsTried));
    // What the sampler takes of one share: 2^62.
    const double total = std::sqrt(static_cast<double>(candidate.honest_shares)) *
                         std::sqrt(static_cast<double>(candidate.parameters.share_variance));
    at_least = std::max(at_least, static_cast<std::uint64_t>(std::ceil(std::pow(total / 0x1p31, 2))));
  }
  const std::uint64_t affordable =
      std::clamp<std::uint64_t>(kSharesTried / candidates.size(), 2, kMerchantsTried);
  return static_cast<std::uint32_t>(std::max(at_least, std::min(most_shares, affordable)));
}

/// canary_parameters() asks for room, which a ledger, whoever wrote it, need not leave.
void check_room(const SumParameters& parameters, const CanaryPlan& plan) {
  const std::uint64_t units = std::max<std::uint64_t>(parameters.units_max, plan.canaries);
  if (static_cast<double>(units) * plan.merchants * parameters.gain *
          std::ldexp(1, static_cast<int>(parameters.grid_bits)) >
      0x1p61) {
    throw bad_input("the ledger's sums leave no room for " + std::to_string(plan.canaries) +
                    " canaries: try fewer with --canaries");
  }
}

CanaryPlan canary_plan(const std::vector<Candidate>& candidates, const ExperimentOptions& options,
                       const std::vector<std::uint32_t>& coefficients = {}) {
  CanaryPlan plan{
      .canaries = options.canaries, .merchants = merchants_for(candidates), .sums = {}, .seed = options.seed};
  plan.coefficients = coefficients;
  for (const Candidate& candidate : candidates) {
    check_room(candidate.parameters, plan);
    plan.sums.push_back(
        canary_parameters(candidate.parameters, candidate.honest_shares, options.canaries, plan.merchants));
    plan.sampling_rates.push_back(candidate.sampling_rate);
    plan.rows.push_back(candidate.row);
  }
  return plan;
}

/// What the ledger spent on the population that is tried.
std::optional<double> epsilon_of(const LedgerState& state, const std::string& population) {
  for (const SpentRow& row : state.spent()) {
    if (row.population == population) {
      return row.epsilon;
    }
  }
  return std::nullopt;
}

std::string percent(double share) {
  return rough_figure(100 * share) + " %";
}

std::string text_of(const MeasuredRatio& ratio) {
  return rough_figure(ratio.value) + " (" + rough_figure(ratio.low) + " to " + rough_figure(ratio.high) + ")";
}

std::string line(const std::string& name, const std::string& value) {
  constexpr std::size_t kWidth = 28;
  return "  " + name + std::string(name.size() < kWidth ? kWidth - name.size() : 1, ' ') + value + "\n";
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}
Json json_of(const MeasuredRatio& ratio) {
  return {{"value", number(ratio.value)}, {"low", number(ratio.low)}, {"high", number(ratio.high)}};
}

std::vector<Intent> intents_of(const AuditReport& report) {
  const std::string content = read_file(report.ledger);
  const LedgerLines split = split_lines(content);
  std::vector<Intent> intents;
  for (std::size_t i = 0; i < std::min<std::size_t>(report.lines, split.lines.size()); ++i) {
    if (const auto record = decode_record(split.lines[i])) {
      if (const auto* intent = std::get_if<Intent>(&record->payload)) {
        intents.push_back(*intent);
      }
    }
  }
  return intents;
}

bool has_noise(const std::vector<Intent>& intents) {
  return std::ranges::any_of(intents,
                             [](const Intent& intent) { return intent.parameters.share_variance > 0; });
}

ExperimentOptions read_options(const Arguments& arguments) {
  ExperimentOptions options;
  options.canaries = static_cast<std::uint32_t>(arguments.integer("canaries", 100, 1'000'000));
  options.significance = arguments.number("significance", 1e-12, 0.5);
  options.seed =
      static_cast<std::uint64_t>(arguments.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  if (arguments.given("rounds")) {
    options.rounds = static_cast<std::uint64_t>(arguments.integer("rounds", 1, 1'000'000));
  }
  return options;
}

ExperimentReport carry_out(const PlannedExperiment& planned, const ExperimentOptions& options) {
  SystemRandom random;
  return experiment(planned.plan, planned.delta, options.significance, random);
}

}  // namespace

PlannedExperiment plan_experiment(const LedgerState& state, const std::vector<Intent>& intents,
                                  const ExperimentOptions& options) {
  const Plan& ledger = state.plan();
  std::vector<Candidate> of_population[2];
  for (const Intent& intent : intents) {
    if (intent.parameters.share_variance > 0 && intent.sampling_rate > 0 && ledger.unit != Unit::none) {
      const bool apart = ledger.unit == Unit::record && intent.population == Population::test;
      of_population[apart ? 1 : 0].push_back(
          {intent.parameters, intent.parameters.shares_min - ledger.collusion, intent.sampling_rate,
           intent.row, intent.row ? ledger.coefficients[*intent.row % ledger.coefficients.size()] : 1});
    }
  }
  const bool test = mu_square_of(of_population[1]) > mu_square_of(of_population[0]);
  std::vector<Candidate>& candidates = of_population[test ? 1 : 0];
  if (candidates.empty()) {
    throw bad_input("there is nothing to try: the ledger has no sum with noise");
  }

  PlannedExperiment planned;
  planned.delta = ledger.delta;
  planned.sums_of_run = candidates.size();
  planned.epsilon_ledger = epsilon_of(state, ledger.unit != Unit::record ? "all" : test ? "test" : "train");
  if (ledger.unit == Unit::record) {
    planned.notes.push_back(std::string("Tried are the sums over ") + (test ? "test" : "train") +
                            " records, which spent most.");
  }
  choose_rounds(candidates, options);
  planned.plan = canary_plan(candidates, options, ledger.coefficients);
  return planned;
}

PlannedExperiment plan_experiment(double noise_multiplier, double sampling_rate, std::uint32_t merchants,
                                  double delta, const ExperimentOptions& options) {
  const SumParameters parameters = choose_parameters(
      {.length = 1, .merchants = merchants, .shares_min = merchants, .noise_multiplier = noise_multiplier});
  if (parameters.share_variance == 0) {
    throw bad_input("--noise-multiplier " + rough_figure(noise_multiplier) +
                    " is too little to add anything");
  }
  std::vector<Candidate> candidates(std::max<std::uint64_t>(options.rounds, 1),
                                    {parameters, merchants, sampling_rate});
  PlannedExperiment planned;
  planned.delta = delta;
  planned.sums_of_run = candidates.size();
  planned.plan = canary_plan(candidates, options);
  return planned;
}

std::string text_of(const PlannedExperiment& planned, const ExperimentReport& report) {
  const std::string law = report.sampled ? "units drawn by secret coins" : "mu " + rough_figure(report.mu);
  const std::string allowed =
      report.sampled ? "" : "; the claim allows " + percent(0.5 * std::erfc(-report.mu / 2 / std::sqrt(2.0)));
  std::string text = "Experiment: " + std::to_string(report.canaries) +
                     " canary customers through clip, grid, noise, masks and sum\n";
  text +=
      line("tried", std::to_string(report.sums) + " of " + std::to_string(planned.sums_of_run) +
                        (planned.sums_of_run == 1 ? " sum, " : " sums, ") + std::to_string(report.merchants) +
                        (report.merchants == 1 ? " merchant" : " merchants") + ", the least noise allowed");
  text += line("claimed of these sums", "epsilon " + rough_figure(report.epsilon) + " at delta " +
                                            rough_figure(report.delta) + " (" + law + ")");
  if (planned.epsilon_ledger) {
    text += line("the ledger, of all sums", "epsilon " + rough_figure(*planned.epsilon_ledger));
  }
  const double right =
      static_cast<double>(report.guesses.right) / static_cast<double>(report.guesses.guesses);
  text += line("who was in, guessed right", percent(right) + allowed);
  text += "  found, at least\n";
  for (const LowerBound& bound : report.bounds) {
    text +=
        line("  " + bound.method, bound.epsilon > 0 ? "epsilon " + rough_figure(bound.epsilon) : "nothing");
  }
  if (!report.sampled) {
    text += line("estimated (no bound)", "epsilon " + rough_figure(report.one_shot_estimate));
  }
  text += line("noise, of the claimed", text_of(report.noise));
  text += line(report.sampled ? "shift, of rate and clip" : "shift, of the clip norm", text_of(report.shift));
  for (const std::string& note : planned.notes) {
    text += "Note: " + note + "\n";
  }
  for (const std::string& finding : report.findings) {
    text += "FINDING: " + finding + "\n";
  }
  return text +
         (report.holds() ? "The experiment finds no more than is claimed"
                         : "The experiment CONTRADICTS the claim") +
         " (chance of a false alarm: " + rough_figure(report.significance) + ").\n";
}

std::string json_with(const std::string& before, const PlannedExperiment& planned,
                      const ExperimentReport& report) {
  Json bounds = Json::array();
  for (const LowerBound& bound : report.bounds) {
    bounds.push_back({{"method", bound.method}, {"epsilon", number(bound.epsilon)}});
  }
  Json json = Json::parse(before);
  json["empirical"] = {{"holds", report.holds()},
                       {"findings", report.findings},
                       {"notes", planned.notes},
                       {"canaries", report.canaries},
                       {"merchants", report.merchants},
                       {"sums", report.sums},
                       {"sums_of_run", planned.sums_of_run},
                       {"delta", report.delta},
                       {"significance", report.significance},
                       {"seed", report.seed},
                       {"sampled", report.sampled},
                       {"mu", report.sampled ? Json() : Json(report.mu)},
                       {"epsilon", report.epsilon},
                       {"epsilon_ledger", planned.epsilon_ledger ? Json(*planned.epsilon_ledger) : Json()},
                       {"guesses_right", report.guesses.right},
                       {"mu_lower", report.sampled ? Json() : number(report.gdp_mu)},
                       {"bounds", bounds},
                       {"estimate", report.sampled ? Json() : number(report.one_shot_estimate)},
                       {"noise", json_of(report.noise)},
                       {"shift", json_of(report.shift)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void declare_experiment_options(Arguments& arguments) {
  arguments
      .flag("empirical",
            "Also tries the mechanism: canary customers go through it with the ledger's noise, and what it "
            "releases is "
            "attacked. With --noise-multiplier instead of RUN_DIR, with that noise.")
      .option("canaries", "With --empirical: how many, from 100.", "20000")
      .option("significance", "With --empirical: chance of a false alarm.", "0.001")
      .option("rounds", "With --empirical: how many sums to try. Otherwise as many as can be told apart.")
      .option("seed", "With --empirical: of the canaries' coins. Noise has no seed.", "1")
      .option("noise-multiplier",
              "With --empirical and no RUN_DIR: noise standard deviation over the clip norm.")
      .option("sampling-rate", "With --empirical and no RUN_DIR: chance that a customer takes part in a sum.",
              "1")
      .option("merchants", "With --empirical and no RUN_DIR: who share the noise.", "3")
      .option("delta", "With --empirical and no RUN_DIR.", "1e-6");
}

void add_experiment(const Arguments& arguments, const AuditReport& report, Verdict& verdict) {
  if (!arguments.flag_given("empirical")) {
    return;
  }
  if (arguments.given("noise-multiplier")) {
    throw bad_input("--noise-multiplier is for an experiment without a ledger: leave it out, or RUN_DIR");
  }
  const ExperimentOptions options = read_options(arguments);
  const std::vector<Intent> intents = report.state.empty() ? std::vector<Intent>{} : intents_of(report);
  if (!verdict.holds && !has_noise(intents)) {
    return;  // The ledger broke off before there was anything to try: what was found of it is said already.
  }
  if (report.state.empty()) {
    throw bad_input("there is nothing to try: the ledger has no plan that holds");
  }
  const PlannedExperiment planned = plan_experiment(report.state, intents, options);
  const ExperimentReport seen = carry_out(planned, options);
  verdict.text = arguments.flag_given("json") ? json_with(verdict.text, planned, seen)
                                              : verdict.text + text_of(planned, seen);
  verdict.holds = verdict.holds && seen.holds();
}

Verdict experiment_without_ledger(const Arguments& arguments) {
  if (!arguments.flag_given("empirical")) {
    throw bad_input("name the folder of a run, RUN_DIR, or its ledger");
  }
  const ExperimentOptions options = read_options(arguments);
  const PlannedExperiment planned = plan_experiment(
      arguments.number("noise-multiplier", 1e-3, 1e6), arguments.number("sampling-rate", 1e-9, 1),
      static_cast<std::uint32_t>(arguments.integer("merchants", 1, 1000)),
      arguments.number("delta", 1e-100, 0.5), options);
  const ExperimentReport seen = carry_out(planned, options);
  return {.text = arguments.flag_given("json") ? json_with("{}", planned, seen) : text_of(planned, seen),
          .holds = seen.holds()};
}

}  // namespace hanse
