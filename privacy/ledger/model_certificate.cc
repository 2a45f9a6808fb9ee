#include "privacy/ledger/model_certificate.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/base/check.h"
#include "common/base/durable_file.h"
#include "common/base/figure.h"
#include "common/base/printable.h"
#include "privacy/ledger/merkle_tree.h"

namespace hanse {
namespace {

using Json = nlohmann::json;

constexpr int kSchema = 1;
/// More siblings than a tree of 2^64 leaves has levels prove nothing.
constexpr std::size_t kProofMax = 64;
constexpr std::size_t kKeysShown = 20;

Json json_of(const std::vector<Digest>& proof) {
  Json list = Json::array();
  for (const Digest& digest : proof) {
    list.push_back(hex(digest));
  }
  return list;
}

std::optional<std::string> text_in(const Json& json, const char* field) {
  const auto found = json.find(field);
  return found != json.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

std::optional<std::vector<Digest>> proof_in(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || !found->is_array() || found->size() > kProofMax) {
    return std::nullopt;
  }
  std::vector<Digest> proof;
  for (const Json& item : *found) {
    const auto digest = item.is_string() ? digest_from_hex(item.get<std::string>()) : std::nullopt;
    if (!digest) {
      return std::nullopt;
    }
    proof.push_back(*digest);
  }
  return proof;
}

Error wrong(const std::string& why) {
  return Error{"the model's certificate does not hold: " + why};
}

/// The record in `line` when it is of kind T and the coordinator's; an error in one sentence otherwise.
template <class T>
Result<T> signed_by(const PublicKey& coordinator, const Record& record, const std::string& title) {
  const auto* payload = std::get_if<T>(&record.payload);
  if (payload == nullptr) {
    return wrong("its " + title + " is a record of another kind");
  }
  if (!verify(coordinator, bytes_of(signed_text(record)), record.signature)) {
    return wrong("its " + title + " is not signed by the plan's coordinator");
  }
  return *payload;
}

std::optional<Error> refuses_signatures(const Plan& plan, const Head& head) {
  const Bytes cosigned = cosigned_bytes(plan.run_id, head.size, head.root);
  for (std::size_t i = 0; i < head.cosignatures.size(); ++i) {
    const Cosignature& one = head.cosignatures[i];
    if (one.merchant >= plan.merchants.size() ||
        (i > 0 && one.merchant <= head.cosignatures[i - 1].merchant)) {
      return wrong("the signers of its head are not merchants of the plan in increasing order");
    }
    if (!verify(plan.merchants[one.merchant].key, cosigned, one.signature)) {
      return wrong("merchant " + quoted(plan.merchants[one.merchant].name) + " did not sign its head");
    }
  }
  if (head.cosignatures.size() < std::min<std::size_t>(2, plan.merchants.size())) {
    return wrong("its head is signed by fewer than two merchants");
  }
  return std::nullopt;
}

}  // namespace

ModelCertificate certificate_of(const LedgerState& ledger, std::span<const std::string> lines) {
  check(ledger.finished() && lines.size() == ledger.next_seq() && lines.size() >= 3,
        "a model is certified when its claim is signed");
  const std::uint64_t size = ledger.last_head().size;
  check(size + 1 == lines.size(), "the last line of a finished ledger is the head behind its claim");
  return {.plan = lines.front(),
          .claim = lines[size - 1],
          .head = lines[size],
          .plan_proof = ledger.tree().inclusion_proof(0, size),
          .claim_proof = ledger.tree().inclusion_proof(size - 1, size)};
}

std::string encode(const ModelCertificate& certificate) {
  const Json json = {{"schema", kSchema},
                     {"plan", certificate.plan},
                     {"claim", certificate.claim},
                     {"head", certificate.head},
                     {"plan_proof", json_of(certificate.plan_proof)},
                     {"claim_proof", json_of(certificate.claim_proof)}};
  return json.dump(2) + "\n";
}

Result<ModelCertificate> decode_certificate(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  // Compared where it stands: a copy of what nests deeply would take as much stack as its author likes.
  const auto schema = json.is_object() ? json.find("schema") : json.end();
  if (!json.is_object() || schema == json.end() || *schema != kSchema) {
    return wrong("it is no JSON object of schema " + std::to_string(kSchema));
  }
  auto plan = text_in(json, "plan");
  auto claim = text_in(json, "claim");
  auto head = text_in(json, "head");
  auto plan_proof = proof_in(json, "plan_proof");
  auto claim_proof = proof_in(json, "claim_proof");
  if (!plan || !claim || !head || !plan_proof || !claim_proof) {
    return wrong("a field is missing or malformed");
  }
  return ModelCertificate{std::move(*plan), std::move(*claim), std::move(*head), std::move(*plan_proof),
                          std::move(*claim_proof)};
}

Result<Digest> model_digest_in(const std::filesystem::path& model_json) {
  const Json json = Json::parse(read_file(model_json), nullptr, false);
  const auto text = json.is_object() ? text_in(json, "sha256") : std::nullopt;
  const auto digest = text ? digest_from_hex(*text) : std::nullopt;
  if (!digest) {
    return Error{model_json.string() + " holds no digest \"sha256\""};
  }
  return *digest;
}

Result<std::optional<Digest>> ledger_model_in(const std::filesystem::path& model_json) {
  const Json json = Json::parse(read_file(model_json), nullptr, false);
  if (!json.is_object() || !json.contains("facts") || !json["facts"].is_object() ||
      !json["facts"].contains("ledger_model")) {
    return std::optional<Digest>();
  }
  const auto text = text_in(json["facts"], "ledger_model");
  const auto digest = text ? digest_from_hex(*text) : std::nullopt;
  if (!digest) {
    return Error{model_json.string() + " names its model in the ledger by no digest"};
  }
  return digest;
}

Result<CertifiedModel> verify(const ModelCertificate& certificate, const Digest& published) {
  const auto plan_record = decode_record(certificate.plan);
  const auto claim_record = decode_record(certificate.claim);
  const auto head_record = decode_record(certificate.head);
  if (!plan_record || !claim_record || !head_record) {
    return wrong("a line of it is no record");
  }
  const auto* stated = std::get_if<Plan>(&plan_record->payload);
  if (stated == nullptr) {
    return wrong("its plan is a record of another kind");
  }
  const PublicKey coordinator = stated->coordinator;
  const auto plan = signed_by<Plan>(coordinator, *plan_record, "plan");
  const auto claim = signed_by<Claim>(coordinator, *claim_record, "claim");
  const auto head = signed_by<Head>(coordinator, *head_record, "head");
  for (const auto* error :
       {plan ? nullptr : &plan.what(), claim ? nullptr : &claim.what(), head ? nullptr : &head.what()}) {
    if (error != nullptr) {
      return Error{*error};
    }
  }
  if (!proves_inclusion(certificate.plan_proof, 0, leaf_hash(bytes_of(certificate.plan)), head->size,
                        head->root) ||
      head->size == 0 ||
      !proves_inclusion(certificate.claim_proof, head->size - 1, leaf_hash(bytes_of(certificate.claim)),
                        head->size, head->root)) {
    return wrong("plan and claim are not the first and the last line under its head");
  }
  if (const auto error = refuses_signatures(*plan, *head)) {
    return *error;
  }
  if (claim->published != published) {
    return wrong("its claim is about another model");
  }
  return CertifiedModel{*plan, *claim, *head};
}

std::string text_of(const CertifiedModel& model) {
  std::string text = "Run " + printable(model.plan.run_id) + " of federation " +
                     quoted(model.plan.federation) + ", workload " + printable(model.plan.workload) +
                     ": the ledger's head over " + count_of(model.head.size, "line", "lines") + ", root " +
                     hex(model.head.root) + ", is signed by " +
                     std::to_string(model.head.cosignatures.size()) + " of " +
                     count_of(model.plan.merchants.size(), "merchant", "merchants") + ".\n";
  if (model.claim.rows.empty()) {
    text += "  NOTHING IS PRIVATE: the run had no unit of privacy and promises nothing.\n";
  }
  for (const SpentRow& row : model.claim.rows) {
    text +=
        "  Claimed: epsilon " + figure(row.epsilon) + " at delta " + figure(row.delta) + ", unit " +
        std::string(name_of(row.unit)) + ", " +
        (row.population == "all" ? "all data" : row.population + " records") + ", " +
        count_of(row.releases, "sum", "sums") +
        (row.without_noise > 0 ? ", " + std::to_string(row.without_noise) + " of them WITHOUT NOISE" : "") +
        "\n";
  }
  text +=
      "  These keys are the certificate's own word: compare them with the roster that you know.\n    "
      "coordinator " +
      hex(model.plan.coordinator) + "\n";
  for (const LedgerMerchant& merchant :
       std::span(model.plan.merchants).first(std::min(kKeysShown, model.plan.merchants.size()))) {
    text += "    " + quoted(merchant.name) + " " + hex(merchant.key) + "\n";
  }
  return text +
         "The certificate holds. Whether the claim is true takes the whole ledger: hanse audit RUN_DIR.\n";
}

}  // namespace hanse
