// A worker like hanse-worker, whose merchants of certain names break the rules from the first round on:
//
//   the-sleeper   answers START with its upload long after the deadline
//   the-leaver    answers START with ABORT, and nothing any more
//   the-garbler   sends bytes that are no upload
//   the-liar      deals shares of other secrets than those it committed to, and reveals shares that are none it holds
//
// All else it does is real: reading, ledger, budget, masks, links.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "common/base/program.h"
#include "common/base/seeded_generator.h"
#include "common/config/arguments.h"
#include "common/data/read_dataset.h"
#include "common/transport/mpi_channel.h"
#include "common/transport/run_status.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/system_random.h"
#include "worker/local_work.h"
#include "worker/worker_loop.h"

namespace hanse {
namespace {

/// What goes wrong, at the two places where a worker lets one in: before data is touched, and before a message is
/// sealed.
class Misbehaviour {
 public:
  explicit Misbehaviour(Milliseconds nap) : nap_(nap) {}

  void spoil(WorkerHooks& hooks) {
    hooks.session_ready = [this, go_on = hooks.session_ready](const SessionView& session) {
      names_ = session.names;
      go_on(session);
    };
    hooks.prepare = [this, go_on = hooks.prepare](std::uint32_t merchant, const Seal& seal) {
      if (is(merchant, "the-sleeper")) {
        std::this_thread::sleep_for(nap_);
      }
      return go_on(merchant, seal);
    };
    hooks.before_sealing = [this](Bytes& message) { return change(message); };
  }

 private:
  bool is(std::uint32_t merchant, const char* name) const {
    return merchant < names_.size() && names_[merchant] == name;
  }

  /// False keeps the message back.
  bool change(Bytes& message) {
    const auto envelope = open_envelope(message);
    check(envelope.ok(), "a worker's own messages have headers");
    const std::uint32_t merchant = envelope->merchant;
    const std::uint64_t round = envelope->round;
    if (is(merchant, "the-leaver")) {
      const bool gone = left_.contains(merchant);
      if (!gone && envelope->type == MessageType::upload) {
        left_.insert(merchant);
        message = encode(Abort{Refusal::policy, kNoMerchant, "it has had enough"}, round, merchant);
      }
      return !gone;
    }
    if (is(merchant, "the-garbler") && envelope->type == MessageType::upload) {
      for (std::size_t i = kHeaderSize; i < message.size(); ++i) {
        message[i] = static_cast<std::byte>(garbage_());
      }
    }
    if (is(merchant, "the-liar") && envelope->type == MessageType::share) {
      auto share = *decode<ShareMessage>(*envelope);
      share.secrets.self_mask[0] ^= std::byte{1};
      share.secrets.escrow[0] ^= std::byte{1};
      message = encode(share, round, merchant);
    }
    if (is(merchant, "the-liar") && envelope->type == MessageType::reveal) {
      auto reveal = *decode<Reveal>(*envelope);
      for (RevealedShare& revealed : reveal.shares) {
        std::visit([](auto& one) { one.share[0] ^= std::byte{1}; }, revealed);
      }
      message = encode(reveal, round, merchant);
    }
    return true;
  }

  Milliseconds nap_;
  std::vector<std::string> names_;
  std::set<std::uint32_t> left_;
  SeededGenerator garbage_{6, 6, 6};
};

int run(int argc, char** argv) {
  Arguments arguments("misbehaving-worker", "A worker with merchants that break the rules, for tests.");
  arguments.positional("FILE.ini", "The federation's configuration.").configuration_settings();
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const Configuration configuration = read_configuration(arguments.text("FILE.ini"), arguments.settings());
  const MpiEnvironment mpi(&argc, &argv);
  MpiChannel channel(mpi);
  const SteadyClock clock;
  SystemRandom random;
  Dataset data = read_dataset(configuration, mpi.rank(), mpi.size() - 1);
  std::vector<HostedMerchant> hosted;
  std::vector<LedgerMerchant> listed;
  for (const MerchantRows& merchant : data.merchants) {
    hosted.push_back({.name = merchant.name, .identity = SigningKey::generate(random)});
    listed.push_back({merchant.name, hosted.back().identity.public_key()});
  }
  LocalWork work(configuration, std::move(data), std::move(listed), std::nullopt, random);
  WorkerHooks hooks = work.hooks();
  Misbehaviour misbehaviour(Milliseconds(configuration.federation.deadline_ms * 5 / 4));
  misbehaviour.spoil(hooks);
  WorkerOptions options;
  options.rank = mpi.rank();
  options.plan = sha256(bytes_of(shared_text(configuration)));
  WorkerNode node(options, std::move(hosted), std::move(hooks), random);
  const WorkerNode::End end = run_worker(node, channel, clock, Milliseconds(60000));
  return static_cast<int>(end.code);
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  return hanse::exit_code_for_mpirun(
      hanse::run_program("misbehaving-worker", [&] { return hanse::run(argc, argv); }));
}
