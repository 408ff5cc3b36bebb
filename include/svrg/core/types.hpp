#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <span>

namespace svrg {

/// Rows, columns and counts, everywhere: 2^31 is not a limit.
using Index = std::int64_t;

template <class T>
using Vec = Eigen::Matrix<T, Eigen::Dynamic, 1>;
/// One sample per row, contiguous.
template <class T>
using RowMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using VecRef = Eigen::Ref<Vec<T>>;
template <class T>
using ConstVecRef = const Eigen::Ref<const Vec<T>>&;

}  // namespace svrg
