// A workload from outside the library: how do customers differ in what they spend? Each customer of each
// merchant is counted in one of six bands by the mean value of its baskets; the bands' totals are all that
// anyone learns.
//
//     build/bin/own_workload [RUN_DIR]          (default runs/own_workload; it must not exist yet)
//
// prints what the merchants' policies allow, the noisy histogram with the true one beside it, and the epsilon
// of the customers. Ledger and copies are on disk like those of any run: `build/bin/hanse audit RUN_DIR`
// checks them.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <deque>
#include <filesystem>

#include "common/base/program.h"
#include "common/base/seeded_generator.h"
#include "common/transport/simulated_network.h"
#include "common/workloads/workload.h"
#include "coordinator/federation.h"
#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/rdp.h"
#include "privacy/crypto/system_random.h"
#include "privacy/ledger/ledger_copy.h"
#include "privacy/ledger/ledger_writer.h"
#include "privacy/pipeline.h"
#include "privacy/protocol/round_payload.h"
#include "privacy/published/model_file.h"
#include "worker/worker_node.h"

namespace hanse {
namespace {

// 1. The workload. Rows have one column, the value of a basket in euros; a unit's rows are one customer's
// baskets. A customer adds 1 to one entry, so its vector has norm 1, clipping never changes it, and one
// private sum is enough.
class SpendingBands final : public Workload {
 public:
  static constexpr std::array<double, 5> kUpperEdges = {10, 20, 40, 80,
                                                        160};  // Euros; the sixth band is open.
  static constexpr std::size_t kBands = kUpperEdges.size() + 1;

  std::string_view name() const override { return "spending_bands"; }
  Unit natural_unit() const override { return Unit::customer; }

  Model initial_model(std::uint64_t) const override {
    return {.step = 0, .parameters = std::vector<double>(kBands), .server_state = {}};
  }

  std::optional<PrivateSum> next_sum(const Model& model) const override {
    if (model.step > 0) {
      return std::nullopt;  // The histogram is complete after one sum.
    }
    return PrivateSum{.name = "customers by band", .length = kBands, .clip_norm = 1};
  }
  std::optional<PrivateSum> evaluation_sum(const Model&) const override { return std::nullopt; }

  Contributor contributor(const Model&, const PrivateSum&) const override {
    return [](const UnitRows& rows, Contribution& contribution) {
      double spent = 0;
      for (std::size_t i = 0; i < rows.train.size(); ++i) {
        spent += rows.train.row(i).values[0];
      }
      contribution.add(band_of(spent / static_cast<double>(rows.train.size())), 1);
    };
  }

  Metrics apply(Model& model, const PrivateSum&, std::span<const double> total) const override {
    model.parameters.assign(total.begin(), total.end());
    ++model.step;
    return {};
  }
  std::vector<NamedArray> arrays(const Model& model) const override {
    return {{"customers_by_band", {kBands}, model.parameters}};
  }

  static std::size_t band_of(double mean) {
    const auto edge = std::upper_bound(kUpperEdges.begin(), kUpperEdges.end(), mean);
    return static_cast<std::size_t>(edge - kUpperEdges.begin());
  }
};

// 2. The merchants: some customers each, a few baskets a customer, made up from a public seed.
Dataset made_up_merchant(const std::string& name, std::uint32_t customers) {
  SeededGenerator generator({7, customers});
  Dataset data;
  data.space.width = 1;
  data.space.names = {"basket_value"};
  for (std::uint32_t customer = 0; customer < customers; ++customer) {
    const double habit = 5 * std::exp(4 * generator.uniform());  // 5 to 273 euros.
    for (std::uint64_t baskets = 1 + generator.below(4); baskets > 0; --baskets) {
      data.train.features.columns.push_back(0);
      data.train.features.values.push_back(static_cast<float>(habit * (0.5 + generator.uniform())));
      data.train.features.row_begin.push_back(data.train.features.columns.size());
      data.train.customers.push_back(customer);
    }
  }
  data.merchants.push_back({.name = name, .train_end = data.train.features.rows()});
  return data;
}

// 3. A merchant's own side: its data, its copy of the ledger, its policy. What worker/local_work.h does for
// the workloads of the catalogue, for one workload and one merchant.
class Merchant {
 public:
  Merchant(std::string name, std::uint32_t customers, SecureRandom& random)
      : random_(random), data_(made_up_merchant(name, customers)), identity_(SigningKey::generate(random)) {}
  const std::string& name() const { return data_.merchants.front().name; }

  /// `coordinator` is known to the merchant beforehand; no sum may take its customers beyond epsilon 1.5.
  WorkerNode node(std::uint32_t rank, const std::filesystem::path& run, const PublicKey& coordinator) {
    const Configuration::Policy policy{.max_epsilon = 1.5, .delta = 0, .min_merchants = 3, .workloads = {}};
    ledger_.emplace(run, std::vector<LedgerMerchant>{{name(), identity_.public_key()}}, policy, coordinator);
    std::vector<HostedMerchant> hosted;
    hosted.push_back({name(), SigningKey::from_seed(identity_.seed().duplicate())});
    WorkerHooks hooks;
    hooks.permit = [this](std::span<const std::string> lines, std::span<const std::uint32_t>) {
      return permit(lines);
    };
    hooks.accept_round = [this](const StartView& start) { return accept(start); };
    hooks.prepare = [this](std::uint32_t, const Seal& seal) { return sealed(seal); };
    hooks.round_ended = [this](ByteView line, bool released) {
      if (released) {
        (void)ledger_->accept(text_of(line));
      }
    };
    return {WorkerOptions{.rank = rank, .coordinator = coordinator}, std::move(hosted), std::move(hooks),
            random_};
  }

  /// For the comparison below; never leaves a real merchant.
  void count(std::vector<double>& bands) const {
    Contribution contribution;
    for_each_unit(data_, data_.merchants.front(), Unit::customer, Population::train,
                  [&](const UnitRows& rows) {
                    contribution.clear();
                    workload_.contributor({}, {})(rows, contribution);
                    bands[contribution.blocks()[0].first] += 1;
                  });
  }

 private:
  std::optional<Error> take(std::span<const std::string> lines) {
    for (const std::string& line : lines) {
      if (const Result<Record> record = ledger_->accept(line); !record) {
        return record.error();
      }
    }
    return std::nullopt;
  }

  /// The lines of the ledger go to this merchant's own disk, and its budget is asked, before it signs them.
  Result<HeadToSign> permit(std::span<const std::string> lines) {
    if (auto error = take(lines)) {
      return *error;
    }
    const LedgerState& state = ledger_->state();
    return HeadToSign{.size = state.tree().size(), .root = state.tree().root(), .text = state.to_cosign()};
  }

  /// The signatures that permit the sum are on this merchant's own disk before data is touched.
  Result<SumParameters> accept(const StartView& start) {
    const Result<RoundPayload> payload = decode_round_payload(start.payload);
    if (!payload) {
      return payload.error();
    }
    if (auto error = take(payload->ledger_lines)) {
      return *error;
    }
    const std::optional<Intent>& intent = ledger_->state().open_intent();
    const std::optional<PrivateSum> sum = workload_.next_sum(payload->model);
    if (!intent || !std::ranges::includes(ledger_->state().permitted_by(), start.merchants) || !sum ||
        intent->name != sum->name || intent->round != start.round ||
        intent->parameters.length != sum->length || intent->parameters.clip_norm != sum->clip_norm ||
        intent->model != digest_of(payload->preparation, payload->model)) {
      return Error{"the intent is not about the sum that this model asks for"};
    }
    model_ = payload->model;
    parameters_ = intent->parameters;
    return parameters_;
  }

  SealedSum sealed(const Seal& seal) {
    const PrivateSum sum = *workload_.next_sum(model_);
    const Contributor contribute = workload_.contributor(model_, sum);
    const UnitSource customers = [&](const std::function<void(const Contribution&)>& take) {
      Contribution contribution;
      for_each_unit(data_, data_.merchants.front(), Unit::customer, sum.population,
                    [&](const UnitRows& rows) {
                      contribution.clear();
                      contribute(rows, contribution);
                      take(contribution);
                    });
    };
    return prepare(customers, parameters_, NoiseShare::draw(parameters_, random_), seal);
  }

  SecureRandom& random_;
  Dataset data_;
  SigningKey identity_;
  SpendingBands workload_;
  std::optional<LedgerCopy> ledger_;
  Model model_;
  SumParameters parameters_;
};

int run(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder)) {
    throw bad_input(folder.string() + " exists: name another folder for this run's ledger");
  }
  std::filesystem::create_directories(folder);
  SystemRandom random;
  const SigningKey identity = SigningKey::generate(random);
  std::deque<Merchant> merchants;
  for (const auto& [name, customers] :
       {std::pair("bakery", 400u), {"books", 900u}, {"flowers", 650u}, {"toys", 300u}, {"wine", 1200u}}) {
    merchants.emplace_back(name, customers, random);
  }

  // 4. One federation in this process.
  SimulatedNetwork network;
  const auto say = [](std::string_view sentence) {
    std::printf("  %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  };
  Federation federation(
      network, network,
      CoordinatorSession({.workers = static_cast<Peer>(merchants.size())}, identity, random),
      Milliseconds{1000}, say);
  std::deque<WorkerNode> nodes;
  for (Merchant& merchant : merchants) {
    const auto rank = static_cast<std::uint32_t>(nodes.size() + 1);
    WorkerNode& node = nodes.emplace_back(merchant.node(rank, folder, identity.public_key()));
    network.add_worker([&node](ByteView message) { return node.handle(message); });
    network.send_from(rank, node.hail());
  }
  federation.assemble();

  // 5. The budget: epsilon 1 for every customer, with noise that four merchants of five already carry in
  // full.
  const double delta = 1e-6;
  const double noise_multiplier = calibrate_noise_multiplier(
      [](double z) { return std::vector<DpEvent>{{.noise_multiplier = z}}; }, 1.0, delta);
  const SpendingBands workload;
  Model model = workload.initial_model(0);
  const PrivateSum sum = *workload.next_sum(model);
  const SumParameters parameters = choose_parameters({.length = sum.length,
                                                      .clip_norm = sum.clip_norm,
                                                      .units_max = 10000,
                                                      .merchants = 5,
                                                      .shares_min = 4,
                                                      .noise_multiplier = noise_multiplier});
  Plan plan;
  plan.federation = "own_workload";
  plan.run_id = fresh_run_id(random);
  plan.unit = Unit::customer;
  plan.delta = delta;
  plan.epsilon = 1.0;
  plan.shares_min = 4;
  plan.encryption = "masked";
  plan.workload = workload.name();
  plan.releases = {{.count = 1, .noise_multiplier = noise_multiplier}};
  plan.software = HANSE_VERSION;
  plan.unix_time = static_cast<std::uint64_t>(std::time(nullptr));
  for (std::uint32_t id = 0; id < merchants.size(); ++id) {
    plan.merchants.push_back({federation.session().names()[id], federation.session().identities()[id]});
  }
  LedgerWriter ledger = LedgerWriter::create(
      folder / "ledger.jsonl", SigningKey::from_seed(identity.seed().duplicate()), std::move(plan));

  SignedLedger signed_ledger(federation, ledger, say);
  signed_ledger.sign_plan();

  // 6. The sum: intent on disk, the merchants' permission on disk, round, apply, release on disk.
  ledger.write(Intent{.round = 1,
                      .name = sum.name,
                      .parameters = parameters,
                      .model = digest_of({}, model),
                      .invited = {0, 1, 2, 3, 4},
                      .unix_time = static_cast<std::uint64_t>(std::time(nullptr))});
  const auto permitted = signed_ledger.sign_intent({0, 1, 2, 3, 4});
  if (!permitted) {
    ledger.abort_open(permitted.what());
    throw Failure(ExitCode::could_not_finish, permitted.what());
  }
  const CoordinatorRound round =
      federation.run({.round = 1,
                      .parameters = parameters,
                      .payload = encode(RoundPayload{{ledger.last_line()}, {}, model}),
                      .merchants = *permitted});
  if (const RoundFailure* failure = round.failed()) {
    ledger.abort_open(failure->sentence);
    throw Failure(ExitCode::could_not_finish, failure->sentence);
  }
  workload.apply(model, sum, round.summed()->values(parameters));
  const std::string line =
      ledger.write(Release{.round = 1,
                           .merchants = round.summed()->merchants,
                           .opened = sha256(std::as_bytes(std::span(round.summed()->entries))),
                           .model = digest_of({}, model),
                           .reason = ""});
  federation.announce(round, bytes_of(line));

  // 7. The model, and what the run claims of it.
  const PublishedModel published{.workload = std::string(workload.name()),
                                 .step = model.step,
                                 .arrays = workload.arrays(model),
                                 .encoding = {},
                                 .columns = {"basket_value"},
                                 .facts = {},
                                 .privacy = "epsilon = 1 at delta = 1e-6 for each customer"};
  write_model(folder / "model", published);
  ledger.write(ledger.state().claim_for(*digest_from_hex(model_digest(published))));
  signed_ledger.sign_claim({0, 1, 2, 3, 4});
  federation.stop(ExitCode::done, "");

  // 8. What anyone may know, and beside it what nobody does.
  std::vector<double> truth(SpendingBands::kBands);
  for (const Merchant& merchant : merchants) {
    merchant.count(truth);
  }
  std::printf("customers by their mean basket (euros)     released      truth\n");
  for (std::size_t band = 0; band < SpendingBands::kBands; ++band) {
    const double low = band == 0 ? 0 : SpendingBands::kUpperEdges[band - 1];
    std::printf("  from %4.0f %28s %14.1f %10.0f\n", low, "", model.parameters[band], truth[band]);
  }
  std::printf("each customer: epsilon = %.4f at delta = %.0e; noise of standard deviation %.2f or more\n",
              ledger.state().epsilon_spent(), delta, parameters.noise_multiplier() * sum.clip_norm);
  std::printf("ledger: %s\n", (folder / "ledger.jsonl").c_str());
  return 0;
}

}  // namespace
}  // namespace hanse

int main(int count, char** arguments) {
  return hanse::run_program("own_workload",
                            [&] { return hanse::run(count > 1 ? arguments[1] : "runs/own_workload"); });
}
