#include <harness/bpf/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/tests/support.hpp>

#include <array>
#include <cerrno>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;

class DescriptorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reading_.reset(ends[0]);
    writing_.reset(ends[1]);
  }
  UniqueFd reading_, writing_;
  std::array<std::byte, 8> bytes_{};
};

TEST_F(DescriptorTest, IsWrittenAndRead) {
  const auto wrote = write_descriptor(writing_.get(), bytes_);
  EXPECT_EQ(fault(wrote), "");
  EXPECT_EQ(wrote.value(), 8U);
  EXPECT_EQ(wrote.asked().text(), "write(2)(bytes 8)");
  EXPECT_EQ(read_descriptor(reading_.get(), bytes_).value(), 8U);
  EXPECT_THAT(read_descriptor(writing_.get(), bytes_), IsRefusedWith(EBADF));
  EXPECT_THAT(write_descriptor(reading_.get(), bytes_), IsRefusedWith(EBADF));
}

TEST_F(DescriptorTest, IsMappedWhereItCanBe) {
  const UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(fault(map_descriptor(file.get())), "");
  EXPECT_THAT(map_descriptor(reading_.get()), IsRefusedWith(ENODEV));
}

TEST_F(DescriptorTest, TellsItsEvents) {
  EXPECT_EQ(poll_descriptor(reading_.get()).value(), "none");
  EXPECT_EQ(poll_descriptor(writing_.get()).value(), "POLLOUT");
  ASSERT_EQ(fault(write_descriptor(writing_.get(), bytes_)), "");
  EXPECT_EQ(poll_descriptor(reading_.get()).value(), "POLLIN");
  writing_.reset();
  EXPECT_EQ(poll_descriptor(reading_.get()).value(), "POLLIN|POLLHUP");
  EXPECT_EQ(poll_descriptor(1000000).value(), "POLLNVAL");
}

}  // namespace
}  // namespace devmap
