// Secrets leave no trace: no heap block that is given back holds one, and after a round nothing in the process
// lets it be opened again.

#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "privacy/crypto/hkdf.h"
#include "privacy/crypto/keystream.h"
#include "privacy/protocol/round_secrets.h"
#include "tests/support/memory_watch.h"
#include "tests/support/test_federation.h"

namespace hanse {
namespace {

using memory_watch::Finding;
using memory_watch::Window;

constexpr std::uint32_t kMerchants = 5;
constexpr std::uint64_t kRounds = 4;   ///< The last fails, when the shares of a fifth are dealt already.
constexpr std::uint32_t kDropped = 2;  ///< Its upload of round 2 is lost.

/// What a secret is. Up to `lasting`, all are erased by the end of the round they belong to.
enum Kind : std::uint32_t {
  session_key,   ///< X25519 scalars, of merchants and links.
  agreed_point,  ///< X25519 of two of them, and what is extracted from it.
  round_secret,  ///< b and u.
  chain_key,     ///< The ratchets in the rounds played, and the keys of share boxes.
  edge_seed,     ///< S of the rounds played.
  mask_key,      ///< AES keys of masks.
  keystream,     ///< The masks themselves.
  share,         ///< Shares of b and u that nobody revealed.
  unmasked,      ///< A merchant's own sum in steps, before its masks.
  lasting,       ///< Identities; keys of the session between two merchants; the ratchet of rounds to come.
};
const char* const kNames[] = {"session key", "agreed point", "b or u", "chain key",    "edge seed",
                              "mask key",    "keystream",    "share",  "unmasked sum", "lasting key"};

/// The federation of all tests, in round after round, the shares of each riding on the one before. The upload of one
/// merchant is lost in the second; in the fourth, two say nothing in the end, so that nothing is opened.
class SmallRun {
 public:
  SmallRun(std::function<void(ByteView)> see_draw, std::function<void(ByteView)> see_message)
      : federation_({.seed = 26,
                     .merchants = kMerchants,
                     .workers = 2,
                     .see_draw = std::move(see_draw),
                     .see_message = std::move(see_message)}) {
    federation_.tamper_from_worker = [](FromWorker& message) {
      const auto envelope = open_envelope(message.message);
      const bool drops =
          envelope->type == MessageType::upload && envelope->round == 2 && envelope->merchant == kDropped;
      const bool falls_silent =
          envelope->type == MessageType::reveal && envelope->round == kRounds && envelope->merchant < 2;
      return !drops && !falls_silent;
    };
  }
  bool play() {
    bool all = federation_.join();
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      SimulatedNetwork network;
      federation_.attach(network);
      const bool summed = federation_.run(network, federation_.request_with_next(round)).summed() != nullptr;
      all = all && summed == (round < kRounds);
    }
    return all;
  }
  TestFederation& federation() { return federation_; }

 private:
  TestFederation federation_;
};

Secret<32> secret_of(ByteView bytes) {
  Secret<32> secret;
  std::copy(bytes.begin(), bytes.end(), secret.expose_for_writing().begin());
  return secret;
}

bool contains(const Bytes& message, ByteView part) {
  return std::search(message.begin(), message.end(), part.begin(), part.end()) != message.end();
}

template <class T>
ByteView field(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// Everything secret in a SmallRun: drawn, or derived as privacy/secure_sum/pair_keys.h says.
std::vector<Window> secrets_of_a_run() {
  std::vector<Bytes> draws;
  std::vector<Bytes> messages;
  std::size_t drawn_in_set_up = 0;
  SmallRun run(
      [&](ByteView drawn) {
        if (drawn.size() == 32) {
          draws.emplace_back(drawn.begin(), drawn.end());
        }
      },
      [&](ByteView message) {
        messages.emplace_back(message.begin(), message.end());
        const auto envelope = open_envelope(message);
        if (envelope && envelope->type == MessageType::open && drawn_in_set_up == 0) {
          drawn_in_set_up = draws.size();
        }
      });
  check(run.play(), "the run is a good one");
  const auto seen = [&](ByteView bytes) {
    return std::any_of(messages.begin(), messages.end(),
                       [&](const Bytes& message) { return contains(message, bytes); });
  };
  std::vector<Window> windows;
  const auto add = [&](Kind kind, ByteView secret) {
    const auto more = memory_watch::windows_of(secret, kind);
    windows.insert(windows.end(), more.begin(), more.end());
  };

  // 1. What was drawn and never sent: signing keys, session keys, then b and u. Nonces are sent; seeds of a neighbour
  // graph are opened, or of no use where everyone masks with everyone.
  const Bytes nonce(run.federation().session().parameters().nonce.begin(),
                    run.federation().session().parameters().nonce.end());
  std::vector<Secret<32>> scalars;
  std::vector<Secret<32>> round_secrets;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const Bytes& draw = draws[i];
    if (draw == nonce || seen(draw)) {
      continue;
    }
    const X25519Key as_key = X25519Key::from_scalar(secret_of(draw));
    const bool identity = seen(SigningKey::from_seed(secret_of(draw)).public_key());
    if (identity) {
      add(lasting, draw);
    } else if (seen(as_key.public_key())) {
      add(session_key, draw);
      scalars.push_back(secret_of(draw));
    } else if (i >= drawn_in_set_up) {
      add(round_secret, draw);
      round_secrets.push_back(secret_of(draw));
    }
  }

  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    for (std::uint32_t id = 0; id < kMerchants; ++id) {
      const auto sum = run.federation().exact_sum(round, {id});
      add(unmasked, std::as_bytes(std::span(sum)));
    }
  }

  // 2. The contexts of the rounds, and the shares on their way.
  std::vector<Digest> contexts;
  std::vector<ForwardedBox> boxes;
  std::vector<std::uint64_t> box_rounds;
  for (const Bytes& message : messages) {
    const auto envelope = open_envelope(message);
    if (!envelope) {
      continue;
    }
    if (envelope->type == MessageType::set) {
      contexts.push_back(decode<SetMessage>(*envelope)->context);
    } else if (envelope->type == MessageType::start) {
      const auto start = decode<Start>(*envelope);
      for (const ForwardedBox& box : start->boxes) {
        boxes.push_back(box);
        box_rounds.push_back(envelope->round);
      }
    }
  }
  const auto add_mask = [&](const Secret<32>& key_and_iv) {
    add(mask_key, key_and_iv.expose().first(16));
    Secret<32> pad;
    Keystream(key_and_iv).next(pad.expose_for_writing());
    add(keystream, pad.expose());
  };
  for (const Digest& context : contexts) {
    for (const Secret<32>& secret : round_secrets) {
      add_mask(self_mask(secret, context));
    }
  }

  // 3. What merchants have in common. The HELLOs tell whose a scalar is: the roster holds its point.
  const Digest& session_id = run.federation().session().session_id();
  std::map<std::uint32_t, X25519Key> keys;
  for (const Bytes& message : messages) {
    const auto envelope = open_envelope(message);
    const auto hello = envelope ? decode<Hello>(*envelope) : Result<Hello>(Error{""});
    for (const MerchantHello& merchant : hello ? hello->merchants : std::vector<MerchantHello>{}) {
      for (const Secret<32>& scalar : scalars) {
        X25519Key key = X25519Key::from_scalar(scalar.duplicate());
        if (key.public_key() == merchant.key) {
          const auto& names = run.federation().session().names();
          const auto id = std::find(names.begin(), names.end(), merchant.name) - names.begin();
          keys.emplace(static_cast<std::uint32_t>(id), std::move(key));
        }
      }
    }
  }
  check(keys.size() == kMerchants, "every merchant has a session key");
  for (const auto& [low, low_key] : keys) {
    for (const auto& [high, high_key] : keys) {
      if (low >= high) {
        continue;
      }
      const auto agreed = low_key.agree(high_key.public_key());
      add(agreed_point, agreed->expose());
      const Secret<32> extracted = [&, low_point = low_key.public_key(), high_point = high_key.public_key()] {
        Bytes material(agreed->expose().begin(), agreed->expose().end());
        material.insert(material.end(), low_point.begin(), low_point.end());
        material.insert(material.end(), high_point.begin(), high_point.end());
        return hkdf_extract(session_id, material);
      }();
      add(agreed_point, extracted.expose());
      PairKeys of_low = *PairKeys::derive(low_key, high_key.public_key(), session_id, low, high);
      PairKeys of_high = *PairKeys::derive(high_key, low_key.public_key(), session_id, high, low);
      add(lasting, of_low.agreement().expose());
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (boxes[i].dealer == low && boxes[i].holder == high) {
          const auto shares = open_shares(of_high.receiving(box_rounds[i]),
                                          {session_id, box_rounds[i], low, high}, boxes[i].box);
          for (const Secret<40>* one : {&shares->self_mask, &shares->escrow}) {
            if (!seen(one->expose())) {
              add(share, one->expose());
            }
          }
        }
      }
      for (const auto& [from, to] : {std::pair(low, high), std::pair(high, low)}) {
        Secret<32> boxes_key = hkdf_expand(extracted, {bytes_of("hanse/1 share"), field(from), field(to)});
        for (std::uint64_t round = 0; round <= kRounds; ++round) {
          add(chain_key, boxes_key.expose());
          add(chain_key, hkdf_expand(boxes_key, {bytes_of("hanse/1 box"), field(round)}).expose());
          boxes_key = hkdf_expand(boxes_key, bytes_of("hanse/1 next"));
        }
      }
      Secret<32> chain = hkdf_expand(extracted, {bytes_of("hanse/1 chain"), field(low), field(high)});
      for (std::uint64_t round = 0; round <= kRounds + 1; ++round) {
        add(chain_key, chain.expose());
        const Secret<32> seed = of_low.seed(round);
        check(seed == hkdf_expand(chain, {bytes_of("hanse/1 seed"), field(round)}),
              "the ratchet is as it says");
        add(edge_seed, seed.expose());
        if (round > 0 && round <= kRounds) {
          add_mask(edge_mask(seed, contexts[2 * (round - 1)]));  // SET goes to two workers.
        }
        chain = hkdf_expand(chain, bytes_of("hanse/1 next"));
      }
    }
  }
  return windows;
}

/// The same, computed in a child process: this one has never had any of it.
std::vector<Window> known_secrets() {
  int ends[2];
  check(::pipe(ends) == 0, "a pipe is made");
  const pid_t child = ::fork();
  if (child == 0) {
    const std::vector<Window> windows = secrets_of_a_run();
    const ByteView bytes = std::as_bytes(std::span(windows));
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = ::write(ends[1], bytes.data() + sent, bytes.size() - sent);
      if (count <= 0) {
        ::_exit(1);
      }
      sent += static_cast<std::size_t>(count);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  Bytes bytes;
  std::array<std::byte, 4096> chunk{};
  for (ssize_t count = 1; (count = ::read(ends[0], chunk.data(), chunk.size())) > 0;) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + count);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  check(status == 0, "the secrets are known");
  std::vector<Window> windows(bytes.size() / sizeof(Window));
  std::memcpy(windows.data(), bytes.data(), windows.size() * sizeof(Window));
  return windows;
}

std::map<std::string, int> counted(const std::vector<Finding>& findings) {
  std::map<std::string, int> counts;
  for (const Finding& finding : findings) {
    ++counts[std::string(kNames[finding.kind]) + " in a block of " + std::to_string(finding.block_size)];
  }
  return counts;
}

class WipedMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (!memory_watch::works()) {
      GTEST_SKIP() << "the sanitizers have a free() of their own";
    }
  }
};

TEST_F(WipedMemory, NoBlockThatIsFreedHoldsASecretOfASessionOrARound) {
  const std::vector<Window> windows = known_secrets();
  std::array<int, lasting + 1> kinds{};
  for (const Window& window : windows) {
    ++kinds[window.kind];
  }
  EXPECT_EQ(kinds[session_key], 2 * (kMerchants + 4)) << "of merchants, and of both ends of two links";
  EXPECT_EQ(kinds[round_secret], 2 * 2 * kMerchants * (kRounds + 1)) << "b and u";
  EXPECT_GT(kinds[share], 0);

  memory_watch::begin(windows);
  bool good = false;
  {
    SmallRun run(nullptr, nullptr);
    good = run.play();
  }
  const std::vector<Finding> findings = memory_watch::end();

  EXPECT_TRUE(good);
  EXPECT_GT(memory_watch::bytes_freed(), 100'000u);
  EXPECT_EQ(counted(findings), (std::map<std::string, int>{}));
}

TEST_F(WipedMemory, AfterARoundNothingInTheProcessOpensItAgain) {
  std::vector<Window> erased = known_secrets();
  std::erase_if(erased, [](const Window& window) { return window.kind == lasting; });
  SmallRun run(nullptr, nullptr);
  ASSERT_TRUE(run.play());

  const std::vector<Finding> findings = memory_watch::search_whole_process(erased);

  EXPECT_EQ(counted(findings), (std::map<std::string, int>{}));
}

TEST_F(WipedMemory, TheWatchFindsWhatIsNotWiped) {
  DeterministicSecureRandom random(1);
  const Secret<32> secret = random_secret(random);
  std::vector<Window> windows = memory_watch::windows_of(secret.expose(), round_secret);

  memory_watch::begin(windows);
  { const auto wiped = std::make_unique<Secret<32>>(secret.duplicate()); }
  const auto of_wiped = memory_watch::end();
  memory_watch::begin(windows);
  { const Bytes copy(secret.expose().begin(), secret.expose().end()); }
  const auto of_bytes = memory_watch::end();
  memory_watch::begin(windows);
  {
    ByteWriter writer;
    writer.put(std::uint8_t{1}).put_bytes(secret.expose().last(20));
    (void)writer.take();
  }
  const auto of_part = memory_watch::end();
  const auto of_living = memory_watch::search_whole_process(windows);

  EXPECT_TRUE(of_wiped.empty());
  EXPECT_EQ(of_bytes.size(), 2u) << "both halves";
  EXPECT_EQ(of_part.size(), 1u) << "at an odd place, half of it";
  EXPECT_GE(of_living.size(), 2u) << "it lives on the stack of this test";
}

TEST_F(WipedMemory, TheSearchOfTheProcessFindsTheKeysThatAreToLast) {
  std::vector<Window> windows = known_secrets();
  std::erase_if(windows, [](const Window& window) { return window.kind != lasting; });
  SmallRun run(nullptr, nullptr);
  ASSERT_TRUE(run.play());

  const std::vector<Finding> findings = memory_watch::search_whole_process(windows);

  EXPECT_GE(findings.size(), windows.size()) << "all of them are where they belong";
}

}  // namespace
}  // namespace hanse
