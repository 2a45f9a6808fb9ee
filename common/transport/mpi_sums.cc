#include "common/transport/mpi_sums.h"

#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {
namespace {

MPI_Datatype type_of(std::uint8_t) {
  return MPI_UINT8_T;
}
MPI_Datatype type_of(std::uint16_t) {
  return MPI_UINT16_T;
}
MPI_Datatype type_of(std::uint32_t) {
  return MPI_UINT32_T;
}
MPI_Datatype type_of(std::uint64_t) {
  return MPI_UINT64_T;
}

template <class T>
std::optional<std::string> wrong_sum_of() {
  constexpr int count = 1037;  // Odd, and many vectors of 512 bits: kernel and remainder are both used.
  std::vector<T> terms;
  std::vector<T> sums;
  std::vector<T> expected;
  for (std::uint64_t i = 0; i < count; ++i) {
    terms.push_back(static_cast<T>(std::uint64_t{0} - 3 - 5 * i));
    sums.push_back(static_cast<T>(std::uint64_t{0} - 2 - 7 * i));
    expected.push_back(static_cast<T>(std::uint64_t{0} - 5 - 12 * i));
  }
  if (MPI_Reduce_local(terms.data(), sums.data(), count, type_of(T{}), MPI_SUM) == MPI_SUCCESS &&
      sums == expected) {
    return std::nullopt;
  }
  return "this MPI does not add unsigned integers of " + std::to_string(8 * sizeof(T)) + " bits modulo 2^" +
         std::to_string(8 * sizeof(T));
}

}  // namespace

std::optional<std::string> wrong_sum(SumType type) {
  switch (type) {
    case SumType::uint8:
      return wrong_sum_of<std::uint8_t>();
    case SumType::uint16:
      return wrong_sum_of<std::uint16_t>();
    case SumType::uint32:
      return wrong_sum_of<std::uint32_t>();
    case SumType::uint64:
      return wrong_sum_of<std::uint64_t>();
  }
  check(false, "a sum has one of the types");
  return std::nullopt;
}

void check_sums_wrap() {
  for (const SumType type : {SumType::uint32, SumType::uint64}) {
    if (const auto wrong = wrong_sum(type)) {
      throw Failure(ExitCode::could_not_finish,
                    *wrong + ": use aggregation.topology=star, or set OMPI_MCA_op=^avx");
    }
  }
}

struct MpiSums::State {
  std::size_t piece;
  bool root = false;
  MPI_Comm communicator = MPI_COMM_NULL;  ///< Of its own: sums never meet messages.
  MPI_Request making = MPI_REQUEST_NULL;
  bool open = false;
  bool failed = false;

  std::deque<Residues> joined;  ///< The front one is on its way; MPI reads it, and at rank 0 writes it.
  std::size_t reduced = 0;      ///< Entries of the front one that are reduced.
  MPI_Request request = MPI_REQUEST_NULL;
  std::deque<Residues> sums;  ///< Complete, at rank 0.

  bool over(MPI_Request& pending);
  std::size_t next_piece() const { return std::min(piece, size_of(joined.front()) - reduced); }
  void start_piece();
};

MpiSums::MpiSums(std::size_t piece) : state_(std::make_unique<State>()) {
  check(piece > 0 && piece <= (std::size_t{1} << 30), "a piece has entries, and an int counts them");
  state_->piece = piece;
}

MpiSums::~MpiSums() {
  if (pending()) {
    static_cast<void>(state_.release());
  }
}

/// Whether the request is over, well or badly.
bool MpiSums::State::over(MPI_Request& pending) {
  int done = 0;
  if (MPI_Test(&pending, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
    failed = true;
  }
  return done != 0 || failed;
}

void MpiSums::begin() {
  check(state_->making == MPI_REQUEST_NULL && !state_->open, "sums are begun once");
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  state_->root = rank == 0;
  state_->failed = MPI_Comm_idup(MPI_COMM_WORLD, &state_->communicator, &state_->making) != MPI_SUCCESS;
}

bool MpiSums::open() const {
  return state_->open;
}
bool MpiSums::failed() const {
  return state_->failed;
}
bool MpiSums::pending() const {
  return state_->making != MPI_REQUEST_NULL || !state_->joined.empty();
}

void MpiSums::join(Residues part) {
  check(state_->open, "sums are opened before they are joined");
  state_->joined.push_back(std::move(part));
  advance();
}

void MpiSums::State::start_piece() {
  std::visit(
      [&](auto& entries) {
        auto* begin = entries.data() + reduced;
        failed = MPI_Ireduce(root ? MPI_IN_PLACE : static_cast<const void*>(begin), root ? begin : nullptr,
                             static_cast<int>(next_piece()), type_of(*begin), MPI_SUM, 0, communicator,
                             &request) != MPI_SUCCESS;
      },
      joined.front());
}

bool MpiSums::advance() {
  State& state = *state_;
  bool moved = false;
  if (state.making != MPI_REQUEST_NULL && !state.failed && state.over(state.making)) {
    moved = true;
    if (!state.failed) {
      MPI_Comm_set_errhandler(state.communicator, MPI_ERRORS_RETURN);
      state.open = true;
    }
  }
  while (!state.joined.empty() && !state.failed) {
    if (state.request == MPI_REQUEST_NULL && state.next_piece() > 0) {
      state.start_piece();
      moved = true;
    }
    if (state.failed || !state.over(state.request)) {
      break;
    }
    moved = true;
    state.reduced += state.next_piece();
    if (state.failed || state.reduced < size_of(state.joined.front())) {
      continue;
    }
    if (state.root) {
      state.sums.push_back(std::move(state.joined.front()));
    }
    state.joined.pop_front();
    state.reduced = 0;
  }
  return moved;
}

std::optional<Residues> MpiSums::take() {
  if (state_->sums.empty()) {
    return std::nullopt;
  }
  Residues first = std::move(state_->sums.front());
  state_->sums.pop_front();
  return first;
}

}  // namespace hanse
