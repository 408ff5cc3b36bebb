#pragma once
#include "svrg/data/text_reader.hpp"

namespace svrg {

/// Reads a data set of any format that is known by its content: HDF5 (a dataset of rows and columns
/// or a group of compressed sparse rows, with labels), IDX images with their labels beside them
/// ("…images-idx3…" and "…labels-idx1…"), else text (text_reader.hpp). Collective. The result
/// does not depend on the number of ranks.
/// @throws CollectiveError as read_text
Shard read_data(const Communicator& comm, const std::string& path, const ReadOptions& options);

}  // namespace svrg
