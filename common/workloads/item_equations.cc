#include "common/workloads/item_equations.h"

#include <algorithm>
#include <string>

#include "common/base/check.h"

namespace hanse {

std::size_t ItemParts::unknowns_at_once() const {
  return unknowns_max == 0 ? unknowns : std::min(unknowns, unknowns_max);
}

std::size_t ItemParts::items_at_once() const {
  const std::size_t each = ItemPart{.unknowns = unknowns_at_once()}.item_length();
  return std::clamp<std::size_t>(entries_max / each, 1, items);
}

ItemPart ItemParts::at(std::uint64_t turn) const {
  const std::size_t items_each = items_at_once();
  const std::size_t unknowns_each = unknowns_at_once();
  const std::size_t first_item = turn % item_groups() * items_each;
  const std::size_t first = turn / item_groups() % entry_groups() * unknowns_each;
  return {.first_item = first_item,
          .items = std::min(items_each, items - first_item),
          .first = first,
          .unknowns = std::min(unknowns_each, unknowns - first)};
}

template <class Real>
ItemEquations<Real>::ItemEquations(ItemPart part, std::size_t order)
    : part_(part),
      stride_(stride_of<Real>(part.unknowns)),
      equations_(part.unknowns),
      starts_(part.items + 1) {
  check(part.first + part.unknowns <= order, "a part lies within the vectors");
}

template <class Real>
void ItemEquations<Real>::begin_customer(std::span<const Real> vector) {
  const auto begin = vector.begin() + static_cast<std::ptrdiff_t>(part_.first);
  vectors_.insert(vectors_.end(), begin, begin + static_cast<std::ptrdiff_t>(part_.unknowns));
  vectors_.resize(++customers_ * stride_);
}

template <class Real>
void ItemEquations<Real>::add(std::uint32_t item, Real weight, Real slope) {
  if (item >= part_.first_item && item - part_.first_item < part_.items) {
    terms_.push_back({static_cast<std::uint32_t>(item - part_.first_item), customers_ - 1, weight, slope});
  }
}

/// By counting; the terms of one customer are in order already.
template <class Real>
void ItemEquations<Real>::sort_by_item() {
  if (customers_ == 1) {
    sorted_.swap(terms_);
    return;
  }
  std::fill(starts_.begin(), starts_.end(), 0u);
  for (const Term& term : terms_) {
    ++starts_[term.item + 1];
  }
  for (std::size_t i = 1; i < starts_.size(); ++i) {
    starts_[i] += starts_[i - 1];
  }
  sorted_.resize(terms_.size());
  for (const Term& term : terms_) {
    sorted_[starts_[term.item]++] = term;
  }
}

template <class Real>
void ItemEquations<Real>::flush(std::size_t first, Contribution& out) {
  sort_by_item();
  entries_.resize(part_.item_length());
  for (std::size_t begin = 0; begin < sorted_.size();) {
    const std::uint32_t item = sorted_[begin].item;
    rows_.clear();
    weights_.clear();
    slopes_.clear();
    for (; begin < sorted_.size() && sorted_[begin].item == item; ++begin) {
      rows_.push_back(sorted_[begin].customer);
      weights_.push_back(sorted_[begin].weight);
      slopes_.push_back(sorted_[begin].slope);
    }
    equations_.clear();
    equations_.add(vectors_.data(), rows_, weights_, slopes_);
    auto entry = entries_.begin();
    for (std::size_t a = 0; a < part_.unknowns; ++a) {
      for (std::size_t b = a; b < part_.unknowns; ++b) {
        *entry++ = static_cast<double>(equations_.at(a, b));
      }
    }
    for (std::size_t a = 0; a < part_.unknowns; ++a) {
      *entry++ = static_cast<double>(equations_.right(a));
    }
    out.add_block(first + item * part_.item_length(), entries_);
  }
  terms_.clear();
  sorted_.clear();
  vectors_.clear();
  customers_ = 0;
}

template class ItemEquations<float>;
template class ItemEquations<double>;

void read_item_equations(std::span<const double> entries, NormalEquations<double>& equations) {
  const std::size_t unknowns = equations.order();
  const double* entry = entries.data();
  equations.clear();
  for (std::size_t a = 0; a < unknowns; ++a) {
    for (std::size_t b = a; b < unknowns; ++b) {
      equations.at(a, b) = *entry++;
    }
  }
  for (std::size_t a = 0; a < unknowns; ++a) {
    equations.right(a) = *entry++;
  }
}

}  // namespace hanse
