#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "privacy/crypto/digest.h"
#include "privacy/ledger/ledger_state.h"
#include "privacy/ledger/record.h"

namespace hanse {

/// Travels with a model, as certificate.json in its folder: the ledger's last head, and the proofs of RFC 6962 that plan
/// and claim are among the lines under it. Who has only the model can so check what its merchants have signed that it
/// cost, and hold any ledger that is shown later to this head. Whether the claim is true takes the whole ledger: audit().
///
///   {"schema": 1, "plan": LINE, "claim": LINE, "head": LINE, "plan_proof": [HEX, ...], "claim_proof": [HEX, ...]}
struct ModelCertificate {
  std::string plan;                 ///< Lines of the ledger, without newlines.
  std::string claim;                ///< The last one under the head.
  std::string head;                 ///< Over all lines before it.
  std::vector<Digest> plan_proof;   ///< MerkleTree::inclusion_proof of line 0 under the head.
  std::vector<Digest> claim_proof;  ///< The same of the claim.
};

/// Of a finished ledger: `lines` are all of its lines.
ModelCertificate certificate_of(const LedgerState& ledger, std::span<const std::string> lines);

std::string encode(const ModelCertificate& certificate);
Result<ModelCertificate> decode_certificate(std::string_view text);

/// "sha256" of a model.json: the name of the published model.
Result<Digest> model_digest_in(const std::filesystem::path& model_json);

/// "ledger_model" among the facts of a model.json: which of the ledger's models it is; nothing when it does not say.
Result<std::optional<Digest>> ledger_model_in(const std::filesystem::path& model_json);

/// What a certificate says when everything in it holds.
struct CertifiedModel {
  Plan plan;
  Claim claim;
  Head head;
};

/// Checks that lines, proofs and signatures of coordinator and merchants hold, and that the claim is about the model of
/// digest `published` (model_digest(), "sha256" of model.json). An error is a sentence.
Result<CertifiedModel> verify(const ModelCertificate& certificate, const Digest& published);

/// The verdict for people.
std::string text_of(const CertifiedModel& model);

}  // namespace hanse
