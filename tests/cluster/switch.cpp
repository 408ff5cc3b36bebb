// The network between the hosts of hosts_up.sh: an Ethernet switch in user space, which delays,
// slows down and loses frames on every kernel, whereas tc's netem is missing from many. usage:
// switch FOLDER HOSTS DELAY_US RATE_MBIT LOSS_PERCENT FOLDER/host<i>.pid names a process of each
// host; host i gets the address 10.99.0.(i+1). HUP: a host that has another process by now is
// plugged in anew. Rate 0 is no limit. Says "ready" when the hosts can talk.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

volatile sig_atomic_t plug_again = 1;

using Nanoseconds = std::int64_t;

Nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

int check(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

void set_up(int socket, ifreq request, const std::string& what) {
  check(ioctl(socket, SIOCGIFFLAGS, &request), what);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  check(ioctl(socket, SIOCSIFFLAGS, &request), what);
}

void set_address(int socket, ifreq request, unsigned long kind, std::uint32_t address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(address);
  std::memcpy(&request.ifr_addr, &in, sizeof in);
  check(ioctl(socket, kind, &request), "address");
}

// In the host's network namespace: an interface eth0 whose other end is the descriptor returned.
int plug_in(const std::string& pid, int number) {
  const int space = check(open(("/proc/" + pid + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC), pid);
  check(setns(space, CLONE_NEWNET), "setns");
  close(space);
  const int tap = check(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
  ifreq request{};
  std::strcpy(request.ifr_name, "eth0");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  check(ioctl(tap, TUNSETIFF, &request), "tap");

  const int s = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  ifreq lo{};
  std::strcpy(lo.ifr_name, "lo");
  set_up(s, lo, "lo");
  ifreq eth{};
  std::strcpy(eth.ifr_name, "eth0");
  // The last byte tells the switch whose it is.
  const std::array<unsigned char, 6> hardware = {2, 0, 0, 0, 0, static_cast<unsigned char>(number)};
  ifreq mac = eth;
  mac.ifr_hwaddr.sa_family = 1;  // Ethernet
  std::memcpy(mac.ifr_hwaddr.sa_data, hardware.data(), hardware.size());
  check(ioctl(s, SIOCSIFHWADDR, &mac), "hardware address");
  ifreq mtu = eth;
  mtu.ifr_mtu = 9000;
  check(ioctl(s, SIOCSIFMTU, &mtu), "mtu");
  set_address(s, eth, SIOCSIFADDR, (10U << 24 | 99U << 16) + static_cast<std::uint32_t>(number));
  set_address(s, eth, SIOCSIFNETMASK, 0xffffff00U);
  set_up(s, eth, "eth0");
  close(s);
  return tap;
}

struct Frame {
  Nanoseconds due;
  std::uint64_t serial;  // of two that are due at once, the first to come leaves first
  std::vector<unsigned char> bytes;
  bool operator<(const Frame& other) const {
    return due != other.due ? due > other.due : serial > other.serial;
  }
};

class Switch {
 public:
  Switch(double delay_us, double rate_mbit, double loss_percent)
      : delay_(static_cast<Nanoseconds>(delay_us * 1e3)),
        rate_(rate_mbit),
        loss_(loss_percent / 100) {}

  void plug_in_all(const std::string& folder, int hosts) {
    for (int host = 0; host < hosts; ++host) {
      const auto i = static_cast<std::size_t>(host);
      if (i == taps_.size()) {
        taps_.push_back({-1, POLLIN, 0});
        pids_.emplace_back();
        queues_.emplace_back();
        line_free_.push_back(0);
      }
      std::string pid;
      std::ifstream(folder + "/host" + std::to_string(host) + ".pid") >> pid;
      if (pid == pids_[i]) continue;
      if (taps_[i].fd >= 0) close(taps_[i].fd);
      taps_[i].fd = plug_in(pid, host + 1);
      pids_[i] = pid;
    }
    std::puts("ready");
    std::fflush(stdout);
  }

  [[noreturn]] void run(const std::string& folder, int hosts) {
    for (;;) {
      if (plug_again) {
        plug_again = 0;
        plug_in_all(folder, hosts);
      }
      const Nanoseconds wait = std::max<Nanoseconds>(0, deliver() - now());
      const timespec timeout = {wait / 1'000'000'000, wait % 1'000'000'000};
      if (ppoll(taps_.data(), taps_.size(), &timeout, nullptr) <= 0) continue;
      for (std::size_t from = 0; from < taps_.size(); ++from)
        if (taps_[from].revents & POLLIN) take(from);
    }
  }

 private:
  // Sends what is due; returns when the next frame will be.
  Nanoseconds deliver() {
    Nanoseconds next = now() + 1'000'000'000;
    for (std::size_t to = 0; to < taps_.size(); ++to) {
      auto& queue = queues_[to];
      // What cannot be written, to an interface that is down, is lost, as on a wire.
      for (; !queue.empty() && queue.top().due <= now(); queue.pop())
        if (write(taps_[to].fd, queue.top().bytes.data(), queue.top().bytes.size()) < 0) continue;
      if (!queue.empty()) next = std::min(next, queue.top().due);
    }
    return next;
  }

  void take(std::size_t from) {
    constexpr int at_a_time = 64;
    constexpr std::size_t longest_queue = 20000;
    for (int i = 0; i < at_a_time; ++i) {
      const ssize_t size = read(taps_[from].fd, buffer_.data(), buffer_.size());
      if (size < 14) return;
      if (loss_ > 0 && std::bernoulli_distribution(loss_)(random_)) continue;
      // A sender's line carries one frame at a time.
      auto& free = line_free_[from];
      free = std::max(free, now());
      if (rate_ > 0) free += static_cast<Nanoseconds>(static_cast<double>(size) * 8e3 / rate_);
      const bool everybody = buffer_[0] & 1;
      for (std::size_t to = 0; to < taps_.size(); ++to)
        if (to != from && (everybody || buffer_[5] == to + 1) && queues_[to].size() < longest_queue)
          queues_[to].push({free + delay_, serial_++, {buffer_.data(), buffer_.data() + size}});
    }
  }

  Nanoseconds delay_;
  double rate_, loss_;
  std::vector<pollfd> taps_;
  std::vector<std::string> pids_;
  std::vector<std::priority_queue<Frame>> queues_;
  std::vector<Nanoseconds> line_free_;
  std::array<unsigned char, 65536> buffer_{};
  std::uint64_t serial_ = 0;
  std::mt19937 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: switch FOLDER HOSTS DELAY_US RATE_MBIT LOSS_PERCENT\n", stderr);
    return 2;
  }
  try {
    struct sigaction action = {};
    action.sa_handler = [](int) { plug_again = 1; };
    check(sigaction(SIGHUP, &action, nullptr), "sigaction");
    setpriority(PRIO_PROCESS, 0,
                -10);             // the ranks must not keep frames waiting, where this is allowed
    prctl(PR_SET_TIMERSLACK, 1);  // else waits are some 50 us too long
    Switch network(std::stod(argv[3]), std::stod(argv[4]), std::stod(argv[5]));
    network.run(argv[1], std::stoi(argv[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "switch: %s\n", error.what());
    return 1;
  }
}
