#pragma once

#include "common/config/configuration.h"
#include "common/data/column_spec.h"
#include "common/data/dataset.h"
#include "common/data/vocabulary.h"

namespace hanse {

/// What a row is, by data.format.
RowKind row_kind(const Configuration& configuration);

/// What labels are: workload.task, which left at auto follows workload.name; without data.label nothing in format csv.
LabelKind label_kind(const Configuration& configuration);

/// What data.label says of a numeric label. Throws bad_input where it contradicts other keys.
NumericSpec label_spec(const Configuration& configuration);

/// The classes that data.label lists, for LabelKind::one_of_many: as NAME{a|b|c}, NAME[LOW..HIGH] or NAME@FILE. Every row's
/// label is one of them. Throws bad_input where data.label lists none.
Vocabulary class_vocabulary(const Configuration& configuration);

/// The columns that the configuration describes. No data is read, only vocabulary files (NAME@FILE): the
/// coordinator, which has no data, knows the same columns as every worker. Throws bad_input naming the key.
FeatureSpace feature_space(const Configuration& configuration);

}  // namespace hanse
