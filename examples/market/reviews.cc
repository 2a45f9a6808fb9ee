#include "examples/market/reviews.h"

#include <array>
#include <cmath>

namespace hanse {
namespace {

constexpr std::array kNeutral = {"i",    "bought", "this", "for",   "my",   "kitchen", "last", "week",
                                 "the",  "box",    "came", "with",  "a",    "blue",    "lid",  "and",
                                 "it",   "is",     "in",   "use",   "we",   "have",    "two",  "now",
                                 "size", "colour", "as",   "shown", "from", "shop"};
constexpr std::array kPraise = {"great", "lovely", "sturdy",    "perfect",
                                "quick", "soft",   "recommend", "happy"};
constexpr std::array kComplaint = {"broken", "late", "flimsy",       "refund",
                                   "ugly",   "loud", "disappointed", "returned"};
constexpr double kTelling = 0.3;      // Of words: praise or complaint.
constexpr double kSincere = 0.75;     // Of telling words: what is meant.
constexpr double kTurnedRound = 0.2;  // Of telling words that are said by the other one and a "not".

template <class Words>
const char* draw(const Words& words, SeededGenerator& generator) {
  return words[generator.below(words.size())];
}

}  // namespace

Review draw_review(bool satisfied, SeededGenerator& generator) {
  Review review;
  const std::size_t words = 5 + generator.below(10);
  for (std::size_t i = 0; i < words; ++i) {
    review.text += review.text.empty() ? "" : " ";
    if (generator.uniform() >= kTelling) {
      review.text += draw(kNeutral, generator);
      continue;
    }
    const bool praises = satisfied == (generator.uniform() < kSincere);
    const bool turned = generator.uniform() < kTurnedRound;
    review.text += turned ? "not " : "";
    review.text += praises == turned ? draw(kComplaint, generator) : draw(kPraise, generator);
    review.evidence += (praises ? 1 : -1) * std::log(kSincere / (1 - kSincere));
  }
  return review;
}

}  // namespace hanse
