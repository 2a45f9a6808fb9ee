#include "coordinator/output/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "coordinator/output/insights_file.h"
#include "coordinator/output/text.h"

namespace hanse {
namespace {

constexpr Milliseconds kPlainPause{2000};
constexpr Milliseconds kLivePause{100};
constexpr std::size_t kNarrowest = 20;

struct FigureName {
  const char* key;
  const char* shown;
};
constexpr std::array<FigureName, 7> kFigureNames = {{{"train_loss", "loss"},
                                                     {"test_ndcg_10", "NDCG@10"},
                                                     {"test_auc", "AUC"},
                                                     {"test_rmse", "RMSE"},
                                                     {"test_accuracy", "accuracy"},
                                                     {"test_f1", "F1"},
                                                     {"test_loss", "test loss"}}};

std::string format(const char* pattern, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), pattern, value);
  return text.data();
}

/// The two figures that tell most: how training goes, and how good the model is.
std::string figures_text(const Metrics& figures) {
  std::string text;
  int shown = 0;
  for (const FigureName& name : kFigureNames) {
    const auto found = figures.find(name.key);
    if (found != figures.end() && shown < 2) {
      text += (shown++ > 0 ? "  " : "") + std::string(name.shown) + format(" %.4g", found->second);
    }
  }
  return text;
}

std::string epsilon_text(const ProgressState& state) {
  if (!state.epsilon) {
    return "not private";
  }
  const std::string spent = "epsilon " + bound_text(*state.epsilon);
  return state.budget ? spent + " of " + number_text(*state.budget, 3) : spent;
}

std::string merchants_text(const ProgressState& state) {
  return std::to_string(state.merchants) + " of " + std::to_string(state.merchants_all) + " merchants";
}

std::string left_text(const ProgressState& state) {
  if (state.round == 0 || state.round >= state.rounds) {
    return duration_text(state.seconds);
  }
  const double a_round = state.seconds / static_cast<double>(state.round);
  return duration_text(a_round * static_cast<double>(state.rounds - state.round)) + " left";
}

std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  const bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  // The last column is left free: a full line would wrap, and a wrapped line cannot be rewritten.
  return std::max<std::size_t>(known ? size.ws_col - std::size_t{1} : 79, kNarrowest);
}

std::string privacy_text(const RunSummary& summary) {
  if (!summary.epsilon) {
    return "none: this model is not differentially private";
  }
  std::string text = "epsilon " + bound_text(*summary.epsilon, 4) + " at delta " +
                     number_text(summary.delta, 3) + " for each " + summary.unit;
  if (!summary.adjacency.empty()) {
    text += " (" + summary.adjacency + ")";
  }
  return text;
}

std::string encryption_text(const std::string& encryption) {
  if (encryption == "none") {
    return "none: the coordinator saw every merchant's vector";
  }
  if (encryption == "paillier") {
    return "paillier: the coordinator saw sums only, which the arbiter opened";
  }
  return encryption + ": the coordinator saw sums only";
}

/// Facts, one a line, with the values below each other.
class Lines {
 public:
  explicit Lines(std::size_t width) : width_(width) {}
  void add(const std::string& name, const std::string& value) {
    text_ += "  " + name + std::string(width_ - name.size(), ' ') + value + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::size_t width_;
  std::string text_;
};

std::string rounds_text(const RunSummary& summary) {
  std::string text = std::to_string(summary.rounds) + " in " + duration_text(summary.seconds);
  if (summary.rounds_aborted > 0) {
    text += ", " + std::to_string(summary.rounds_aborted) + " aborted";
  }
  return summary.stopped.empty() ? text : text + "; stopped because " + summary.stopped;
}

}  // namespace

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) {
    return "?";
  }
  if (seconds < 9.95) {
    return format("%.1f s", seconds);
  }
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e12) + 0.5);
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  std::array<char, 64> text{};
  if (whole < 3600) {
    std::snprintf(text.data(), text.size(), "%llu:%02llu", static_cast<unsigned long long>(whole / 60),
                  static_cast<unsigned long long>(whole % 60));
  } else {
    std::snprintf(
        text.data(), text.size(), "%llu:%02llu:%02llu", static_cast<unsigned long long>(whole / 3600),
        static_cast<unsigned long long>(whole / 60 % 60), static_cast<unsigned long long>(whole % 60));
  }
  return text.data();
}

std::string progress_line(const ProgressState& state, std::size_t width) {
  struct Part {
    std::string text;
    int importance;
  };
  std::vector<Part> parts = {{"round " + std::to_string(state.round) + "/" + std::to_string(state.rounds), 5},
                             {figures_text(state.figures), 4},
                             {epsilon_text(state), 3},
                             {merchants_text(state), 1},
                             {left_text(state), 2}};
  std::erase_if(parts, [](const Part& part) { return part.text.empty(); });
  const auto join = [&] {
    std::string line;
    for (const Part& part : parts) {
      line += (line.empty() ? "" : " | ") + part.text;
    }
    return line;
  };
  std::string line = join();
  while (line.size() > width && parts.size() > 1) {
    parts.erase(std::min_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.importance < b.importance; }));
    line = join();
  }
  return line.substr(0, width);
}

Progress::Progress(std::FILE* stream, bool terminal, const Clock& clock)
    : stream_(stream), terminal_(terminal), clock_(clock) {}

void Progress::show(const ProgressState& state) {
  const Instant now = clock_.now();
  const bool ends = state.round >= state.rounds;
  const bool early = printed_ && now - last_print_ < (terminal_ ? kLivePause : kPlainPause);
  const std::uint64_t tenth = state.rounds == 0 ? 10 : 10 * state.round / state.rounds;
  const bool wanted = terminal_ || !printed_ || tenth != last_tenth_;
  if (!ends && (early || !wanted)) {
    return;
  }
  last_print_ = now;
  last_tenth_ = tenth;
  printed_ = true;
  if (!terminal_) {
    std::fprintf(stream_, "%s\n", progress_line(state, 200).c_str());
    std::fflush(stream_);
    return;
  }
  last_ = progress_line(state, terminal_width(stream_));
  const std::size_t blank = drawn_ > last_.size() ? drawn_ - last_.size() : 0;
  std::fprintf(stream_, "\r%s%*s", last_.c_str(), static_cast<int>(blank), "");
  std::fflush(stream_);
  drawn_ = last_.size();
}

void Progress::note(std::string_view sentence) {
  const std::string text(sentence);
  const std::size_t blank = drawn_ > text.size() ? drawn_ - text.size() : 0;
  if (drawn_ > 0) {
    std::fprintf(stream_, "\r%s%*s\n%s", text.c_str(), static_cast<int>(blank), "", last_.c_str());
  } else {
    std::fprintf(stream_, "%s\n", text.c_str());
  }
  std::fflush(stream_);
}

void Progress::finish() {
  if (drawn_ > 0) {
    std::fputc('\n', stream_);
    std::fflush(stream_);
    drawn_ = 0;
    last_.clear();
  }
}

std::string summary_text(const RunSummary& summary) {
  std::size_t width = 12;
  for (const auto& [name, value] : summary.figures) {
    width = std::max(width, name.size() + 1);
  }
  Lines lines(width);
  lines.add("merchants", std::to_string(summary.merchants));
  lines.add("rounds", rounds_text(summary));
  for (const auto& [name, value] : summary.figures) {
    lines.add(name, format("%.5g", value));
  }
  if (summary.epsilon && !summary.figures.empty()) {
    lines.add("", "(figures are private sums too: over few test rows they are mostly noise)");
  }
  lines.add("privacy", privacy_text(summary));
  lines.add("encryption", encryption_text(summary.encryption));
  if (summary.bytes_sent > 0) {
    lines.add("sent", bytes_text(summary.bytes_sent));
  }
  std::string name = "files";
  for (const std::string& file : summary.files) {
    lines.add(name, file);
    name.clear();
  }
  std::string text = summary.name + ": " + summary.workload + "\n" + lines.text();
  if (!summary.insights.empty()) {
    text += (summary.insights.sentences.empty() ? "" : "\n") + insights_text(summary.insights);
  }
  return text;
}

}  // namespace hanse
