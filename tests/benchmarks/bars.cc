#include <cstdio>
#include <functional>

#include "tests/benchmarks/measurements.h"

namespace hanse {
namespace {

/// A limit on what was measured, and the floor that shows how much of it is the machine's.
struct Bar {
  std::string what;
  std::string benchmark;
  std::function<double(const Measurement&)> measured;
  double limit;
  std::string unit;
  std::string floor;       ///< The benchmark that is the floor; empty: none.
  double floor_items = 0;  ///< Items of the floor that the work holds; 0: one whole iteration of it.
  bool is_ratio = false;   ///< The limit is on the ratio to the floor.
};

std::vector<Bar> bars() {
  const auto seconds = [](double scale) {
    return [scale](const Measurement& m) { return scale * m.seconds; };
  };
  const auto per_item = [](double scale) {
    return [scale](const Measurement& m) { return scale * m.per_item; };
  };
  const std::string aes = "AES-128-CTR alone, 31 streams";
  const double vector = 400'016;  // Bytes: 100,000 entries and the canaries, of 32 bits.
  return {
      {"mask and add, 32 bits, a byte", "mask and add, 31 neighbours, 32 bits", per_item(1e9), 1.35, "ns",
       aes, 1, true},
      {"mask and add, 64 bits, a byte", "mask and add, 31 neighbours, 64 bits", per_item(1e9), 1.35, "ns",
       aes, 1, true},
      {"a merchant's round, N = 32, d = 100,000", "round of 32, 100,000 entries: a merchant", seconds(1e3), 3,
       "ms", aes, 32 * vector},
      {"the coordinator's round, N = 100, 10 + 10 drop out",
       "round of 100, 10 + 10 drop-outs: the coordinator", seconds(1e3), 80, "ms", aes,
       (90 + 10 * 90) * vector},
      {"session set-up, a neighbour", "keys and codes of a neighbour", seconds(1e6), 60, "us",
       "X25519: an agreement"},
      {"bytes beyond the vector, a neighbour, N = 32", "round of 32, 100,000 entries: a merchant",
       [](const Measurement& m) { return m.bytes; }, 256, "B", ""},
      {"Paillier, 3072 bits: encrypt, an entry", "Paillier, 3072 bits: encrypt 1000 entries", per_item(1e6),
       45, "us", ""},
      {"Paillier, 3072 bits: decrypt, an entry", "Paillier, 3072 bits: decrypt 1000 entries", per_item(1e6),
       70, "us", "Paillier, 3072 bits: its exponentiations alone", 1},
      {"FM pass, visits, rank 8, a nonzero", "FM pass, visits, rank 8", per_item(1e9), 12, "ns",
       "FM pass, visits, plain loops, rank 8", 1},
      {"FM pass, visits, rank 32, a nonzero", "FM pass, visits, rank 32", per_item(1e9), 17, "ns",
       "FM pass, visits, plain loops, rank 32", 1},
      {"FM pass, clicks, rank 8, a nonzero", "FM pass, clicks, rank 8", per_item(1e9), 30, "ns",
       "FM pass, clicks, plain loops, rank 8", 1},
      {"FM pass, clicks, rank 32, a nonzero", "FM pass, clicks, rank 32", per_item(1e9), 80, "ns",
       "FM pass, clicks, plain loops, rank 32", 1},
      {"a whole round, N = 1000, d = 10,000, 5 % drop out", "round of 1000, 5 % drop-outs: everyone",
       seconds(1), 3, "s", ""},
      {"the audit of 1000 rounds, N = 20, all threads", "audit of 1000 rounds of 20 merchants", seconds(1), 2,
       "s", ""},
      {"RDP of a sampled round, all orders", "RDP: 156 orders of a sampled round", seconds(1e3), 2, "ms", ""},
      {"PLD bracket, 2250 rounds at 0.04", "PLD: 2250 rounds at 0.04", seconds(1e3), 20, "ms", ""},
      {"PLD bracket, 20,000 rounds at 0.05", "PLD: 20,000 rounds at 0.05", seconds(1e3), 100, "ms", ""},
      {"PLD bracket, 100 different rounds", "PLD: 100 different rounds", seconds(1e3), 100, "ms", ""},
      {"PLD: noise for a wished epsilon", "PLD: noise for a wished epsilon", seconds(1e3), 300, "ms", ""},
      {"logistic: a pass, a nonzero", "logistic: a pass, each merchant clipped", per_item(1e9), 3, "ns",
       "gradient: a plain loop", 1},
      {"the same, each record clipped", "logistic: a pass, each record clipped", per_item(1e9), 3.9, "ns",
       "gradient: a plain loop", 1},
      {"local epochs, 10,000 rows of 100", "logistic: local epochs of 10,000 x 100", seconds(1e3), 2.5, "ms",
       "local epochs of 10,000 x 100: plain loops"},
      {"Newton to a gradient of 1e-8, 10,000 rows of 100", "logistic: the optimum of 10,000 x 100",
       seconds(1e3), 300, "ms", ""},
      {"ratings: an update of SGD, rank 32", "ratings: an epoch, rank 32", per_item(1e9), 20, "ns",
       "ratings: an epoch, a plain loop, rank 32", 1},
      {"ratings: an update of SGD, rank 64", "ratings: an epoch, rank 64", per_item(1e9), 24, "ns",
       "ratings: an epoch, a plain loop, rank 64", 1},
      {"ratings: an update of SGD, rank 128", "ratings: an epoch, rank 128", per_item(1e9), 33, "ns",
       "ratings: an epoch, a plain loop, rank 128", 1},
      {"implicit least squares, rank 64, 100,000 pairs", "implicit least squares: a pass, rank 64",
       seconds(1e3), 50, "ms", "implicit least squares: its products, plain loops, rank 64"},
      {"sensitivity of a tree of 2000 leaves", "tree of 2000 leaves: sensitivity", seconds(1e3), 1000, "ms",
       ""},
  };
}

std::string in_its_unit(double seconds) {
  char text[32];
  if (seconds < 1e-6) {
    std::snprintf(text, sizeof text, "%9.3f ns", seconds * 1e9);
  } else if (seconds < 1e-3) {
    std::snprintf(text, sizeof text, "%9.3f us", seconds * 1e6);
  } else if (seconds < 1) {
    std::snprintf(text, sizeof text, "%9.3f ms", seconds * 1e3);
  } else {
    std::snprintf(text, sizeof text, "%9.3f s ", seconds);
  }
  return text;
}

/// In the unit of the bar, so that measured / floor is their ratio.
double floor_of(const Bar& bar, const Measurement& measured, const Measurement& floor) {
  const double seconds = bar.floor_items > 0 ? bar.floor_items * floor.per_item : floor.seconds;
  const double own = bar.floor_items == 1 ? measured.per_item : measured.seconds;
  return bar.measured(measured) * seconds / own;
}

bool print_bar(const Bar& bar, const Measurements& measurements) {
  const Measurement* measured = measurements.find(bar.benchmark);
  if (measured == nullptr) {
    return true;
  }
  const double value = bar.measured(*measured);
  const Measurement* floor = measurements.find(bar.floor);
  const double ratio = floor != nullptr ? value / floor_of(bar, *measured, *floor) : 0;
  const bool unknown = bar.is_ratio && floor == nullptr;
  const bool holds = unknown || (bar.is_ratio ? ratio : value) <= bar.limit;
  char limit[40];
  std::snprintf(limit, sizeof limit, bar.is_ratio ? "%.2f x floor" : "%.4g %s", bar.limit, bar.unit.c_str());
  char of_floor[16] = "-";
  if (floor != nullptr) {
    std::snprintf(of_floor, sizeof of_floor, "%.2f", ratio);
  }
  std::printf("%-52s %9.4g %-3s %14s %9s  %s\n", bar.what.c_str(), value, bar.unit.c_str(), limit, of_floor,
              unknown ? "floor not run" : (holds ? "ok" : "NOT OK"));
  return holds;
}

}  // namespace

bool print_verdict(const Measurements& measurements) {
  std::printf("\n%-52s %12s %12s\n", "CPU time, best of all repetitions", "once", "an item");
  for (const Measurement& one : measurements.all()) {
    std::printf("%-52s %s %s\n", one.name.c_str(), in_its_unit(one.seconds).c_str(),
                one.per_item > 0 ? in_its_unit(one.per_item).c_str() : "");
  }
  std::printf("\n%-52s %13s %14s %9s\n", "bar", "measured", "at most", "x floor");
  bool all_hold = true;
  for (const Bar& bar : bars()) {
    all_hold = print_bar(bar, measurements) && all_hold;
  }
  return all_hold;
}

}  // namespace hanse
