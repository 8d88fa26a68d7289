#include <harness/base/own_thread.hpp>

#include <exception>
#include <thread>

namespace devmap {

Expected<void> on_own_thread(const std::function<Expected<void>()>& prepare, const std::function<void()>& function) {
  Expected<void> prepared;
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      prepared = prepare();
      if (prepared) function();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
  return prepared;
}

}  // namespace devmap
