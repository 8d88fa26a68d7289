#include <harness/spec/case.hpp>

#include <harness/spec/tests/support.hpp>

#include <cerrno>
#include <stdexcept>

// Every way in which a check can end, with rules that are wrong on purpose.
namespace devmap {
namespace {

using testing::ElementsAre;

struct Tried {
  Case::Outcome outcome;
  std::vector<Evidence> evidence;

  [[nodiscard]] std::string broken() const { return outcome.broken.value_or("not broken"); }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const auto& line : evidence) texts.push_back(line.text());
    return texts;
  }
};

Tried tried(const std::function<void(Case&)>& check, const Variant& variant = {}) {
  Tried tried;
  Case the_case(variant, [&](const Evidence& evidence) { tried.evidence.push_back(evidence); });
  tried.outcome = the_case.run(check);
  return tried;
}

void expect_as_stated(const Tried& tried) {
  EXPECT_TRUE(tried.outcome.as_stated);
  EXPECT_EQ(tried.broken(), "not broken");
}
void expect_mismatch(const Tried& tried) {
  EXPECT_FALSE(tried.outcome.as_stated);
  EXPECT_EQ(tried.broken(), "not broken");
}
void expect_broken(const Tried& tried, const std::string& why) {
  EXPECT_FALSE(tried.outcome.as_stated);
  EXPECT_EQ(tried.broken(), why);
}

Reply<> granted(const char* call = "good") {
  return Reply<>::granted(Asked(call, {}));
}
Reply<> refused(int code, const std::string& explanation = {}, const char* call = "bad") {
  return Reply<>::refused(Asked(call, {}), code, explanation);
}

TEST(Case, IsInexactWhereSomethingMayHaveBeenMissedAndNotAllIsAsStated) {
  const auto missed = [](Case& c) { c.may_have_missed("nobody looked"); };
  const auto expect_inexact = [](const Tried& tried) {
    EXPECT_FALSE(tried.outcome.as_stated);
    EXPECT_EQ(tried.broken(), "not broken");
    EXPECT_EQ(tried.outcome.inexact.value_or("exact"), "nobody looked");
  };
  expect_inexact(tried([&](Case& c) {
    c.holds("seen", false);
    missed(c);
  }));
  expect_inexact(tried([&](Case& c) {
    missed(c);
    c.must(Expected<int>(failure("listen", 0)));
  }));
  const auto all_seen = tried([&](Case& c) {
    missed(c);
    c.holds("seen", true);
  });
  expect_as_stated(all_seen);
  EXPECT_FALSE(all_seen.outcome.inexact);
}

TEST(Case, KnowsItsVariant) {
  expect_as_stated(tried(
      [](Case& c) {
        c.equals("type", c.type(), DevMapType::devmap_hash);
        c.equals("value size", c.value_size(), 8U);
        c.equals("mode", c.mode(), Mode::generic);
        c.equals("name", c.variant().name(), std::string("devmap_hash/v8/generic"));
      },
      {DevMapType::devmap_hash, 8, Mode::generic}));
}

TEST(Case, ThatAsksForAPartItsVariantLacksIsBroken) {
  EXPECT_THAT(tried([](Case& c) { c.equals("size", c.value_size(), 8U); }).broken(),
              testing::StartsWith("exception: "));
}

// --- succeeds

TEST(CaseSucceeds, TakesSuccess) {
  const auto result = tried([](Case& c) { c.succeeds(granted()); });
  expect_as_stated(result);
  EXPECT_THAT(result.texts(), ElementsAre("good() -> success"));
}

TEST(CaseSucceeds, GivesTheValue) {
  expect_as_stated(tried([](Case& c) {
    const int value = c.succeeds(Reply<int>::granted(Asked("read", {}), 7));
    c.equals("the value", value, 7);
  }));
}

TEST(CaseSucceeds, CatchesARefusal) {
  const auto result = tried([](Case& c) {
    c.succeeds(refused(EPERM));
    c.holds("the check goes on", true);
  });
  expect_mismatch(result);
  EXPECT_THAT(result.texts(), ElementsAre("bad() -> EPERM, expected success", "the check goes on -> so"));
}

TEST(CaseSucceeds, EndsTheCheckWhereTheValueIsMissing) {
  bool went_on = false;
  expect_mismatch(tried([&](Case& c) {
    c.succeeds(Reply<int>::refused(Asked("read", {}), EIO));
    went_on = true;
  }));
  EXPECT_FALSE(went_on);
}

// --- refuses

TEST(CaseRefuses, TakesTheRefusalAndItsControl) {
  const auto result = tried([](Case& c) { c.refuses(refused(EINVAL), EINVAL).control(granted()); });
  expect_as_stated(result);
  EXPECT_THAT(result.texts(), ElementsAre("bad() -> EINVAL", "control: good() -> success"));
  EXPECT_EQ(result.evidence[1].role, Role::control);
}

TEST(CaseRefuses, CatchesAnotherErrno) {
  const auto result = tried([](Case& c) { c.refuses(refused(EPERM), EINVAL).control(granted()); });
  expect_mismatch(result);
  EXPECT_EQ(result.texts().front(), "bad() -> EPERM, expected EINVAL");
}

TEST(CaseRefuses, CatchesSuccess) {
  const auto result = tried([](Case& c) { c.refuses(granted(), EINVAL).control(granted()); });
  expect_mismatch(result);
  EXPECT_EQ(result.texts().front(), "good() -> success, expected EINVAL");
}

TEST(CaseRefuses, CatchesAControlThatFails) {
  const auto result = tried([](Case& c) { c.refuses(refused(EINVAL), EINVAL).control(refused(EINVAL)); });
  expect_mismatch(result);
  EXPECT_EQ(result.texts().back(), "control: bad() -> EINVAL, expected success");
}

TEST(CaseRefuses, IsBrokenWithoutItsControl) {
  expect_broken(tried([](Case& c) { (void)c.refuses(refused(EINVAL), EINVAL); }),
                "a refusal was judged without its control");
}

TEST(CaseRefuses, ReportsTheControlThatCouldNotBeMade) {
  expect_broken(tried([](Case& c) {
                  c.refuses(refused(EINVAL), EINVAL).control([&] {
                    c.must(refused(ENOMEM, {}, "prepare"));
                    return granted();
                  }());
                }),
                "prepare(): ENOMEM (Cannot allocate memory)");
}

TEST(CaseRefuses, TakesTheWordsOfTheExplanation) {
  const auto result = tried([](Case& c) {
    c.refuses(refused(EACCES, "R1 type=ctx expected=map_ptr"), EACCES, "expected=map_ptr").control(granted());
  });
  expect_as_stated(result);
  EXPECT_EQ(result.texts().front(), "bad() -> EACCES saying \"expected=map_ptr\"");
}

TEST(CaseRefuses, CatchesOtherWords) {
  const auto result =
      tried([](Case& c) { c.refuses(refused(EACCES, "something else"), EACCES, "map_ptr").control(granted()); });
  expect_mismatch(result);
  EXPECT_EQ(result.texts().front(), "bad() -> EACCES saying \"something else\", expected EACCES saying \"map_ptr\"");
}

TEST(CaseRefuses, WordsDoNotMakeUpForTheErrno) {
  expect_mismatch(tried([](Case& c) { c.refuses(refused(EPERM, "map_ptr"), EACCES, "map_ptr").control(granted()); }));
}

// --- equals, holds, note

TEST(CaseEquals, TakesTheSameValueAndCatchesAnother) {
  expect_as_stated(tried([](Case& c) { c.equals("the answer", 42, 42); }));
  const auto wrong = tried([](Case& c) { c.equals("the answer", 41, 42); });
  expect_mismatch(wrong);
  EXPECT_THAT(wrong.texts(), ElementsAre("the answer -> 41, expected 42"));
}

TEST(CaseEquals, WordsWhatItCompares) {
  const auto result = tried([](Case& c) {
    c.equals("element", Element{.ifindex = 1, .program_id = 2}, Element{.ifindex = 3});
    c.equals("optional", std::optional<int>{}, std::optional<int>{4});
    c.equals("expected", std::optional<int>{4}, 4);
    c.equals("enum", Mode::native, Mode::generic);
    c.equals("list", std::vector<int>{1, 2}, std::vector<int>{});
    c.equals("text", std::string("a"), std::string("b"));
    c.equals("truth", true, false);
  });
  EXPECT_THAT(result.texts(),
              ElementsAre("element -> {ifindex 1, program id 2}, expected {ifindex 3, program id 0}",
                          "optional -> nothing, expected 4", "expected -> 4", "enum -> 0, expected 1",
                          "list -> [1, 2], expected []", "text -> a, expected b", "truth -> true, expected false"));
}

TEST(CaseEquals, SaysWhetherItWas) {
  bool same = false;
  bool different = true;
  (void)tried([&](Case& c) {
    same = c.equals("a", 1, 1);
    different = c.equals("b", 1, 2);
  });
  EXPECT_TRUE(same);
  EXPECT_FALSE(different);
}

TEST(CaseEndsIn, TakesTheErrnoWithEitherSign) {
  for (const int observed : {ENXIO, -ENXIO}) {
    const auto result = tried([observed](Case& c) { c.ends_in("its err", observed, ENXIO); });
    expect_as_stated(result);
    EXPECT_THAT(result.texts(), ElementsAre("its err -> ENXIO"));
  }
  const auto other = tried([](Case& c) { c.ends_in("its err", -EPERM, ENXIO); });
  expect_mismatch(other);
  EXPECT_THAT(other.texts(), ElementsAre("its err -> EPERM, expected ENXIO"));
}

TEST(CaseEndsIn, TakesANumberOfThings) {
  const auto result = tried([](Case& c) { c.count_that_ends_in("inserts", EEXIST, 3, 3); });
  expect_as_stated(result);
  EXPECT_THAT(result.texts(), ElementsAre("inserts that end in EEXIST -> 3"));
}

TEST(Case, RemembersWhichErrnosWereExpected) {
  const auto result = tried([](Case& c) {
    c.refuses(refused(EINVAL), EINVAL).control(granted());
    c.ends_in("its err", -ENXIO, ENXIO);
    c.count_that_ends_in("inserts", EEXIST, 0, 0);
    c.equals("events", std::string("xdp_redirect_err ENETDOWN"), "xdp_redirect_err " + c.expected_errno(ENETDOWN));
    c.equals("something else", errno_name(EPERM), "EPERM");
  });
  expect_as_stated(result);
  EXPECT_THAT(result.outcome.refusals, testing::UnorderedElementsAre(EINVAL, ENXIO, EEXIST, ENETDOWN));
  EXPECT_THAT(tried([](Case& c) { (void)c.refuses(refused(EPERM), EINVAL); }).outcome.refusals, ElementsAre(EINVAL))
      << "what was expected, not what came";
}

TEST(CaseHolds, TakesWhatIsSoAndCatchesWhatIsNot) {
  expect_as_stated(tried([](Case& c) { c.holds("rain falls", true); }));
  const auto wrong = tried([](Case& c) {
    c.holds("rain falls", false);
    c.holds("rain rises", false, "it fell");
  });
  expect_mismatch(wrong);
  EXPECT_THAT(wrong.texts(), ElementsAre("rain falls -> not so, expected so", "rain rises -> it fell, expected so"));
}

TEST(CaseNote, IsEvidenceButNoJudgement) {
  const auto result = tried([](Case& c) { c.note("by the way"); });
  expect_broken(result, "the check judged nothing");
  EXPECT_THAT(result.texts(), ElementsAre("by the way"));
}

TEST(CaseRates, AreEvidenceButNoJudgement) {
  const auto result = tried([](Case& c) {
    c.rates(std::chrono::milliseconds(500), {{"updates", 950'000}, {"frames", 155'200}, {"losses", 3}});
  });
  expect_broken(result, "the check judged nothing");
  EXPECT_THAT(result.texts(), ElementsAre("1.9 M updates/s, 310 k frames/s, 6 losses/s in 0.5 s"));
  EXPECT_EQ(result.evidence.front().role, Role::rate);
}

TEST(CaseSoak, IsAsLongAsTheRunSaysOrAsUsual) {
  Case plain({}, [](const Evidence&) {});
  EXPECT_EQ(plain.soak(std::chrono::milliseconds(200)).count(), 200);
  Case soaking({}, [](const Evidence&) {}, {.soak = std::chrono::seconds(3)});
  EXPECT_EQ(soaking.soak(std::chrono::milliseconds(200)).count(), 3000);
}

TEST(CasePatience, IsMostOfTheTimeThatIsLeft) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  const Case unhurried({}, [](const Evidence&) {}, {.time_limit = hours(1000)});
  EXPECT_LE(unhurried.patience(), hours(750));
  EXPECT_GT(unhurried.patience(), hours(749));
  const Case late({}, [](const Evidence&) {}, {.time_limit = milliseconds(-1)});
  EXPECT_EQ(late.patience(), milliseconds(0));
  const Case without_hope({}, [](const Evidence&) {}, {.time_limit = hours(1000), .most_patience = milliseconds(5)});
  EXPECT_EQ(without_hope.patience(), milliseconds(5));
}

// --- must, and how a check ends

TEST(CaseMust, GivesTheValueOfAStep) {
  expect_as_stated(tried([](Case& c) {
    c.equals("of an Expected", c.must(Expected<int>(7)), 7);
    c.equals("of a Reply", c.must(Reply<int>::granted(Asked("read", {}), 8)), 8);
    c.must(Expected<void>());
    c.must(granted());
  }));
}

TEST(CaseMust, MakesTheCheckBrokenWhereAStepFails) {
  bool went_on = false;
  expect_broken(tried([&](Case& c) {
                  c.holds("so far so good", true);
                  c.must(Expected<int>(failure("socket", EMFILE, "for sniffing")));
                  went_on = true;
                }),
                "socket: EMFILE (Too many open files): for sniffing");
  EXPECT_FALSE(went_on);
}

TEST(CaseMust, AfterAMismatchLeavesTheMismatchAsTheFinding) {
  const auto result = tried([](Case& c) {
    c.equals("the count", 1, 2);
    c.must(refused(ENOENT, {}, "open"));
  });
  expect_mismatch(result);
  EXPECT_THAT(result.texts(),
              ElementsAre("the count -> 1, expected 2", "not continued: open(): ENOENT (No such file or directory)"));
}

TEST(Case, ThatJudgesNothingIsBroken) {
  expect_broken(tried([](Case&) {}), "the check judged nothing");
}

TEST(Case, ThatThrowsIsBroken) {
  expect_broken(tried([](Case& c) {
                  c.holds("so far so good", true);
                  throw std::runtime_error("on purpose");
                }),
                "exception: on purpose");
}

TEST(Case, ThatThrowsSomethingElseIsBrokenToo) {
  expect_broken(tried([](Case&) { throw 7; }), "exception of an unknown type");
}

TEST(Case, ReportsTheFirstReasonForBeingBroken) {
  expect_broken(tried([](Case& c) {
                  (void)c.refuses(refused(EINVAL), EINVAL);
                  throw std::runtime_error("later");
                }),
                "a refusal was judged without its control");
}

TEST(Case, TellsOfEvidenceAsItIsFound) {
  std::size_t heard = 0;
  Case the_case({}, [&](const Evidence&) { ++heard; });
  (void)the_case.run([&](Case& c) {
    c.holds("first", true);
    EXPECT_EQ(heard, 1U);
    c.note("second");
    EXPECT_EQ(heard, 2U);
  });
}

}  // namespace
}  // namespace devmap
