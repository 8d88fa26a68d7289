#include <bench/measure/quiet_moments.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace devmap::bench {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

/// A processor whose canaries take a millisecond, and are as fast as a test says.
class QuietMomentsTest : public testing::Test {
 protected:
  QuietMoments with_patience(std::chrono::duration<double> patience) {
    QuietMoments quiet(patience, {.canary =
                                      [this] {
                                        now_ += 1ms;
                                        ++canaries_;
                                        if (now_ >= quiet_from_) speed_ = 0.06;
                                        return speed_;
                                      },
                                  .now = [this] { return now_; },
                                  .given_up = [this] { return now_ >= given_up_from_; }});
    canaries_ = 0;
    return quiet;
  }

  void disturb_for(std::chrono::milliseconds time) {
    speed_ = 0.1;
    quiet_from_ = now_ + time;
  }

  QuietMoments::TimePoint now_ = {};
  QuietMoments::TimePoint quiet_from_ = QuietMoments::TimePoint::max();
  QuietMoments::TimePoint given_up_from_ = QuietMoments::TimePoint::max();
  double speed_ = 0.06;
  int canaries_ = 0;
};

TEST_F(QuietMomentsTest, DoNotWaitWhereNothingDisturbs) {
  auto quiet = with_patience(1s);
  EXPECT_EQ(quiet.await(), 0.06);
  EXPECT_EQ(canaries_, 1);
  EXPECT_DOUBLE_EQ(quiet.steady(), 0.06);
  EXPECT_TRUE(quiet.had({.before = 0.068, .after = 0.0685}));
  EXPECT_FALSE(quiet.had({.before = 0.06, .after = 0.062}));
  EXPECT_FALSE(quiet.had({.before = 0.071, .after = 0.071}));
}

TEST_F(QuietMomentsTest, AreWaitedFor) {
  auto quiet = with_patience(1s);
  disturb_for(300ms);
  EXPECT_EQ(quiet.await(), 0.06);
  EXPECT_EQ(canaries_, 300);
}

TEST_F(QuietMomentsTest, EndWithPatience) {
  auto quiet = with_patience(1s);
  disturb_for(10s);
  EXPECT_EQ(quiet.await(), 0.1);
  EXPECT_NEAR(canaries_, 1000, 1);
  // And are not waited for any more.
  EXPECT_EQ(quiet.await(), 0.1);
  EXPECT_NEAR(canaries_, 1001, 1);
  EXPECT_FALSE(quiet.bears(now_));
}

TEST_F(QuietMomentsTest, AreNotWaitedForWhereAllIsGivenUp) {
  auto quiet = with_patience(100s);
  disturb_for(10s);
  given_up_from_ = now_ + 50ms;
  EXPECT_EQ(quiet.await(), 0.1);
  EXPECT_EQ(canaries_, 50);
  EXPECT_FALSE(quiet.bears(now_));
}

TEST_F(QuietMomentsTest, DoNotTakeALongDisturbanceForTheProcessorItself) {
  auto quiet = with_patience(100s);
  disturb_for(20s);
  EXPECT_EQ(quiet.await(), 0.06);
  EXPECT_EQ(canaries_, 20'000);
}

TEST_F(QuietMomentsTest, FollowTheClock) {
  auto quiet = with_patience(100s);
  speed_ = 0.07;
  EXPECT_EQ(quiet.await(), 0.07);
  EXPECT_LT(canaries_, 2048);
}

TEST_F(QuietMomentsTest, LearnFromWhatWasSeenElsewhere) {
  auto quiet = with_patience(1s);
  EXPECT_DOUBLE_EQ(quiet.steady(), 0.06);
  for (int nth = 0; nth < 2048; ++nth) quiet.saw(0.066);
  EXPECT_DOUBLE_EQ(quiet.steady(), 0.066);
}

TEST_F(QuietMomentsTest, ChargeForWhatIsTakenAgain) {
  auto quiet = with_patience(1s);
  const auto begun = now_;
  now_ += 600ms;
  EXPECT_TRUE(quiet.bears(begun));
  now_ += 600ms;
  EXPECT_FALSE(quiet.bears(begun + 600ms));
}

}  // namespace
}  // namespace devmap::bench
