#include "svrg/core/schedule.hpp"

#include <algorithm>
#include <utility>

namespace svrg {

void ScheduleRecorder::start() {
  on_ = true;
  divided_ = paused_ = false;
  next_ = {};
  steps_.clear();
  since_ = now();
}

Schedule ScheduleRecorder::stop() {
  charge();
  steps_.push_back(std::exchange(next_, {}));
  on_ = false;
  return std::exchange(steps_, {});
}

void ScheduleRecorder::charge() {
  const double moment = now();
  if (!paused_) (divided_ ? next_.divided : next_.repeated) += moment - since_;
  since_ = moment;
}

void ScheduleRecorder::pause() {
  if (!on_) return;
  charge();
  paused_ = true;
}

void ScheduleRecorder::meet(Meeting meeting, Index bytes) {
  if (!on_) return;
  next_.meeting = meeting;
  next_.bytes = bytes;
  steps_.push_back(std::exchange(next_, {}));
  if (divided_) next_.rows = steps_.back().rows;
}

void ScheduleRecorder::resume() {
  if (!on_) return;
  since_ = now();
  paused_ = false;
}

ScheduleRecorder::Divided::Divided(ScheduleRecorder& recorder, Index rows)
    : recorder_(recorder.on() && rows > 0 ? &recorder : nullptr) {
  if (!recorder_) return;
  recorder_->charge();
  outer_ = std::exchange(recorder_->divided_, true);
  Index& least = recorder_->next_.rows;
  least = least == 0 ? rows : std::min(least, rows);
}

ScheduleRecorder::Divided::~Divided() {
  if (!recorder_) return;
  recorder_->charge();
  recorder_->divided_ = outer_;
}

}  // namespace svrg
