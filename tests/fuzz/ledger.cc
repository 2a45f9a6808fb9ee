// A whole ledger by a coordinator that signs whatever it is told: each line that is a record at all is put in its place
// and signed, so that the verifier sees every absurd number behind a good signature. Then the audit of the result.

#include "privacy/ledger/audit.h"

#include <algorithm>

#include "privacy/ledger/ledger_lines.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/ledger_fixture.h"

namespace hanse::fuzz {
namespace {

constexpr std::size_t kLinesMax = 24;

std::string in_its_place(Record record, const LedgerState& state, const SigningKey& signer) {
  record.seq = state.next_seq();
  record.prev = state.tip();
  if (auto* plan = std::get_if<Plan>(&record.payload)) {
    plan->coordinator = signer.public_key();
  } else if (auto* release = std::get_if<Release>(&record.payload)) {
    release->intent = state.intent_line();
  } else if (auto* head = std::get_if<Head>(&record.payload); head != nullptr && !state.empty()) {
    head->size = state.tree().size();
    head->root = state.tree().root();
    for (Cosignature& one : head->cosignatures) {
      one.signature = LedgerFixture::merchant_key(one.merchant % 64).sign(state.to_cosign());
    }
  }
  record.signature = signer.sign(bytes_of(signed_text(record)));
  return encode(record);
}

void take(LedgerState& state, const std::string& line) {
  const Digest head = state.tip();
  const std::uint64_t next = state.next_seq();
  const auto taken = state.accept(line);
  if (taken) {
    check(state.next_seq() == next + 1 && encode(*taken) == line, "a line that is taken counts");
  } else {
    check(state.next_seq() == next && state.tip() == head, "a refused line leaves the ledger as it was");
  }
}

}  // namespace
}  // namespace hanse::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hanse;
  static const SigningKey signer = LedgerFixture::key(std::byte{7});
  static fuzz::MemoryFile file;
  const LedgerLines split = split_lines(fuzz::text_input(data, size));
  LedgerState state;
  std::string content;
  for (std::size_t i = 0; i < std::min(split.lines.size(), fuzz::kLinesMax); ++i) {
    const auto record = decode_record(split.lines[i]);
    if (!record) {
      fuzz::take(state, std::string(split.lines[i]));
      continue;
    }
    const std::string line = fuzz::in_its_place(*record, state, signer);
    fuzz::take(state, line);
    content += line + "\n";
  }
  content += split.torn;
  file.write(content);
  const AuditReport report = audit(file.path(), Budget{.epsilon = 1, .delta = 1e-6});
  const std::string text = text_of(report);
  check(!text.empty() && !json_of(report).empty(), "an audit has a verdict");
  check(std::ranges::all_of(
            text, [](char c) { return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); }),
        "no name steers a terminal");
  return 0;
}
