#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/data/units.h"

namespace hanse {

/// The effective configuration of a run: one INI file for all ranks, changed by KEY=VALUE on the command
/// line. Every key is described once, in configuration.cc: name, unit, range, default and a sentence of help.
struct Configuration {
  struct Federation {
    std::string name = "run";
    std::uint64_t seed = 1;
    std::uint32_t rounds = 100;  ///< Training rounds.
    std::uint32_t evaluate_every =
        0;                ///< Rounds between evaluations; 0: each round without noise, at the end with.
    double cohort = 1.0;  ///< Fraction of merchants invited to a round.
    std::uint32_t min_merchants = 0;    ///< Fewest merchants in a sum; 0: max(3, ceil(2/3 of them)).
    std::uint32_t deadline_ms = 30000;  ///< Longest for each phase of a round.
    bool resume = false;
    std::uint32_t checkpoint_every = 1;  ///< Training rounds.
    std::uint32_t restarts = 3;          ///< By hanse run, after a coordinator or too many workers were lost.
    std::string start;                   ///< A published model to go on from; empty: from the beginning.
  } federation;

  struct Data {
    std::string path;  ///< "{worker}" in it is replaced by the worker's rank.
    std::string format = "csv";
    std::string merchant;  ///< COLUMN, or COLUMN@FILE looked up by the customer column.
    std::string customer;
    std::string label;
    std::string positive;  ///< Label value that means 1; empty: labels are 0 and 1.
    std::string time;
    std::string item = "item";      ///< Format ratings.
    std::string rating = "rating";  ///< Format ratings.
    std::vector<std::string> numeric;
    std::vector<std::string> categorical;
    std::uint32_t features = 0;  ///< Format libsvm: number of columns.
    std::string partition = "column";
    std::string test = "none";
    std::string validation = "train";  ///< What rows marked valid in a split file are: train, test or drop.
    std::vector<std::string> clean;
    bool standardise = true;
    std::uint64_t max_units = 1u << 20;  ///< Public bound on the units of one merchant.
  } data;

  struct WorkloadOptions {
    std::string name = "logistic";
    std::string task = "auto";  ///< What a label is: classification, regression, or as the workload has it.
    std::uint32_t rank = 16;
    double l2 = 0.0;
    std::string solver = "gradient";
    std::uint32_t local_epochs = 1;
    std::uint32_t batch = 32;
    double learning_rate = 0.1;
    std::map<std::string, std::string> other;  ///< Keys that one workload alone understands.
  } workload;

  struct Server {
    std::string optimizer = "sgd";
    double learning_rate = 1.0;
    double momentum = 0.9;
  } server;

  struct Privacy {
    Unit unit = Unit::customer;
    double epsilon = 0;           ///< 0: not given.
    double delta = 0;             ///< 0: not given.
    double clip = 0;              ///< 0: the workload's own.
    double noise_multiplier = 0;  ///< 0: calibrated from epsilon.
    double sampling_rate = 1.0;
    std::uint32_t turns = 1;  ///< A unit is in every turns-th training round.
    std::string correlated_noise = "none";
    std::uint32_t max_merchants_per_customer = 1;
    std::uint32_t collusion = 0;  ///< t: merchants whose own noise does not count.
    bool remove_surplus_noise =
        false;                   ///< What was drawn for drop-outs that did not come is taken out again.
    bool adaptive_clip = false;  ///< `clip` is where it starts.
    double clip_quantile = 0.5;
    double clip_learning_rate = 0.2;
    double expected_units = 0;           ///< Of a round; 0: training rows times sampling rate.
    std::uint32_t min_contributors = 2;  ///< Merchants; without a unit of privacy.
    std::string accountant = "rdp";
    double statistics_share = 0.1;              ///< Part of the budget for sums before training.
    double evaluation_share = 0.1;              ///< Part of the budget for test metrics.
    std::vector<std::string> previous_ledgers;  ///< Of runs on the same people, latest first.
  } privacy;

  struct Aggregation {
    std::string encryption = "masked";
    std::uint32_t threshold = 0;   ///< Holders that must be present to open; 0: as many as are needed.
    std::uint32_t neighbours = 0;  ///< 0: all up to 128 merchants, beyond as many as are needed.
    double corrupt = 0.1;          ///< Fraction of merchants assumed to collude with the coordinator.
    double dropouts = 0.05;        ///< Fraction of invited merchants assumed to drop out of a round.
    std::string ring = "auto";
    std::uint32_t paillier_bits = 3072;  ///< Of the arbiter's modulus: 3072 or 4096.
    std::string topology = "star";
    std::string roster;  ///< Signed roster of identities; empty: fresh identities for this run.
    std::string keys;    ///< Folder of this worker's private keys, with a roster.
  } aggregation;

  struct Worker {
    std::uint32_t threads = 1;
  } worker;

  struct Output {
    std::string dir;  ///< Empty: runs/NAME.
  } output;

  /// A worker's own: never sent by the coordinator.
  struct Policy {
    double max_epsilon = 0;  ///< 0: no limit of its own.
    double delta = 0;
    std::uint32_t min_merchants = 0;
    std::vector<std::string> workloads;
  } policy;
};

/// Reads `file`, then applies `settings` (KEY=VALUE). Throws bad_input with one sentence naming file, line or
/// key: unknown keys (with the nearest valid spelling), values out of range, contradictions.
Configuration read_configuration(const std::filesystem::path& file, const std::vector<std::string>& settings);

/// The canonical text: every key with its effective value, in a fixed order; reading it gives the same
/// configuration. [policy] is left out: it is a worker's own.
std::string canonical_text(const Configuration& configuration);

/// Every key as "section.key", in the order of the canonical text; [policy] is the last section.
std::vector<std::string> configuration_keys();

/// The canonical text without what may differ between hosts, or between a run and its continuation: data.path,
/// output.dir, aggregation.keys and .roster, worker.threads, privacy.previous_ledgers, and of [federation] deadline_ms,
/// resume, checkpoint_every and restarts. Its digest ties coordinator and workers to one configuration.
std::string shared_text(const Configuration& configuration);

/// The first key in which two configurations' shared texts differ, with both values: "federation.seed (1 before, 2 now)";
/// nothing when they are the same.
std::optional<std::string> shared_difference(const Configuration& before, const Configuration& now);

/// A table of all keys for --help: section, key, unit or range, default, meaning.
std::string describe_keys();

/// Where the run is written: output.dir, or runs/NAME.
std::filesystem::path run_directory(const Configuration& configuration);

}  // namespace hanse
