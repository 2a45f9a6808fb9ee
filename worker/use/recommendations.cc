#include "worker/use/recommendations.h"

#include <algorithm>
#include <unordered_map>

#include "common/base/failure.h"
#include "common/base/figure.h"
#include "common/data/column_spec.h"
#include "common/data/csv.h"
#include "common/data/mapped_file.h"
#include "common/data/numbers.h"
#include "common/data/text_hash.h"
#include "common/data/vocabulary.h"
#include "worker/use/csv_text.h"
#include "worker/use/item_recommender.h"

namespace hanse {
namespace {

/// What things are called: rows know customers and items by hashes and columns alone.
struct Names {
  std::unordered_map<std::uint64_t, std::string> customers;  ///< By text_hash.
  std::vector<std::string> items;                            ///< Of the model's columns.
  std::vector<bool> hidden;                                  ///< Columns that are no single item.
};

Names read_names(const AppliedModel& model, const std::filesystem::path& file) {
  const Configuration::Data& data = model.configuration.data;
  const Vocabulary vocabulary(read_word_spec(data.item, "data.item", kItemBuckets), file.parent_path(),
                              "data.item");
  Names names{.customers = {}, .items = model.published.columns, .hidden = {}};
  names.hidden.assign(names.items.size(), false);
  const std::string prefix = vocabulary.name() + "=";
  const std::vector<std::uint32_t>& column_of = model.encoding.column_of;
  for (std::uint32_t raw = 0; raw < column_of.size(); ++raw) {
    if (column_of[raw] != kDropped && vocabulary.is_other(raw)) {
      names.hidden[column_of[raw]] = true;
    }
  }
  for (std::string& name : names.items) {
    if (name.starts_with(prefix)) {
      name.erase(0, prefix.size());
    }
  }
  const MappedFile mapped(file, "data.path");
  CsvReader rows(mapped.text(), file.string());
  const std::size_t customer = rows.column(data.customer, "data.customer");
  const std::size_t item = rows.column(vocabulary.name(), "data.item");
  while (rows.next()) {
    const std::string_view name = trimmed(rows.cell(customer));
    names.customers.try_emplace(text_hash(name), name);
    const std::uint32_t raw = vocabulary.column_of(rows.cell(item));
    if (raw < column_of.size() && column_of[raw] != kDropped &&
        names.items[column_of[raw]] == vocabulary.column_name(raw)) {
      names.items[column_of[raw]] = trimmed(rows.cell(item));
    }
  }
  return names;
}

std::string because(const ItemRecommender& model, const Names& names, const SparseRow& own,
                    std::uint32_t item, std::size_t most) {
  std::string text;
  for (const ItemReason& reason : model.reasons(own, item)) {
    if (most-- == 0) {
      break;
    }
    text += (text.empty() ? "" : "; ") + names.items[reason.column];
  }
  return csv_cell(text);
}

}  // namespace

Recommendations recommendations_csv(const AppliedModel& model, const std::filesystem::path& ratings,
                                    const RecommendationWishes& wishes) {
  const ItemRecommender recommender = item_recommender(model);
  if (wishes.explain > 0 && !recommender.reasons) {
    throw bad_input(
        "--explain: matrix-factorization of ratings does not tell why; item-similarity and "
        "implicit-matrix-factorization do");
  }
  const Dataset data = read_own_rows(model, ratings);
  const Names names = read_names(model, ratings);
  Recommendations result{.csv = wishes.explain > 0 ? "customer,rank,item,score,because\n"
                                                   : "customer,rank,item,score\n"};
  for (const MerchantRows& merchant : data.merchants) {
    for (std::size_t r = merchant.train_begin; r < merchant.train_end; ++r) {
      const auto found = names.customers.find(merchant.customer_keys[data.train.customers[r]]);
      const std::string customer = found == names.customers.end() ? "" : found->second;
      if (wishes.customer && customer != *wishes.customer) {
        continue;
      }
      const SparseRow own = data.train.features.row(r);
      result.unknown += own.columns.size() - known_items(own, model.published.columns.size());
      ++result.customers;
      std::size_t rank = 0;
      for (const Recommendation& one : best_items(recommender.scores(own), own, wishes.top, names.hidden)) {
        result.csv += csv_cell(customer) + "," + std::to_string(++rank) + "," +
                      csv_cell(names.items[one.item]) + "," + figure(static_cast<double>(one.score));
        if (wishes.explain > 0) {
          result.csv += "," + because(recommender, names, own, one.item, wishes.explain);
        }
        result.csv += "\n";
      }
    }
  }
  if (result.customers == 0) {
    throw bad_input(wishes.customer ? ratings.string() + " has no customer '" + *wishes.customer +
                                          "' in column " + model.configuration.data.customer
                                    : ratings.string() + " has no ratings");
  }
  return result;
}

}  // namespace hanse
