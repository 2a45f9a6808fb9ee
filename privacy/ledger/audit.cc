#include "privacy/ledger/audit.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/ledger/ledger_copy.h"
#include "privacy/ledger/ledger_lines.h"

namespace hanse {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kNamesShown = 5;

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// "1 line", "7 lines", "2 copies".
std::string count_of(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

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

void check_lines(std::string_view content, AuditReport& report) {
  const LedgerLines split = split_lines(content);
  for (const std::string_view line : split.lines) {
    if (const auto record = report.state.accept(line); !record) {
      report.findings.push_back("The ledger does not hold: " + record.what() + ".");
      const std::uint64_t rest = split.lines.size() - report.lines - 1;
      if (rest > 0) {
        report.notes.push_back("The " + count_of(rest, "line", "lines") +
                               " after it cannot be trusted and was not looked at.");
      }
      return;
    }
    ++report.lines;
  }
  if (!split.torn.empty()) {
    report.findings.push_back(
        "The ledger's last line has no end: its writer was interrupted, or the file was cut.");
  }
}

void check_ending(AuditReport& report) {
  const LedgerState& state = report.state;
  if (state.empty()) {
    report.findings.emplace_back("The ledger is empty: there is not even a plan.");
  } else if (state.open_intent()) {
    report.findings.push_back(
        "Round " + std::to_string(state.open_intent()->round) +
        " was announced and never answered: it counts as spent, and the run is not finished.");
  } else if (!state.claim()) {
    report.findings.emplace_back(
        "The run has not ended with a claim: it is unfinished, or its end was removed.");
  }
}

/// How one file of a merchant's copy relates to the coordinator's ledger.
struct CopyVerdict {
  enum class Kind { same, behind, longer, differs, unreadable } kind = Kind::same;
  std::uint64_t line = 0;  ///< The first line that differs.
};

CopyVerdict compare(std::string_view copy, std::string_view ledger) {
  using Kind = CopyVerdict::Kind;
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
      missing.push_back(merchant.name);
    }
  }
  if (!missing.empty()) {
    report.notes.push_back("Of " + count_of(missing.size(), "merchant", "merchants") + " (" +
                           listed(missing) + ") there is no copy here: ask them for theirs.");
  }
}

void check_model(const std::filesystem::path& file, AuditReport& report) {
  std::error_code none;
  if (!std::filesystem::exists(file, none) || !report.state.claim()) {
    return;
  }
  const Json json = Json::parse(read_file(file), nullptr, false);
  const auto digest = json.is_object() ? json.find("sha256") : json.end();
  if (!json.is_object() || digest == json.end() || !digest->is_string()) {
    report.findings.push_back("The published model cannot be matched: " + file.string() +
                              " holds no field \"sha256\".");
  } else if (digest->get<std::string>() != hex(report.state.claim()->published)) {
    report.findings.push_back("The published model (" + file.string() +
                              ") is not the one that the claim is about.");
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
  for (const SpentRow& row : state.spent_at(report.budget->delta)) {
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
        " beyond the planned number (repeated rounds); the budget counts them like all others.");
  }
  if (state.aborted() > 0) {
    report.notes.push_back(count_of(state.aborted(), "round was", "rounds were") +
                           " aborted; what was announced counts as spent.");
  }
  if (!state.plan().previous.empty()) {
    report.notes.push_back("The ledger continues that of run " + state.plan().previous +
                           ", whose spending is not included here: audit that one too.");
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

AuditReport audit(const std::filesystem::path& run, std::optional<Budget> budget) {
  const bool is_folder = std::filesystem::is_directory(run);
  AuditReport report{.ledger = is_folder ? run / "ledger.jsonl" : run,
                     .findings = {},
                     .notes = {},
                     .state = {},
                     .budget = budget};
  const std::string content = read_file(report.ledger);
  check_lines(content, report);
  if (report.findings.empty()) {
    check_ending(report);
  }
  if (is_folder) {
    check_copies(run / "merchants", content, report);
    note_missing_copies(run / "merchants", report);
    check_model(run / "model" / "model.json", report);
  }
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

std::string row_text(const SpentRow& row) {
  std::string text = "  epsilon " + figure(row.epsilon) + " at delta " + figure(row.delta) + ": unit " +
                     std::string(name_of(row.unit)) + ", " +
                     (row.population == "all" ? "all data" : row.population + " records") + ", " +
                     count_of(row.releases, "sum", "sums");
  if (row.order > 0) {
    text += ", Renyi order " + figure(row.order);
  }
  if (row.without_noise > 0) {
    text += "; " + std::to_string(row.without_noise) + " of them WITHOUT NOISE, which no epsilon covers";
  }
  return text + "\n";
}

std::string privacy_text(const LedgerState& state) {
  const Plan& plan = state.plan();
  if (plan.unit == Unit::none) {
    return "NOTHING IS PRIVATE: the run had no unit of privacy (privacy.unit=none) and promises nothing.\n";
  }
  std::string text = "Privacy spent, recomputed (zero-out adjacency, Renyi accountant):\n";
  for (const SpentRow& row : state.spent()) {
    text += row_text(row);
  }
  if (state.spent().size() > 1) {
    text += "  Train and test are different records, so the run's epsilon is the larger: " +
            figure(state.epsilon_spent()) + ".\n";
  }
  if (plan.epsilon) {
    text += "  Budget: epsilon " + figure(*plan.epsilon) + ", held before every sum.\n";
  }
  return text + "  Against: " + adversary(plan) + ".\n";
}

std::string ledger_text(const AuditReport& report) {
  const LedgerState& state = report.state;
  std::string text = "Ledger " + report.ledger.string() + ": " +
                     count_of(report.lines, "record holds", "records hold") +
                     " (form, hashes, signatures, order)\n";
  if (state.empty()) {
    return text;
  }
  const Plan& plan = state.plan();
  text += "  Run " + plan.run_id + " of federation \"" + plan.federation + "\", workload " + plan.workload +
          ", " + count_of(plan.merchants.size(), "merchant", "merchants") + ", coordinator " +
          hex(plan.coordinator) + "\n";
  text += "  " + count_of(state.intents(), "sum", "sums") +
          " announced: " + std::to_string(state.released()) + " released, " +
          std::to_string(state.aborted()) + " aborted" + (state.open_intent() ? ", 1 open" : "") + "\n";
  text += "  " + count_of(report.copies, "merchant's copy", "merchants' copies") + " found, " +
          std::to_string(report.copies_agreeing) + " in agreement\n";
  if (state.claim()) {
    text += "  Claim: " + std::string(report.holds() ? "equals the recomputation" : "present") + "\n";
  }
  return text;
}

}  // namespace

std::string text_of(const AuditReport& report) {
  std::string text = ledger_text(report);
  if (!report.state.empty()) {
    text += privacy_text(report.state);
  }
  for (const std::string& note : report.notes) {
    text += "Note: " + note + "\n";
  }
  for (const std::string& finding : report.findings) {
    text += "FINDING: " + finding + "\n";
  }
  return text + (report.holds() ? "The audit holds.\n"
                                : "The audit does NOT hold: " +
                                      count_of(report.findings.size(), "finding", "findings") + ".\n");
}

std::string json_of(const AuditReport& report) {
  const LedgerState& state = report.state;
  Json json = {{"schema", 1},
               {"ledger", report.ledger.string()},
               {"holds", report.holds()},
               {"findings", report.findings},
               {"notes", report.notes},
               {"records", report.lines},
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
    json["without_noise"] = state.without_noise();
    json["finished"] = state.claim().has_value();
    json["rows"] = Json::array();
    for (const SpentRow& row : state.spent()) {
      json["rows"].push_back({{"unit", name_of(row.unit)},
                              {"population", row.population},
                              {"epsilon", row.epsilon},
                              {"delta", row.delta},
                              {"order", row.order},
                              {"releases", row.releases},
                              {"without_noise", row.without_noise}});
    }
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hanse
