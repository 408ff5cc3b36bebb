#pragma once
#include <functional>

namespace svrg {

/// What was asked of a run from outside: by a signal on one rank, or after the reduction that
/// carries it, agreed on by all.
struct Requests {
  bool stop = false;         // checkpoint, then end
  bool save = false;         // checkpoint, then go on
  bool out_of_time = false;  // the time limit is near: checkpoint, then end
  Requests& operator|=(const Requests& other) {
    stop |= other.stop;
    save |= other.save;
    out_of_time |= other.out_of_time;
    return *this;
  }
  bool any() const { return stop || save || out_of_time; }
  bool ending() const { return stop || out_of_time; }
};

/// Local, cheap, called once a reduction.
using RequestProbe = std::function<Requests()>;

}  // namespace svrg
