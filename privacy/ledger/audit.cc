#include "privacy/ledger/audit.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/figure.h"
#include "common/base/printable.h"
#include "privacy/accounting/turns.h"
#include "privacy/ledger/ledger_copy.h"
#include "privacy/ledger/ledger_lines.h"
#include "privacy/ledger/model_certificate.h"

namespace hanse {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kNamesShown = 5;
/// Up to this many, every signature is verified: a fraction of a second.
constexpr std::size_t kSignaturesEach = 2048;

/// "bergen, visby and 3 more".
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kNamesShown) {
    text += " and " + std::to_string(names.size() - kNamesShown) + " more";
  }
  return text;
}

std::uint64_t releases_without_noise(const LedgerState& state) {
  std::uint64_t count = 0;
  for (const auto& [name, times] : state.without_noise()) {
    count += times;
  }
  return count;
}

// --- the checks ---

/// Of each signer the last signature, in their order.
std::vector<SignedMessage> last_of_each(const std::vector<SignedMessage>& all) {
  std::map<PublicKey, std::size_t> last;
  for (std::size_t i = 0; i < all.size(); ++i) {
    last[all[i].key] = i;
  }
  std::vector<std::size_t> places;
  for (const auto& [key, place] : last) {
    places.push_back(place);
  }
  std::sort(places.begin(), places.end());
  std::vector<SignedMessage> some;
  for (const std::size_t place : places) {
    some.push_back(all[place]);
  }
  return some;
}

/// Verifies what signatures were put by, all together.
void check_signatures(bool every, AuditReport& report) {
  std::vector<SignedMessage> signatures = report.state.take_collected();
  report.signatures = signatures.size();
  if (!every && signatures.size() > kSignaturesEach) {
    signatures = last_of_each(signatures);
  }
  const std::vector<std::size_t> bad = unverified(signatures);
  report.signatures_verified = signatures.size();
  for (std::size_t i = 0; i < std::min(bad.size(), kNamesShown); ++i) {
    report.findings.push_back("The ledger does not hold: " + signatures[bad[i]].fault + ".");
  }
  if (bad.size() > kNamesShown) {
    report.findings.push_back("The ledger does not hold: " + std::to_string(bad.size() - kNamesShown) +
                              " more signatures are wrong.");
  }
}

void check_lines(std::string_view content, bool every_signature, AuditReport& report) {
  const LedgerLines split = split_lines(content);
  for (const std::string_view line : split.lines) {
    if (const auto record = report.state.accept(line, Signatures::collect); !record) {
      report.findings.push_back("The ledger does not hold: " + record.what() + ".");
      const std::uint64_t rest = split.lines.size() - report.lines - 1;
      if (rest > 0) {
        report.notes.push_back("The " + count_of(rest, "line", "lines") +
                               " after it cannot be trusted and was not looked at.");
      }
      break;
    }
    ++report.lines;
  }
  check_signatures(every_signature, report);
  if (report.findings.empty() && !split.torn.empty()) {
    report.open_ends.emplace_back(
        "The ledger's last line has no end: its writer was interrupted while writing it, so nobody was sent "
        "it.");
  }
}

void check_ending(AuditReport& report) {
  const LedgerState& state = report.state;
  if (state.empty()) {
    report.open_ends.emplace_back("The ledger is empty: there is not even a plan.");
  } else if (state.open_intent()) {
    report.open_ends.push_back(
        "Round " + std::to_string(state.open_intent()->round) +
        " was announced and never answered: it counts as spent, and the run is not finished.");
  } else if (!state.claim()) {
    report.open_ends.emplace_back(
        "The run has not ended with a claim: it was interrupted, or is still going on, or its end was "
        "removed; "
        "merchants' copies tell.");
  } else if (!state.finished()) {
    report.open_ends.emplace_back("The claim is not signed by merchants yet.");
  }
}

/// How one file of a merchant's copy relates to the coordinator's ledger.
struct CopyVerdict {
  enum class Kind { same, behind, longer, differs, unreadable } kind = Kind::same;
  std::uint64_t line = 0;  ///< The first line that differs.
};

CopyVerdict compare(std::string_view copy, std::string_view ledger) {
  using Kind = CopyVerdict::Kind;
  // A power cut may leave a file as long as it was to become, with zeros where bytes never reached the disk. No record has
  // any, so they hide none.
  while (copy.ends_with('\0')) {
    copy.remove_suffix(1);
  }
  if (copy == ledger) {
    return {Kind::same};
  }
  if (ledger.starts_with(copy)) {
    return {Kind::behind};
  }
  if (copy.starts_with(ledger)) {
    return {Kind::longer};
  }
  const auto differing = std::mismatch(copy.begin(), copy.end(), ledger.begin(), ledger.end()).first;
  return {Kind::differs, 1 + static_cast<std::uint64_t>(std::count(copy.begin(), differing, '\n'))};
}

CopyVerdict compare_file(const std::filesystem::path& file, std::string_view ledger) {
  try {
    return compare(read_file(file), ledger);
  } catch (const Failure&) {
    return {CopyVerdict::Kind::unreadable};
  }
}

void check_copies(const std::filesystem::path& merchants, std::string_view ledger, AuditReport& report) {
  std::error_code error;
  std::vector<std::filesystem::path> folders;
  for (std::filesystem::directory_iterator at(merchants, error), end; !error && at != end;
       at.increment(error)) {
    folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  // Thousands of copies are links to one file: it is read once.
  std::map<std::pair<dev_t, ino_t>, CopyVerdict> verdicts;
  std::map<std::pair<CopyVerdict::Kind, std::uint64_t>, std::vector<std::string>> names;
  for (const std::filesystem::path& folder : folders) {
    const std::filesystem::path file = folder / "ledger.jsonl";
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
      continue;
    }
    const std::pair id{status.st_dev, status.st_ino};
    if (!verdicts.contains(id)) {
      verdicts[id] = compare_file(file, ledger);
    }
    const CopyVerdict verdict = verdicts[id];
    ++report.copies;
    report.copies_agreeing +=
        verdict.kind == CopyVerdict::Kind::same || verdict.kind == CopyVerdict::Kind::behind ? 1 : 0;
    names[{verdict.kind, verdict.line}].push_back(folder.filename().string());
  }
  for (const auto& [key, who] : names) {
    const std::string copies =
        count_of(who.size(), "merchant's copy", "merchants' copies") + " (" + listed(who) + ")";
    switch (key.first) {
      case CopyVerdict::Kind::same:
        break;
      case CopyVerdict::Kind::behind:
        report.notes.push_back(copies + " ended before the ledger did, and agreed until then.");
        break;
      case CopyVerdict::Kind::longer:
        report.findings.push_back(copies + " went on after the ledger's end: records were removed from it.");
        break;
      case CopyVerdict::Kind::differs:
        report.findings.push_back(copies + " differ from the ledger in line " + std::to_string(key.second) +
                                  ": not everyone was shown the same.");
        break;
      case CopyVerdict::Kind::unreadable:
        report.findings.push_back(copies + " cannot be read.");
        break;
    }
  }
}

void note_missing_copies(const std::filesystem::path& merchants, AuditReport& report) {
  if (report.state.empty()) {
    return;
  }
  std::vector<std::string> missing;
  for (const LedgerMerchant& merchant : report.state.plan().merchants) {
    std::error_code none;
    if (!std::filesystem::exists(merchants / merchant_folder(merchant.name) / "ledger.jsonl", none)) {
      missing.push_back(printable(merchant.name));
    }
  }
  if (!missing.empty()) {
    report.notes.push_back("Of " + count_of(missing.size(), "merchant", "merchants") + " (" +
                           listed(missing) + ") there is no copy here: ask them for theirs.");
  }
}

/// The head that travels with the model must be one of this ledger's: it is what others may have kept.
void check_certificate(const std::filesystem::path& file, const Digest& published, AuditReport& report) {
  const auto certificate = decode_certificate(read_file(file));
  const auto certified =
      certificate ? verify(*certificate, published) : Result<CertifiedModel>(certificate.error());
  if (!certified) {
    report.findings.push_back(file.string() + ": " + certified.what() + ".");
  } else if (certified->head.size > report.state.tree().size() ||
             certified->head.root != report.state.tree().root(certified->head.size)) {
    report.findings.push_back("The model's certificate (" + file.string() +
                              ") holds the head of another ledger: not everyone was shown the same.");
  }
}

void check_model(const std::filesystem::path& folder, AuditReport& report) {
  std::error_code none;
  const std::filesystem::path file = folder / "model.json";
  if (!std::filesystem::exists(file, none) || !report.state.claim()) {
    return;
  }
  const auto digest = model_digest_in(file);
  if (!digest) {
    report.findings.push_back("The published model cannot be matched: " + digest.what() + ".");
  } else if (*digest != report.state.claim()->published) {
    report.findings.push_back("The published model (" + file.string() +
                              ") is not the one that the claim is about.");
  } else if (const auto named = ledger_model_in(file); !named) {
    report.findings.push_back("The published model cannot be matched: " + named.what() + ".");
  } else if (*named && **named != report.state.claim()->model) {
    report.findings.push_back("The published model (" + file.string() +
                              ") says that another release made it than the claim does.");
  } else if (std::filesystem::exists(folder / "certificate.json", none)) {
    check_certificate(folder / "certificate.json", *digest, report);
  }
}

// --- what it cost ---

void account_for_adversaries(AuditReport& report) {
  const LedgerState& state = report.state;
  if (state.empty() || state.plan().unit == Unit::none) {
    return;
  }
  const Plan& plan = state.plan();
  std::vector<std::uint32_t> bounds{plan.collusion};
  if (plan.shares_min > plan.collusion + 1) {
    bounds.push_back(plan.shares_min - 1);  // All but one of those in the smallest sum.
  }
  for (const std::uint32_t collusion : bounds) {
    for (SpentRow& row : state.spent_at(plan.delta, collusion)) {
      if (row.releases > row.without_noise) {
        report.adversaries.push_back({collusion, std::move(row)});
      }
    }
  }
}

/// Privacy loss distributions need parameters that were fixed in advance.
void account_by_plan(AuditReport& report) {
  const LedgerState& state = report.state;
  if (state.empty() || state.plan().unit == Unit::none || state.beyond_plan() > 0) {
    return;
  }
  for (const SpentRow& row : state.spent()) {
    PldAccountant accountant;
    const std::vector<DpEvent> events =
        state.events(row.population, state.plan().collusion, LedgerState::Coins::each);
    for (const DpEvent& event : events) {
      accountant.compose(event);
    }
    if (!events.empty()) {
      report.plan_rows.push_back({row.population, row.delta, accountant.epsilon(row.delta)});
    }
  }
}

/// Epsilon of several ledgers' releases together, for each unit that any of them has (a claim needs one). Of a single ledger,
/// its own rows at `delta`.
std::vector<SpentRow> total_of(const std::vector<const LedgerState*>& ledgers, double delta) {
  if (ledgers.size() == 1) {
    return ledgers.front()->spent_at(delta);
  }
  std::vector<SpentRow> total;
  std::vector<RdpAccountant> accountants;
  for (const LedgerState* ledger : ledgers) {
    const Unit unit = ledger->plan().unit;
    auto found = std::ranges::find(total, unit, &SpentRow::unit);
    if (found == total.end()) {
      total.push_back({.unit = unit, .population = "all", .delta = delta});
      accountants.emplace_back();
      found = std::prev(total.end());
    }
    for (const SpentRow& row : ledger->spent()) {
      found->releases += row.releases;
      found->without_noise += row.without_noise;
    }
    accountants[static_cast<std::size_t>(found - total.begin())].compose(ledger->spent_by_anyone());
  }
  for (std::size_t i = 0; i < total.size(); ++i) {
    if (total[i].releases > total[i].without_noise) {
      const EpsilonAtOrder best = accountants[i].epsilon(delta);
      total[i].epsilon = best.epsilon;
      total[i].order = best.order;
    }
  }
  return total;
}

/// Each ledger must be the one that the next names: by its run, and by the hash of its last line.
void add_earlier(std::span<const std::filesystem::path> paths, AuditReport& report) {
  std::vector<LedgerState> states;
  states.reserve(paths.size());
  const auto latest = [&]() -> const LedgerState& { return states.empty() ? report.state : states.back(); };
  for (const std::filesystem::path& path : paths) {
    const AuditReport one = audit(path);
    for (const std::string& finding : one.findings) {
      report.findings.push_back("Of the earlier ledger " + one.ledger.string() + ": " + finding);
    }
    const bool is_linked = !one.state.empty() && !latest().empty() &&
                           latest().plan().previous == one.state.plan().run_id &&
                           latest().continues() == one.state.tip();
    if (!is_linked) {
      report.findings.push_back(
          "The ledger " + one.ledger.string() +
          " is not the one that is continued, or lines were added to it or removed since.");
      break;
    }
    report.earlier.push_back({one.ledger, one.state.plan().run_id, one.state.spent()});
    states.push_back(one.state);
  }
  // Without a budget to hold, what the sum leaves out is worth a note; with one, it decides.
  std::vector<std::string>& left_out = report.budget ? report.findings : report.notes;
  if (!latest().empty() && !latest().plan().previous.empty()) {
    left_out.push_back("Run " + latest().plan().run_id + " continues the ledger of run " +
                       latest().plan().previous +
                       ", whose spending is not included here: give it with --previous.");
  }
  std::vector<const LedgerState*> all{&report.state};
  for (const LedgerState& state : states) {
    all.push_back(&state);
    if (state.intents() > 0 && state.plan().unit == Unit::none) {
      left_out.push_back("The earlier run " + state.plan().run_id +
                         " had no unit of privacy: no epsilon covers it, or it and this run together.");
    } else if (state.intents() > 0 && state.plan().unit != report.state.plan().unit) {
      left_out.push_back("The earlier run " + state.plan().run_id + " was of unit " +
                         std::string(name_of(state.plan().unit)) + ", this one of unit " +
                         std::string(name_of(report.state.plan().unit)) +
                         ": no epsilon covers both together.");
    }
  }
  if (!report.state.empty()) {
    const double delta = report.budget ? report.budget->delta : report.state.plan().delta;
    report.total = delta > 0 ? total_of(all, delta) : std::vector<SpentRow>{};
  }
}

void check_budget(AuditReport& report) {
  const LedgerState& state = report.state;
  if (!report.budget || state.empty()) {
    return;
  }
  const std::string asked =
      "epsilon " + figure(report.budget->epsilon) + " at delta " + figure(report.budget->delta);
  if (state.plan().unit == Unit::none) {
    report.findings.push_back("The budget of " + asked + " does not hold: the run has no unit of privacy.");
    return;
  }
  for (const SpentRow& row : report.total) {
    if (row.without_noise > 0) {
      report.findings.push_back("The budget of " + asked +
                                " does not hold: " + count_of(row.without_noise, "sum was", "sums were") +
                                " announced without noise.");
    } else if (!(row.epsilon <= report.budget->epsilon)) {
      report.findings.push_back("The budget of " + asked + " does not hold: the run spent epsilon " +
                                figure(row.epsilon) + " (unit " + std::string(name_of(row.unit)) +
                                ", population " + row.population + ").");
    }
  }
}

void add_notes(AuditReport& report) {
  const LedgerState& state = report.state;
  if (state.empty()) {
    return;
  }
  for (const auto& [name, times] : state.without_noise()) {
    if (state.plan().unit != Unit::none) {
      report.notes.push_back("Released without noise, so outside every epsilon: " + name + ", " +
                             count_of(times, "time", "times") + ".");
    }
  }
  if (state.beyond_plan() > 0) {
    report.notes.push_back(
        count_of(state.beyond_plan(), "sum is", "sums are") +
        " beyond the planned number (repeated rounds); the budget counts them like all others, and from "
        "there on at the Renyi order that was best for the plan.");
  }
  if (state.aborted() > 0) {
    report.notes.push_back(count_of(state.aborted(), "round was", "rounds were") +
                           " aborted; what was announced counts as spent.");
  }
  if (state.trimmed() > 0) {
    std::string text =
        "Noise for drop-outs that did not come was taken out of " + count_of(state.trimmed(), "sum", "sums");
    if (state.left_whole() > 0) {
      text += ", and stayed in " + count_of(state.left_whole(), "share", "shares") + " of them";
    }
    report.notes.push_back(text + "; each keeps at least what its intent was charged for.");
  }
  if (!state.plan().pinned) {
    report.notes.emplace_back(
        "Identities were made for this run: the signatures show that one coordinator wrote the ledger, not "
        "who.");
  }
  if (state.plan().encryption == "none") {
    report.notes.emplace_back("Nothing was encrypted: the coordinator saw each merchant's sum.");
  }
  if (state.plan().encryption == "paillier") {
    report.notes.emplace_back(
        "Sums were opened by an arbiter: each merchant's own is secret as long as coordinator and arbiter "
        "did not work "
        "together and the coordinator kept to the protocol.");
  }
}

}  // namespace

AuditReport audit(const std::filesystem::path& run, std::optional<Budget> budget,
                  std::span<const std::filesystem::path> earlier, bool every_signature) {
  const bool is_folder = std::filesystem::is_directory(run);
  AuditReport report;
  report.ledger = is_folder ? run / "ledger.jsonl" : run;
  report.budget = budget;
  const std::string content = read_file(report.ledger);
  check_lines(content, every_signature, report);
  if (report.findings.empty()) {
    check_ending(report);
  }
  if (is_folder) {
    check_copies(run / "merchants", content, report);
    note_missing_copies(run / "merchants", report);
    check_model(run / "model", report);
  }
  account_for_adversaries(report);
  account_by_plan(report);
  add_earlier(earlier, report);
  check_budget(report);
  add_notes(report);
  return report;
}

// --- the verdict ---

namespace {

std::string adversary(const Plan& plan) {
  return "the coordinator and everyone who sees the models; at least " +
         std::to_string(plan.shares_min - plan.collusion) + " of the merchants in a sum are honest, " +
         (plan.collusion == 0 ? "no merchant colludes" : std::to_string(plan.collusion) + " may collude");
}

std::string data_of(const std::string& population) {
  return population == "all" ? "all data" : population + " records";
}

std::string row_text(const SpentRow& row) {
  std::string text = "  epsilon " + figure(row.epsilon) + " at delta " + figure(row.delta) + ": unit " +
                     std::string(name_of(row.unit)) + ", " + data_of(row.population) + ", " +
                     count_of(row.releases, "sum", "sums");
  if (row.order > 0) {
    text += ", Renyi order " + figure(row.order);
  }
  if (row.without_noise > 0) {
    text += "; " + std::to_string(row.without_noise) + " of them WITHOUT NOISE, which no epsilon covers";
  }
  return text + "\n";
}

std::string plan_row_text(const PlanRow& row) {
  return "  By privacy loss distributions" +
         std::string(row.bracket.gaussian_limit ? " (noise taken for continuous: Gaussian limit)" : "") +
         ", for the plan as declared: epsilon " + figure(row.bracket.lower) + " to " +
         figure(row.bracket.upper) + ", " + data_of(row.population) +
         ". The line above is what merchants enforce.\n";
}

/// What turns and correlated noise did to the cost, for who reads the figures above it.
std::string turns_text(const LedgerState& state) {
  const std::vector<std::uint32_t>& c = state.plan().coefficients;
  if (c.empty()) {
    return "";
  }
  const std::string turns = std::to_string(c.size());
  std::string text = "  Units took turns: each was in one of " + turns + " training sums in a row, " +
                     count_of((state.rows() + c.size() - 1) / c.size(), "time", "times") + " in " +
                     count_of(state.rows(), "training sum", "training sums") +
                     " at most, aborted ones included.\n";
  if (c[1] > 0) {
    text += "  Noise was correlated (banded, " + turns + " bands): what a unit said shows in " + turns +
            " sums, " + std::to_string(c[0]) + ", " + std::to_string(c[1]) + " ... " +
            std::to_string(c.back()) + " times, so a turn costs what one sum would with " +
            figure(norm_of(c)) + " times the clip norm; all of it is counted.\n";
  }
  return text;
}

std::string adversaries_text(const AuditReport& report) {
  const Plan& plan = report.state.plan();
  std::string text = "  Against: " + adversary(plan) + ".\n";
  for (const AdversaryRow& row : report.adversaries) {
    if (row.collusion != plan.collusion) {
      text += "  Were " + std::to_string(row.collusion) +
              " merchants of a smallest sum to hand over their noise: epsilon " + figure(row.spent.epsilon) +
              ", " + data_of(row.spent.population) + ".\n";
    }
  }
  return text;
}

std::string earlier_text(const AuditReport& report) {
  if (report.earlier.empty()) {
    return "";
  }
  std::string text =
      "With " + count_of(report.earlier.size(), "earlier run", "earlier runs") + " on the same people:\n";
  for (const EarlierLedger& one : report.earlier) {
    text += "  run " + printable(one.run_id) + " (" + without_controls(one.ledger.string()) + ")\n";
  }
  for (const SpentRow& row : report.total) {
    text += row_text(row);
  }
  const bool records =
      std::ranges::any_of(report.total, [](const SpentRow& row) { return row.unit == Unit::record; });
  return records ? text +
                       "  Each run may have divided the records into train and test otherwise: a record "
                       "counts in each as "
                       "the larger of both.\n"
                 : text;
}

std::string privacy_text(const AuditReport& report) {
  const LedgerState& state = report.state;
  const Plan& plan = state.plan();
  if (plan.unit == Unit::none) {
    return "NOTHING IS PRIVATE: the run had no unit of privacy (privacy.unit=none) and promises nothing.\n" +
           earlier_text(report);
  }
  std::string text = "Privacy spent, recomputed (zero-out adjacency, Renyi accountant):\n";
  for (const SpentRow& row : state.spent()) {
    text += row_text(row);
    for (const PlanRow& planned : report.plan_rows) {
      text += planned.population == row.population ? plan_row_text(planned) : "";
    }
  }
  if (state.spent().size() > 1) {
    text += "  Train and test are different records, so the run's epsilon is the larger: " +
            figure(state.epsilon_spent()) + ".\n";
  }
  text += turns_text(state);
  if (plan.epsilon) {
    text += "  Budget: epsilon " + figure(*plan.epsilon) + ", held before every sum.\n";
  }
  return text + adversaries_text(report) + earlier_text(report);
}

std::string ledger_text(const AuditReport& report) {
  const LedgerState& state = report.state;
  std::string text = "Ledger " + without_controls(report.ledger.string()) + ": " +
                     count_of(report.lines, "record holds", "records hold") +
                     " (form, hashes, tree, order), and " +
                     count_of(report.signatures, "signature", "signatures") +
                     (report.signatures_verified == report.signatures
                          ? std::string()
                          : ", of which the last " + std::to_string(report.signatures_verified) +
                                ", one of each signer, cover all others") +
                     "\n";
  if (state.empty()) {
    return text;
  }
  const Plan& plan = state.plan();
  text += "  Run " + printable(plan.run_id) + " of federation " + quoted(plan.federation) + ", workload " +
          printable(plan.workload) + ", " + count_of(plan.merchants.size(), "merchant", "merchants") +
          ", coordinator " + hex(plan.coordinator) + "\n";
  text += "  " + count_of(state.intents(), "sum", "sums") +
          " announced: " + std::to_string(state.released()) + " released, " +
          std::to_string(state.aborted()) + " aborted" + (state.open_intent() ? ", 1 open" : "") + "\n";
  text += "  " + count_of(state.heads(), "head", "heads") + ", the last signed by " +
          std::to_string(state.last_head().cosignatures.size()) + " of " +
          count_of(plan.merchants.size(), "merchant", "merchants") + ": " +
          std::to_string(state.last_head().size) + " lines, root " + hex(state.last_head().root) + "\n";
  text += "  " + count_of(report.copies, "merchant's copy", "merchants' copies") + " found, " +
          std::to_string(report.copies_agreeing) + " in agreement\n";
  if (state.claim()) {
    text += "  Claim: " + std::string(report.holds() ? "equals the recomputation" : "present") + "\n";
  }
  return text;
}

}  // namespace

/// Sentences name runs, sums and folders as the ledger or somebody's copy does: no name becomes a line of the verdict.
std::string text_of(const AuditReport& report) {
  std::string text = ledger_text(report);
  if (!report.state.empty()) {
    text += privacy_text(report);
  }
  for (const std::string& note : report.notes) {
    text += "Note: " + without_controls(note) + "\n";
  }
  for (const std::string& sentence : report.open_ends) {
    text += "Unfinished: " + without_controls(sentence) + "\n";
  }
  for (const std::string& finding : report.findings) {
    text += "FINDING: " + without_controls(finding) + "\n";
  }
  switch (report.verdict()) {
    case AuditReport::Verdict::holds:
      return text + "The audit holds.\n";
    case AuditReport::Verdict::unfinished:
      return text +
             "The run is unfinished. What there is holds: nothing contradicts anything, and everything that "
             "was "
             "announced is counted as spent.\n";
    case AuditReport::Verdict::broken:
      break;
  }
  return text + "The audit does NOT hold: " + count_of(report.findings.size(), "finding", "findings") + ".\n";
}

namespace {

std::string_view name_of(AuditReport::Verdict verdict) {
  return verdict == AuditReport::Verdict::holds        ? "holds"
         : verdict == AuditReport::Verdict::unfinished ? "unfinished"
                                                       : "broken";
}

Json json_of(const SpentRow& row) {
  return {{"unit", name_of(row.unit)}, {"adjacency", "zero-out"},  {"population", row.population},
          {"epsilon", row.epsilon},    {"delta", row.delta},       {"method", "renyi"},
          {"order", row.order},        {"releases", row.releases}, {"without_noise", row.without_noise}};
}

Json json_of(const std::vector<SpentRow>& rows) {
  Json list = Json::array();
  for (const SpentRow& row : rows) {
    list.push_back(json_of(row));
  }
  return list;
}

Json json_of(const PlanRow& row) {
  return {{"population", row.population},
          {"delta", row.delta},
          {"method", row.bracket.gaussian_limit ? "privacy loss distribution, Gaussian limit"
                                                : "privacy loss distribution"},
          {"epsilon_lower", row.bracket.lower},
          {"epsilon_upper", row.bracket.upper},
          {"grid_step", row.bracket.grid_step}};
}

Json json_of_adversaries(const AuditReport& report) {
  Json list = Json::array();
  for (const AdversaryRow& row : report.adversaries) {
    list.push_back(json_of(row.spent));
    list.back()["collusion"] = row.collusion;
  }
  return list;
}

Json json_of_earlier(const AuditReport& report) {
  Json list = Json::array();
  for (const EarlierLedger& one : report.earlier) {
    list.push_back({{"ledger", one.ledger.string()}, {"run_id", one.run_id}, {"rows", json_of(one.rows)}});
  }
  return list;
}

}  // namespace

std::string json_of(const AuditReport& report) {
  const LedgerState& state = report.state;
  Json json = {{"schema", 2},
               {"ledger", report.ledger.string()},
               {"holds", report.holds()},
               {"verdict", name_of(report.verdict())},
               {"findings", report.findings},
               {"unfinished", report.open_ends},
               {"notes", report.notes},
               {"records", report.lines},
               {"signatures", report.signatures},
               {"signatures_verified", report.signatures_verified},
               {"copies", report.copies},
               {"copies_agreeing", report.copies_agreeing}};
  if (!state.empty()) {
    const Plan& plan = state.plan();
    json["run_id"] = plan.run_id;
    json["federation"] = plan.federation;
    json["workload"] = plan.workload;
    json["unit"] = name_of(plan.unit);
    json["private"] = plan.unit != Unit::none && releases_without_noise(state) == 0;
    json["adjacency"] = "zero-out";
    json["encryption"] = plan.encryption;
    json["adversary"] = adversary(plan);
    json["collusion"] = plan.collusion;
    json["merchants"] = plan.merchants.size();
    json["shares_min"] = plan.shares_min;
    json["delta"] = plan.delta;
    json["budget"] = plan.epsilon ? Json(*plan.epsilon) : Json();
    json["epsilon"] = plan.unit == Unit::none ? Json() : Json(state.epsilon_spent());
    json["sums"] = state.intents();
    json["released"] = state.released();
    json["aborted"] = state.aborted();
    json["beyond_plan"] = state.beyond_plan();
    json["coefficients"] = plan.coefficients;
    json["training_rows"] = state.rows();
    json["without_noise"] = state.without_noise();
    json["surplus_taken_out"] = state.trimmed();
    json["finished"] = state.finished();
    json["heads"] = state.heads();
    json["head"] = {{"size", state.last_head().size},
                    {"root", hex(state.last_head().root)},
                    {"signed_by", state.last_head().cosignatures.size()}};
    json["rows"] = json_of(state.spent());
    json["adversaries"] = json_of_adversaries(report);
    json["plan_rows"] = Json::array();
    for (const PlanRow& row : report.plan_rows) {
      json["plan_rows"].push_back(json_of(row));
    }
    json["earlier"] = json_of_earlier(report);
    json["total"] = json_of(report.total);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hanse
