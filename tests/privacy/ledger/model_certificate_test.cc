#include "privacy/ledger/model_certificate.h"

#include "privacy/ledger/audit.h"
#include "tests/support/ledger_fixture.h"

namespace hanse {
namespace {

const Digest kPublished = sha256(bytes_of("published"));

ModelCertificate certificate_of(const LedgerFixture& fixture) {
  return certificate_of(fixture.state, fixture.lines);
}

/// Why it is refused, or nothing.
std::string refusal(const ModelCertificate& certificate, const Digest& published = kPublished) {
  const auto certified = verify(certificate, published);
  return certified ? "" : certified.what();
}

void expect_mentions(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "not \"" << part << "\" but: " << text;
}

TEST(ModelCertificate, ShowsWithoutTheLedgerWhatTheModelIsSaidToHaveCost) {
  const LedgerFixture fixture = LedgerFixture::of_run(3);

  const auto read = decode_certificate(encode(certificate_of(fixture)));
  ASSERT_TRUE(read) << read.what();
  const auto certified = verify(*read, kPublished);

  ASSERT_TRUE(certified) << certified.what();
  EXPECT_EQ(certified->plan, fixture.plan);
  EXPECT_EQ(certified->claim, fixture.state.claim_for(kPublished));
  EXPECT_EQ(certified->head, fixture.state.last_head());
  expect_mentions(text_of(*certified), "signed by 4 of 4 merchants");
  expect_mentions(text_of(*certified), hex(fixture.plan.coordinator));
  expect_mentions(text_of(*certified), "\"bergen\" " + hex(fixture.plan.merchants[1].key));
  expect_mentions(text_of(*certified), "The certificate holds.");
}

TEST(ModelCertificate, HoldsForRunsOfAnyLength) {
  for (std::uint64_t rounds = 1; rounds <= 9; ++rounds) {
    EXPECT_EQ(refusal(certificate_of(LedgerFixture::of_run(rounds))), "") << rounds << " rounds";
  }
}

TEST(ModelCertificate, IsRefusedForASchemaThatNestsDeeply) {
  const std::size_t depth = 1'000'000;
  const std::string deep = std::string(depth, '[') + std::string(depth, ']');

  const auto read = decode_certificate("{\"schema\":" + deep + "}");

  ASSERT_FALSE(read);
  expect_mentions(read.what(), "no JSON object of schema 1");
}

TEST(ModelCertificate, IsAboutOneModelOnly) {
  expect_mentions(refusal(certificate_of(LedgerFixture::of_run(3)), sha256(bytes_of("another"))),
                  "about another model");
}

TEST(ModelCertificate, RefusesAClaimFromElsewhere) {
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const ModelCertificate honest = certificate_of(fixture);
  Claim cheaper = fixture.state.claim_for(kPublished);
  cheaper.rows.front().epsilon /= 2;

  // Signed by the coordinator, and in its place: only the tree tells.
  ModelCertificate forged = honest;
  const Record record = *decode_record(honest.claim);
  forged.claim = LedgerFixture::line(cheaper, record.seq, record.prev, fixture.signer());
  expect_mentions(refusal(forged), "not the first and the last line under its head");

  // The claim of the run's shorter sister.
  forged = honest;
  forged.claim = certificate_of(LedgerFixture::of_run(1)).claim;
  expect_mentions(refusal(forged), "not the first and the last line under its head");
}

TEST(ModelCertificate, RefusesSignaturesThatAreNotTheMerchants) {
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const ModelCertificate honest = certificate_of(fixture);
  const Record record = *decode_record(honest.head);
  const auto with_head = [&](const Head& head) {
    ModelCertificate forged = honest;
    forged.head = LedgerFixture::line(head, record.seq, record.prev, fixture.signer());
    return refusal(forged);
  };
  const Head signed_by_all = std::get<Head>(record.payload);

  Head one_wrong = signed_by_all;
  one_wrong.cosignatures[1].signature[5] ^= std::byte{1};
  expect_mentions(with_head(one_wrong), "\"bergen\" did not sign its head");

  Head alone = signed_by_all;
  alone.cosignatures.resize(1);
  expect_mentions(with_head(alone), "fewer than two merchants");

  Head stranger = signed_by_all;
  stranger.cosignatures[3].merchant = 4;
  expect_mentions(with_head(stranger), "not merchants of the plan");
}

TEST(ModelCertificate, RefusesLinesOfAnotherCoordinatorOrKind) {
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  const ModelCertificate honest = certificate_of(fixture);
  const Record record = *decode_record(honest.head);

  ModelCertificate forged = honest;
  forged.head =
      LedgerFixture::line(record.payload, record.seq, record.prev, LedgerFixture::key(std::byte{9}));
  expect_mentions(refusal(forged), "head is not signed by the plan's coordinator");

  forged = honest;
  forged.claim = honest.head;
  expect_mentions(refusal(forged), "claim is a record of another kind");

  forged = honest;
  forged.plan = "{}";
  expect_mentions(refusal(forged), "no record");
}

TEST(ModelCertificate, RefusesTextThatIsNone) {
  for (const char* text :
       {"", "[]", "{\"schema\": 2}", "{\"schema\": 1}",
        "{\"schema\": 1, \"plan\": 1, \"claim\": \"\", \"head\": \"\", \"plan_proof\": [], "
        "\"claim_proof\": []}",
        "{\"schema\": 1, \"plan\": \"\", \"claim\": \"\", \"head\": \"\", \"plan_proof\": "
        "[\"00\"], \"claim_proof\": []}"}) {
    EXPECT_FALSE(decode_certificate(text)) << text;
  }
}

TEST(ModelCertificate, OfAnotherLedgerIsFoundByTheAudit) {
  const TemporaryFolder run;
  const LedgerFixture fixture = LedgerFixture::of_run(3);
  LedgerFixture shown_to_others;
  shown_to_others.plan.unix_time += 1;
  shown_to_others.run(3);
  run.write("ledger.jsonl", LedgerFixture::text(fixture.lines));
  run.write("model/model.json", "{\"sha256\":\"" + hex(kPublished) + "\"}");

  run.write("model/certificate.json", encode(certificate_of(fixture)));
  EXPECT_TRUE(audit(run.path()).holds());
  run.write("model/certificate.json", encode(certificate_of(shown_to_others)));
  const AuditReport other = audit(run.path());
  run.write("model/certificate.json", "{}");
  const AuditReport none = audit(run.path());

  ASSERT_EQ(other.findings.size(), 1u);
  expect_mentions(other.findings.front(), "head of another ledger");
  ASSERT_EQ(none.findings.size(), 1u);
  expect_mentions(none.findings.front(), "certificate does not hold");
}

}  // namespace
}  // namespace hanse
