#pragma once
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/data/scaling.hpp"
#include "svrg/data/text_reader.hpp"

namespace svrg {

/// The format of a file to be written, by its suffix: .h5 .hdf5, .svm .svmlight .libsvm, .csv .tsv,
/// IDX for names with "images" and "idx". @throws ConfigError naming those
DataFormat format_of_suffix(const std::string& path);

/// The files that write_data makes of `path`: IDX images have their labels beside them.
std::vector<std::string> files_of(const std::string& path, DataFormat format);

/// What a file says of its rows beside their numbers.
struct DataNotes {
  std::string source;  // where the rows came from
  Scaling scaling{};   // what was done to them, kept as preprocess/{mean,scale}; HDF5 only
};

/// Writes a data set, every rank its own rows into one file that appears whole or not at all. HDF5:
/// X (row, feature) or a group of compressed sparse rows, y, weight, feature_name; IDX: images, and
/// labels beside them. Rows are written in the order of the shards: take RowOrder::file.
/// Text has every number in the fewest digits that give it back. Collective.
/// @throws CollectiveError (output); (usage) where the format cannot hold weights or values
void write_data(const Communicator& comm, const Shard& shard, const std::string& path,
                DataFormat format, const DataNotes& notes);

}  // namespace svrg
