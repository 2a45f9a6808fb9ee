#include "coordinator/output/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <map>
#include <tuple>

#include "coordinator/output/chart.h"
#include "coordinator/output/progress.h"
#include "coordinator/output/report_style.h"
#include "coordinator/output/text.h"

namespace hanse {
namespace {

constexpr std::size_t kAbortedShown = 20;
constexpr std::size_t kFindingsShown = 20;
constexpr std::size_t kInsightRowsShown = 200;

struct Figure {
  const char* key;
  const char* name;
};
constexpr std::array<Figure, 9> kFigures = {{{"test_auc", "Test AUC"},
                                             {"test_ndcg_10", "Test NDCG@10"},
                                             {"test_recall_20", "Test recall@20"},
                                             {"test_hit_rate_10", "Test hit rate@10"},
                                             {"test_rmse", "Test RMSE"},
                                             {"test_accuracy", "Test accuracy"},
                                             {"test_f1", "Test F1"},
                                             {"test_loss", "Test loss"},
                                             {"train_loss", "Training loss"}}};

/// How far the run keeps what differential privacy can promise.
enum class Promise { unknown, broken, nothing, partly, kept };

Promise promise_of(const ReportData& data) {
  if (!data.plan || !data.audit || data.audit->state.empty()) {
    return Promise::unknown;
  }
  if (data.audit->verdict() == AuditReport::Verdict::broken) {
    return Promise::broken;
  }
  if (data.plan->unit == Unit::none) {
    return Promise::nothing;
  }
  return data.audit->state.without_noise().empty() ? Promise::kept : Promise::partly;
}

std::string element(const char* tag, const std::string& html) {
  const std::string name(tag);
  return "<" + name + ">" + html + "</" + name.substr(0, name.find(' ')) + ">";
}

std::string cell(const std::string& html) {
  return element("td", html);
}
std::string number_cell(const std::string& html) {
  return element("td class=\"n\"", html);
}

std::string table_head(const std::vector<std::pair<const char*, bool>>& columns) {
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const auto& [name, number] : columns) {
    html += element(number ? "th scope=\"col\" class=\"n\"" : "th scope=\"col\"", name);
  }
  return html + "</tr></thead><tbody>\n";
}

constexpr const char* kTableEnd = "</tbody></table></div>\n";

std::string section(const char* title, const std::string& html) {
  return "<section><h2>" + std::string(title) + "</h2>\n" + html + "</section>\n";
}

std::string card(const std::string& html) {
  return "<div class=\"card\">" + html + "</div>\n";
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return count_text(count) + " " + (count == 1 ? one : many);
}

std::string date_text(std::uint64_t unix_time) {
  const auto seconds = static_cast<std::time_t>(unix_time);
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts) == 0) {
    return "an unknown time";
  }
  return text.data();
}

/// The last value of each figure that any round reported.
Metrics last_figures(const ReportData& data) {
  Metrics figures;
  for (const RoundMetrics& round : data.metrics) {
    for (const auto& [name, value] : round.figures) {
      figures[name] = value;
    }
  }
  return figures;
}

std::string run_name(const ReportData& data) {
  if (data.plan && !data.plan->federation.empty()) {
    return data.plan->federation;
  }
  const auto folder = data.folder.lexically_normal();
  return (folder.has_filename() ? folder : folder.parent_path()).filename().string();
}

std::uint64_t aborted_sums(const ReportData& data) {
  return static_cast<std::uint64_t>(std::count_if(
      data.sums.begin(), data.sums.end(),
      [](const LedgerSum& sum) { return sum.release && sum.release->status == Release::Status::aborted; }));
}

// ---------------------------------------------------------------------------------------------- head

std::string badge(const char* kind, const std::string& html) {
  return "<li class=\"" + std::string(kind) + "\">" + html + "</li>";
}

std::string privacy_badge(const ReportData& data) {
  switch (promise_of(data)) {
    case Promise::unknown:
      return badge("", "Privacy unknown");
    case Promise::broken:
      return badge("bad", "No promise stands");
    case Promise::nothing:
      return badge("warn", "Not differentially private");
    case Promise::partly:
      return badge("bad", "Releases without noise");
    case Promise::kept:
      break;
  }
  return badge("good", "ε ≤ " + bound_text(data.audit->state.epsilon_spent()) + " for each " +
                           std::string(name_of(data.plan->unit)));
}

std::string badges(const ReportData& data) {
  std::string html = "<ul class=\"badges\">" + privacy_badge(data);
  if (data.plan) {
    const bool open = data.plan->encryption == "none";
    html += open ? badge("warn", "No encryption")
                 : badge("good", "Sums encrypted (" + escaped(data.plan->encryption) + ")");
  }
  if (!data.audit) {
    html += badge("warn", "No ledger");
  } else if (data.audit->verdict() != AuditReport::Verdict::broken) {
    html += badge("good", "Audit holds");
  } else {
    html += badge("bad", "Audit: " + counted(data.audit->findings.size(), "finding", "findings"));
  }
  if (data.audit && data.audit->verdict() == AuditReport::Verdict::unfinished) {
    html += badge("", "Not finished");
  }
  return html + "</ul>\n";
}

std::string under_title(const ReportData& data) {
  std::string text;
  if (data.plan) {
    text = escaped(data.plan->workload) + " · " +
           counted(data.plan->merchants.size(), "merchant", "merchants") + " · begun " +
           date_text(data.plan->unix_time);
  } else {
    text = "A run without a ledger";
  }
  return "<p class=\"under\">" + text + "</p>\n";
}

std::string tile(const std::string& name, const std::string& figure, const std::string& note) {
  return "<div><div class=\"name\">" + name + "</div><div class=\"figure\">" + figure + "</div>" +
         (note.empty() ? "" : "<div class=\"note\">" + note + "</div>") + "</div>";
}

std::string epsilon_tile(const ReportData& data) {
  const Promise promise = promise_of(data);
  if (promise == Promise::unknown) {
    return tile("Privacy spent, ε", "?", "without a ledger nobody knows");
  }
  if (promise == Promise::broken) {
    return tile("Privacy spent, ε", "?", "the ledger does not hold");
  }
  if (promise == Promise::nothing) {
    return tile("Privacy spent, ε", "∞", "no unit of privacy");
  }
  const double spent = data.audit->state.epsilon_spent();
  std::string note = "at δ = " + number_text(data.plan->delta, 3);
  if (data.plan->epsilon) {
    const double share = std::clamp(100 * spent / *data.plan->epsilon, 0.0, 100.0);
    note = "<div class=\"bar\"><i style=\"width:" + number_text(share, 3) + "%\"></i></div>of " +
           number_text(*data.plan->epsilon) + " " + note;
  }
  return tile("Privacy spent, ε", bound_text(spent), note);
}

std::string round_tile(const ReportData& data) {
  std::uint64_t planned = 0;
  if (data.plan) {
    for (const PlannedRelease& release : data.plan->releases) {
      planned += release.purpose == Purpose::update ? release.count : 0;
    }
  }
  const std::uint64_t done = data.metrics.empty() ? 0 : data.metrics.back().round;
  std::string note = planned > 0 ? "of " + count_text(planned) + " planned" : "";
  if (const std::uint64_t aborted = aborted_sums(data); aborted > 0) {
    note += (note.empty() ? "" : ", ") + counted(aborted, "sum aborted", "sums aborted");
  }
  return tile("Rounds", count_text(done), note);
}

std::string quality_tiles(const ReportData& data) {
  const Metrics figures = last_figures(data);
  std::string html;
  const bool is_private = !data.metrics.empty() && data.metrics.back().epsilon.has_value();
  int shown = 0;
  for (const Figure& figure : kFigures) {
    const auto found = figures.find(figure.key);
    if (found != figures.end() && shown < 2) {
      html += tile(figure.name, number_text(found->second),
                   is_private ? "last value, noise in it" : "last value");
      ++shown;
    }
  }
  return html;
}

std::string cost_tile(const ReportData& data) {
  if (data.metrics.empty()) {
    return "";
  }
  std::uint64_t bytes = 0;
  for (const RoundMetrics& round : data.metrics) {
    bytes += round.bytes_sent.value_or(0);
  }
  const std::string sent = bytes > 0 ? bytes_text(bytes) + " sent by all together" : "";
  return tile("Time", duration_text(data.metrics.back().seconds), sent);
}

std::string merchants_tile(const ReportData& data) {
  if (data.plan) {
    return tile("Merchants", count_text(data.plan->merchants.size()),
                "at least " + count_text(data.plan->shares_min) + " in every sum");
  }
  return data.metrics.empty()
             ? ""
             : tile("Merchants", count_text(data.metrics.back().merchants), "in the last round");
}

std::string tiles(const ReportData& data) {
  return "<div class=\"tiles\">" + epsilon_tile(data) + quality_tiles(data) + round_tile(data) +
         merchants_tile(data) + cost_tile(data) + "</div>\n";
}

// --------------------------------------------------------------------------------------------- promise

/// The largest share of participants that a guess finds when it is wrong about `wrong` of the others: the
/// trade-off of (epsilon, delta) (Wasserman and Zhou 2010; Kairouz, Oh, Viswanath 2015).
double found_at_most(double epsilon, double delta, double wrong) {
  return std::min({1.0, std::exp(epsilon) * wrong + delta, 1 - std::exp(-epsilon) * (1 - wrong - delta)});
}

std::string kept_text(const ReportData& data) {
  const double epsilon = data.audit->state.epsilon_spent();
  const double delta = data.plan->delta;
  const std::string unit(name_of(data.plan->unit));
  std::string html =
      "<p><strong>Everything this run released, model, statistics and test figures together, is (ε, δ) = (" +
      bound_text(epsilon) + ", " + number_text(delta, 3) + ") differentially private for each " + unit +
      ".</strong> Had the data of any one " + unit +
      " been left out, no outcome would have become more than " + bound_text(std::exp(epsilon)) +
      " times likelier or less likely, except with probability δ.</p>";
  html += "<p>In other words: whoever guesses from the releases whether a " + unit +
          " took part, and is wrong about 5 % of those who did not, finds at most " +
          bound_text(100 * found_at_most(epsilon, delta, 0.05)) + " % of those who did.</p>";
  if (data.plan->collusion > 0) {
    html += "<p>This counts the noise of the others only, should up to " +
            counted(data.plan->collusion, "merchant", "merchants") + " in a sum reveal their own.</p>";
  } else {
    html +=
        "<p>The promise holds against whoever sees the releases. Merchants who reveal their own share of the "
        "noise "
        "weaken it in proportion: no colluding merchants were planned for.</p>";
  }
  if (const std::uint64_t trimmed = data.audit->state.trimmed(); trimmed > 0) {
    html += "<p>Noise for merchants that might have dropped out, and did not, was taken out of " +
            counted(trimmed, "sum", "sums") + " again: what stayed is what ε was counted for.</p>";
  }
  return html;
}

std::string nothing_text() {
  return "<p><strong>Nothing is promised about any customer: this run has no unit of privacy.</strong> Its "
         "sums were "
         "released without noise, and its model may reveal what individual people did. It is a simulation, "
         "or a run on "
         "data that may be public. Set <code>privacy.unit</code> and <code>privacy.epsilon</code> for a "
         "private one.</p>";
}

std::string partly_text(const ReportData& data) {
  std::string html =
      "<p><strong>Part of what this run released carries no noise, and nothing is promised about that "
      "part.</strong> "
      "The ε above covers the other releases alone.</p><ul>";
  for (const auto& [name, count] : data.audit->state.without_noise()) {
    html += "<li>" + escaped(name) + ": " + counted(count, "release", "releases") + " without noise</li>";
  }
  return html + "</ul>";
}

std::string encryption_text(const ReportData& data) {
  if (data.plan->encryption == "none") {
    return "<p class=\"none\">No encryption: the coordinator saw the vector of every single merchant.</p>";
  }
  return "<p>The coordinator and the network saw encrypted vectors only; what was opened are sums over at "
         "least " +
         counted(data.plan->shares_min, "merchant", "merchants") +
         (data.plan->encryption == "paillier"
              ? ". An arbiter opened them: it and the coordinator must not have worked together.</p>"
              : ".</p>");
}

std::string promise_section(const ReportData& data) {
  const Promise promise = promise_of(data);
  std::string html;
  const char* kind = "";
  switch (promise) {
    case Promise::unknown:
      kind = " warn";
      html =
          "<p><strong>There is no ledger that can be read, so nothing can be said about "
          "privacy.</strong></p>";
      break;
    case Promise::broken:
      kind = " bad";
      html =
          "<p><strong>The ledger does not hold, so no promise about this run can be relied on.</strong> What "
          "is wrong "
          "with it stands under Audit.</p>";
      break;
    case Promise::nothing:
      kind = " warn";
      html = nothing_text();
      break;
    case Promise::partly:
      kind = " bad";
      html = partly_text(data);
      break;
    case Promise::kept:
      html = kept_text(data);
      break;
  }
  if (data.plan) {
    html += encryption_text(data);
  }
  return section("What is promised",
                 "<div class=\"card promise" + std::string(kind) + "\">" + html + "</div>\n");
}

// ---------------------------------------------------------------------------------------------- curves

ChartSeries series_of(const ReportData& data, const std::string& key, const std::string& label) {
  ChartSeries series{label, {}};
  for (const RoundMetrics& round : data.metrics) {
    const auto found = round.figures.find(key);
    if (found != round.figures.end()) {
      series.points.push_back({static_cast<double>(round.round), found->second});
    }
  }
  return series;
}

Chart chart_of(const ReportData& data, const std::string& title, const std::vector<Figure>& figures) {
  Chart chart;
  chart.title = title;
  for (const Figure& figure : figures) {
    ChartSeries series = series_of(data, figure.key, figure.name);
    if (!series.points.empty()) {
      chart.series.push_back(std::move(series));
    }
  }
  return chart;
}

std::string epsilon_chart(const ReportData& data) {
  Chart chart;
  chart.title = "Privacy spent, ε";
  ChartSeries series{"ε", {}};
  for (const RoundMetrics& round : data.metrics) {
    if (round.epsilon) {
      series.points.push_back({static_cast<double>(round.round), *round.epsilon});
    }
  }
  chart.series = {series};
  chart.from_zero = true;
  if (data.plan && data.plan->epsilon && !series.points.empty()) {
    chart.limit = data.plan->epsilon;
    chart.limit_label = "budget " + number_text(*data.plan->epsilon);
  }
  return series.points.empty() && promise_of(data) == Promise::nothing ? "" : chart_svg(chart);
}

bool is_known(const std::string& key) {
  return std::any_of(kFigures.begin(), kFigures.end(),
                     [&](const Figure& figure) { return key == figure.key; });
}

std::string participation_chart(const ReportData& data) {
  Chart chart;
  chart.title = "Merchants in the sum of a round";
  chart.from_zero = chart.whole = true;
  ChartSeries series{"merchants", {}};
  for (const LedgerSum& sum : data.sums) {
    if (sum.intent.purpose == Purpose::update && sum.release &&
        sum.release->status == Release::Status::released) {
      series.points.push_back(
          {static_cast<double>(sum.intent.round), static_cast<double>(sum.release->merchants.size())});
    }
  }
  if (!data.plan) {
    for (const RoundMetrics& round : data.metrics) {
      series.points.push_back({static_cast<double>(round.round), static_cast<double>(round.merchants)});
    }
  }
  std::stable_sort(series.points.begin(), series.points.end(),
                   [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
  chart.series = {series};
  if (data.plan) {
    chart.limit = data.plan->shares_min;
    chart.limit_label = "fewest allowed: " + count_text(data.plan->shares_min);
  }
  return chart_svg(chart);
}

std::string curves_section(const ReportData& data) {
  std::string html = "<div class=\"charts\">";
  html += chart_svg(chart_of(data, "Loss", {{"train_loss", "Training"}, {"test_loss", "Test"}}));
  const Chart rmse = chart_of(data, "Test RMSE", {{"test_rmse", "RMSE"}});
  const Chart rates = chart_of(data, "Test quality",
                               {{"test_auc", "AUC"},
                                {"test_accuracy", "Accuracy"},
                                {"test_f1", "F1"},
                                {"test_ndcg_10", "NDCG@10"},
                                {"test_recall_20", "Recall@20"},
                                {"test_hit_rate_10", "Hit rate@10"}});
  if (!rmse.series.empty()) {
    html += chart_svg(rmse);
  }
  if (!rates.series.empty() || rmse.series.empty()) {
    Chart chart = rates;
    chart.title = chart.series.size() == 1 ? "Test " + chart.series.front().label : chart.title;
    html += chart_svg(chart);
  }
  for (const auto& [key, value] : last_figures(data)) {
    if (!is_known(key)) {
      html += chart_svg(chart_of(data, key, {{key.c_str(), key.c_str()}}));
    }
  }
  return section("Round by round", html + epsilon_chart(data) + participation_chart(data) + "</div>\n");
}

// --------------------------------------------------------------------------------------- participation

std::string aborted_table(const ReportData& data) {
  const std::uint64_t aborted = aborted_sums(data);
  if (aborted == 0) {
    return data.sums.empty() ? "" : "<p>No sum was aborted.</p>";
  }
  const bool costs = data.plan && data.plan->unit != Unit::none;
  std::string html = "<p>" + counted(aborted, "sum was aborted.", "sums were aborted.") +
                     (costs ? " What was announced counts as spent all the same.</p>" : "</p>") +
                     table_head({{"Round", true}, {"Sum", false}, {"Why", false}});
  std::size_t shown = 0;
  for (const LedgerSum& sum : data.sums) {
    if (sum.release && sum.release->status == Release::Status::aborted && shown < kAbortedShown) {
      html += "<tr>" + number_cell(count_text(sum.intent.round)) + cell(escaped(sum.intent.name)) +
              cell(escaped(sum.release->reason)) + "</tr>\n";
      ++shown;
    }
  }
  html += kTableEnd;
  return aborted > shown ? html + "<p>And " + count_text(aborted - shown) + " more.</p>" : html;
}

std::string merchant_list(const ReportData& data) {
  if (!data.plan) {
    return "";
  }
  std::map<std::uint32_t, std::uint64_t> included;
  for (const LedgerSum& sum : data.sums) {
    if (sum.release) {
      for (const std::uint32_t id : sum.release->merchants) {
        ++included[id];
      }
    }
  }
  std::string html = "<details><summary>All " +
                     counted(data.plan->merchants.size(), "merchant", "merchants") +
                     "</summary><p class=\"under\">" +
                     (data.plan->pinned ? "Their identities come from a signed roster."
                                        : "Their identities are fresh keys, made for this run.") +
                     "</p>" + table_head({{"Merchant", false}, {"Sums it is in", true}, {"Key", false}});
  for (std::uint32_t id = 0; id < data.plan->merchants.size(); ++id) {
    const LedgerMerchant& merchant = data.plan->merchants[id];
    html += "<tr>" + cell(escaped(merchant.name)) + number_cell(count_text(included[id])) +
            cell("<code>" + hex(merchant.key).substr(0, 16) + "…</code>") + "</tr>\n";
  }
  return html + kTableEnd + "</details>";
}

std::string participation_section(const ReportData& data) {
  return data.sums.empty() && !data.plan
             ? ""
             : section("Who took part", card(aborted_table(data) + merchant_list(data)));
}

// ---------------------------------------------------------------------------------------------- ledger

std::string list_of(const std::vector<std::string>& sentences) {
  std::string html = "<ul>";
  for (std::size_t i = 0; i < std::min(sentences.size(), kFindingsShown); ++i) {
    html += "<li>" + escaped(sentences[i]) + "</li>";
  }
  if (sentences.size() > kFindingsShown) {
    html += "<li>and " + count_text(sentences.size() - kFindingsShown) + " more</li>";
  }
  return html + "</ul>";
}

std::string spent_table(const ReportData& data) {
  const std::vector<SpentRow> rows = data.audit->state.spent();
  if (rows.empty()) {
    return "";
  }
  std::string html = table_head({{"Protected", false},
                                 {"Releases of", false},
                                 {"ε", true},
                                 {"δ", true},
                                 {"Releases", true},
                                 {"Without noise", true},
                                 {"Rényi order", true}});
  for (const SpentRow& row : rows) {
    html += "<tr>" + cell("each " + std::string(name_of(row.unit))) +
            cell(row.population == "all" ? "all data" : escaped(row.population) + " data") +
            number_cell(bound_text(row.epsilon, 4)) + number_cell(number_text(row.delta, 3)) +
            number_cell(count_text(row.releases)) +
            number_cell(row.without_noise == 0
                            ? "0"
                            : "<span class=\"none\">" + count_text(row.without_noise) + "</span>") +
            number_cell(number_text(row.order)) + "</tr>\n";
  }
  return html + kTableEnd;
}

std::string audit_section(const ReportData& data) {
  if (!data.audit) {
    return section("Audit", card("<p>This run has no ledger: there is nothing to audit.</p>"));
  }
  const AuditReport& audit = *data.audit;
  std::string html = audit.verdict() != AuditReport::Verdict::broken
                         ? "<p><strong>The ledger holds.</strong> "
                         : "<p class=\"none\">The ledger does not hold.</p><p>";
  html += counted(audit.lines, "line was", "lines were") +
          " checked: the chain of hashes, every signature, the order of intents and releases, every bound, "
          "and ε after "
          "every step, computed anew.";
  if (audit.copies > 0) {
    html += " " + count_text(audit.copies_agreeing) + " of " +
            counted(audit.copies, "merchant's copy agrees", "merchants' copies agree") + ".";
  }
  html += "</p>";
  html += audit.findings.empty() ? "" : "<p>Findings:</p>" + list_of(audit.findings);
  html += audit.open_ends.empty() ? "" : "<p>The run is unfinished:</p>" + list_of(audit.open_ends);
  html += spent_table(data);
  html += audit.notes.empty() ? "" : "<p class=\"under\">Worth knowing:</p>" + list_of(audit.notes);
  html += "<p class=\"under\">Do not take this page's word for it: <code>hanse audit " +
          escaped(data.folder.string()) + "</code> repeats it on any copy of the run.</p>";
  return section("Audit", card(html));
}

/// Sums that differ in nothing but the round.
struct ReleaseGroup {
  const LedgerSum* first = nullptr;
  std::uint64_t announced = 0, released = 0;
  std::uint64_t round_low = 0, round_high = 0;
};

std::vector<ReleaseGroup> release_groups(const std::vector<LedgerSum>& sums) {
  using Key = std::tuple<std::string, Purpose, Population, std::uint64_t, double, double, double>;
  std::map<Key, std::size_t> places;
  std::vector<ReleaseGroup> groups;
  for (const LedgerSum& sum : sums) {
    const Intent& intent = sum.intent;
    const Key key{intent.name,
                  intent.purpose,
                  intent.population,
                  intent.parameters.length,
                  intent.parameters.clip_norm,
                  sum.noise_multiplier,
                  intent.sampling_rate};
    const auto [place, fresh] = places.try_emplace(key, groups.size());
    if (fresh) {
      groups.push_back({&sum, 0, 0, intent.round, intent.round});
    }
    ReleaseGroup& group = groups[place->second];
    ++group.announced;
    group.released += sum.release && sum.release->status == Release::Status::released ? 1u : 0u;
    group.round_low = std::min(group.round_low, intent.round);
    group.round_high = std::max(group.round_high, intent.round);
  }
  return groups;
}

std::string purpose_text(Purpose purpose) {
  switch (purpose) {
    case Purpose::statistics:
      return "statistics";
    case Purpose::update:
      return "training";
    case Purpose::evaluation:
      return "evaluation";
  }
  return "";
}

std::string group_row(const ReleaseGroup& group) {
  const Intent& intent = group.first->intent;
  const std::string rounds = group.round_low == group.round_high
                                 ? count_text(group.round_low)
                                 : count_text(group.round_low) + "–" + count_text(group.round_high);
  const std::string noise = group.first->noise_multiplier > 0 ? number_text(group.first->noise_multiplier)
                                                              : "<span class=\"none\">none</span>";
  return "<tr>" + cell(escaped(intent.name)) + cell(purpose_text(intent.purpose)) +
         cell(std::string(name_of(intent.population))) + number_cell(count_text(group.announced)) +
         number_cell(count_text(group.released)) + number_cell(rounds) +
         number_cell(count_text(intent.parameters.length)) +
         number_cell(number_text(intent.parameters.clip_norm)) + number_cell(noise) +
         number_cell(number_text(intent.sampling_rate)) + "</tr>\n";
}

std::string releases_section(const ReportData& data) {
  if (data.sums.empty()) {
    return "";
  }
  std::string html =
      "<p class=\"under\">Everything that left through a sum. The noise multiplier is the standard deviation "
      "of the noise "
      "over the clip norm, the most that one unit can add.</p>" +
      table_head({{"Sum", false},
                  {"For", false},
                  {"Rows", false},
                  {"Announced", true},
                  {"Released", true},
                  {"Rounds", true},
                  {"Numbers", true},
                  {"Clip norm", true},
                  {"Noise multiplier", true},
                  {"Sampling rate", true}});
  for (const ReleaseGroup& group : release_groups(data.sums)) {
    html += group_row(group);
  }
  return section("Releases", card(html + kTableEnd));
}

// -------------------------------------------------------------------------------------------- insights

std::string insight_table(const InsightTable& table) {
  std::string html = "<h3>" + escaped(table.title) + "</h3>\n<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& column : table.columns) {
    html += element("th scope=\"col\"", escaped(column));
  }
  html += "</tr></thead><tbody>\n";
  for (std::size_t r = 0; r < std::min(table.rows.size(), kInsightRowsShown); ++r) {
    html += "<tr>";
    for (const InsightCell& value : table.rows[r]) {
      const double* number = std::get_if<double>(&value);
      html += number != nullptr ? number_cell(number_text(*number, 5))
                                : cell(escaped(std::get<std::string>(value)));
    }
    html += "</tr>\n";
  }
  html += kTableEnd;
  return table.rows.size() <= kInsightRowsShown
             ? html
             : html + "<p>The first " + count_text(kInsightRowsShown) + " of " +
                   count_text(table.rows.size()) +
                   " rows; all are in <code>model/insights.json</code>.</p>\n";
}

std::string insights_section(const ReportData& data) {
  if (data.insights.empty()) {
    return "";
  }
  std::string html;
  for (const std::string& sentence : data.insights.sentences) {
    html += "<p>" + escaped(sentence) + "</p>\n";
  }
  for (const InsightTable& table : data.insights.tables) {
    html += insight_table(table);
  }
  return section("What the model says", card(html));
}

// ------------------------------------------------------------------------------- model and configuration

std::string shape_text(const NamedArray& array) {
  std::string text;
  for (const std::size_t extent : array.shape) {
    text += (text.empty() ? "" : " × ") + count_text(extent);
  }
  return text.empty() ? "one number" : text;
}

std::string model_section(const ReportData& data) {
  if (!data.model) {
    return section("Model", card(data.model_problem.empty()
                                     ? "<p>No model has been published yet.</p>"
                                     : "<p class=\"none\">" + escaped(data.model_problem) + "</p>"));
  }
  std::string html = "<p>" + escaped(data.model->workload) + ", after " +
                     counted(data.model->step, "private sum", "private sums") + ". SHA-256 <code>" +
                     escaped(data.model_digest) + "</code></p>";
  html += data.model->privacy.empty() ? "" : "<p>" + escaped(data.model->privacy) + "</p>";
  html += table_head({{"Array", false}, {"Shape", false}});
  for (const auto* list : {&data.model->arrays, &data.model->encoding}) {
    for (const NamedArray& array : *list) {
      html += "<tr>" + cell(escaped(array.name)) + cell(shape_text(array)) + "</tr>\n";
    }
  }
  return section("Model", card(html + kTableEnd));
}

std::string configuration_section(const ReportData& data) {
  if (data.configuration.empty()) {
    return "";
  }
  return section("Configuration",
                 card("<details><summary>Every setting with its effective value</summary><pre>" +
                      escaped(data.configuration) + "</pre></details>"));
}

}  // namespace

std::string report_html(const ReportData& data) {
  const std::string name = escaped(run_name(data));
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n";
  html += "<title>" + name + " – Hanse</title>\n<style>" + kReportStyle + "</style></head>\n<body><main>\n";
  html += "<header><h1>" + name + "</h1>\n" + under_title(data) + badges(data) + "</header>\n";
  html += tiles(data) + promise_section(data) + insights_section(data) + curves_section(data) +
          participation_section(data);
  html += audit_section(data) + releases_section(data) + model_section(data) + configuration_section(data);
  html += "<footer>Written by Hanse " HANSE_VERSION " from " + escaped(data.folder.string()) + ".</footer>\n";
  return html + "</main></body></html>\n";
}

}  // namespace hanse
